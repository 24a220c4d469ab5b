#!/bin/bash
# Records the vectors of this folder: record.sh CEPH_CONF MON_DATA_DIR [OUT_DIR]
#
# Needs a running throw-away cluster (one monitor "a", three OSDs, pool deletion
# allowed), its monitor's data directory, crushtool, osdmaptool and ceph-kvstore-tool.
# Makes pools maps_*, walks the OSD map through many kinds of change, removes them
# again, then copies the monitor's store and takes every epoch's full map and incremental out of the copy.
set -euo pipefail
export CEPH_CONF=$1
mon_data=$2
here=$(cd "$(dirname "$0")" && pwd)
out=${3:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ceph() { command ceph "$@" >/dev/null 2>&1 || echo "refused: ceph $*" >&2; }
epoch() { command ceph osd stat -f json 2>/dev/null | python3 -c 'import json,sys; print(json.load(sys.stdin)["epoch"])'; }

first=$(epoch)
ceph osd pool create maps_a 8
ceph osd pool create maps_b 4 4 replicated
ceph osd erasure-code-profile set maps_profile k=2 m=1 crush-failure-domain=osd
ceph osd pool create maps_ec 1 1 erasure maps_profile
ceph osd pool application enable maps_a rbd
ceph osd pool application set maps_a rbd owner alice
ceph osd pool mksnap maps_a snap1
ceph osd pool mksnap maps_a snap2
ceph osd pool rmsnap maps_a snap1
/usr/bin/python3 - <<'PY'
import os, rados
with rados.Rados(conffile=os.environ["CEPH_CONF"]) as cluster:
    with cluster.open_ioctx("maps_b") as io:
        ids = [io.create_self_managed_snap() for _ in range(4)]
        for i in ids[1:3]:
            io.remove_self_managed_snap(i)
PY
ceph osd pool set-quota maps_a max_bytes 1000000
ceph osd pool set-quota maps_b max_objects 77
ceph osd pool set maps_a compression_mode force
ceph osd pool set maps_a compression_required_ratio 0.5
ceph osd pool set maps_a compression_min_blob_size 4096
ceph osd pool set maps_b target_size_bytes 1048576
ceph osd pool set maps_b nodelete true
ceph osd pool set maps_b nodelete false
ceph osd pool set maps_a pg_num 16
ceph osd pool rename maps_b maps_renamed
ceph osd blocklist add 192.168.1.17:0/4242 3600
ceph osd blocklist add 192.168.1.4:0/17 7200
ceph osd blocklist add 10.9.8.7:1234/99 3600
ceph osd blocklist rm 192.168.1.4:0/17
ceph osd blocklist range add 10.7.0.0/16 3600
ceph osd blocklist range rm 10.7.0.0/16
for flag in noout norebalance nodeep-scrub pause; do ceph osd set "$flag"; done
ceph osd unset pause
ceph osd set-nearfull-ratio 0.84
ceph osd set-require-min-compat-client luminous
ceph osd set-group noup,noin 0
ceph osd primary-affinity 0 0.5
pool=$(command ceph osd pool ls detail 2>/dev/null | awk '/maps_a/{print $2}')
for pg in $(seq 0 7); do
  ceph osd pg-upmap-items "$pool.$pg" 0 1 || ceph osd pg-upmap-items "$pool.$pg" 2 0 || true
done
ceph osd pg-upmap "$pool.3" 2 1
ceph osd pg-temp "$pool.5" 1 0
ceph osd primary-temp "$pool.6" 2
ceph osd rm-pg-upmap-items "$pool.4" || true
ceph osd reweight 1 0.75
ceph osd out 2
ceph osd in 2
uuid=11111111-2222-3333-4444-555555555555
new=$(command ceph osd new "$uuid" 2>/dev/null)
ceph osd crush add "osd.$new" 1.0 root=maps_root host=maps_host
ceph osd crush set-device-class ssd "osd.$new"
ceph osd crush weight-set create-compat
ceph osd crush weight-set reweight-compat "osd.$new" 0.5
ceph osd set-group noout ssd
ceph osd down 2
sleep 5
rich=$(epoch)
command ceph osd dump --epoch "$rich" -f json 2>/dev/null > "$out/osdmap-rich.json"
command ceph osd tree -f json "$rich" 2>/dev/null > "$out/osd-tree-rich.json"
command ceph osd tree "$rich" 2>/dev/null > "$out/osd-tree-rich.txt"
command ceph osd pool ls detail 2>/dev/null > "$out/pool-ls-detail-rich.txt"
command ceph osd getmap "$rich" -o "$out/osdmap-rich.bin" 2>/dev/null
osdmaptool "$out/osdmap-rich.bin" --print 2>/dev/null > "$out/osdmap-rich.txt"
osdmaptool "$out/osdmap-rich.bin" --test-map-pgs-dump-all 2>/dev/null | grep ' acting ' > "$out/osdmap-rich-pgs.txt"
for pool in $(command ceph osd pool ls 2>/dev/null); do
  for object in a rbd_directory 'name with space'; do
    command ceph osd map "$pool" "$object" -f json 2>/dev/null
  done
  command ceph osd map "$pool" a nspace -f json 2>/dev/null
done > "$out/osd-map-objects.json"
ceph osd unset-group noout ssd
ceph osd unset-group noup,noin 0
ceph osd purge "$new" --yes-i-really-mean-it
ceph osd crush weight-set rm-compat
ceph osd crush rm maps_host
ceph osd crush rm maps_root
ceph osd reweight 1 1
ceph osd primary-affinity 0 1
for flag in noout norebalance nodeep-scrub; do ceph osd unset "$flag"; done
ceph osd set-nearfull-ratio 0.85
ceph osd blocklist clear || true
ceph osd blocklist rm 192.168.1.17:0/4242
ceph osd blocklist rm 10.9.8.7:1234/99
for object in one two three; do rados -p rbd put "$object" /bin/true; done
rados -p rbd setomapval one key value
for pool in maps_a maps_renamed maps_ec; do ceph osd pool delete "$pool" "$pool" --yes-i-really-really-mean-it; done
ceph osd erasure-code-profile rm maps_profile
sleep 10
last=$(epoch)

command ceph mon getmap -o "$out/monmap.bin" 2>/dev/null
command ceph mon dump -f json 2>/dev/null > "$out/monmap.json"
command ceph mon dump 2>/dev/null > "$out/monmap.txt"
command ceph mgr dump -f json 2>/dev/null > "$out/mgrmap.json"

cp -r "$mon_data/store.db" "$work/store.db"
kv() { ceph-kvstore-tool rocksdb "$work/store.db" get "$1" "$2" out "$3" >/dev/null 2>&1; }
mgr_epoch=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["epoch"])' "$out/mgrmap.json")
kv mgr "$mgr_epoch" "$out/mgrmap.bin"
command ceph df detail -f json 2>/dev/null > "$out/df.json"
kv mgrstat last_committed "$work/last"
kv mgrstat "$(python3 -c 'import sys; print(int.from_bytes(open(sys.argv[1], "rb").read(8), "little"))' "$work/last")" "$out/pgmap-digest.bin"
for e in $(seq "$first" "$last"); do
  kv osdmap "$e" "$work/inc.$e" && kv osdmap "full_$e" "$work/full.$e"
done
# One file for all epochs: u32 epoch, u32 length and full map, u32 length and incremental; gzip.
python3 - "$work" "$first" "$last" "$out/osdmap-epochs.bin.gz" <<'PY'
import gzip, pathlib, struct, sys
work, first, last, target = sys.argv[1:]
with gzip.GzipFile(target, "wb", mtime=0) as f:
    for e in range(int(first), int(last) + 1):
        full, inc = (pathlib.Path(work, f"{kind}.{e}").read_bytes() for kind in ("full", "inc"))
        f.write(struct.pack("<II", e, len(full)) + full + struct.pack("<I", len(inc)) + inc)
PY

python3 "$here/crush_maps.py" "$work"
for text in "$work"/crush-*.txt; do crushtool -c "$text" -o "$out/$(basename "$text" .txt).bin"; done
python3 "$here/crush_mappings.py" "$out"
