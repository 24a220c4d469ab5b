# Row 6: a compressed qcow2 goes in, and comes out again the same.
qemu-img convert -f qcow2 -O raw guest.qcow2 rbd:rbd/fedora
qemu-img compare guest.qcow2 rbd:rbd/fedora
rbd info fedora
rbd du fedora
rbd diff fedora
qemu-img convert -f raw -O qcow2 rbd:rbd/fedora out.qcow2
qemu-img compare guest.qcow2 out.qcow2
rbd export fedora out.raw
qemu-img compare -f qcow2 -F raw guest.qcow2 out.raw
cksum <out.raw
rbd export fedora - | cksum
rbd import out.raw imported
qemu-img compare -f raw -F raw rbd:rbd/fedora rbd:rbd/imported
qemu-img convert -n -f qcow2 -O raw guest.qcow2 rbd:rbd/imported
qemu-img compare guest.qcow2 rbd:rbd/imported
rbd export-diff fedora fedora.diff
rbd rm imported
