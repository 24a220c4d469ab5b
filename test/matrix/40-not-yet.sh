# What a real cluster of 16.2 does and ours does not, and why.
ceph osd pool create more 8
#@ differs the number of PGs of a pool stays as it was made
ceph osd pool set more pg_num 16
#@ differs there are no erasure-coded pools
ceph osd erasure-code-profile ls
#@ differs the PG autoscaler is not there: it has nothing to do
ceph osd pool autoscale-status
#@ differs options are known by name, type and default, without their sentences
ceph config help rbd_cache
ceph osd pool rm more more --yes-i-really-really-mean-it
#@ differs ours has fewer commands to suggest
ceph nosuch command
#@ differs health checks cannot be muted yet
ceph health mute NOSUCH
#@ differs there is no PG autoscaler, whose flag it is
ceph osd pool set rbd bulk true
#@ differs there is no PG autoscaler
ceph osd pool set noautoscale
#@ differs the manager has no such module
ceph orch ls
#@ differs the manager has no such module
ceph telemetry status --format json | grep -o '"enabled": *[a-z]*'
#@ differs not there yet
ceph osd ok-to-stop 0
#@ differs ranges of addresses cannot be blocklisted yet
ceph osd blocklist range add 127.0.0.9/32
#@ differs ranges of addresses cannot be blocklisted yet
ceph osd blocklist range rm 127.0.0.9/32
#@ differs not there yet
ceph config show osd.0 | head -n 1
#@ differs there is nothing to balance, and ours says that it is off
ceph balancer status --format json | grep -o '"active": *[a-z]*'
