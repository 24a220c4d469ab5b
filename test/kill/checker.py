#!/usr/bin/python3
"""A client that knows what it was promised.

write CONF POOL ACKS: until its input ends, replaces `seq.K` by ever higher numbers, appends ever new tokens
to `log.K.G`, reads back, and notes in ACKS whatever was acknowledged, a line each:
    s K N      seq.K holds number N
    l K G T    log.K.G has token T
    r K G      the removal of log.K.G begins; once it is done it must stay gone
    d K G      it is done

check CONF POOL ACKS END: a client of its own reads everything, and compares with the acknowledgements in the
first END bytes of ACKS. The writer may be further by now, never less far.

Says what is wrong on stdout and exits with 1.
"""
import hashlib
import os
import select
import sys

import rados

OBJECTS = 4
TOKEN = "%02d.%06d.%012d;\n"
TOKEN_BYTES = 24
TOKENS_MAX = 300
APPENDS_IN_FLIGHT = 3


class Wrong(Exception):
    pass


def payload(k, n):
    """Number N for object K: its length and every byte follow from both."""
    digest = hashlib.sha256(b"%d.%d" % (k, n)).digest()
    size = int.from_bytes(digest[:3], "big") % 70_000
    return b"%016d" % n + (digest * (size // 32 + 1))[:size]


def number_of(k, data):
    if len(data) < 16:
        raise Wrong("seq.%d has %d bytes" % (k, len(data)))
    n = int(data[:16])
    if data != payload(k, n):
        raise Wrong("seq.%d is torn: %d bytes that begin with number %d" % (k, len(data), n))
    return n


def tokens_of(k, g, data):
    """How many tokens a log has: each once, in order, none missing."""
    count = len(data) // TOKEN_BYTES
    wanted = "".join(TOKEN % (k, g, t) for t in range(count)).encode()
    if data == wanted:
        return count
    for t in range(count):
        got = data[t * TOKEN_BYTES : (t + 1) * TOKEN_BYTES]
        if got != (TOKEN % (k, g, t)).encode():
            raise Wrong("log.%d.%d: %r where token %d belongs" % (k, g, got, t))
    raise Wrong("log.%d.%d ends in the middle of a token" % (k, g))


def read(io, name):
    """The whole object; None if there is none."""
    try:
        return io.read(name, 1 << 20)
    except rados.ObjectNotFound:
        return None


def connect(conf, pool):
    cluster = rados.Rados(conffile=conf)
    cluster.connect()
    return cluster.open_ioctx(pool)


def finish(completion, what):
    completion.wait_for_complete()
    if completion.get_return_value() < 0:
        raise Wrong("%s: %s" % (what, os.strerror(-completion.get_return_value())))


class Writer:
    def __init__(self, io, acks):
        self.io = io
        self.acks = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.generation = [0] * OBJECTS
        self.tokens = [0] * OBJECTS

    def ack(self, line):
        os.write(self.acks, (line + "\n").encode())

    def round(self, n):
        k = n % OBJECTS
        g, first = self.generation[k], self.tokens[k]
        log, seq = "log.%d.%d" % (k, g), "seq.%d" % k
        pending = [(self.io.aio_write_full(seq, payload(k, n)), "s %d %d" % (k, n))]
        for t in range(first, first + APPENDS_IN_FLIGHT):
            token = (TOKEN % (k, g, t)).encode()
            pending.append((self.io.aio_append(log, token), "l %d %d %d" % (k, g, t)))
        for completion, line in pending:
            finish(completion, line)
            self.ack(line)
        self.tokens[k] += APPENDS_IN_FLIGHT
        got = number_of(k, read(self.io, seq) or b"")
        if got != n:
            raise Wrong("seq.%d: %d was acknowledged, %d is read" % (k, n, got))
        if n % 8 < OBJECTS:
            count = tokens_of(k, g, read(self.io, log) or b"")
            if count != self.tokens[k]:
                raise Wrong("%s: %d tokens acknowledged, %d read" % (log, self.tokens[k], count))
        if self.tokens[k] >= TOKENS_MAX:
            self.ack("r %d %d" % (k, g))
            self.io.remove_object(log)
            self.ack("d %d %d" % (k, g))
            if read(self.io, log) is not None:
                raise Wrong("%s is there after its removal" % log)
            self.generation[k], self.tokens[k] = g + 1, 0


def ends():
    """Has whoever started us closed our input?"""
    return bool(select.select([sys.stdin], [], [], 0)[0])


def write(conf, pool, acks):
    writer = Writer(connect(conf, pool), acks)
    n = 0
    while not ends():
        n += 1
        writer.round(n)


def read_acks(path, end):
    with open(path, "rb") as file:
        lines = file.read(end).decode().split("\n")[:-1]
    seq, log, begun, done = {}, {}, set(), set()
    for line in lines:
        kind, *numbers = line.split()
        numbers = [int(x) for x in numbers]
        if kind == "s":
            seq[numbers[0]] = numbers[1]
        elif kind == "l":
            log[numbers[0], numbers[1]] = numbers[2] + 1
        else:
            (begun if kind == "r" else done).add(tuple(numbers))
    return seq, log, begun, done


def check(conf, pool, acks, end):
    io = connect(conf, pool)
    seq, log, _, done = read_acks(acks, end)
    for k, n in seq.items():
        got = number_of(k, read(io, "seq.%d" % k) or b"")
        if got < n:
            raise Wrong("seq.%d: %d was acknowledged, %d is read" % (k, n, got))
    for (k, g), wanted in log.items():
        data = read(io, "log.%d.%d" % (k, g))
        if data is None:
            # Gone: then its removal must have begun, at the latest by now.
            if (k, g) in read_acks(acks, -1)[2]:
                continue
            raise Wrong("log.%d.%d is gone" % (k, g))
        if (k, g) in done:
            raise Wrong("log.%d.%d is back after its removal" % (k, g))
        count = tokens_of(k, g, data)
        if count < wanted:
            raise Wrong("log.%d.%d: %d tokens acknowledged, %d read" % (k, g, wanted, count))


def main():
    verb, conf, pool, acks, *rest = sys.argv[1:]
    try:
        if verb == "write":
            write(conf, pool, acks)
        else:
            check(conf, pool, acks, int(rest[0]))
    except (Wrong, rados.Error) as error:
        print("%s: %s" % (type(error).__name__, error))
        sys.stdout.flush()
        os._exit(1)
    # Without the library's farewell: the cluster may be down at that moment.
    os._exit(0)


main()
