# Row 1: a fresh cluster, a pool for virtual machines, a user for Glance.
# Directives (#@) speak about the next command; test/harness/scenario.ts explains them.
#@ settle
#@ blank usage: +(\S+ \S+) used, (\S+ \S+) / (\S+ \S+) avail
#@ drop ^  io:|^    client: 
ceph -s
ceph health
ceph osd pool create vms
ceph osd pool create vms
rbd pool init vms
ceph osd pool ls
#@ blank last_change (\d+)
#@ settle
ceph osd pool ls detail
ceph osd pool get vms size
#@ settle
#@ columns
#@ blank ^(?:<class>|TOTAL) (\S+ \S+) (\S+ \S+) (\S+ \S+) (\S+ \S+) (\S+)$
#@ blank ^(?:rbd|vms) .* (\S+ \S+) (\S+) (\S+ \S+)$
ceph df
#@ columns
#@ blank (\d+\.\d{5}) (?:root|host|osd)
#@ blank host (\S+)
ceph osd tree
ceph osd pool application get rbd
ceph auth get-or-create client.glance mon 'profile rbd' osd 'profile rbd pool=vms' -o glance.keyring
#@ blank key = (AQ[\w+/]{36}==)$
cat glance.keyring
#@ blank key = (AQ[\w+/]{36}==)$
ceph auth get-or-create client.glance mon 'profile rbd' osd 'profile rbd pool=vms'
#@ blank key = (AQ[\w+/]{36}==)$
ceph auth get client.glance
ceph auth get client.nobody
ceph auth get-or-create client.glance mon 'allow r'
ceph auth get-or-create client.qemu mon 'profile rbd' osd 'profile rbd' -o qemu.keyring
#@ blank epoch: e(\d+)
ceph osd stat
# What "rbd pool init" has written is no news any more.
sleep 12
ceph osd pool stats vms
ceph osd pool create
