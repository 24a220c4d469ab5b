#!/usr/bin/python3
"""Records test/vectors/ceph-words: what the `ceph` command of this machine makes of words.

usage: record-ceph-words.py CEPH_CONF DIR    (a real cluster with an OSD; the vectors' folder)

Asks monitor, OSD, manager and the monitor told by its name for their commands' descriptions, makes words for
them from a seed (right ones, and wrong in all ways), and records what the original's own functions answer.
Needs python3-rados and ceph-common.
"""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import random
import string
import sys

import ceph_argparse
import rados

CONF, DIR = sys.argv[1:3]
SEED = 20240611
CASES = {"mon": 420, "osd": 70, "mgr": 25, "mon-tell": 25}

loader = importlib.machinery.SourceFileLoader("ceph_tool", "/usr/bin/ceph")
tool = importlib.util.module_from_spec(importlib.util.spec_from_loader("ceph_tool", loader))
loader.exec_module(tool)

ASK = json.dumps({"prefix": "get_command_descriptions"})


def descriptions():
    with rados.Rados(conffile=CONF) as cluster:
        asked = {
            "mon": lambda: cluster.mon_command(ASK, b""),
            "osd": lambda: cluster.osd_command(0, ASK, b""),
            "mgr": lambda: cluster.mgr_command(ASK, b"", target=""),
            "mon-tell": lambda: cluster.mon_command(ASK, b"", target="a"),
        }
        out = {}
        for name, ask in asked.items():
            ret, data, status = ask()
            assert ret == 0, (name, ret, status)
            commands = json.loads(data)
            for command in commands.values():
                command.pop("perm", None)
                command.pop("module", None)
            out[name] = commands
        return out


def good(rng, arg):
    kind = arg["type"]
    if kind == "CephInt":
        low, _, high = arg.get("range", "0|100").partition("|")
        number = rng.randint(int(low), int(high or low) if high else int(low) + 50)
        return rng.choice([str(number), hex(number), "0"])
    if kind == "CephFloat":
        low, _, high = arg.get("range", "0.0|1.0").partition("|")
        return rng.choice([str(rng.uniform(float(low), float(high or 10))), "1", ".5", "1e-5", "5."])
    if kind == "CephChoices":
        return rng.choice(arg["strings"].split("|"))
    if kind == "CephBool":
        return rng.choice(["true", "false", "0", "1", "True", "FALSE"])
    if kind == "CephPgid":
        return rng.choice(["1.0", "2.1f", "10.a"])
    if kind == "CephName":
        return rng.choice(["osd.0", "mon.a", "client.admin", "mgr", "*"])
    if kind == "CephOsdName":
        return rng.choice(["osd.0", "3", "*", "osd.12"])
    if kind == "CephUUID":
        return "3f4b3c63-0f5d-4b8e-9d0a-1d2f6a0f7e11"
    if kind == "CephIPAddr":
        return rng.choice(["127.0.0.1", "10.0.0.1:6789", "v1:10.1.2.3:6789", "fe80::1", "v2:::1"])
    if kind == "CephEntityAddr":
        return rng.choice(["127.0.0.1:0/123", "10.0.0.1", "::1/5", "v1:10.1.2.3:6789/4"])
    if kind == "CephFilepath":
        return "/etc/hostname"
    return rng.choice(["rbd", "x", "a.b", "foo-bar_1", "two words", "12", "a,b"])


def bad(rng, arg):
    return rng.choice([
        "", "nonsense", "-5", "99999999999999999999", "1.5.2", "x/y", "--", "--no-such-thing", "--x=1",
        "osd.x", "foo.1", "osd.-1", "1.zz", "-1.0", "a.0", "1.2.3.4:99999", "1.2.3.4.5", "[::1", "::zz",
        "1.2.3.4/-1", "1.2.3.4/x", "\u00fc", "a\tb", "010", "0x", "1_000", " 7 ", "1e400", "nan", "-inf", "--force",
        "--yes-i-really-mean-it", "urn:uuid:3f4b", "{3f4b3c630f5d4b8e9d0a1d2f6a0f7e1z}", "true", "it's",
    ])


