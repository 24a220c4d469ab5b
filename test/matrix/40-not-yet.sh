# What a real cluster of 16.2 does and ours does not, and why.
ceph osd pool create more 8
#@ differs the number of PGs of a pool stays as it was made
ceph osd pool set more pg_num 16
#@ differs the PG autoscaler is not there: it has nothing to do
ceph osd pool autoscale-status
#@ differs options are known by name, type and default, without their sentences
ceph config help rbd_cache
ceph osd pool rm more more --yes-i-really-really-mean-it
#@ differs ours has fewer commands to suggest
ceph nosuch command
#@ differs there is no PG autoscaler, whose flag it is
ceph osd pool set rbd bulk true
#@ differs there is no PG autoscaler
ceph osd pool set noautoscale
