# What newer clients have that 16.2's have not; the older say so, and the newer are answered as by a real cluster.
printf 'open sesame' >pass
printf 'second' >pass2
rbd create --size 64M locked
rbd encryption format locked luks2 pass
rbd resize --no-progress --size 128M --encryption-passphrase-file pass locked
rbd snap create --no-progress locked@s
rbd clone --rbd-default-clone-format 2 locked@s layered
rbd encryption format layered luks2 pass2
rbd flatten --no-progress --encryption-passphrase-file pass2 --encryption-passphrase-file pass layered
rbd info layered | grep -v -E 'block_name_prefix|id:|_timestamp'
qemu-io --object secret,id=s,file=pass -c 'write -P 0x66 0 1M' -c 'read -P 0x66 0 1M' --image-opts driver=rbd,pool=rbd,image=locked,encrypt.format=luks-any,encrypt.key-secret=s
qemu-img create -q -f raw --object secret,id=s,file=pass -o encrypt.format=luks,encrypt.key-secret=s rbd:rbd/small 16M
rbd rm --no-progress small
rbd rm --no-progress layered
rbd snap purge --no-progress locked
rbd rm --no-progress locked
rbd group create pair
rbd create --size 4M left
rbd create --size 4M right
rbd group image add pair left
rbd group image add pair right
rbd group info pair | sed -E 's/[0-9a-f]{9,}/ID/'
rbd group snap create pair@before
rbd group snap ls pair --format json --pretty-format | sed -E 's/"[0-9a-f]{9,}"/ID/'
#@ blank \.group\.\d+_(\w+)
rbd group snap info pair@before | sed -E 's/[0-9a-f]{9,}/ID/; s/[0-9]+$/N/; s/snap id: [0-9]+/snap id: N/'
qemu-io -f raw -c 'write -P 0x11 0 4M' rbd:rbd/left
rbd group snap rollback --no-progress pair@before
rbd clone --rbd-default-clone-format 2 --snap-id "$(rbd snap ls --all left --format json | grep -o '"id":[0-9]*' | head -n 1 | cut -d: -f2)" rbd/left leftclone
#@ blank \.group\.\d+_(\w+)
rbd info leftclone | grep -v -E 'block_name_prefix|id:|_timestamp'
rbd diff --from-snap-id "$(rbd snap ls --all left --format json | grep -o '"id":[0-9]*' | head -n 1 | cut -d: -f2)" left
rbd rm --no-progress leftclone
rbd group snap rm pair@before
rbd group rm pair
rbd rm --no-progress left
rbd rm --no-progress right
qemu-img convert -f qcow2 -O raw guest.qcow2 guest.raw
printf '{"type":"raw","stream":{"type":"file","file_path":"%s/guest.raw"}}' "$PWD" >source.json
rbd migration prepare --import-only --source-spec-path source.json rbd/imported
rbd migration execute --no-progress rbd/imported
rbd migration commit --no-progress rbd/imported
qemu-img compare guest.qcow2 rbd:rbd/imported
rbd rm --no-progress imported
rm guest.raw
rbd mirror pool enable rbd init-only
rbd mirror pool disable rbd
rbd config global set client.nosuch rbd_default_features 61
rbd config global rm client.nosuch rbd_default_features
rados -p rbd bench 2 write --write-object --no-cleanup -b 4096 --max-objects 10 2>&1 | grep -c -i 'total writes'
#@ blank ^Removed (\d+) objects
rados -p rbd cleanup
ceph osd info 0 | cut -d' ' -f1-6
ceph crash ls
ceph osd df --format json | grep -o '"name":"osd[^,]*'
ceph config get osd.0 osd_pool_default_size
