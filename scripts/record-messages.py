#!/usr/bin/env python3
"""Records golden message vectors from a real Ceph cluster (16.2) on loopback.

    CEPH_CONF=DIR/ceph.conf scripts/record-messages.py OUTDIR FILTER SCRIPT...
    scripts/record-messages.py OUTDIR --pcap FILE...

Captures with tcpdump what the filter (of pcap) lets through while the given scripts run (.py with
/usr/bin/python3, anything else with bash), reassembles the TCP streams of connections whose beginning
was seen, cuts messenger v2.1 frames in crc mode, and keeps a small representative set of messages.
The cluster and its clients must use crc mode everywhere; test/vectors/messages/README.md says how.

Keys never get into a vector: handshake frames are dropped, and the blobs of auth messages are zeroed.
"""
import collections
import json
import os
import signal
import struct
import subprocess
import sys
import time

BANNER = b"ceph v2\n"
TAG_HELLO, TAG_MESSAGE = 1, 17
ENTITY = {1: "mon", 2: "mds", 4: "osd", 8: "client", 16: "mgr"}
# The messages that src/messages speaks: number to the name of its vectors.
NAMES = {
    2: "mping", 4: "mmon-map", 5: "mmon-get-map", 13: "mstatfs", 14: "mstatfs-reply",
    15: "mmon-subscribe", 16: "mmon-subscribe-ack", 17: "mauth", 18: "mauth-reply",
    19: "mmon-get-version", 20: "mmon-get-version-reply", 41: "mosd-map", 42: "mosd-op",
    43: "mosd-op-reply", 44: "mwatch-notify", 48: "mpool-op-reply", 49: "mpool-op",
    50: "mmon-command", 51: "mmon-command-ack", 52: "mlog", 53: "mlog-ack", 58: "mget-pool-stats",
    59: "mget-pool-stats-reply", 61: "mosd-backoff", 62: "mconfig", 97: "mcommand",
    98: "mcommand-reply", 0x700: "mmgr-open", 0x701: "mmgr-configure", 0x702: "mmgr-report",
    0x704: "mmgr-map", 0x707: "mservice-map", 0x708: "mmgr-close", 0x709: "mmgr-command",
    0x70A: "mmgr-command-reply",
}
PER_KIND = 6  # vectors of one type, version and direction
SIZE_MAX = 64 * 1024  # bytes of one vector
BIG = 4 * 1024  # of vectors above this size, one of a kind does


def capture(path, traffic, scripts):
    """Runs the scripts with tcpdump watching; returns when all packets are in the file."""
    dump = subprocess.Popen(
        ["tcpdump", "-i", "lo", "-s", "0", "-B", "131072", "-U", "-w", path, traffic],
        stderr=subprocess.DEVNULL)
    time.sleep(1)
    try:
        for script in scripts:
            shell = "/usr/bin/python3" if script.endswith(".py") else "bash"
            print("running", script, flush=True)
            subprocess.run([shell, script], check=False)
    finally:
        time.sleep(2)
        dump.send_signal(signal.SIGINT)
        dump.wait()


def packets(path):
    """TCP segments of a pcap file of Ethernet frames: (flow, seq, flags, payload)."""
    raw = open(path, "rb").read()
    if raw[:4] != b"\xd4\xc3\xb2\xa1":
        sys.exit(f"{path}: not a little-endian pcap file")
    at = 24
    while at + 16 <= len(raw):
        size = struct.unpack_from("<I", raw, at + 8)[0]
        frame = raw[at + 16:at + 16 + size]
        at += 16 + size
        if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
            continue
        ip = 14
        tcp = ip + (frame[ip] & 15) * 4
        total = struct.unpack_from(">H", frame, ip + 2)[0] or len(frame) - ip
        src, dst, seq = struct.unpack_from(">HHI", frame, tcp)
        start = tcp + (frame[tcp + 12] >> 4) * 4
        yield (src, dst), seq, frame[tcp + 13], frame[start:ip + total]


def streams(path):
    """Pairs of byte streams of connections seen from their SYN: (initiator's bytes, acceptor's)."""
    flows = {}  # (src, dst) -> (first seq, {offset: payload})
    pairs = []
    for flow, seq, flags, payload in packets(path):
        if flags & 2:  # SYN: a connection begins
            flows[flow] = ((seq + 1) & 0xFFFFFFFF, {})
            if flags & 16 and flow[::-1] in flows:
                pairs.append((flows[flow[::-1]][1], flows[flow][1]))
        elif payload and flow in flows:
            first, parts = flows[flow]
            offset = (seq - first) & 0xFFFFFFFF
            if len(payload) > len(parts.get(offset, b"")):
                parts[offset] = payload

    def join(parts):
        out = bytearray()
        for offset in sorted(parts):
            if offset > len(out):
                break  # a packet was lost: what follows cannot be cut
            out[offset:offset + len(parts[offset])] = parts[offset]
        return bytes(out)

    for initiator, acceptor in pairs:
        yield join(initiator), join(acceptor)


