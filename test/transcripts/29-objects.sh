# Row 29: the rest of rados: omap, snapshots of a pool, locks, watch and notify, copies, export.
ceph osd pool create objects 8
ceph osd pool application enable objects test
printf 'first' >first.txt
printf 'second' >second.txt
rados -p objects create empty
rados -p objects create empty
rados -p objects touch empty
rados -p objects put thing first.txt
rados -p objects put --offset 10 thing second.txt
rados -p objects get thing - | od -An -c
#@ blank mtime (\S+)
rados -p objects stat2 thing
rados -p objects setomapheader thing head
rados -p objects getomapheader thing
rados -p objects setomapval thing k1 one
rados -p objects setomapval thing k2 two
rados -p objects setomapval thing k3 three
rados -p objects getomapval thing k2
rados -p objects getomapval thing nosuch
rados -p objects rmomapkey thing k2
rados -p objects listomapkeys thing
rados -p objects listomapvals thing
rados -p objects setxattr thing a 1
rados -p objects setxattr thing b 2
rados -p objects rmxattr thing a
rados -p objects rmxattr thing a
rados -p objects getxattr thing a
rados -p objects listxattr thing
rados -p objects cp thing copy
rados -p objects listomapvals copy
rados -p objects listxattr copy
rados -p objects get copy - | cksum
rados -p objects rm copy
rados -p objects clearomap thing
rados -p objects listomapkeys thing
rados -p objects set-alloc-hint thing 4194304 4096
rados -p objects mksnap monday
rados -p objects mksnap monday
#@ blank (\d{4}\.\d\d\.\d\d \S+)
rados -p objects lssnap
rados -p objects put thing second.txt
rados -p objects -s monday get thing - | cksum
rados -p objects get thing -
rados -p objects rollback thing monday
rados -p objects get thing - | cksum
rados -p objects listsnaps thing
rados -p objects rmsnap monday
rados -p objects lssnap
rados -p objects lock get thing grip --lock-cookie me
rados -p objects lock get thing grip --lock-cookie you
rados -p objects lock list thing
rados -p objects lock info thing grip | sed -E 's/client\.[0-9]+/client.N/; s/"addr":[^,}]*/"addr":A/; s/"expiration":[^,}]*/"expiration":T/'
rados -p objects lock break thing grip "$(rados -p objects lock info thing grip | grep -o 'client\.[0-9]*')" --lock-cookie me
rados -p objects lock list thing
mkfifo hold; (rados -p objects watch thing <hold >watch2.log 2>&1 & exec 3>hold; for n in {1..50}; do rados -p objects listwatchers thing | grep -q watcher= && break; sleep 0.2; done; rados -p objects listwatchers thing; rados -p objects notify thing hi; exec 3>&-; wait; cat watch2.log; rm hold) | sed -E 's/watcher=.*/watcher=W/; s/(client\.|cookie |notify_id |from )[0-9]+/\1N/g'
rados -p objects -N inner put thing first.txt
rados -p objects --all ls | sort
rados -p objects -N inner ls
rados -p objects export objects.dump
ceph osd pool create objects2 8
rados -p objects2 import objects.dump
rados -p objects2 --all ls | sort
rados -p objects2 get thing - | cksum
rados -p objects2 listxattr thing
rados -p objects purge --yes-i-really-really-mean-it
rados -p objects ls
rados -p objects2 put big guest.qcow2 -b 1048576
rados -p objects2 get big - | cmp - guest.qcow2
rados -p objects2 rm big thing
rados -p objects2 exec nosuch nosuch nosuch
rados list-inconsistent-pg objects2
rados -p nosuch ls
ceph osd pool rm objects objects --yes-i-really-really-mean-it
ceph osd pool rm objects2 objects2 --yes-i-really-really-mean-it
