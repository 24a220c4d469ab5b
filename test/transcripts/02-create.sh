# Row 2: QEMU makes images, as the administrator and as a named user with a conf of its own.
# The conf of a user is the plain one with that user's keyring behind it.
sed 's/^keyring.*//' "$CEPH_CONF" >glance.conf && printf 'keyring = %s/glance.keyring\n' "$PWD" >>glance.conf
sed 's/^keyring.*//' "$CEPH_CONF" >qemu.conf && printf 'keyring = %s/qemu.keyring\n' "$PWD" >>qemu.conf
qemu-img create -f raw rbd:rbd/vmdisk1 4G
qemu-img create -f raw rbd:rbd/vmdisk1 4G
qemu-img create -f raw rbd:rbd/vmdisk2:id=qemu:conf=qemu.conf 1G
qemu-img create -f raw rbd:vms/vmdisk1:id=glance:conf=glance.conf 4G
qemu-img create -f raw rbd:rbd/vmdisk3:id=glance:conf=glance.conf 4G
qemu-img create -f raw rbd:nosuch/vmdisk1 4G
qemu-img create -f raw -o cluster_size=1M rbd:rbd/small 10M
rbd create --size 64M --image-feature layering plain
rbd create --size 64M plain
