# Row 24: groups of images and their snapshots.
rbd create --size 4M left
rbd create --size 4M right
rbd group create pair
rbd group create pair
rbd group create lone
rbd group ls
rbd group ls --format json
rbd group image add pair left
rbd group image add pair right
rbd group image add pair left
rbd group image add lone left
rbd group image add pair nosuch
rbd group image ls pair
rbd info left | grep -v -E 'block_name_prefix|id:|_timestamp'
qemu-io -f raw -c 'write -P 0x11 0 4M' rbd:rbd/left
qemu-io -f raw -c 'write -P 0x12 0 4M' rbd:rbd/right
rbd group snap create pair@before
rbd group snap create pair@before
#@ columns
#@ blank ^([0-9a-f]{8,}) 
rbd group snap ls pair
rbd snap ls left
rbd snap ls --all left | wc -l
qemu-io -f raw -c 'write -P 0x13 0 4M' rbd:rbd/left
qemu-io -f raw -c 'write -P 0x14 0 4M' rbd:rbd/right
rbd group snap create pair@after
rbd group snap rename pair@after later
rbd group snap rollback --no-progress pair@before
qemu-io -f raw -c 'read -P 0x11 0 4M' rbd:rbd/left
qemu-io -f raw -c 'read -P 0x12 0 4M' rbd:rbd/right
rbd group snap rm pair@before
rbd group snap rm pair@later
rbd group snap rm pair@later
rbd rm --no-progress left
rbd group image rm pair left
rbd group image ls pair
rbd group rename pair couple
rbd group ls
rbd group rm couple
rbd group rm lone
rbd group ls
rbd snap ls --all right
rbd rm --no-progress left
rbd rm --no-progress right
