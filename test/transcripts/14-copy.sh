# Row 14: objects copied by the OSDs, within a pool and across pools, one of more than the OSDs exchange at a time.
ceph osd pool create copies 8
head -c 20M /dev/zero | tr '\0' 'x' >big
echo hello | rados -p rbd put one -
rados -p rbd setxattr one colour blue
rados -p rbd setomapval one key value
rados -p rbd put big big
rados -p rbd cp one two
rados -p rbd getxattr two colour
rados -p rbd listomapvals two
rados -p rbd cp one one
rados -p rbd cp missing two
rados -p rbd cp big one --target-pool copies
rados -p copies get one - | cmp - big
rados -p rbd cp two one --target-pool copies
rados -p copies get one -
rados -p rbd rm two
ceph osd pool create more 8
rados cppool copies more
rados -p more listxattr one
rados -p more get one -
rados -p rbd rm one
rados -p rbd rm big
ceph osd pool delete copies copies --yes-i-really-really-mean-it
ceph osd pool delete more more --yes-i-really-really-mean-it
