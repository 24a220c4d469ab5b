#!/usr/bin/python3
"""Prints the lines of src/config/options-table.ts from a real cluster (CEPH_CONF)."""
import json
import os

import rados

cluster = rados.Rados(conffile=os.environ.get("CEPH_CONF", "/etc/ceph/ceph.conf"), name="client.admin")
cluster.connect()


def ask(**command):
    r, data, status = cluster.mon_command(json.dumps({**command, "format": "json"}), b"")
    if r != 0:
        raise SystemExit(status)
    return json.loads(data)


def text(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


def bounds(option):
    if option.get("enum_values"):
        return "{" + ",".join(option["enum_values"]) + "}"
    if text(option["min"]) or text(option["max"]):
        return f"[{text(option['min'])},{text(option['max'])}]"
    return ""


for name in sorted(ask(prefix="config ls")):
    option = ask(prefix="config help", key=name)
    default = text(option["default"])
    if "\n" in default or "`" in default or "${" in default:
        default = ""
    runtime = "r" if option["can_update_at_runtime"] else "-"
    line = f"{name} {option['type']} {option['level'][0]}{runtime}{bounds(option)} {default}"
    print(line.rstrip().replace("\\", "\\\\"))
