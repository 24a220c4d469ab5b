#!/usr/bin/python3
"""Faults on links between two OSDs, so that every control frame of a lossless session goes over the wire.

Run by record-control-frames.py. CEPH_CONF names a throw-away cluster of two OSDs, whose admin sockets and
pid files are in `run` beside ceph.conf. Three ways to each its frames:

- the daemons' own fault injection drops sockets and delays handshakes under load: SESSION_RECONNECT,
  SESSION_RECONNECT_OK, SESSION_RETRY, WAIT (both dial at once), ACK;
- one OSD is killed and comes back on the same ports while the map still says that it never left: it knows
  nothing of the session that the other wants back: SESSION_RESET;
- a scripted peer asks for what a healthy one does not: a session without features, and one back with a
  sequence of the past or a cookie that is not its own: IDENT_MISSING_FEATURES, SESSION_RETRY_GLOBAL,
  SESSION_RESET of the other kind. Only the OSD's answers are kept.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import time

RUN = os.path.join(os.path.dirname(os.environ["CEPH_CONF"]), "run")
HELLO, AUTH_REQUEST, AUTH_SIGNATURE, CLIENT_IDENT, SESSION_RECONNECT = 1, 2, 7, 8, 11
ENTITY_OSD = 4
AUTH_NONE, CON_MODE_CRC, AUTH_MODE_AUTHORIZER = 1, 1, 1
COOKIE = 4711


def ceph(*words):
    return subprocess.run(["ceph", *words], check=True, capture_output=True, timeout=60).stdout


def configure(osd, **options):
    """Over the admin socket: the links to be asked over are the ones that break."""
    for name, value in options.items():
        ceph("daemon", os.path.join(RUN, f"osd.{osd}.asok"), "config", "set", name, str(value))


def load(seconds):
    words = ["rados", "-p", "rbd", "bench", str(seconds), "write", "-b", "4096", "-t", "4"]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def break_links():
    for osd in 0, 1:
        configure(osd, ms_inject_internal_delays=0.05, ms_inject_socket_failures=60)
    load(25).wait(120)
    for osd in 0, 1:
        configure(osd, ms_inject_internal_delays=0, ms_inject_socket_failures=0)


def forget_session():
    ceph("osd", "set", "nodown")
    ceph("osd", "set", "noup")
    writing = load(20)
    time.sleep(2)
    with open(os.path.join(RUN, "osd.1.pid"), encoding="ascii") as file:
        os.kill(int(file.read()), signal.SIGKILL)
    time.sleep(1)
    subprocess.run(["ceph-osd", "-i", "1"], check=True, capture_output=True)
    time.sleep(8)
    ceph("osd", "unset", "nodown")
    ceph("osd", "unset", "noup")
    writing.wait(120)


def crc32c(crc, data):
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


def sealed(tag, payload):
    head = bytes([tag, 1]) + struct.pack("<IH", len(payload), 8) + bytes(20)
    head += struct.pack("<I", crc32c(0, head))
    return head + payload + struct.pack("<I", crc32c(0xFFFFFFFF, payload))


def address(port, nonce):
    sockaddr = struct.pack("<H", 2) + struct.pack(">H", port) + bytes([127, 0, 0, 1]) + bytes(8)
    body = struct.pack("<III", 2, nonce, len(sockaddr)) + sockaddr
    return b"\1\1\1" + struct.pack("<I", len(body)) + body


class Peer:
    """Plays an OSD that dials another one without cephx, up to where a session is asked for."""

    # Discard's port, where nobody is dialled back. The nonce tells two runs apart.
    addrs = b"\2" + struct.pack("<I", 1) + address(9, os.getpid())

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.sendall(b"ceph v2\n" + struct.pack("<HQQ", 16, 1, 0))
        self.read(26)
        self.ask(HELLO, bytes([ENTITY_OSD]) + address(port, 0))
        name = struct.pack("<II", ENTITY_OSD, 1) + b"1"
        authorizer = bytes([AUTH_MODE_AUTHORIZER]) + name + struct.pack("<Q", 0)
        request = struct.pack("<IIII", AUTH_NONE, 1, CON_MODE_CRC, len(authorizer))
        self.ask(AUTH_REQUEST, request + authorizer)
        self.ask(AUTH_SIGNATURE, bytes(32))

    def read(self, size):
        out = b""
        while len(out) < size:
            part = self.socket.recv(size - len(out))
            if not part:
                raise EOFError("the OSD has hung up")
            out += part
        return out

    def ask(self, tag, payload):
        """The payload of the one frame that answers."""
        self.socket.sendall(sealed(tag, payload))
        size = struct.unpack_from("<I", self.read(32), 2)[0]
        return self.read(size + 4)[:-4] if size else b""

    def ident(self, target, features):
        rest = struct.pack("<qQQQQQ", 1, 5, features, 0, 0, COOKIE)
        return self.ask(CLIENT_IDENT, self.addrs + target + rest)

    def reconnect(self, cookie, server_cookie, global_seq):
        rest = struct.pack("<QQQQQ", cookie, server_cookie, global_seq, 1, 0)
        return self.ask(SESSION_RECONNECT, self.addrs + rest)

    def close(self):
        self.socket.close()


def ask_the_impossible():
    osds = json.loads(ceph("osd", "dump", "--format", "json"))["osds"]
    target = next(a for a in osds[0]["cluster_addrs"]["addrvec"] if a["type"] == "v2")
    port = int(target["addr"].split(":")[1])
    here = address(port, target["nonce"])
    configure(0, auth_cluster_required="cephx,none")
    peer = Peer(port)
    peer.ident(here, 0)
    peer.close()
    peer = Peer(port)
    cookie = struct.unpack("<Q", peer.ident(here, 2**64 - 1)[-8:])[0]
    peer.close()
    for mine, global_seq in ((COOKIE, 4), (COOKIE + 1, 6)):
        peer = Peer(port)
        peer.reconnect(mine, cookie, global_seq)
        peer.close()
    configure(0, auth_cluster_required="cephx")


break_links()
forget_session()
ask_the_impossible()
