# Row 13: an image that writes to a journal first, and an image of the first format, whose directory is a trivial map.
rbd create --size 64M --image-feature exclusive-lock,journaling journaled
#@ blank ^\s*journal: (\w+)
rbd info journaled
#@ blank '(\w+)'
#@ blank header_oid: journal\.(\w+)
#@ blank journal_data\.(\d+)\.(\w+)
rbd journal info --image journaled
qemu-io -f raw -c 'write -P 0x11 0 64k' -c 'write -P 0x22 4M 1M' -c 'write -P 0x33 60M 4M' -c flush rbd:rbd/journaled
qemu-io -f raw -c 'read -P 0x11 0 64k' -c 'read -P 0x22 4M 1M' -c 'read -P 0x33 60M 4M' rbd:rbd/journaled
rbd journal status --image journaled
#@ drop failed to locate client
rbd journal inspect --image journaled
rbd journal client disconnect --image journaled
rbd journal reset --image journaled
rbd feature disable journaled journaling
rbd feature enable journaled journaling
rbd snap create --no-progress journaled@s
rbd resize --no-progress --size 32M --allow-shrink journaled
rbd snap rollback --no-progress journaled@s
rbd journal status --image journaled
qemu-io -f raw -c 'read -P 0x33 60M 4M' rbd:rbd/journaled
rbd snap purge --no-progress journaled
rbd rm --no-progress journaled
rados -p rbd ls | grep journal
#@ drop Forced V1 image creation
RBD_FORCE_ALLOW_V1=1 rbd create --image-format 1 --size 8M old
#@ blank block_name_prefix: (\S+)
rbd info old
#@ columns
rbd ls -l | grep '^old'
rbd snap create --no-progress old@s
rbd mv old older
rbd ls | grep '^old'
rbd snap ls older --format json | grep -o '"name":"[^"]*","size":[0-9]*'
rbd snap rm --no-progress older@s
rbd rm --no-progress older
rbd rm --no-progress older
