# Row 32: the rest of qemu-img: overlays on images, commit, dd, measure, bench, LUKS, preallocation, caching modes.
rbd create --size 64M base
qemu-io -f raw -c 'write -P 0x71 0 8M' -c 'write -P 0x72 40M 1M' rbd:rbd/base
qemu-img create -q -f qcow2 -b rbd:rbd/base -F raw overlay.qcow2
qemu-io -c 'read -P 0x71 0 8M' -c 'write -P 0x73 4M 1M' -c 'read -P 0x73 4M 1M' overlay.qcow2
qemu-img map --output json overlay.qcow2
qemu-img commit -q overlay.qcow2
qemu-io -f raw -c 'read -P 0x71 0 4M' -c 'read -P 0x73 4M 1M' -c 'read -P 0x71 5M 3M' -c 'read -P 0x72 40M 1M' rbd:rbd/base
qemu-img measure -f raw -O qcow2 rbd:rbd/base
qemu-img dd -f raw -O raw bs=1M count=8 if=rbd:rbd/base of=part.raw
cksum <part.raw
qemu-img check -f raw rbd:rbd/base
#@ blank Run completed in (.*)$
qemu-img bench -f raw -c 100 -d 8 -s 4096 rbd:rbd/base
#@ blank Run completed in (.*)$
qemu-img bench -f raw -w --flush-interval=10 -c 100 -d 8 -s 4096 -o 16M rbd:rbd/base
qemu-io -f raw -t none -c 'aio_write -P 0x74 48M 1M' -c 'aio_write -P 0x75 50M 1M' -c aio_flush -c 'read -P 0x74 48M 1M' -c 'read -P 0x75 50M 1M' rbd:rbd/base | grep -v -E 'ops|wrote'
qemu-img convert -f raw -O raw -W -m 8 rbd:rbd/base rbd:rbd/copied
qemu-img compare -f raw -F raw rbd:rbd/base rbd:rbd/copied
qemu-img convert -f raw -O raw -l snapshot.name=nosuch rbd:rbd/base other.raw
qemu-img create -q -f raw -o encrypt.format=luks2,encrypt.key-secret=s --object secret,id=s,data=sesame rbd:rbd/hidden 32M
rbd info hidden | head -n 2
qemu-io --object secret,id=s,data=sesame -c 'write -P 0x76 0 1M' -c 'read -P 0x76 0 1M' --image-opts driver=rbd,pool=rbd,image=hidden,encrypt.format=luks2,encrypt.key-secret=s
rbd snap create --no-progress base@frozen
qemu-io -r -f raw -c 'read -P 0x71 0 4M' rbd:rbd/base@frozen
qemu-io -f raw -c 'write 0 4k' rbd:rbd/base@frozen
rbd snap purge --no-progress base
for i in base copied hidden; do rbd rm --no-progress $i; done
