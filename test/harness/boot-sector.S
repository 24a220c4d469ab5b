# The guest's boot sector: loads Linux from fixed sectors of the disk and starts it.
#
# Why not a stock loader: loaders read through the firmware, and the firmware's IDE driver takes one
# interrupt, one emulated wait and one storage request for each 512 bytes; a kernel takes half a minute
# that way. This one speaks READ MULTIPLE to the IDE controller itself, 16 sectors a request, and falls
# back to the firmware where there is no IDE disk (virtio).
#
# Made into boot-sector.ts by: as --32 -o b.o boot-sector.S && objcopy -O binary -j .text b.o b.bin
#
# Memory: setup code of the kernel with its command line at 0x90000, kernel at 1 MiB, initrd at 128 MiB,
# as the table at 404 says: three times (first sector, sectors, address), filled in by guest.ts.
# linux: Documentation/x86/boot.rst, the 16-bit protocol.

        .code16
        .text
        .globl  _start
_start: cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        ljmp    $0, $0x7c00 + (1f - _start)
1:      movb    %dl, 0x5ff              # the firmware's number of this disk
        call    unreal
        movw    $0x7c00 + (table - _start), %si
entry:  movl    (%si), %ebx             # ebx: next sector
        movl    4(%si), %ecx            # ecx: sectors left
        movl    8(%si), %edi            # edi: next address
        addw    $12, %si
chunk:  movl    $64, %ebp               # ebp: sectors in this request
        cmpl    %ebp, %ecx
        jae     1f
        movl    %ecx, %ebp
1:      call    read
        addl    %ebp, %ebx
        subl    %ebp, %ecx
        jnz     chunk
        cmpw    $0x7c00 + (table - _start) + 36, %si
        jb      entry

        movw    $0x9000, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movw    $0xde00, %sp
        ljmp    $0x9020, $0

# Reads bp sectors from ebx to edi, and moves edi behind them.
read:   movw    $0x1f6, %dx
        movl    %ebx, %eax
        shrl    $24, %eax
        orb     $0xe0, %al
        outb    %al, %dx
        incw    %dx
        inb     %dx, %al
        testb   %al, %al                # no disk there: 0 or 0xff
        jz      bios
        incb    %al
        jz      bios
        movw    $0x1f2, %dx
        movw    %bp, %ax
        outb    %al, %dx
        incw    %dx
        movl    %ebx, %eax
        outb    %al, %dx
        incw    %dx
        shrl    $8, %eax
        outb    %al, %dx
        incw    %dx
        shrl    $8, %eax
        outb    %al, %dx
        movw    $0x1f7, %dx
        movb    $0xc4, %al              # READ MULTIPLE; QEMU's disks start with 16 sectors a block
        outb    %al, %dx
        pushl   %ecx
        pushl   %ebp
block:  inb     %dx, %al
        testb   $0x80, %al
        jnz     block
        testb   $0x21, %al
        jnz     fail
        testb   $0x08, %al
        jz      block
        movl    $16, %ecx
        cmpl    %ecx, %ebp
        jae     1f
        movl    %ebp, %ecx
1:      subl    %ecx, %ebp
        shll    $7, %ecx
        movw    $0x1f0, %dx
        addr32 rep insl (%dx), %es:(%edi)
        movw    $0x1f7, %dx
        testl   %ebp, %ebp
        jnz     block
        popl    %ebp
        popl    %ecx
        ret

# The same through the firmware: to 0x10000 by an address packet at 0x600, then up.
bios:   pushl   %ecx
        pushl   %ebx
        pushw   %si
        pushl   %edi
        pushl   %ebp
        movl    $0x10, 0x600
        movw    %bp, 0x602
        movl    $0x10000000, 0x604
        movl    %ebx, 0x608
        andl    $0, 0x60c
        movw    $0x600, %si
        movb    $0x42, %ah
        movb    0x5ff, %dl
        sti
        int     $0x13
        cli
        jc      fail
        call    unreal
        popl    %ebp
        popl    %edi
        movl    $0x10000, %esi
        movl    %ebp, %ecx
        shll    $7, %ecx
        addr32 rep movsl %ds:(%esi), %es:(%edi)
        popw    %si
        popl    %ebx
        popl    %ecx
        ret

# Gives ds and es a limit of 4 GiB in real mode.
unreal: lgdt    0x7c00 + (gdtr - _start)
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        movw    $8, %dx
        movw    %dx, %ds
        movw    %dx, %es
        andb    $0xfe, %al
        movl    %eax, %cr0
        xorw    %dx, %dx
        movw    %dx, %ds
        movw    %dx, %es
        ret

fail:   movw    $0x3f8, %dx             # one letter on the serial port, and that is all
        movb    $'E', %al
        outb    %al, %dx
        hlt
        jmp     fail

        .balign 4
gdt:    .long   0, 0
        .long   0x0000ffff, 0x00cf9300
gdtr:   .word   15
        .long   0x7c00 + (gdt - _start)

        .org    404
table:  .fill   36
        .org    440
