#!/usr/bin/env python3
"""Records golden control frames of messenger v2.1 from a real Ceph cluster (16.2) on loopback.

    CEPH_CONF=DIR/ceph.conf scripts/record-control-frames.py OUT.json FILTER

Captures with tcpdump what the filter (of pcap) lets through. First short client commands run in crc mode,
one of them with a wrong key and one long enough for a keepalive; then record-control-faults.py breaks links
between the OSDs. Keeps up to four distinct frames of each tag and direction, of links with clients and of
links between daemons each, whole: preamble, payload, crc. test/vectors/control/README.md says how the cluster
is made; it is thrown away afterwards, for handshakes are sealed with its keys.
"""
import collections
import importlib.util
import json
import os
import struct
import sys

PER_KIND = 4
TAG_HELLO, TAG_AUTH_REQUEST, TAG_MESSAGE = 1, 2, 17
ENTITY_CLIENT = 8
AUTH_NONE = 1
CRC = "--ms-client-mode=crc --ms-mon-client-mode=crc"
WRONG_KEY = "AQBWkPFgAAAAABAAw5rb5eKJQMb0wAo6x9vNMg=="
COMMANDS = [
    f"ceph {CRC} -s",
    f"rados {CRC} -p rbd ls",
    f"ceph {CRC} --key {WRONG_KEY} --connect-timeout 3 -s",
    f"timeout 14 ceph {CRC} -w",
]

here = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("recorder", os.path.join(here, "record-messages.py"))
recorder = importlib.util.module_from_spec(spec)
spec.loader.exec_module(recorder)


def whole_frames(stream):
    """(tag, bytes) of the control frames of one direction."""
    at = 10 + struct.unpack_from("<H", stream, 8)[0]
    for tag, segments in recorder.frames(stream):
        size = 32 + len(segments[0]) + (4 if segments[0] else 0)
        if len(segments) > 1:
            size += sum(len(s) for s in segments[1:]) + 13
        if tag != TAG_MESSAGE:
            yield tag, stream[at:at + size]
        at += size


def link_of(initiator, acceptor):
    """Whom a link is between, and whether its initiator is a script: only those come without cephx."""
    kinds, scripted = set(), False
    for stream in initiator, acceptor:
        for tag, segments in recorder.frames(stream):
            if tag == TAG_HELLO:
                kinds.add(segments[0][0])
            elif tag == TAG_AUTH_REQUEST:
                scripted |= struct.unpack_from("<I", segments[0])[0] == AUTH_NONE
    return "clients" if ENTITY_CLIENT in kinds else "daemons", scripted


def main():
    out, traffic = sys.argv[1:]
    script = "/tmp/control-frames.sh"
    with open(script, "w", encoding="ascii") as file:
        file.write("\n".join(f"{command} >/dev/null 2>&1" for command in COMMANDS) + "\n")
    pcap = f"/tmp/control-{os.getpid()}.pcap"
    recorder.capture(pcap, traffic, [script, os.path.join(here, "record-control-faults.py")])
    found = collections.defaultdict(dict)
    for initiator, acceptor in recorder.streams(pcap):
        link, scripted = link_of(initiator, acceptor)
        for side, stream in (("initiator", initiator), ("acceptor", acceptor)):
            if stream[:8] != recorder.BANNER or (scripted and side == "initiator"):
                continue
            for tag, frame in whole_frames(stream):
                found[tag, side, link][frame.hex()] = None
    vectors = [
        {"tag": tag, "from": side, "link": link, "frame": frame}
        for (tag, side, link), frames in sorted(found.items())
        for frame in list(frames)[:PER_KIND]
    ]
    with open(out, "w", encoding="ascii") as file:
        json.dump(vectors, file, indent=1)
        file.write("\n")
    os.remove(pcap)
    os.remove(script)
    for kind, frames in sorted(found.items()):
        print(*kind, len(frames))


if __name__ == "__main__":
    main()
