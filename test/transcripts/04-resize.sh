# Row 4: smaller, and back to size with QEMU guessing the format.
qemu-img resize -f raw --shrink rbd:rbd/vmdisk1 2G
rbd info vmdisk1
qemu-img resize -f raw rbd:rbd/vmdisk1 1G
qemu-img resize rbd:rbd/vmdisk1 4G
rbd info vmdisk1
rbd resize --size 2G vmdisk1
rbd resize --size 2G --allow-shrink vmdisk1
rbd resize --size 4G vmdisk1
# Shrinking takes the data beyond the end with it.
qemu-io -f raw -c 'write -P 0x5a 6M 4M' rbd:rbd/small
qemu-img resize -f raw --shrink rbd:rbd/small 7M
qemu-img resize -f raw rbd:rbd/small 10M
qemu-io -f raw -c 'read -P 0x5a 6M 1M' -c 'read -P 0 7M 3M' rbd:rbd/small