def frames(stream):
    """Frames of one direction in msgr2.1 crc mode: (tag, segments)."""
    if stream[:8] != BANNER:
        return
    at = 10 + struct.unpack_from("<H", stream, 8)[0]
    while at + 32 <= len(stream):
        tag, count = stream[at], stream[at + 1]
        lengths = [struct.unpack_from("<I", stream, at + 2 + i * 6)[0] for i in range(4)]
        if not 1 <= count <= 4 or tag > 20:
            return  # not crc mode, or out of step
        at += 32
        segments = []
        for i in range(count):
            segments.append(stream[at:at + lengths[i]])
            at += lengths[i] + (4 if i == 0 and lengths[i] else 0)
        at += 13 if count > 1 else 0
        if at > len(stream):
            return
        yield tag, segments


def cuts(path):
    """Small types out of bigger things, where the library exports no encoder: (type, bytes)."""
    for initiator, acceptor in streams(path):
        for stream in initiator, acceptor:
            for tag, segments in frames(stream):
                if tag == TAG_HELLO:
                    yield "entity_addr_t", segments[0][1:]
    for header, front, _, _ in messages(path):
        kind = header["type"], header["version"]
        if kind == (42, 8):
            yield "spg_t", front[:24]
            yield "pg_t", front[6:23]
            yield "utime_t", front[91:99]
            count, at = op_start(front)
            at += count * 38 + 8
            yield "SnapContext", front[at:at + 12 + 8 * struct.unpack_from("<I", front, at + 8)[0]]
        elif kind == (43, 8):
            at = 4 + struct.unpack_from("<I", front, 0)[0] + 17 + 8 + 4
            yield "eversion_t", front[at:at + 12]
        elif kind == (50, 1):
            yield "uuid_d", front[18:34]
        elif kind == (112, 3):  # MOSDRepOp: epoch, epoch, trace, reqid
            yield "osd_reqid_t", front[32:59]
            yield "entity_name_t", front[38:47]


def write_cuts(paths, out):
    """A few distinct, non-blank ones of each type, as hex."""
    found = collections.defaultdict(dict)
    for name, value in (cut for path in paths for cut in cuts(path)):
        if any(value):
            found[name][value.hex()] = None
    few = {name: sorted(values, key=lambda v: (-len(v), v))[:5] for name, values in found.items()}
    with open(out, "w", encoding="ascii") as file:
        json.dump(dict(sorted(few.items())), file, indent=1)


def messages(path):
    for initiator, acceptor in streams(path):
        sides = [list(frames(initiator)), list(frames(acceptor))]
        names = []
        for side in sides:
            hello = [segments[0][0] for tag, segments in side if tag == TAG_HELLO]
            names.append(ENTITY.get(hello[0], "?") if hello else "?")
        for i, side in enumerate(sides):
            for tag, segments in side:
                if tag != TAG_MESSAGE:
                    continue
                segments += [b""] * (4 - len(segments))
                h = struct.unpack("<QQHHHIHQBHH", segments[0])
                yield {
                    "type": h[2], "version": h[4], "compatVersion": h[9], "tid": h[1], "seq": h[0],
                    "priority": h[3], "dataOff": h[6], "from": names[i], "to": names[1 - i],
                }, segments[1], segments[2], segments[3]


def without_defaults(front):
    """An mgr_open ends in a blob of all options' defaults, 60 kB: keep its first bytes."""
    at = 4 + struct.unpack_from("<I", front, 0)[0]
    at += 4 + struct.unpack_from("<I", front, at)[0]
    at += 1
    for _ in range(2 if front[at - 1] else 0):  # metadata, status
        count = struct.unpack_from("<I", front, at)[0]
        at += 4
        for _ in range(count * 2):
            at += 4 + struct.unpack_from("<I", front, at)[0]
    at += 4 + struct.unpack_from("<I", front, at)[0]
    return front[:at] + struct.pack("<I", 64) + front[at + 4:at + 68]


def edited(header, front):
    """Auth blobs become zeros: PX (18 bytes), protocol, blob | protocol, result, gid, blob."""
    if header["type"] == 0x700:
        return without_defaults(front)
    at = {17: 22, 18: 16}.get(header["type"])
    if at is None:
        return front
    size = struct.unpack_from("<I", front, at)[0]
    return front[:at + 4] + bytes(size) + front[at + 4 + size:]


