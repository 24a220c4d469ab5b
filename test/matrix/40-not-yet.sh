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