def words_for(rng, sig):
    words, named = [], []
    wrong = rng.random() < 0.35
    for arg in sig:
        if isinstance(arg, str):
            words.append(arg)
            continue
        if arg.get("req", True) in ("false", False) and rng.random() < 0.5:
            continue
        for _ in range(rng.randint(1, 3) if arg.get("n") == "N" else 1):
            value = (bad if wrong and rng.random() < 0.4 else good)(rng, arg)
            dashed = "--" + arg["name"].replace("_", rng.choice("_-"))
            if rng.random() < 0.75 and arg["type"] != "CephBool":
                words.append(value)
            elif arg["type"] == "CephBool" and rng.random() < 0.6:
                named.append([dashed])
            elif rng.random() < 0.5:
                named.append([f"{dashed}={value}"])
            else:
                named.append([dashed, value])
    for extra in named:
        at = rng.randint(0, len(words)) if rng.random() < 0.3 else len(words)
        words[at:at] = extra
    change = rng.random()
    if change < 0.06 and words:
        words.pop()
    elif change < 0.12 and words:
        words[-1] = words[-1][: rng.randint(1, max(1, len(words[-1])))]
    elif change < 0.16 and words:
        at = rng.randrange(len(words))
        words[at] = words[at][:-1]
    elif change < 0.20:
        words.insert(rng.randint(0, len(words)), bad(rng, {}))
    elif change < 0.23 and len(words) > 1:
        words = words[: rng.randint(1, len(words))]
    elif change < 0.25:
        rng.shuffle(words)
    return words


def judge(commands, words):
    """The command or None, and the lines for the user; None if the original itself fails."""
    signatures = ceph_argparse.parse_json_funcsigs(json.dumps(commands), "cli")
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            valid = ceph_argparse.validate_command(signatures, list(words))
    except Exception:  # the original's own bug: nothing to hold anybody to
        return None
    # Sets of characters come in any order.
    if "invalid chars" in said.getvalue() and len(set(said.getvalue().split("invalid chars ")[1].split(" in ")[0])) > 1:
        return None
    return {"words": words, "command": json.dumps(valid) if valid else None, "said": said.getvalue()}


def completed(commands, words):
    signatures = ceph_argparse.parse_json_funcsigs(json.dumps(commands), "cli")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        tool.complete(signatures, list(words), ("mon", ""))
    return said.getvalue()


def target(words):
    try:
        return list(ceph_argparse.find_cmd_target(list(words)))
    except ceph_argparse.ArgumentError as error:
        return str(error)


def main():
    rng = random.Random(SEED)
    described = descriptions()
    cases, seen = [], set()
    for daemon, count in CASES.items():
        sigs = [command["sig"] for command in described[daemon].values()]
        made = 0
        while made < count:
            words = words_for(rng, rng.choice(sigs))
            key = (daemon, tuple(words))
            case = None if key in seen else judge(described[daemon], words)
            if case is None:
                continue
            seen.add(key)
            cases.append({"daemon": daemon, **case})
            made += 1
    starts = [[], [""], ["o"], ["osd"], ["osd", ""], ["osd", "p"], ["osd", "pool", ""], ["osd", "pool", "create", ""],
              ["osd", "pool", "get", "rbd", ""], ["osd", "pool", "get", "rbd", "s"], ["status"], ["status", ""],
              ["nothing"], ["osd", "out", ""], ["pg", "dump", ""], ["tell", "osd.0", "perf", ""], ["config", "s"],
              ["auth", "get-or-create", "client.x", ""], ["df", "d"], ["mgr", "module", ""], ["log", "last", ""]]
    completions = [{"words": words, "out": completed(described["mon"], words)} for words in starts]
    targets = [["status"], ["tell"], ["tell", "osd.0", "version"], ["tell", "osd.*", "version"], ["tell", "mon.a", "x"],
               ["tell", "mgr", "x"], ["tell", "mgr.x", "x"], ["tell", "mon", "x"], ["tell", "1.0", "query"],
               ["tell", "foo", "x"], ["tell", "foo.1", "x"], ["tell", "osd.x", "x"], ["pg", "1.0", "query"], ["pg", "1.", "q"],
               ["pg", "dump"], ["pg"], [], ["tell", "--target=osd.1", "version"], ["tell", "mds.a", "x"], ["tell", "osd.007", "x"]]
    with open(f"{DIR}/descriptions.json", "w") as out:
        json.dump(described, out, separators=(",", ":"))
        out.write("\n")
    with open(f"{DIR}/cases.json", "w") as out:
        out.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    tool.Termsize = lambda: type("Size", (), {"cols": 80, "rows": 25})
    everything = ceph_argparse.parse_json_funcsigs(json.dumps(described["osd"]), "cli")
    monitors = ceph_argparse.parse_json_funcsigs(json.dumps(described["mon"]), "cli")
    with open(f"{DIR}/others.json", "w") as out:
        json.dump({
            "targets": [{"words": words, "target": target(words)} for words in targets],
            "completions": completions,
            "help": {"osd": tool.format_help(everything), "mon of 'osd pool'": tool.format_help(monitors, "osd pool")},
        }, out, indent=1)
        out.write("\n")


main()
