# Row 5: information, allocation, comparison, differences.
qemu-img info rbd:rbd/vmdisk1
qemu-img info --output json rbd:rbd/vmdisk1
qemu-io -f raw -c 'write -P 0x11 0 64k' -c 'write -P 0x22 5M 1M' -c 'write -P 0x33 4095M 1M' rbd:rbd/vmdisk1
qemu-io -f raw -c 'read -P 0x11 0 64k' -c 'read -P 0 64k 64k' -c 'read -P 0x22 5M 1M' -c 'read -P 0x33 4095M 1M' rbd:rbd/vmdisk1
qemu-img map -f raw rbd:rbd/vmdisk1
qemu-img map -f raw --output json rbd:rbd/vmdisk1
rbd du
rbd du vmdisk1
rbd du vmdisk1 --format json --pretty-format
rbd du --exact vmdisk1
rbd diff vmdisk1
rbd diff --whole-object vmdisk1
rbd diff vmdisk1 --format json
qemu-img create -f raw rbd:rbd/vmdisk4 4G
qemu-img compare -f raw -F raw rbd:rbd/vmdisk1 rbd:rbd/vmdisk4
qemu-img convert -f raw -O raw rbd:rbd/vmdisk1 rbd:rbd/vmdisk5
qemu-img compare -f raw -F raw rbd:rbd/vmdisk1 rbd:rbd/vmdisk5
rbd du vmdisk5
qemu-io -f raw -c 'discard 4M 4M' -c 'write -z 0 32k' rbd:rbd/vmdisk1
rbd diff vmdisk1
rbd du vmdisk1
qemu-img map -f raw rbd:rbd/vmdisk1
rbd rm --no-progress vmdisk4
rbd rm --no-progress vmdisk5
