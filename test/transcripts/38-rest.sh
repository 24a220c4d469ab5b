# Row 38: commands that no other row has.
rbd create --size 16M --image-feature exclusive-lock,journaling rest
rbd create --size 16M --image-feature exclusive-lock,journaling dest
qemu-io -f raw -c 'write -P 0x38 0 64K' rbd:rbd/rest | head -n 1
#@ drop failed to locate client: EXPORT
rbd journal export --image rest --path out.journal
head -c 3 out.journal
#@ drop failed to locate client: IMPORT
rbd journal import --dest dest --path out.journal
rbd journal import --dest dest --path nosuch.journal
rm out.journal
rbd mirror pool enable rbd image
rbd mirror pool status rbd
rbd mirror pool status rbd --format json
rbd mirror image enable rest snapshot
#@ blank ([0-9a-f]{8}-[0-9a-f-]{27})
#@ blank ^ +(\d+) \.mirror\.primary\.
rbd mirror image status rest | sed -E 's/primary\.[0-9a-f.-]+/primary.ID/'
# What it says and what librbd logs get in each other's way.
rbd mirror image resync rest 2>/dev/null
rbd mirror image demote rest
rbd mirror image resync rest
rbd mirror image promote rest
rbd mirror pool demote rbd
rbd mirror pool promote rbd
rbd mirror pool promote --force rbd
#@ blank ^([0-9a-f-]{36})$
rbd mirror pool peer add rbd client.admin@remote
rbd mirror pool peer add rbd client.admin@remote
rbd mirror pool info rbd --format json | grep -o '"site_name":"remote"[^}]*'
rbd mirror pool peer set rbd nosuch client client.rbd
rbd mirror pool peer remove rbd nosuch
rbd mirror pool peer bootstrap create --site-name here rbd | base64 -d | tr , '\n' | cut -d: -f1 | head -n 4
rbd mirror pool peer remove rbd "$(rbd mirror pool info rbd --format json | grep -o '"uuid":"[^"]*"' | cut -d'"' -f4)"
rbd mirror image disable rest
rbd mirror pool disable rbd
rbd persistent-cache flush rest
rbd persistent-cache invalidate rest
rbd trash purge schedule add 1d
rbd trash purge schedule status --format json | grep -c schedule_time
rbd trash purge schedule rm 1d
rbd trash purge schedule ls
rbd perf image iostat --iterations 1 --format json nosuch
rbd device list
rbd device map -t nosuch rest
rbd device unmap -t nosuch rest
rbd device attach -t nosuch --device /dev/nosuch rest
rbd device detach -t nosuch --device /dev/nosuch rest
rbd rm --no-progress rest
rbd rm --no-progress dest
ceph osd pool create rest 8
ceph osd pool application enable rest rados
rados -p rest create plain
rados -p rest mapext plain
rados list-inconsistent-obj 1.0
rados list-inconsistent-snapset 1.0
rados purge rest
rados purge rest --yes-i-really-really-mean-it
rados -p rest ls
rados --pgid 1.0 ls | grep -c ^nosuch
ceph osd pool rm rest rest --yes-i-really-really-mean-it
ceph osd metadata 0 | grep -c -E '"(id|arch|back_addr|ceph_release|ceph_version|ceph_version_short|cpu|distro|distro_description|front_addr|hb_back_addr|hb_front_addr|hostname|kernel_description|kernel_version|mem_total_kb|os|osd_data|osd_objectstore)":'
ceph osd metadata 7
ceph osd count-metadata os
ceph mon metadata a | grep -c -E '"(addrs|arch|ceph_release|ceph_version|cpu|distro|hostname|kernel_version|mem_total_kb|os)":'
ceph mon metadata nosuch
ceph mon count-metadata os
ceph mon versions | grep -c 'ceph version 16.2.15'
ceph mgr metadata nosuch
ceph mgr metadata x | grep -c -E '"(addr|addrs|arch|ceph_release|ceph_version|cpu|distro|hostname|kernel_version|mem_total_kb|os)":'
ceph mgr count-metadata os
ceph mgr versions | grep -c 'ceph version 16.2.15'
ceph osd versions | grep -c 'ceph version 16.2.15'
ceph osd perf | sed -E 's/ [0-9]+/ N/g; s/ +/ /g'
ceph osd perf --format json | sed -E 's/[0-9]+/N/g'
ceph osd utilization | sed -E 's/[0-9]+ pgs|avg [0-9]+/N/g'
ceph osd df plain nosuch
ceph osd df tree name rbd --format json | grep -o '"name":"osd[^,]*'
ceph report 2>&1 | grep -c -E '^    "(version|timestamp|health|monmap|osdmap|osd_metadata|crushmap|pool_stats|osd_stats)":'
ceph time-sync-status
ceph quorum_status --format json | grep -o '"quorum_names":[^ ]*"quorum_leader_name":"a"'
ceph osd getmap -o map 2>&1 | sed -E 's/[0-9]+/N/'
ceph osd getmap 1 -o map
ceph osd getmap 999999 -o map
ceph osd getcrushmap -o map 2>&1 | sed -E 's/[0-9]+/N/'
ceph mon getmap -o map
rm map
ceph pg stat --format json | grep -o '"num_pg_by_state":\[{"name":"active+clean"'
ceph pg dump pgs_brief 2>&1 | grep -c -E 'active.clean +\[0\] +0 +\[0\] +0$' | sed -E 's/[0-9]+/N/'
ceph pg dump 2>&1 | grep -E '^(PG_STAT|OSD_STAT|dumped)' | tr -s ' '
ceph pg dump osds 2>&1 | grep -E '^(OSD_STAT|dumped)' | tr -s ' '
ceph pg dump sum 2>&1 | tail -n 1
ceph pg ls 1 active | head -n 1 | tr -s ' '
ceph pg ls-by-osd 0 | head -n 1 | tr -s ' '
ceph pg ls-by-primary osd.0 | head -n 1 | tr -s ' '
#@ blank osdmap e(\d+)
ceph pg map 1.0
ceph pg map 99.0
ceph pg dump_stuck
ceph pg dump_stuck --format json
ceph pg debug unfound_objects_exist
ceph mgr services
ceph mgr module ls --format json | grep -o '"always_on_modules":\["balancer"'
ceph mgr module enable nosuch
ceph mgr dump --format json | grep -o '"active_name":"x"'
ceph mon stat | sed -E 's/^e[0-9]+: 1 mons at .*, election epoch [0-9]+/eN/'
ceph mon dump 2>&1 | grep -E '^(epoch|min_mon|election|dumped)'
ceph node ls osd | grep -c '"'
ceph osd find 9
ceph osd ls-tree default
ceph osd blacklist ls 2>&1 | tail -n 1 | cut -d' ' -f1
ceph osd crush ls default | wc -l
ceph osd crush show-tunables --format json
ceph osd crush class ls-osd nosuch
ceph mds stat
ceph mds stat --format json
ceph fs ls
ceph fs dump
ceph config generate-minimal-conf | grep -c -E 'minimal|global|fsid|mon_host'
printf '[client.imported]\n\tkey = AQAq1lRlAAAAABAAfZ3xUoqwtLJHD2yKw2D4xQ==\n\tcaps mon = "allow r"\n' | ceph auth import -i -
ceph auth get client.imported
ceph auth get-or-create-key client.imported mon 'allow r'
ceph auth rm client.imported
ceph config-key put rest 38
ceph config-key dump rest
ceph config-key del rest
ceph balancer pool ls
ceph device ls
ceph orch status
ceph osd in 0
ceph osd out 9
ceph osd down 9
ceph osd rm 9
ceph osd pause
ceph osd unpause
ceph osd set-full-ratio 0.95
ceph osd set-nearfull-ratio 0.85
ceph osd set-backfillfull-ratio 0.90
ceph service status
ceph progress json | grep -o '"events": \[\]'
ceph crash stat
ceph rbd trash purge schedule add rbd 1d
ceph rbd trash purge schedule remove rbd 1d
ceph rbd task cancel nosuch
ceph tell osd.0 bench 4096 4096 | grep -c -E '"(bytes_written|blocksize|elapsed_sec|bytes_per_sec|iops)"'
ceph tell osd.0 status | grep -c -E '"(cluster_fsid|whoami|state|newest_map|num_pgs)"'
ceph tell mon.a mon_status | grep -c -E '"(name|rank|state|quorum|monmap)":'
