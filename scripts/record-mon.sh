#!/bin/sh
# Records what a real cluster's monitor and manager answer to commands: return code, status line and
# data, each command plain, as json and as json-pretty. The result is the oracle of the mon and mgr rooms'
# tests.  Usage: CEPH_CONF=… scripts/record-mon.sh [OUT-DIR]
# Needs python3-rados. The cluster should have one OSD and let pools be deleted; what this script makes,
# it removes. Blocks of the output: a line "$ <json>", a line "= <code> <json of the status line>", then
# the data with every line prefixed "| " ("\ " if the line has no line end).
set -eu
out=${1:-test/vectors/mon}
mkdir -p "$out"
exec /usr/bin/python3 - "$out" <<'PY'
import json, os, sys
import rados

out_dir = sys.argv[1]
cluster = rados.Rados(conffile=os.environ.get("CEPH_CONF", "/etc/ceph/ceph.conf"), name="client.admin")
cluster.connect()

def c(prefix, *formats, inbuf=b"", mgr=False, **args):
    return (prefix, formats or ("",), inbuf, mgr, args)

ALL = ("", "json", "json-pretty")
K = "AQBSdFhnAAAAABAAZ3ZXc2FtcGxla2V5MTIzNA=="
FAMILIES = {
    "status": [
        c("status", *ALL), c("health", *ALL), c("health", *ALL, detail="detail"), c("df", *ALL), c("df", *ALL, detail="detail"),
        c("fsid", *ALL), c("versions", *ALL), c("features", *ALL), c("quorum_status", *ALL), c("mon_status"), c("mon stat", *ALL),
        c("mon dump", *ALL), c("mon versions"),
        c("osd versions"), c("mgr versions"), c("time-sync-status"), c("node ls", *ALL), c("node ls", type="osd"), c("service dump", *ALL), c("service status"), c("mgr stat", *ALL),
        c("mgr services", *ALL), c("mgr versions"), c("log", logtext=["hello", "world"]), c("log last", num=1), c("log last", "json", "json-pretty", num=1), c("fs ls", *ALL), 
        c("no such command"), c("osd lspools", "plain", detail="x"), c("mon ok-to-stop", ids=["a"]), c("config-key dump", key="mgrx"),
        c("osd last-stat-seq", id=0), c("osd blocked-by"), c("status", "bogus"), c("fs status"), c("mon feature ls", *ALL), c("osd require-osd-release", release="pacific"),
        c("osd get-require-min-compat-client", *ALL), c("osd set-require-min-compat-client", version="luminous"), c("osd get-full-ratio"), c("osd nearfull-ratio"), c("osd numa-status"), c("osd ok-to-stop", ids=["0"]), c("osd safe-to-destroy", ids=["0"]), c("osd crush show-tunables", *ALL),
        c("osd crush tree", *ALL), c("osd crush tree", shadow="--show-shadow"), c("osd crush class ls", *ALL), c("osd crush class ls-osd", *ALL, **{"class": "hdd"}), c("osd crush rule ls", *ALL), c("osd crush rule dump", *ALL), c("osd crush rule dump", name="replicated_rule"), c("osd crush rule dump", name="nope"), c("osd crush rule ls-by-class", **{"class": "hdd"}),
        c("osd crush ls", node="default"), c("osd crush weight-set ls"), c("osd crush weight-set dump"), c("osd crush get-tunable", tunable="straw_calc_version"), c("osd erasure-code-profile ls", *ALL), c("osd erasure-code-profile get", *ALL, name="default"), c("osd utilization", *ALL), c("osd getcrushmap") if False else c("osd getmaxosd", *ALL),
    ],
    "osd": [
        c("osd stat", *ALL), c("osd tree", *ALL), c("osd tree", states=["up"]), c("osd tree", states=["down"]), c("osd dump", *ALL), c("osd ls", *ALL), c("osd ls-tree", *ALL, name="default"), c("osd getmaxosd", *ALL), c("osd find", id=7), c("osd info", *ALL), c("osd info", *ALL, id=0), c("osd count-metadata", property="ceph_version"),
        c("osd map", *ALL, pool="rbd", object="foo"), c("osd map", pool="rbd", object="foo", nspace="ns"), c("osd map", pool="nope", object="foo"), c("osd lspools", *ALL),
        c("osd set", key="noout"), c("osd unset", key="noout"), c("osd set", key="pause"), c("osd unset", key="pause"), c("osd set", key="noscrub"), c("health"), c("health", "json", detail="detail"), c("status"), c("osd unset", key="noscrub"), c("osd set", key="bogus"), c("osd set", key="full"), c("osd unset", key="sortbitwise"),
        c("osd blocklist ls", *ALL), c("osd blocklist", blocklistop="add", addr="10.1.2.3:0/77"), c("osd blocklist", blocklistop="add", addr="10.1.2.4:0/78", expire=100.0), c("osd blocklist ls", *ALL), c("osd blocklist", blocklistop="rm", addr="10.1.2.3:0/77"), c("osd blocklist", blocklistop="rm", addr="10.1.2.3:0/77"), c("osd blocklist", blocklistop="add", addr="10.9.9.9"), c("osd blacklist", blacklistop="add", addr="10.9.9.8:0/1"), c("osd blacklist ls"), c("osd blocklist clear"), c("osd blocklist ls"), c("osd blocklist", blocklistop="add", addr="garbage"), c("osd blocklist", blocklistop="frob", addr="10.9.9.9"),
        c("osd in", ids=["0"]), c("osd out", ids=["17"]), c("osd down", ids=["17"]), c("osd rm", ids=["0"]), c("osd rm", ids=["17"]), c("osd lost", id=0), c("osd reweight", id=0, weight=1.0), c("osd getmap", epoch=99999), c("osd set-nearfull-ratio", ratio=0.85), c("osd set-full-ratio", ratio=0.95), c("osd set-backfillfull-ratio", ratio=0.90), c("osd df", *ALL, mgr=True), c("osd df", output_method="tree", mgr=True), c("osd perf", *ALL, mgr=True), c("osd pool stats", *ALL, mgr=True), c("osd pool stats", pool_name="rbd", mgr=True), c("osd pool stats", pool_name="nope", mgr=True),
        c("pg stat", *ALL, mgr=True), c("pg ls", mgr=True), c("pg ls-by-pool", poolstr="rbd", mgr=True), c("pg ls-by-osd", osd="0", mgr=True), c("pg ls-by-primary", osd="0", mgr=True), c("pg dump", dumpcontents=["pgs_brief"], mgr=True), c("pg dump", dumpcontents=["summary"], mgr=True), c("pg dump", dumpcontents=["sum"], mgr=True), c("pg dump", dumpcontents=["pools"], mgr=True), c("pg dump", dumpcontents=["osds"], mgr=True), c("pg dump_stuck", mgr=True), c("pg map", *ALL, pgid="1.0"), c("pg debug", debugop="unfound_objects_exist", mgr=True), c("balancer status", mgr=True), c("rbd task list", mgr=True), c("rbd perf image stats", mgr=True), c("rbd perf image counters", mgr=True), c("rbd mirror snapshot schedule list", mgr=True), c("rbd trash purge schedule list", mgr=True), c("rbd trash purge schedule status", mgr=True), c("osd pool autoscale-status", mgr=True), c("progress", mgr=True), c("iostat", mgr=True), c("device ls", mgr=True), c("nope nope", mgr=True), c("crash ls", mgr=True), c("telemetry status", mgr=True),
    ],
    "pool": [
        c("osd pool create", pool="monv"), c("osd pool create", pool="monv"), c("osd pool create", pool="monv2", pg_num=8), c("osd pool create", pool="monv3", pg_num=8, pgp_num=8, pool_type="replicated"), c("osd pool create", pool=""), c("osd pool create", pool="monv4", pg_num=100000), c("osd pool create", pool="monv5", pg_num=8, rule="nope"), c("osd pool create", pool="monv6", pg_num=8, pool_type="bogus"), c("osd pool create", pool="monv7", pg_num=8, size=3), c("osd pool rm", pool="monv7", pool2="monv7", yes_i_really_really_mean_it=True),
        c("osd pool ls", *ALL), c("osd lspools", *ALL), c("osd pool ls", *ALL, detail="detail"), c("osd pool get", *ALL, pool="monv", var="all"), c("osd pool get", *ALL, pool="monv", var="size"), c("osd pool get", pool="monv", var="pg_num"), c("osd pool get", pool="monv", var="crush_rule"), c("osd pool get", pool="monv", var="hashpspool"), c("osd pool get", pool="monv", var="compression_mode"), c("osd pool get", pool="monv", var="erasure_code_profile"), c("osd pool get", pool="monv", var="bogus"), c("osd pool get", pool="nope", var="size"), c("osd pool get", pool="monv", var="hit_set_type"),
        c("osd pool set", pool="monv", var="size", val="1"), c("osd pool set", pool="monv", var="size", val="1", yes_i_really_mean_it=True), c("osd pool set", pool="monv", var="size", val="11"), c("osd pool set", pool="monv", var="size", val="0"), c("osd pool set", pool="monv", var="size", val="xx"), c("osd pool set", pool="monv", var="min_size", val="1"), c("osd pool set", pool="monv", var="min_size", val="3"), c("osd pool set", pool="monv", var="pg_num", val="64"), c("osd pool set", pool="monv", var="pgp_num", val="32"), c("osd pool set", pool="monv", var="nodelete", val="1"), c("osd pool rm", pool="monv", pool2="monv", yes_i_really_really_mean_it=True), c("osd pool set", pool="monv", var="nodelete", val="0"), c("osd pool set", pool="monv", var="nodelete", val="maybe"), c("osd pool set", pool="monv", var="pg_autoscale_mode", val="on"), c("osd pool set", pool="monv", var="pg_autoscale_mode", val="off"), c("osd pool set", pool="monv", var="compression_mode", val="none"), c("osd pool set", pool="monv", var="target_size_ratio", val="0.5"), c("osd pool set", pool="nope", var="size", val="1"), c("osd pool set", pool="monv", var="crush_rule", val="replicated_rule"), c("osd pool set", pool="monv", var="crush_rule", val="nope"), c("osd pool set", pool="monv", var="bogus", val="1"), c("osd pool set", pool="monv", var="noscrub", val="true"), c("osd pool set", pool="monv", var="noscrub", val="false"), c("osd pool get", pool="monv", var="all"),
        c("osd pool set-quota", pool="monv", field="max_bytes", val="10M"), c("osd pool set-quota", pool="monv", field="max_objects", val="100"), c("osd pool get-quota", *ALL, pool="monv"), c("osd pool set-quota", pool="monv", field="max_bytes", val="0"), c("osd pool set-quota", pool="monv", field="max_bytes", val="zz"), c("osd pool set-quota", pool="nope", field="max_bytes", val="0"), c("osd pool set-quota", pool="monv", field="max_objects", val="0"), c("osd pool get-quota", *ALL, pool="monv"), c("osd pool get-quota", pool="nope"),
        c("osd pool application enable", pool="monv", app="rbd"), c("osd pool application enable", pool="monv", app="rbd"), c("osd pool application enable", pool="monv", app="myapp"), c("osd pool application enable", pool="monv", app="rgw"), c("osd pool application enable", pool="monv", app="rgw", yes_i_really_mean_it=True), c("osd pool application get", *ALL, pool="monv"), c("osd pool application get", *ALL), c("osd pool application set", pool="monv", app="rbd", key="k", value="v"), c("osd pool application set", pool="monv", app="nope", key="k", value="v"), c("osd pool application get", *ALL, pool="monv", app="rbd"), c("osd pool application get", *ALL, pool="monv", app="rbd", key="k"), c("osd pool application get", pool="monv", app="rbd", key="k2"), c("osd pool application get", pool="monv", app="cephfs"), c("osd pool application rm", pool="monv", app="rbd", key="k"), c("osd pool application disable", pool="monv", app="rgw"), c("osd pool application disable", pool="monv", app="rgw", yes_i_really_mean_it=True), c("osd pool application disable", pool="monv", app="rgw", yes_i_really_mean_it=True), c("osd pool application enable", pool="nope", app="rbd"),
        c("osd pool mksnap", pool="monv", snap="s1"), c("osd pool mksnap", pool="monv", snap="s1"), c("osd pool mksnap", pool="nope", snap="s1"), c("osd pool ls", detail="detail"), c("osd pool rmsnap", pool="monv", snap="s1"), c("osd pool rmsnap", pool="monv", snap="s1"),
        c("osd pool rename", srcpool="monv", destpool="monv2"), c("osd pool rename", srcpool="nope", destpool="nope2"), c("osd pool rename", srcpool="monv3", destpool="monv33"), c("osd pool rename", srcpool="monv3", destpool="monv33"),
        c("health"), c("health", "json-pretty", detail="detail"), c("health", detail="detail"), c("osd pool rm", pool="monv33"), c("osd pool rm", pool="monv33", pool2="monv"), c("osd pool rm", pool="monv33", pool2="monv33"), c("osd pool delete", pool="monv33", pool2="monv33", yes_i_really_really_mean_it=True), c("osd pool rm", pool="monv33", pool2="monv33", yes_i_really_really_mean_it=True), c("osd pool rm", pool="monv2", pool2="monv2", yes_i_really_really_mean_it=True), c("osd pool rm", pool="monv", pool2="monv", yes_i_really_really_mean_it=True),
    ],
    "auth": [
        c("auth get-or-create", entity="client.monv", caps=["mon", "profile rbd", "osd", "profile rbd pool=vms"]), c("auth get-or-create", *ALL, entity="client.monv", caps=["mon", "profile rbd", "osd", "profile rbd pool=vms"]), c("auth get-or-create", entity="client.monv", caps=["mon", "allow r"]), c("auth get-or-create", entity="client.monv"), c("auth get-or-create-key", *ALL, entity="client.monv"), c("auth get", *ALL, entity="client.monv"), c("auth get", entity="client.nope"), c("auth get-key", *ALL, entity="client.monv"), c("auth print-key", *ALL, entity="client.monv"), c("auth print_key", entity="client.monv"), c("auth get-key", entity="client.nope"), c("auth get-key", entity="garbage"),
        c("auth caps", entity="client.monv", caps=["mon", "allow r"]), c("auth caps", entity="client.monv", caps=["mon", "bogus bogus"]), c("auth caps", entity="client.monv", caps=["osd", "bogus"]), c("auth caps", entity="client.monv", caps=["mon"]), c("auth caps", entity="client.nope", caps=["mon", "allow r"]), c("auth caps", entity="client.monv", caps=["foo", "allow r"]), c("auth get", entity="client.monv"), c("auth export", *ALL, entity="client.monv"), c("auth export", entity="client.nope"),
        c("auth add", entity="client.monv2", caps=["mon", "allow r"]), c("auth add", entity="client.monv2", caps=["mon", "allow r"]), c("auth add", entity="client.monv2", caps=["mon", "allow rw"]), c("auth add", entity="client.monv3", inbuf=("[client.monv3]\n\tkey = %s\n" % K).encode(), caps=["mon", "allow r"]), c("auth get", entity="client.monv3"), c("auth add", entity="client.monv4", inbuf=("[client.other]\n\tkey = %s\n" % K).encode()), c("auth add", entity="client.monv4", inbuf=b"garbage"), c("auth import", inbuf=("[client.monv5]\n\tkey = %s\n\tcaps mon = \"allow r\"\n" % K).encode()), c("auth import"), c("auth import", inbuf=b"garbage"), c("auth get", entity="client.monv5"), c("auth get-or-create", entity="client.monv6", caps=["mon", "allow rwxq"]), c("auth get-or-create", entity="garbage"), c("auth get-or-create", entity="client.monv7"), c("auth get", "json-pretty", entity="client.monv7"),
        c("auth ls", *ALL), c("auth list"), c("auth rm", entity="client.monv"), c("auth rm", entity="client.monv"), c("auth del", entity="client.monv2"), c("auth del", entity="client.monv2"), c("auth rm", entity="client.monv3"), c("auth rm", entity="client.monv5"), c("auth rm", entity="client.monv7"), c("auth rm", entity="client.monv6"), c("auth rm", entity="client.monv4"), c("auth rm", entity="garbage"),
    ],
    "config": [
        c("config set", who="client", name="rbd_cache", value="false"), c("config set", who="global", name="rbd_default_features", value="61"), c("config set", who="client.monv", name="debug_ms", value="1/5"), c("config set", who="osd/class:hdd", name="osd_max_backfills", value="3"), c("config set", who="client", name="nope_option", value="1"), c("config set", who="client", name="nope_option", value="1", force=True), c("config set", who="client", name="rbd_cache", value="maybe"), c("config set", who="bogus", name="rbd_cache", value="true"), c("config set", who="mon", name="mon_host", value="1.2.3.4"), c("config set", who="client", name="rbd_cache_size", value="64M"),
        c("config dump", *ALL), c("config get", *ALL, who="client.monv"), c("config get", *ALL, who="client.monv", key="rbd_cache"), c("config get", who="client.monv", key="debug_ms"), c("config get", who="client.monv", key="rbd_default_features"), c("config get", who="client.monv", key="nope_nope"), c("config get", who="client.admin", key="rbd_op_threads"), c("config get", who="bogus", key="rbd_cache"), c("config log", num=1), c("config log", "json", num=1), c("config ls") if False else c("config help", *ALL, key="rbd_cache"), c("config help", key="rbd_cache_size"), c("config help", key="nope"), c("config generate-minimal-conf"), c("config assimilate-conf", inbuf=b"[client]\n\trbd_cache_policy = writeback\n\tnope_two = 3\n[global]\n\tfsid = 11111111-1111-1111-1111-111111111111\n"), c("config dump"),
        c("config rm", who="client", name="rbd_cache_policy"), c("config rm", who="client", name="rbd_cache"), c("config rm", who="client", name="rbd_cache"), c("config rm", who="client", name="nope_option"), c("config rm", who="client", name="rbd_cache_size"), c("config rm", who="global", name="rbd_default_features"), c("config rm", who="client.monv", name="debug_ms"), c("config rm", who="osd/class:hdd", name="osd_max_backfills"), c("config rm", who="mon", name="mon_host"), c("config rm", who="bogus", name="x"), c("config dump", *ALL), c("config reset", num=9999), c("config get", *ALL, who="client.monv"),
        c("config-key set", key="monv/a", val="one"), c("config-key set", key="monv/b", inbuf=b"two\n"), c("config-key put", key="monv/c", val="three"), c("config-key set", key="monv/d"), c("config-key get", key="monv/a"), c("config-key get", key="monv/b"), c("config-key get", key="monv/d"), c("config-key get", key="monv/nope"), c("config-key exists", key="monv/a"), c("config-key exists", key="monv/nope"), c("config-key ls", *ALL), c("config-key list"), c("config-key dump", *ALL, key="monv"), c("config-key rm", key="monv/a"), c("config-key rm", key="monv/a"), c("config-key del", key="monv/b"), c("config-key del", key="monv/c"), c("config-key rm", key="monv/d"), c("config-key dump", key="monv"),
    ],
}

