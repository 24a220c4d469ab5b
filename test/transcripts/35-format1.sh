# Row 35: images of the first format: made for who insists, and what can be done with them.
ceph osd pool create antique 8 >/dev/null 2>&1 && rbd pool init antique
rbd create --image-format 1 --size 8M antique/first
RBD_FORCE_ALLOW_V1=1 rbd create --image-format 1 --size 9M antique/first
RBD_FORCE_ALLOW_V1=1 rbd create --image-format 1 --size 9M antique/first
RBD_FORCE_ALLOW_V1=1 rbd create --image-format 1 --size 9M --image-feature layering antique/featured
RBD_FORCE_ALLOW_V1=1 rbd create --image-format 1 --size 9M --stripe-unit 65536 --stripe-count 4 antique/striped
RBD_FORCE_ALLOW_V1=1 rbd create --image-format 1 --size 9M --data-pool rbd antique/elsewhere
RBD_FORCE_ALLOW_V1=1 rbd create --image-format 1 --size 2M --object-size 64K --image-shared antique/small
rbd create --size 9M antique/first
rbd create --size 4M antique/newer
rbd ls antique
rbd ls -l antique
rbd ls -l antique --format json | sed 's/"id":"[0-9a-f]*"/"id":"X"/g'
rbd info antique/small | grep -v block_name_prefix
rbd info antique/first --format json | sed 's/rb\.0\.[0-9a-f.]*/X/'
qemu-io -c 'write -P 0x11 0 9M' rbd:antique/first
rbd snap create --no-progress antique/first@a
rbd snap create --no-progress antique/first@a
rbd snap ls antique/first --format json | sed 's/"id":[0-9]*/"id":X/'
qemu-io -c 'write -P 0x22 2M 4M' rbd:antique/first
rbd snap protect antique/first@a
rbd snap unprotect antique/first@a
rbd snap rename antique/first@a antique/first@b
rbd info antique/first@b | grep -v block_name_prefix
rbd clone antique/first@b antique/clone
rbd children antique/first
rbd flatten --no-progress antique/first
rbd feature enable antique/first exclusive-lock
rbd feature disable antique/first layering
rbd object-map rebuild --no-progress antique/first
rbd object-map check --no-progress antique/first
rbd trash mv antique/first
rbd group create antique/friends
rbd group image add antique/friends antique/first
rbd group rm antique/friends
rbd resize --no-progress --size 5M antique/first
rbd resize --no-progress --size 5M --allow-shrink antique/first
rbd diff antique/first
rbd diff antique/first@b
rbd du antique/first
rbd rename antique/first antique/newer
rbd rename antique/first antique/second
rbd snap rollback --no-progress antique/second@b
qemu-io -c 'read -P 0x11 0 9M' rbd:antique/second
rbd image-meta set antique/second key value
rbd image-meta get antique/second key
rbd snap limit set antique/second --limit 1
rbd snap create --no-progress antique/second@c
rbd lock add antique/second mine
rbd lock ls antique/second | wc -l
rbd status antique/second
rbd sparsify --no-progress antique/second
rbd cp --no-progress antique/second antique/copied
rbd info antique/copied | grep -E 'size|format|features'
rbd deep cp --no-progress antique/second antique/deep
rbd info antique/deep | grep -E 'size|format|features'
rbd snap ls antique/deep --format json | grep -o '"name":"[^"]*","size":[0-9]*'
rbd export --no-progress antique/second second.raw
RBD_FORCE_ALLOW_V1=1 rbd import --no-progress --image-format 1 second.raw antique/third
rbd export --no-progress antique/third - | cmp - second.raw
rbd rm --no-progress antique/second
rbd snap purge --no-progress antique/second
rbd rm --no-progress antique/second
rados -p antique rm third.rbd
rbd rm --no-progress antique/third
rbd rm --no-progress antique/third
rbd rm --no-progress antique/small
rbd snap purge --no-progress antique/deep
rbd rm --no-progress antique/deep
rbd rm --no-progress antique/copied
rbd rm --no-progress antique/newer
rbd ls antique
ceph osd pool rm antique antique --yes-i-really-really-mean-it >/dev/null 2>&1
