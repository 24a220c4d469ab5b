# Row 3: what is there, plain and as JSON.
rbd ls
rbd ls -l
rbd ls --format json
rbd ls -l --format json --pretty-format
rbd info vmdisk1
rbd info vmdisk1 --format json --pretty-format
rbd info small
rbd info plain
rbd ls vms
rbd info vms/vmdisk1
rbd info nosuch
rbd status vmdisk1
rbd --id glance -c glance.conf ls vms
rbd --id glance -c glance.conf ls rbd
