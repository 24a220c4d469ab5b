# Row 30: the administrator's commands.
ceph --version | cut -d' ' -f1-2
#@ blank ceph version (\S+) \((.*?)\)
ceph versions
ceph features --format json | grep -o '"release":"[^"]*"' | sort | uniq -c
#@ blank ^(\S+)$
ceph fsid
ceph health detail
ceph mgr stat --format json | grep -o '"available":[a-z]*'
ceph osd ls
ceph osd pool ls | grep rbd
ceph osd lspools | grep rbd
ceph osd pool create first 8
ceph osd pool create second 8 8 replicated
ceph osd pool create third 7 --autoscale-mode off
ceph osd pool get first all
#@ blank set pool (\d+) 
ceph osd pool set first size 1 --yes-i-really-mean-it
ceph osd pool set first nosuch 1
ceph osd pool get first pg_num
ceph osd pool set-quota first max_objects 10
ceph osd pool get-quota first
ceph osd pool set-quota first max_objects 0
ceph osd pool rename first fourth
ceph osd pool rename nosuch fifth
ceph osd pool application enable fourth rbd
ceph osd pool application get fourth
ceph osd pool application set fourth rbd key value
ceph osd pool application get fourth rbd
ceph osd pool application rm fourth rbd key
ceph osd pool application disable fourth rbd --yes-i-really-mean-it
ceph osd pool delete second
ceph osd pool delete second second
ceph osd pool delete second second --yes-i-really-really-mean-it
ceph osd pool rm third third --yes-i-really-really-mean-it
ceph osd pool rm fourth fourth --yes-i-really-really-mean-it
ceph osd pool rm fourth fourth --yes-i-really-really-mean-it
#@ blank osdmap e(\d+)
#@ blank \((\d+\.\w+)\) -> up
ceph osd map rbd thing
ceph osd set noout
ceph osd dump --format json | grep -o '"flags":"[^"]*"'
ceph osd unset noout
#@ blank epoch (\d+)
ceph osd getmaxosd
ceph osd crush rule ls
ceph osd crush rule dump
ceph osd crush class ls
ceph osd get-require-min-compat-client
ceph config set client rbd_cache_max_dirty 1048576
ceph config get client rbd_cache_max_dirty
ceph config get client.admin rbd_cache_max_dirty
#@ columns
#@ drop devicehealth|rbd_config_pool_override_update_timestamp
ceph config dump
ceph config rm client rbd_cache_max_dirty
ceph config set client rbd_cache nonsense
ceph config set client nosuch_option 1
ceph config assimilate-conf -i /dev/null
ceph config-key set colour blue
ceph config-key get colour
ceph config-key exists colour
ceph config-key ls | grep -c colour
ceph config-key rm colour
ceph config-key get colour
ceph auth add client.one mon 'allow r'
ceph auth add client.one mon 'allow r'
ceph auth caps client.one mon 'allow r' osd 'allow rw pool=rbd'
#@ blank key = (AQ[\w+/]{36}==)$
ceph auth get client.one
ceph auth get-key client.one | wc -c
ceph auth print-key client.one | wc -c
ceph auth caps client.one mon 'nonsense'
#@ blank key: (AQ\S+==)$
ceph auth ls | grep -A 3 '^client.one'
#@ blank key ?= ?(AQ[\w+/]{36}==)
ceph auth export client.one
ceph auth rm client.one
ceph auth rm client.one
ceph tell osd.0 version --format json | grep -o '"release":"[^"]*"'
ceph tell mon.a version --format json | grep -o '"release":"[^"]*"'
ceph tell osd.9 version
ceph osd blocklist clear
ceph log 'a line of ours'