def shape(header, front):
    """What makes one message of a type different in kind from another."""
    kind = header["type"]
    if kind == 42:
        return op_codes(front, *op_start(front))
    if kind == 43:
        n = struct.unpack_from("<I", front, 0)[0]
        at = 4 + n + 17 + 8 + 4 + 12 + 4
        result = struct.unpack_from("<i", front, 4 + n + 25)[0]
        return (result < 0,) + op_codes(front, struct.unpack_from("<I", front, at)[0], at + 4)
    if kind == 44:
        return (front[1],)
    if kind == 49:
        return struct.unpack_from("<I", front, 18 + 16 + 4)
    if kind == 61:
        return (front[24 + 4],)
    if kind == 41:
        incs = struct.unpack_from("<I", front, 16)[0]
        return (min(incs, 2),)
    return ()


def op_start(front):
    """Number of ops and where they begin in an osd_op v8."""
    at = 24 + 12 + (6 + 21) + 24 + 12  # spg, hash..flags, reqid, trace, client_inc + mtime
    at += 6 + struct.unpack_from("<I", front, at + 2)[0]  # locator
    at += 4 + struct.unpack_from("<I", front, at)[0]  # oid
    return struct.unpack_from("<H", front, at)[0], at + 2


def op_codes(front, count, at):
    codes = [struct.unpack_from("<H", front, at + i * 38)[0] for i in range(count)]
    return tuple(dict.fromkeys(codes)) if count <= 4 else ("many",)


def choose(found):
    """Edits what may not or need not be kept; then, per kind (type, version, direction),
    takes one of each shape while there is room, smallest first."""
    kinds = collections.defaultdict(lambda: collections.defaultdict(list))
    for m in found:
        header, front, middle, data = m
        front = edited(header, front)
        m = (header, front, middle, data)
        if header["type"] not in NAMES or len(front) + len(data) > SIZE_MAX:
            continue
        kind = (header["type"], header["version"], header["from"], header["to"])
        if header["to"] == "osd" and header["from"] == "osd":
            continue
        kinds[kind][shape(header, front)].append(m)
    of_clients = {kind[:2] for kind in kinds if "client" in kind}
    for kind in sorted(kinds):
        if "client" not in kind and kind[:2] in of_clients and kind[0] not in (0x700, 0x702):
            continue
        shapes = kinds[kind]
        per_shape = max(1, PER_KIND // len(shapes))
        for key in sorted(shapes, key=str):
            yield from pick(shapes[key], 1 if kind[0] in (42, 43) and len(shapes) > 3 else per_shape)


def pick(candidates, count):
    """Distinct messages from small to large; big ones are kept few."""
    distinct = {}
    for m in sorted(candidates, key=lambda m: len(m[1]) + len(m[3])):
        distinct.setdefault((m[1], m[3]), m)
    sizes = {}
    for m in distinct.values():
        sizes.setdefault(len(m[1]) + len(m[3]), m)
    ranked = list(sizes.values())
    small = [m for m in ranked if len(m[1]) + len(m[3]) <= BIG]
    chosen = small[:count] or ranked[:1]
    return chosen


def write(outdir, chosen):
    counts = collections.Counter()
    for header, front, middle, data in chosen:
        name = NAMES[header["type"]]
        counts[name] += 1
        meta = dict(header, front=len(front), middle=len(middle), data=len(data))
        text = json.dumps(meta, separators=(",", ":")).encode()
        with open(os.path.join(outdir, f"{name}-{counts[name]}.bin"), "wb") as out:
            out.write(struct.pack("<I", len(text)) + text + front + middle + data)
    return counts


def main():
    outdir, args = sys.argv[1], sys.argv[2:]
    os.makedirs(outdir, exist_ok=True)
    if args[0] == "--pcap":
        paths = args[1:]
    else:
        paths = [os.path.join("/tmp", f"messages-{os.getpid()}.pcap")]
        capture(paths[0], args[0], args[1:])
        print("capture kept in", paths[0])
    for name in os.listdir(outdir):
        if name.endswith(".bin"):
            os.remove(os.path.join(outdir, name))
    counts = write(outdir, choose(m for path in paths for m in messages(path)))
    write_cuts(paths, os.path.join(outdir, "cuts.json"))
    for name in sorted(set(NAMES.values())):
        print(f"{counts[name]:4} {name}")


if __name__ == "__main__":
    main()
