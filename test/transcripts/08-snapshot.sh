# Row 8: QEMU takes a snapshot; both sides list it.
qemu-img snapshot -l rbd:rbd/fedora
qemu-img snapshot -c sp0 rbd:rbd/fedora
qemu-img snapshot -c sp0 rbd:rbd/fedora
qemu-img snapshot -l rbd:rbd/fedora
rbd snap ls rbd/fedora
rbd snap ls rbd/fedora --format json
rbd info fedora
rbd info fedora@sp0
rbd ls -l
rbd du fedora
rbd diff --from-snap sp0 fedora
# What is written afterwards is in the head and not in the snapshot, and goes away with a rollback.
qemu-io -f raw -c 'write -P 0x77 1M 2M' -c 'write -P 0x78 200M 512k' rbd:rbd/fedora
rbd diff --from-snap sp0 fedora
rbd du fedora
qemu-img compare guest.qcow2 rbd:rbd/fedora
qemu-img compare guest.qcow2 rbd:rbd/fedora@sp0
rbd export --no-progress fedora@sp0 - | cksum
qemu-img snapshot -a sp0 rbd:rbd/fedora
qemu-img compare guest.qcow2 rbd:rbd/fedora
qemu-img snapshot -a nosuch rbd:rbd/fedora
