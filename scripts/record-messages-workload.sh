#!/bin/bash
# Commands whose traffic covers the messages between clients and a cluster; run by record-messages.py.
# CEPH_CONF names a throw-away cluster: pools are made and removed, an OSD is restarted.
cd "$(mktemp -d)" || exit 1
quiet() { timeout 60 "$@" >/dev/null 2>&1 || echo "failed: $*" >&2; }
expect_failure() { timeout 60 "$@" >/dev/null 2>&1 && echo "succeeded: $*" >&2; }

ceph osd pool create vec 8 >/dev/null 2>&1
quiet rbd pool init vec
head -c 200 /dev/urandom >small

# Cluster commands to monitor, manager, OSD; text and JSON, input and output files.
quiet ceph -s
quiet ceph df
quiet ceph osd pool ls detail --format json
quiet ceph osd getcrushmap -o crush
quiet ceph osd setcrushmap -i crush
quiet ceph config set client rbd_default_order 22
quiet ceph config get client rbd_default_order
quiet ceph config-key set vec/key value
quiet ceph osd blocklist add 127.0.0.1:0/123456 60
quiet ceph osd blocklist ls
quiet ceph osd df
quiet ceph pg stat
quiet ceph tell osd.0 version
quiet ceph tell mon.a version
quiet ceph ping mon.a
expect_failure ceph osd pool rm vec vec
timeout 5 ceph -w >/dev/null 2>&1 &
sleep 2
quiet ceph log "a line for the vectors"

# Objects.
quiet rados -p vec put o small
quiet rados -p vec get o out
expect_failure rados -p vec get absent out
quiet rados -p vec append o small
quiet rados -p vec stat o
quiet rados -p vec ls
quiet rados -p vec --all ls
quiet rados -p vec setxattr o a value
quiet rados -p vec getxattr o a
quiet rados -p vec listxattr o
quiet rados -p vec rmxattr o a
quiet rados -p vec setomapval o k value
quiet rados -p vec listomapvals o
quiet rados -p vec listomapkeys o
quiet rados -p vec getomapval o k
quiet rados -p vec setomapheader o h
quiet rados -p vec getomapheader o
quiet rados -p vec rmomapkey o k
quiet rados -p vec clearomap o
quiet rados -p vec truncate o 100
quiet rados -p vec touch t
quiet rados -p vec create c
quiet rados -p vec cp o o2
quiet rados -p vec -N space put o small
quiet rados -p vec -N space ls
quiet rados -p vec set-alloc-hint o 4194304 4194304
quiet rados -p vec listwatchers o
quiet rados -p vec lock get o l
quiet rados -p vec lock info o l
quiet rados df
quiet rados -p vec rm o2
timeout 12 rados -p vec watch o >/dev/null 2>&1 &
sleep 1
quiet rados -p vec notify o hello
quiet rados -p vec notify c nobody
timeout 20 rados -p vec bench 2 write -b 512 -t 2 >/dev/null 2>&1
ceph osd pool create snaps 1 >/dev/null 2>&1
quiet rados -p snaps put o small
quiet rados -p snaps mksnap s
quiet rados -p snaps put o small
quiet rados -p snaps listsnaps o
quiet rados -p snaps rollback o s
quiet rados -p snaps rmsnap s

# Images.
quiet rbd create vec/i --size 8M
quiet rbd bench vec/i --io-type write --io-size 512 --io-total 4096 --io-threads 1
quiet rbd bench vec/i --io-type read --io-size 512 --io-total 4096 --io-threads 1
quiet rbd snap create vec/i@s
quiet rbd snap protect vec/i@s
quiet rbd clone vec/i@s vec/c
quiet rbd bench vec/c --io-type write --io-size 512 --io-total 4096 --io-threads 1
quiet rbd info vec/i
quiet rbd ls -l vec
quiet rbd diff vec/i@s
quiet rbd flatten vec/c
quiet rbd resize vec/c --size 4M --allow-shrink
quiet rbd rm vec/c
quiet rbd snap unprotect vec/i@s
quiet rbd snap rollback vec/i@s
quiet rbd snap rm vec/i@s
quiet rbd rm vec/i
wait
