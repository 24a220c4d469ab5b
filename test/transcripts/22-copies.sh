# Row 22: copies, deep copies, exports of both formats and differences.
rbd create --size 24M source
qemu-io -f raw -c 'write -P 0x61 0 6M' rbd:rbd/source
rbd snap create --no-progress source@one
qemu-io -f raw -c 'write -P 0x62 4M 4M' -c 'write -P 0x63 20M 1M' rbd:rbd/source
rbd snap create --no-progress source@two
qemu-io -f raw -c 'discard 0 4M' -c 'write -P 0x64 12M 128k' rbd:rbd/source
rbd cp --no-progress source flat
rbd cp --no-progress source@one flat1
qemu-img compare -f raw -F raw rbd:rbd/source rbd:rbd/flat
qemu-img compare -f raw -F raw rbd:rbd/source@one rbd:rbd/flat1
rbd cp --no-progress source flat
rbd deep cp --no-progress source deep
#@ columns
#@ blank ^(\d+)
rbd snap ls deep
qemu-img compare -f raw -F raw rbd:rbd/source@two rbd:rbd/deep@two
qemu-img compare -f raw -F raw rbd:rbd/source rbd:rbd/deep
rbd du deep
rbd diff --from-snap one source
rbd diff --from-snap one source@two --format json
rbd diff --from-snap one --whole-object source
rbd export --no-progress --export-format 2 source source.v2
rbd import --no-progress --export-format 2 source.v2 again
rbd snap ls again --format json | grep -o '"name":"[^"]*","size":[0-9]*'
qemu-img compare -f raw -F raw rbd:rbd/source@one rbd:rbd/again@one
qemu-img compare -f raw -F raw rbd:rbd/source rbd:rbd/again
rbd export-diff --no-progress source@one first.diff
rbd export-diff --no-progress --from-snap one source@two second.diff
rbd export-diff --no-progress --from-snap two source third.diff
rbd merge-diff --no-progress first.diff second.diff both.diff
cksum <first.diff
cksum <both.diff
rbd create --size 24M target
rbd import-diff --no-progress second.diff target
rbd import-diff --no-progress both.diff target
rbd import-diff --no-progress third.diff target
rbd import-diff --no-progress third.diff target
qemu-img compare -f raw -F raw rbd:rbd/source rbd:rbd/target
rbd snap ls target --format json | grep -o '"name":"[^"]*","size":[0-9]*'
rbd export --no-progress source - | rbd import --no-progress --image-format 2 --object-size 1M - piped
rbd info piped
qemu-img compare -f raw -F raw rbd:rbd/source rbd:rbd/piped
qemu-img convert -f raw -O qcow2 rbd:rbd/source source.qcow2
qemu-img convert -f qcow2 -O raw source.qcow2 rbd:rbd/converted
qemu-img compare -f raw -F raw rbd:rbd/source rbd:rbd/converted
for i in source deep again target; do rbd snap purge --no-progress $i; done
for i in source deep again target flat flat1 piped converted; do rbd rm --no-progress $i; done
rbd ls | grep -E 'source|deep|again|target|flat|piped|converted'
