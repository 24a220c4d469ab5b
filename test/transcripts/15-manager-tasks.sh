# Row 15: the manager's tasks on images, what it says of them while they run and afterwards, and its schedules.
ceph rbd task list
ceph rbd task list 00000000-0000-0000-0000-000000000000
ceph rbd task cancel 00000000-0000-0000-0000-000000000000
ceph rbd task add
ceph rbd task add remove
ceph rbd task add remove ''
ceph rbd task add remove rbd/no@snap
ceph rbd task add remove rbd/none
ceph rbd task add remove nopool/none
ceph rbd task add remove rbd/nospace/none
ceph rbd task add flatten rbd/none
ceph rbd task add trash remove rbd/none
ceph rbd task add migration execute rbd/none
ceph rbd task add migration commit rbd/none
ceph rbd task add migration abort rbd/none
rbd create --size 64M --image-feature layering,exclusive-lock,object-map,fast-diff,deep-flatten tasks
qemu-io -f raw -c 'write -P 0x11 0 64k' -c 'write -P 0x22 5M 1M' -c 'write -P 0x33 60M 4M' -c flush rbd:rbd/tasks
ceph rbd task add flatten rbd/tasks
rbd snap create --no-progress tasks@s
ceph rbd task add remove tasks
rbd clone --rbd-default-clone-format 2 tasks@s child
qemu-io -f raw -c 'write -P 0x44 32k 64k' -c flush rbd:rbd/child
rbd snap create --no-progress child@c1
qemu-io -f raw -c 'write -P 0x55 20M 64k' -c flush rbd:rbd/child
#@ blank "image_id": "(\w+)"
ceph rbd task add flatten rbd/child
for i in $(seq 300); do [ "$(ceph rbd task list)" = "[]" ] && break; sleep 0.1; done; ceph rbd task list
rbd children tasks@s
rbd info child | grep -c parent
rbd object-map check --no-progress child
rbd du child
qemu-io -f raw -c 'read -P 0x11 0 32k' -c 'read -P 0x44 32k 64k' -c 'read -P 0x22 5M 1M' -c 'read -P 0x55 20M 64k' -c 'read -P 0x33 60M 4M' rbd:rbd/child
rbd export --no-progress child@c1 - | md5sum
#@ blank object_map\.\S+>\.(\w+)
#@ sort
rados -p rbd ls | grep $(rbd info --format json child | sed 's/.*"id":"\([^"]*\)".*/\1/')
rbd snap purge --no-progress child
#@ blank "image_id": "(\w+)"
ceph rbd task add remove rbd/child
for i in $(seq 300); do [ "$(ceph rbd task list)" = "[]" ] && break; sleep 0.1; done; rbd info child
# The parent of a clone that goes away: its snapshot was deleted before, and goes with the clone.
rbd clone --rbd-default-clone-format 2 tasks@s child
rbd snap rm --no-progress tasks@s
rbd snap ls tasks --all --format json | grep -o '"type":"trash"'
ceph rbd task add remove tasks
#@ blank "image_id": "(\w+)"
ceph rbd task add remove child
for i in $(seq 300); do [ "$(ceph rbd task list)" = "[]" ] && break; sleep 0.1; done; rbd snap ls tasks --all
rbd trash mv tasks
#@ blank rbd/(\w+) from trash
#@ blank "image_id": "(\w+)"
ceph rbd task add trash remove rbd/$(rbd trash ls | cut -d' ' -f1)
for i in $(seq 300); do [ "$(ceph rbd task list)" = "[]" ] && break; sleep 0.1; done; rbd trash ls
rados -p rbd listomapkeys rbd_task
#@ blank \((\d+[smhd])\)
#@ blank image (rbd/\w+) from trash
ceph progress
#@ blank "(?:finished|started)_at": ([\d.]+)
#@ blank "image_id": "(\w+)"
#@ blank image (rbd/\w+) from trash
ceph progress json
rbd trash purge schedule ls
ceph rbd trash purge schedule list
rbd trash purge schedule add -p rbd 1x
rbd trash purge schedule add -p rbd 10m 25:00
rbd trash purge schedule add -p rbd 10m 12:61
rbd trash purge schedule add -p nopool 10m
rbd trash purge schedule add -p rbd 10m 14:00
rbd trash purge schedule add 1d
rbd trash purge schedule ls
rbd trash purge schedule ls -R
rbd trash purge schedule ls -p rbd --format json
ceph rbd trash purge schedule list rbd
#@ blank "(\d+)": \{
ceph rbd trash purge schedule list rbd/
rados -p rbd getomapval rbd_trash_purge_schedule $(rados -p rbd listomapkeys rbd_trash_purge_schedule) /dev/stdout | tail -n +2
rbd namespace create rbd/space
rbd trash purge schedule add -p rbd --namespace space 90m
ceph rbd trash purge schedule add rbd/space/image 1h
ceph rbd trash purge schedule add rbd/nospace/ 1h
rbd trash purge schedule ls -R
rbd trash purge schedule rm -p rbd --namespace space 90m
rbd trash purge schedule rm -p rbd
rbd trash purge schedule rm
rbd trash purge schedule ls -R
rbd namespace rm rbd/space