def block(prefix, fmt, inbuf, mgr, args):
    request = {"prefix": prefix, **args}
    if fmt:
        request["format"] = fmt
    text = json.dumps(request)
    call = cluster.mgr_command if mgr else cluster.mon_command
    r, data, status = call(text, inbuf)
    lines = ["$ " + ("mgr " if mgr else "") + text]
    if inbuf:
        lines.append("< " + json.dumps(inbuf.decode()))
    lines.append("= %d %s" % (r, json.dumps(status)))
    body = data.decode("utf-8", "replace")
    parts = body.split("\n")
    for part in parts[:-1]:
        lines.append("| " + part)
    if parts[-1]:
        lines.append("\\ " + parts[-1])
    return "\n".join(lines) + "\n"

wanted = os.environ.get("FAMILIES", " ".join(FAMILIES)).split()
for family in wanted:
    with open(os.path.join(out_dir, family + ".txt"), "w") as file:
        for prefix, formats, inbuf, mgr, args in FAMILIES[family]:
            for fmt in formats:
                file.write(block(prefix, fmt, inbuf, mgr, args))
# Signatures of the commands recorded (not their help, which is upstream's prose).
r, data, status = cluster.mon_command(json.dumps({"prefix": "get_command_descriptions"}), b"")
table = json.loads(data)
with open(os.path.join(out_dir, "descriptions.json"), "w") as file:
    known = [{"sig": v["sig"], "perm": v["perm"], "flags": v["flags"]} for v in table.values()]
    words = lambda v: " ".join(w for w in v["sig"] if isinstance(w, str))
    recorded = {prefix for family in FAMILIES.values() for prefix, *_ in family}
    known = [v for v in known if words(v) in recorded]
    file.write("[\n" + ",\n".join(json.dumps(v) for v in known) + "\n]\n")
cluster.shutdown()
PY
