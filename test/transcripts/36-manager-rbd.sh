# Row 36: what the manager does with images besides row 15: mirror snapshots on schedule, migrations, statistics.
rbd mirror snapshot schedule ls
rbd mirror snapshot schedule status
rbd mirror snapshot schedule add -p rbd 1x
rbd mirror snapshot schedule add -p rbd --image none 1h
rbd create --size 8M --image-feature layering,exclusive-lock,object-map,fast-diff timed
rbd mirror snapshot schedule add -p rbd --image timed 1h
rbd namespace create rbd/space
rbd mirror snapshot schedule add -p rbd --namespace space 1h
rbd mirror snapshot schedule add -p rbd --namespace nospace 1h
rbd mirror pool enable rbd image
rbd mirror pool enable rbd/space image
rbd mirror pool peer add rbd client.mirror@far
rbd mirror image enable timed snapshot
rbd mirror snapshot schedule add -p rbd --image timed 1m
rbd mirror snapshot schedule add -p rbd --namespace space 90m 14:00
rbd mirror snapshot schedule add 1d
rbd mirror snapshot schedule ls
rbd mirror snapshot schedule ls -R
rbd mirror snapshot schedule ls -p rbd --format json
rbd mirror snapshot schedule ls -p rbd --namespace space --format json
#@ blank "(\d+/[^"]*)": \{
ceph rbd mirror snapshot schedule list rbd/timed
#@ blank ^(\d+//\w+)
#@ blank ^(\d+)/space
rados -p rbd listomapkeys rbd_mirror_snapshot_schedule
ceph rbd mirror snapshot schedule remove rbd/space/ 5h
ceph rbd mirror snapshot schedule remove rbd/space/
rbd mirror snapshot schedule rm
rbd mirror snapshot schedule ls -R
# Statistics: a question first, for nobody counts what nobody asks for.
rbd create --size 32M --image-feature layering counted
ceph rbd perf image stats nopool
ceph rbd perf image stats rbd/space/x
ceph rbd perf image stats rbd no_such_order
#@ blank "timestamp": ([\d.]+)
ceph rbd perf image counters rbd
qemu-io -f raw -c 'write -P 1 0 64k' -c 'write -P 1 4M 64k' -c 'write -P 1 8M 128k' -c flush -c 'read 0 64k' -c 'read 20M 64k' rbd:rbd/counted
for i in $(seq 60); do ceph rbd perf image counters rbd | grep -q counted && break; sleep 0.5; done; sleep 11; ceph rbd perf image counters rbd | grep -o 'counted": \[[0-9]*, [0-9]*, [0-9]*, [0-9]*'
ceph rbd perf image counters rbd/space | grep -c counted
rbd rm --no-progress counted
# A migration in steps, each of them the manager's.
rbd create --size 24M --image-feature layering,exclusive-lock,object-map,fast-diff,deep-flatten moving
qemu-io -f raw -c 'write -P 0x11 0 64k' -c 'write -P 0x22 5M 1M' -c 'write -P 0x33 20M 4M' -c flush rbd:rbd/moving
rbd snap create --no-progress moving@s
qemu-io -f raw -c 'write -P 0x44 32k 64k' -c 'discard 20M 4M' -c flush rbd:rbd/moving
ceph rbd task add migration execute moving
rbd migration prepare --object-size 8M moving rbd/space/moved
ceph rbd task add migration commit rbd/space/moved
#@ blank "image_id": "(\w+)"
#@ blank "sequence": (\d+)
ceph rbd task add migration execute rbd/space/moved
for i in $(seq 300); do [ "$(ceph rbd task list)" = "[]" ] && break; sleep 0.1; done; ceph rbd task list
#@ blank (?:source|destination): \S+ \(([0-9a-f]+)\)
rbd status rbd/space/moved
rbd object-map check --no-progress rbd/space/moved
rbd object-map check --no-progress rbd/space/moved@s
rbd du rbd/space/moved
#@ blank "image_id": "(\w+)"
#@ blank "sequence": (\d+)
ceph rbd task add migration abort rbd/space/moved
for i in $(seq 300); do [ "$(ceph rbd task list)" = "[]" ] && break; sleep 0.1; done; rbd ls rbd/space
qemu-io -f raw -c 'read -P 0x11 0 32k' -c 'read -P 0x44 32k 64k' -c 'read -P 0x22 5M 1M' -c 'read -P 0 20M 4M' rbd:rbd/moving
rbd object-map check --no-progress moving
rbd migration prepare --object-size 8M moving rbd/space/moved
#@ blank "image_id": "(\w+)"
#@ blank "sequence": (\d+)
ceph rbd task add migration execute rbd/space/moved
for i in $(seq 300); do [ "$(ceph rbd task list)" = "[]" ] && break; sleep 0.1; done; ceph rbd task add migration execute rbd/space/moved | grep -o retry_attempts
#@ blank "image_id": "(\w+)"
#@ blank "sequence": (\d+)
ceph rbd task add migration commit rbd/space/moved
for i in $(seq 300); do [ "$(ceph rbd task list)" = "[]" ] && break; sleep 0.1; done; rbd ls | grep moving
rbd trash ls --all | grep moving
rbd info rbd/space/moved | grep -v -E 'block_name_prefix|id:|_timestamp'
rbd export --no-progress rbd/space/moved - | md5sum
rbd export --no-progress rbd/space/moved@s - | md5sum
rbd snap purge --no-progress rbd/space/moved
rbd rm --no-progress rbd/space/moved
# By now the scheduled image has had its turn, or soon will.
for i in $(seq 200); do [ $(rbd snap ls --all timed --format json | grep -o mirror.primary | wc -l) -ge 2 ] && break; sleep 0.5; done; rbd mirror snapshot schedule status
for i in $(seq 200); do [ $(rbd snap ls --all timed --format json | grep -o mirror.primary | wc -l) -ge 2 ] && break; sleep 0.5; done; rbd snap ls --all timed --format json | grep -o '"state":"primary","mirror_peer_uuids":\["[^"]*"\],"complete":true' | head -2
#@ blank mirror_snapshot\.(\w+\.\d+)\.
rados -p rbd ls | grep mirror_snapshot | grep -v schedule | head -1
rbd mirror snapshot schedule rm -p rbd --image timed
rados -p rbd listomapkeys rbd_mirror_snapshot_schedule
rbd mirror image disable timed
rbd rm --no-progress timed
for u in $(rbd mirror pool info --format json | grep -o '"uuid":"[^"]*"' | cut -d'"' -f4); do rbd mirror pool peer remove rbd $u; done
rbd mirror pool disable rbd/space
rbd mirror pool disable rbd
rbd namespace rm rbd/space
