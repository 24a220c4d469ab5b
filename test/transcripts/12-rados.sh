# Row 12: objects by themselves, the two benchmarks, and a verified fio run.
#@ settle
#@ sort
rados -p rbd ls
head -c 6000000 guest.qcow2 >six.bin
rados -p rbd put one six.bin
rados -p rbd put two nosuch.bin
printf 'hello' >hello.txt
rados -p rbd put two hello.txt
rados -p rbd stat one
rados -p rbd stat two
rados -p rbd stat nosuch
rados -p rbd get one - | cmp - six.bin
rados -p rbd get two -
rados -p rbd get nosuch -
#@ settle
#@ sort
rados -p rbd ls
rados -p rbd setxattr two colour blue
rados -p rbd listxattr two
rados -p rbd getxattr two colour
rados -p rbd setomapval two k1 v1
rados -p rbd listomapkeys two
rados -p rbd listomapvals two
rados -p rbd append two hello.txt
rados -p rbd get two -
rados -p rbd truncate two 3
rados -p rbd get two -
#@ columns
#@ settle
#@ blank ^(?:rbd|vms) (\S+ \S+) \d+ \d+ \d+ 0 0 0 (\d+) (\S+ \S+) (\d+) (\S+ \S+)
#@ blank total_(?:used|avail|space) (\S+ \S+)$
rados df
rados -p rbd rm one two
rados -p rbd rm two
rados lspools
#@ numbers ^ *\d|^(?:Total|Bandwidth|Stddev|Max|Min|Average)
#@ blank benchmark_data_(\S+)_(\d+)
rados -p rbd bench 5 write --no-cleanup -b 65536
#@ numbers ^ *\d|^(?:Total|Bandwidth|Stddev|Max|Min|Average)
#@ blank benchmark_data_(\S+)_(\d+)
rados -p rbd bench 5 seq
#@ numbers ^ *\d|^(?:Total|Bandwidth|Stddev|Max|Min|Average)
#@ blank benchmark_data_(\S+)_(\d+)
rados -p rbd bench 5 rand
#@ blank ^Removed (\d+) objects
rados -p rbd cleanup
#@ settle
#@ sort
rados -p rbd ls
rbd create --size 256M fiotest
fio --name=v --ioengine=rbd --clientname=admin --pool=rbd --rbdname=fiotest --rw=randwrite --bs=16k --iodepth=16 --size=32M --verify=crc32c --randseed=7 --output=fio.log
grep -o 'err= *[0-9]*' fio.log
fio --name=v --ioengine=rbd --clientname=admin --pool=rbd --rbdname=fiotest --rw=randwrite --bs=16k --iodepth=16 --size=32M --verify=crc32c --randseed=7 --verify_only --output=fio.log
grep -o 'err= *[0-9]*' fio.log
rbd du fiotest
rbd rm --no-progress fiotest
