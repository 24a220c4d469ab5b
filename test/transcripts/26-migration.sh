# Row 26: an image moves to another pool and layout while it may be used.
ceph osd pool create other 8
rbd pool init other
rbd create --size 16M mover
qemu-io -f raw -c 'write -P 0x41 0 6M' rbd:rbd/mover
rbd snap create --no-progress mover@s
qemu-io -f raw -c 'write -P 0x42 4M 4M' rbd:rbd/mover
rbd export --no-progress mover - | cksum
rbd migration prepare mover other/moved
rbd info other/moved | grep -v -E 'block_name_prefix|id:|_timestamp'
rbd ls | grep mover
rbd ls other
#@ blank (?:source|destination): \S+ \(([0-9a-f]+)\)
rbd status other/moved
rbd export --no-progress other/moved - | cksum
qemu-io -f raw -c 'write -P 0x43 8M 1M' rbd:other/moved
rbd migration execute --no-progress other/moved
#@ blank (?:source|destination): \S+ \(([0-9a-f]+)\)
rbd status other/moved
rbd migration commit --no-progress other/moved
rbd info other/moved | grep -v -E 'block_name_prefix|id:|_timestamp'
rbd export --no-progress other/moved@s - | cksum
qemu-io -f raw -c 'read -P 0x41 0 4M' -c 'read -P 0x42 4M 4M' -c 'read -P 0x43 8M 1M' rbd:other/moved
rbd trash ls --all
rbd migration prepare other/moved
rbd migration abort --no-progress other/moved
rbd migration commit --no-progress other/moved
rbd snap ls other/moved --format json | grep -o '"name":"[^"]*","size":[0-9]*'
rbd snap purge --no-progress other/moved
rbd rm --no-progress other/moved
ceph osd pool rm other other --yes-i-really-really-mean-it
