# Row 20: an image with every feature; features, metadata and options come and go.
rbd create --size 32M --object-size 1M --stripe-unit 256K --stripe-count 4 --image-feature layering,striping,exclusive-lock,object-map,fast-diff,deep-flatten,journaling every
#@ blank ^\s*journal: (\w+)
rbd info every
qemu-io -f raw -c 'write -P 0x11 0 3M' -c 'write -P 0x22 17M 64k' -c 'discard 1M 1M' -c 'write -z 2M 256k' rbd:rbd/every
qemu-io -f raw -c 'read -P 0x11 0 1M' -c 'read -P 0 1M 1M' -c 'read -P 0 2M 256k' -c 'read -P 0x22 17M 64k' rbd:rbd/every
rbd du every
#@ drop ^ +\d
#@ blank elapsed: (\d+) +ops: \d+ +ops/sec: (\S+) +bytes/sec: (.*)$
rbd bench --io-type write --io-size 64K --io-threads 4 --io-total 4M every
#@ drop ^ +\d
#@ blank elapsed: (\d+) +ops: \d+ +ops/sec: (\S+) +bytes/sec: (.*)$
rbd bench --io-type read --io-size 64K --io-threads 4 --io-total 4M --io-pattern rand every
rbd feature disable every journaling
rbd feature disable every object-map fast-diff
rbd feature disable every exclusive-lock
rbd info every
rbd feature enable every exclusive-lock object-map
rbd feature enable every fast-diff
rbd info every
rbd object-map rebuild --no-progress every
rbd object-map check --no-progress every
rbd info every
rbd feature disable every deep-flatten
rbd feature enable every deep-flatten
rbd feature disable every layering
rbd feature enable every striping
rbd feature enable every nosuch
rbd image-meta set every colour blue
rbd image-meta set every size large
rbd image-meta get every colour
rbd image-meta get every nosuch
rbd image-meta ls every
rbd image-meta rm every colour
rbd image-meta rm every colour
rbd image-meta ls every
rbd config image set every rbd_cache false
rbd config image get every rbd_cache
rbd config image ls every | grep -w rbd_cache
rbd config image rm every rbd_cache
rbd config image get every rbd_cache
rbd config pool set rbd rbd_cache_size 1048576
rbd config pool get rbd rbd_cache_size
rbd config pool ls rbd | grep -w rbd_cache_size
rbd config pool rm rbd rbd_cache_size
rbd config global set client rbd_cache_size 2097152
rbd config global get client rbd_cache_size
rbd config global ls client | grep -w rbd_cache_size
rbd config global rm client rbd_cache_size
qemu-io -f raw -c 'write -z 0 4M' rbd:rbd/every
rbd sparsify --no-progress every
rbd du every
rbd rm --no-progress every
# Data in a pool of its own, with directories and headers in the first.
ceph osd pool create data 8
rbd pool init data
rbd create --size 8M --data-pool data apart
rbd info apart
qemu-io -f raw -c 'write -P 0x31 0 8M' -c 'read -P 0x31 0 8M' rbd:rbd/apart
rados -p data ls | wc -l
rados -p rbd ls | grep -c "$(rbd info apart --format json | grep -o 'rbd_data[^"]*')"
rbd rm --no-progress apart
rados -p data ls | grep -v rbd_
rbd pool stats data
ceph osd pool rm data data --yes-i-really-really-mean-it
