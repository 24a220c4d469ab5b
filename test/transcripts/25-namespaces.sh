# Row 25: namespaces of a pool, and a user that may use only one.
rbd namespace create rbd/north
rbd namespace create rbd/north
rbd namespace create --pool rbd --namespace south
rbd namespace ls rbd
rbd namespace ls rbd --format json
rbd create --size 8M rbd/north/house
rbd create --size 8M rbd/nowhere/house
rbd ls rbd/north
rbd ls --pool rbd --namespace south
rbd info rbd/north/house
qemu-io -c 'write -P 0x21 0 8M' -c 'read -P 0x21 0 8M' --image-opts driver=rbd,pool=rbd,namespace=north,image=house
rados -p rbd -N north ls | wc -l
rados -p rbd ls --all | cut -f1 | sort | uniq -c | grep north
rbd snap create --no-progress rbd/north/house@s
rbd clone --rbd-default-clone-format 2 rbd/north/house@s rbd/south/house
rbd info rbd/south/house
qemu-io -c 'read -P 0x21 0 8M' --image-opts driver=rbd,pool=rbd,namespace=south,image=house
ceph auth get-or-create client.north mon 'profile rbd' osd 'profile rbd pool=rbd namespace=north' -o north.keyring
sed 's/^keyring.*//' "$CEPH_CONF" >north.conf && printf 'keyring = %s/north.keyring\n' "$PWD" >>north.conf
rbd --id north -c north.conf info rbd/north/house | head -n 2
rbd --id north -c north.conf ls rbd/south
rbd --id north -c north.conf ls rbd
ceph auth rm client.north
rbd namespace rm rbd/north
rbd rm --no-progress rbd/south/house
rbd snap purge --no-progress rbd/north/house
rbd rm --no-progress rbd/north/house
rbd namespace rm rbd/north
rbd namespace rm rbd/south
rbd namespace rm rbd/south
rbd namespace ls rbd
