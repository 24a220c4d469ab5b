# Row 28: advisory locks, watchers, and fencing.
rbd create --size 8M locked
rbd lock add locked mine
rbd lock add locked mine
#@ columns
#@ blank ^(client\.\d+) mine (.*)$
rbd lock ls locked
#@ blank "locker":"(client\.\d+)","address":"([^"]*)"
rbd lock ls locked --format json
rbd lock add --shared tag locked theirs
rbd lock rm locked mine client.1
rbd lock rm locked mine "$(rbd lock ls locked | grep -o 'client\.[0-9]*')"
rbd lock ls locked
rbd lock add --shared tag locked one
rbd lock add --shared tag locked two
#@ columns
#@ sort
#@ blank ^(client\.\d+) \w+ (.*)$
rbd lock ls locked
rbd lock add locked three
for i in one two; do rbd lock rm locked $i "$(rbd lock ls locked | grep -w $i | grep -o 'client\.[0-9]*')"; done
rbd lock ls locked
mkfifo hold; (rbd watch locked <hold >watch.log 2>&1 & exec 3>hold; for n in {1..50}; do rbd status locked | grep -q watcher= && break; sleep 0.2; done; rbd status locked; rbd snap create --no-progress locked@s; sleep 1; exec 3>&-; wait; cat watch.log; rm hold) | sed -E 's/watcher=.*/watcher=W/; s/(_id|cookie)=[0-9]+/\1=N/g'
rbd status locked
rbd snap purge --no-progress locked
ceph osd blocklist add 127.0.0.1:0/4242 600
ceph osd blocklist ls | grep -o '^127.0.0.1:0/4242 '
ceph osd blocklist rm 127.0.0.1:0/4242
ceph osd blocklist rm 127.0.0.1:0/4242
ceph osd blocklist ls | grep -c '/4242 '
rbd rm --no-progress locked
