#!/usr/bin/env python3
"""Records golden control frames of messenger v2.1 from a real Ceph cluster (16.2) on loopback.

    CEPH_CONF=DIR/ceph.conf scripts/record-control-frames.py OUT.json

Captures with tcpdump while short client commands run in crc mode, one of them with a wrong key and one
long enough for a keepalive, and keeps up to four distinct frames of each tag and direction, whole: preamble,
payload, crc. Record from a cluster that is thrown away afterwards: handshakes are sealed with its keys.
"""
import collections
import importlib.util
import json
import os
import struct
import subprocess
import sys

PER_KIND = 4
TAG_MESSAGE = 17
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


def main():
    script = "/tmp/control-frames.sh"
    with open(script, "w", encoding="ascii") as file:
        file.write("\n".join(f"{command} >/dev/null 2>&1" for command in COMMANDS) + "\n")
    pcap = f"/tmp/control-{os.getpid()}.pcap"
    recorder.capture(pcap, "tcp", [script])
    found = collections.defaultdict(dict)
    for initiator, acceptor in recorder.streams(pcap):
        for side, stream in (("initiator", initiator), ("acceptor", acceptor)):
            if stream[:8] != recorder.BANNER:
                continue
            for tag, frame in whole_frames(stream):
                found[tag, side][frame.hex()] = None
    out = [
        {"tag": tag, "from": side, "frame": frame}
        for (tag, side), frames in sorted(found.items())
        for frame in list(frames)[:PER_KIND]
    ]
    with open(sys.argv[1], "w", encoding="ascii") as file:
        json.dump(out, file, indent=1)
        file.write("\n")
    os.remove(pcap)
    subprocess.run(["rm", "-f", script], check=True)
    for (tag, side), frames in sorted(found.items()):
        print(tag, side, len(frames))


if __name__ == "__main__":
    main()
