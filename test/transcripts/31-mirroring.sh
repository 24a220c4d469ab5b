# Row 31: what of mirroring a single cluster can be asked.
rbd mirror pool info
rbd mirror pool enable rbd image
rbd mirror pool info --all | grep -v -i -E 'uuid|site name'
rbd create --size 4M twin
rbd mirror image enable twin snapshot
rbd info twin | grep -v -E 'block_name_prefix|id:|_timestamp|global id'
rbd mirror image snapshot twin
rbd snap ls --all twin | wc -l
rbd mirror image demote twin
rbd mirror image promote twin
rbd mirror image disable twin
rbd mirror pool disable rbd
rbd mirror pool info
rbd snap ls --all twin
rbd rm --no-progress twin
