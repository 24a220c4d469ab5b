# Row 11: a protected snapshot, a clone of it, and the way back to an image of its own.
rbd snap create fedora@base
rbd clone fedora@base clone0
rbd snap protect fedora@base
rbd snap protect fedora@base
rbd clone fedora@base clone1
rbd clone fedora@base vms/clone2
rbd info clone1
rbd info fedora@base
rbd ls -l
rbd children fedora@base
rbd du clone1
qemu-img compare guest.qcow2 rbd:rbd/clone1
qemu-io -f raw -c 'write -P 0x42 1M 64k' -c 'read -P 0x42 1M 64k' rbd:rbd/clone1
rbd du clone1
rbd diff clone1
qemu-img compare guest.qcow2 rbd:rbd/clone1
qemu-img compare guest.qcow2 rbd:rbd/fedora
rbd snap rm fedora@base
rbd snap unprotect fedora@base
rbd rm fedora
rbd flatten clone1
rbd info clone1
rbd children fedora@base
rbd flatten vms/clone2
qemu-img compare guest.qcow2 rbd:vms/clone2
rbd children fedora@base
rbd snap unprotect fedora@base
rbd snap rm fedora@base
rbd snap create fedora@one
rbd snap create fedora@two
rbd snap rename fedora@two fedora@three
rbd snap ls fedora
rbd snap rollback fedora@one
rbd snap purge fedora
rbd rm clone1
rbd rm vms/clone2
rbd rename fedora debian
rbd ls
rbd rm debian
rbd rm debian
rbd ls
