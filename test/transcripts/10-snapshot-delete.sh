# Row 10: the snapshot goes, and the space it held comes back.
qemu-io -f raw -c 'write -P 0x79 0 32M' rbd:rbd/fedora
rbd du fedora
#@ settle
rados -p rbd listsnaps "$(rados -p rbd ls | grep '^rbd_data.*000$' | grep "$(rbd info fedora --format json | grep -o 'rbd_data\.[0-9a-f]*')" | sort | head -n 1)"
#@ settle
ceph df --format json | grep -o '"name":"rbd"[^}]*' | grep -o '"objects":[0-9]*'
#@ settle
rados df -p rbd --format json | grep -o '"num_object_clones":[0-9]*'
#@ settle
ceph df --format json | grep -o '"name":"rbd"[^}]*' | grep -o '"stored":[0-9]*' | cut -d: -f2 >stored.before
qemu-img snapshot -d sp0 rbd:rbd/fedora
qemu-img snapshot -d sp0 rbd:rbd/fedora
qemu-img snapshot -l rbd:rbd/fedora
rbd snap ls rbd/fedora
rbd du fedora
#@ settle
rados df -p rbd --format json | grep -o '"num_object_clones":[0-9]*'
#@ settle
rados -p rbd listsnaps "$(rados -p rbd ls | grep '^rbd_data.*000$' | grep "$(rbd info fedora --format json | grep -o 'rbd_data\.[0-9a-f]*')" | sort | head -n 1)"
#@ settle
ceph df --format json | grep -o '"name":"rbd"[^}]*' | grep -o '"objects":[0-9]*'
#@ settle
[ "$(ceph df --format json | grep -o '"name":"rbd"[^}]*' | grep -o '"stored":[0-9]*' | cut -d: -f2)" -lt "$(($(cat stored.before) - 33554432))" ] && echo freed
qemu-img convert -n -f qcow2 -O raw guest.qcow2 rbd:rbd/fedora
qemu-img compare guest.qcow2 rbd:rbd/fedora
