# Row 1: a fresh cluster, a pool for virtual machines, a user for Glance.
# Directives (#@) speak about the next command; test/harness/scenario.ts explains them.
#@ settle
#@ columns
#@ blank mgr: (\w+)
#@ blank quorum (\w+)
#@ blank usage: (.*)
ceph -s
ceph health
ceph osd pool create vms
ceph osd pool create vms
rbd pool init vms
ceph osd pool ls
#@ blank last_change (\d+)
#@ drop removed_snaps_queue
ceph osd pool ls detail
ceph osd pool get vms size
#@ settle
#@ columns
#@ blank ^(?:<class>|TOTAL) (.*)
#@ blank ^(?:rbd|vms) \d+ \d+ [\d.]+ \S+ \d+ (.*)
ceph df
#@ columns
#@ blank (?:\b|-)(\d+\.\d{5}) (?:root|host|osd)
#@ blank host (\S+)
#@ blank 0 (\w+ \d+\.\d{5}) osd\.0
ceph osd tree
ceph osd pool application get rbd
ceph auth get-or-create client.glance mon 'profile rbd' osd 'profile rbd pool=vms' -o glance.keyring
#@ blank key = (\S+)
cat glance.keyring
#@ blank key = (\S+)
ceph auth get-or-create client.glance mon 'profile rbd' osd 'profile rbd pool=vms'
#@ blank key = (\S+)
ceph auth get client.glance
ceph auth get client.nobody
ceph auth get-or-create client.glance mon 'allow r'
ceph auth get-or-create client.qemu mon 'profile rbd' osd 'profile rbd' -o qemu.keyring
#@ blank (\d+)
ceph osd stat
ceph osd pool stats vms
ceph osd pool create
