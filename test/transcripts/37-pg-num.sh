# Row 37: a pool gets more placement groups. How many objects each has a real cluster only knows after a scrub.
ceph osd pool create split 8
ceph osd pool application enable split rbd
for i in $(seq 1 40); do echo thing $i | rados -p split put thing$i -; done
rados -p split setxattr thing3 name value
rados -p split setomapval thing3 key value
rados -p split mksnap before
echo changed | rados -p split put thing5 -
#@ blank set pool (\d+) 
ceph osd pool set split pg_num 16
for i in $(seq 1 20); do ceph osd pool get split pgp_num | grep -q ' 16' && break; sleep 1; done
ceph osd pool get split pg_num
ceph osd pool get split pgp_num
ceph osd pool set split pg_num 16
rados -p split ls | sort | tr '\n' ' '
for i in 3 5 17; do rados -p split get thing$i -; done
rados -p split -s before get thing5 - 2> /dev/null
rados -p split listxattr thing3
rados -p split getomapval thing3 key
for i in $(seq 1 40); do rados -p split get thing$i - | grep -q thing || echo thing$i; done
#@ blank osdmap e(\d+)
#@ blank pg (\d+)\.
#@ blank 'split' \((\d+)\)
#@ blank \((\d+\.\w+)\) -> up
ceph osd map split thing17
for i in $(seq 1 20); do test "$(ceph pg ls-by-pool split | awk '/active.clean/ { n += $2 } END { print n }')" = 41 && break; sleep 0.5; done
ceph osd pool set split pg_num 0
ceph osd pool set split pg_num 70000
ceph osd pool set split pg_num many
ceph osd pool set split pgp_num 0
ceph osd pool set split pgp_num 17
#@ blank set pool (\d+) 
ceph osd pool set split nopgchange true
ceph osd pool set split pg_num 64
ceph osd pool set split pgp_num 16
ceph osd pool rm split split --yes-i-really-really-mean-it
