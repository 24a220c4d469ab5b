"""Writes crush maps in crushtool's text form, one per kind of bucket and tunables, from a fixed seed."""
import random
import sys

ALGS = ["uniform", "list", "tree", "straw", "straw2"]
TUNABLES = {
    "jewel": (0, 0, 50, 1, 1, 1, 1),
    "firefly": (0, 0, 50, 1, 1, 0, 0),
    "argonaut": (2, 5, 19, 0, 0, 0, 0),
}
NAMES = [
    "choose_local_tries",
    "choose_local_fallback_tries",
    "choose_total_tries",
    "chooseleaf_descend_once",
    "chooseleaf_vary_r",
    "chooseleaf_stable",
    "straw_calc_version",
]


def text(alg, tunables, choose_args):
    rnd = random.Random(f"{alg} {tunables}")
    out = [f"tunable {n} {v}" for n, v in zip(NAMES, TUNABLES[tunables])]
    out.append("tunable allowed_bucket_algs 62")
    hosts, per_host, racks = 12, 4, 4
    for osd in range(hosts * per_host):
        out.append(f"device {osd} osd.{osd} class {'ssd' if osd % 3 == 0 else 'hdd'}")
    for i, name in enumerate(["osd", "host", "rack", "root"]):
        out.append(f"type {i} {name}")
    bucket = -1
    host_weight = []
    for host in range(hosts):
        same = rnd.choice([0.5, 1.0, 2.0])
        # Uneven on purpose: a host with a device of weight 0, hosts of different sizes.
        count = per_host - (host % 3 == 2)
        weights = [same if alg == "uniform" else rnd.choice([0.0, 0.25, 1.0, 1.0, 3.5])
                   for _ in range(count)]
        out += [f"host host{host} {{", f"  id {bucket}", f"  alg {alg}", "  hash 0"]
        for i, w in enumerate(weights):
            out.append(f"  item osd.{host * per_host + i} weight {w:.3f}")
        out.append("}")
        host_weight.append(sum(weights))
        bucket -= 1
    inner = "straw2" if alg == "uniform" else alg
    for rack in range(racks):
        out += [f"rack rack{rack} {{", f"  id {bucket}", f"  alg {inner}", "  hash 0"]
        for host in range(rack, hosts, racks):
            out.append(f"  item host{host} weight {host_weight[host]:.3f}")
        out.append("}")
        bucket -= 1
    out += ["root default {", f"  id {bucket}", f"  alg {inner}", "  hash 0"]
    root = bucket
    for rack in range(racks):
        weight = sum(host_weight[h] for h in range(rack, hosts, racks))
        out.append(f"  item rack{rack} weight {weight:.3f}")
    out.append("}")
    rules = [
        ["take default", "choose firstn 0 type osd", "emit"],
        ["take default", "chooseleaf firstn 0 type host", "emit"],
        ["take default", "chooseleaf indep 0 type host", "emit"],
        ["take default", "choose firstn 2 type rack", "chooseleaf firstn 2 type host", "emit"],
        ["set_chooseleaf_tries 5", "set_choose_tries 100", "take default",
         "choose indep 0 type rack", "chooseleaf indep 1 type osd", "emit"],
        # crushtool cannot make a class's shadow of a uniform bucket whose items differ in weight.
        [f"take default{'' if alg == 'uniform' else ' class ssd'}",
         "chooseleaf firstn 2 type host", "emit",
         f"take default{'' if alg == 'uniform' else ' class hdd'}",
         "choose indep 0 type osd", "emit"],
        ["take default", "choose indep 3 type host", "choose indep 2 type osd", "emit"],
        ["take rack0", "chooseleaf firstn 1 type host", "emit",
         "take default", "chooseleaf firstn -1 type rack", "emit"],
    ]
    for i, steps in enumerate(rules):
        out += [f"rule rule{i} {{", f"  id {i}", "  type replicated", "  min_size 1", "  max_size 10"]
        out += [f"  step {s}" for s in steps]
        out.append("}")
    if choose_args:
        out.append("choose_args 0 {")
        for rack in range(racks):
            n = len(range(rack, hosts, racks))
            sets = [[f"{rnd.uniform(0, 4):.3f}" for _ in range(n)] for _ in range(2)]
            rows = " ".join(f"[ {' '.join(s)} ]" for s in sets)
            ids = " ".join(str(-100 - rack * 10 - i) for i in range(n))
            out.append(f"  {{ bucket_id {root + racks - rack} weight_set [ {rows} ] ids [ {ids} ] }}")
        out.append("}")
    return "\n".join(out) + "\n"


def main(directory):
    for alg in ALGS:
        for tunables in TUNABLES:
            with open(f"{directory}/crush-{alg}-{tunables}.txt", "w") as f:
                f.write(text(alg, tunables, False))
    with open(f"{directory}/crush-straw2-args.txt", "w") as f:
        f.write(text("straw2", "jewel", True))


main(sys.argv[1])
