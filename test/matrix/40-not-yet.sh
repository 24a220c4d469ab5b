# What a real cluster of 16.2 does and ours does not, and why.
ceph osd pool create more 8
#@ differs a pool may get more PGs, not fewer
ceph osd pool set more pg_num 4
#@ differs sizes are each cluster's own, and nothing acts on what it should have
ceph osd pool autoscale-status
#@ differs options are known by name, type and default, without their sentences
ceph config help rbd_cache
ceph osd pool rm more more --yes-i-really-really-mean-it
#@ differs ours has fewer commands to suggest
ceph nosuch command
#@ differs the PG autoscaler, whose flag it is, knows no bulk pools
ceph osd pool set rbd bulk true
#@ differs the PG autoscaler tells, and never acts
ceph osd pool set noautoscale
#@ differs checksums are compared at every read, and by fsck; there is no scrub to ask for
ceph pg scrub 1.0
#@ differs as above
ceph pg deep-scrub 1.0
#@ differs as above, and there is no second copy to repair from
ceph pg repair 1.0
#@ differs as above
ceph osd scrub 0
#@ differs as above
ceph osd deep-scrub 0
#@ differs as above
ceph osd repair 0
#@ differs the map says it all: one copy, nothing to peer with
ceph pg 1.0 query
#@ differs a module of the manager that is not there
ceph osd status
#@ differs there are no NUMA nodes to pin OSDs to
ceph osd numa-status
#@ differs OSDs get their groups once: none is moved
ceph osd reweight-by-utilization
#@ differs as above
ceph osd test-reweight-by-utilization
#@ differs OSDs are made and removed with the directory
ceph osd lost 9
#@ differs as above
ceph osd purge 9
#@ differs as above
ceph osd destroy 9
#@ differs the monitor's store has its own checks, which need no asking
ceph mon scrub
#@ differs CRUSH rules are not edited
ceph osd crush weight-set ls
#@ differs requests that are under way are not listed
ceph tell osd.0 dump_ops_in_flight
#@ differs as above
ceph tell osd.0 dump_historic_ops
#@ differs one disk a directory, which the operating system knows
ceph tell osd.0 list_devices
#@ differs the server is no C++ program
ceph tell osd.0 heap stats
#@ differs as above
ceph tell osd.0 cache status
rados -p rbd create manifest
#@ differs objects in tiers and of chunks are not supported
rados -p rbd set-redirect manifest --target-pool rbd target
#@ differs as above
rados -p rbd set-chunk manifest 0 4096 --target-pool rbd target 0
#@ differs as above
rados -p rbd tier-promote manifest
rados -p rbd unset-manifest manifest
#@ differs as above
rados -p rbd tier-flush manifest
#@ differs as above
rados -p rbd tier-evict manifest
#@ differs as above
rados -p rbd cache-flush manifest
#@ differs as above
rados -p rbd cache-try-flush manifest
#@ differs as above
rados -p rbd cache-evict manifest
rados -p rbd rm manifest
