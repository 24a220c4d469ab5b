# Row 34: what is done to a cluster that serves: lock-outs, mutes, options, questions before maintenance.
ceph osd blocklist clear
ceph osd blocklist range add 10.4.0.0/16
ceph osd blocklist range add 10.5.0.0/33
ceph osd blocklist range add 10.5.0.1
ceph osd blocklist rang add 10.5.0.0/16
ceph osd blocklist range add fe80::/64 600
ceph osd blocklist add 10.3.0.1:0/24 1.5e3
ceph osd blocklist ls
ceph osd blocklist ls --format json
ceph osd blocklist ls --format xml-pretty
ceph osd dump | grep blocklist
ceph osd blocklist range rm 10.4.0.0/16
ceph osd blocklist range rm 10.4.0.0/16
ceph osd blocklist rm fe80::/64
ceph osd blocklist clear
ceph osd blocklist ls
ceph health mute NOSUCH
ceph health mute NOSUCH 5ms
ceph health mute NOSUCH 0s --sticky
ceph health mute ''
ceph osd set noout
#@ settle
ceph health
ceph health mute OSDMAP_FLAGS
ceph health
ceph health detail
ceph health --format json
ceph health detail --format xml-pretty
ceph status | sed -n 3,5p
ceph osd set norebalance
#@ settle
ceph health
ceph health mute OSDMAP_FLAGS 1h
ceph health
ceph health detail
ceph osd unset norebalance
ceph osd unset noout
#@ settle
ceph health
ceph health mute OSDMAP_FLAGS 2 weeks --sticky
ceph health mute OSDMAP_FLAGS '2 weeks' --sticky
ceph osd set noout
#@ settle
ceph health detail
ceph osd unset noout
ceph health unmute OSDMAP_FLAGS
ceph health unmute
#@ settle
ceph health
ceph config set osd osd_max_backfills xx
ceph config set osd osd_max_backfills -1
ceph config set osd osd_memory_target 1
ceph config set osd osd_recovery_sleep 1.5
ceph config get osd.0 osd_recovery_sleep
ceph config rm osd osd_recovery_sleep
ceph config log 1 | tail -n 1
ceph config log 0
ceph config reset 999999
ceph config ls | wc -l
ceph config ls | grep osd_max_backfills
printf '[osd]\nosd max backfills = 3\nnosuch = 4\n[client.b]\nrbd_cache = maybe\n' >taken.conf
ceph config assimilate-conf -i taken.conf
ceph config get osd.0 osd_max_backfills
#@ settle
ceph config show osd.0 osd_max_backfills
#@ settle
#@ columns
ceph config show osd.0 | grep osd_max_backfills
#@ columns
ceph config show-with-defaults mon.a | grep osd_scrub_cost
ceph config show-with-defaults osd.0 --format json | grep -o '{"name":"osd_max_backfills"[^}]*}'
ceph config show osd.9
ceph config show osd
ceph config show osd.0 nosuch
ceph config rm osd osd_max_backfills
rm taken.conf
#@ settle
ceph osd ok-to-stop 0 --format json 2>/dev/null | grep -o '"ok_to_stop":[a-z]*,"osds":.[0-9]*.,"num_ok_pgs":[0-9]*'
ceph osd ok-to-stop 9
ceph osd ok-to-stop foo
ceph osd safe-to-destroy 9
ceph osd safe-to-destroy 0 --format json
ceph osd safe-to-destroy osd.x
ceph mon ok-to-stop a
ceph mon ok-to-stop b
ceph mon ok-to-add-offline
ceph mon ok-to-rm a
ceph mon ok-to-rm b
ceph osd erasure-code-profile ls
ceph osd erasure-code-profile get default
ceph osd erasure-code-profile set mine k=4 m=2 crush-failure-domain=osd
ceph osd erasure-code-profile get mine
ceph osd erasure-code-profile get mine --format json
ceph osd erasure-code-profile set mine k=5
ceph osd erasure-code-profile set mine k=5 --force
ceph osd erasure-code-profile set bad k=1
ceph osd erasure-code-profile set bad technique=nosuch
ceph osd erasure-code-profile set bad crush-failure-domain=nosuch
ceph osd erasure-code-profile set bad stripe_unit=4097
ceph osd erasure-code-profile ls --format json
ceph osd erasure-code-profile rm mine
ceph osd erasure-code-profile rm mine
ceph osd erasure-code-profile get mine
ceph crash ls
ceph crash stat
ceph crash info nosuch
printf '{"crash_id": "2026-01-01T01:00:00.000000Z_one", "timestamp": "2026-01-01T01:00:00.000000Z", "entity_name": "osd.0", "backtrace": ["(main()+0x12) [0x5566]"]}' | ceph crash post -i -
ceph crash ls
ceph crash stat
ceph crash info 2026-01-01T01:00:00.000000Z_one
ceph crash archive 2026-01-01T01:00:00.000000Z_one
ceph crash archive nosuch
ceph crash ls-new
ceph crash ls
printf '{}' | ceph crash post -i -
ceph crash rm 2026-01-01T01:00:00.000000Z_one
ceph balancer status | grep -E 'active|mode'
ceph balancer off
ceph balancer mode crush-compat
ceph balancer status --format json | grep -E 'active|mode'
ceph balancer ls
ceph balancer show nosuch
ceph balancer on
ceph balancer mode upmap
ceph telemetry status
ceph telemetry on
ceph telemetry off
ceph orch status
ceph orch ls
ceph orch host ls --format json
ceph orch set backend nosuch
ceph tell osd.0 config get osd_max_object_size
ceph tell osd.0 config get nosuch
ceph tell osd.0 config set osd_max_object_size 1000000
ceph tell osd.0 config get osd_max_object_size --format json
ceph tell osd.0 config diff | grep -A 3 osd_max_object_size
ceph tell osd.0 config show | grep -E '"name"|osd_max_object_size'
head -c 1100000 /dev/zero >big; rados -p rbd put big big
ceph tell osd.0 config set nosuch 1
ceph tell osd.0 config set osd_max_object_size xx
ceph tell osd.0 config set osd_data /x
ceph tell osd.0 config unset osd_max_object_size
ceph tell osd.0 config unset osd_max_object_size
ceph tell osd.0 config unset nosuch
rados -p rbd put big big
ceph tell osd.0 injectargs --osd_max_object_size 1000000
rados -p rbd put big big
ceph tell osd.0 injectargs '--osd_max_object_size 3000000 --osd-max-backfills=7'
ceph tell osd.0 injectargs '--nosuch 3'
ceph tell osd.0 injectargs '--osd_max_object_size xx'
ceph tell osd.0 injectargs '--osd_data /x'
ceph tell osd.0 injectargs --osd_max_object_size
ceph tell osd.0 config unset osd_max_object_size
ceph tell osd.0 config unset osd_max_backfills
rados -p rbd rm big
rm big
