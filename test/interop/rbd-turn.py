"""Changes an image through the unmodified librbd, and tells what each of its revisions has then.

  rbd-turn.py POOL IMAGE    changes as JSON lines on standard input:
      {"op": "write", "offset": N, "data": BASE64}    {"op": "zero", "offset": N, "length": N}
      {"op": "snapshot", "name": S}
  prints {"": SHA256, "snapshot": SHA256, ...} as one line of JSON
"""
import base64
import hashlib
import json
import sys

import rados
import rbd

CHUNK = 4 << 20


def digest(image):
    sha = hashlib.sha256()
    size = image.size()
    for offset in range(0, size, CHUNK):
        sha.update(image.read(offset, min(CHUNK, size - offset)))
    return sha.hexdigest()


def main():
    pool, name = sys.argv[1:3]
    changes = [json.loads(line) for line in sys.stdin if line.strip()]
    with rados.Rados(conffile="") as cluster, cluster.open_ioctx(pool) as ioctx:
        with rbd.Image(ioctx, name) as image:
            for change in changes:
                if change["op"] == "write":
                    image.write(base64.b64decode(change["data"]), change["offset"])
                elif change["op"] == "zero":
                    image.write_zeroes(change["offset"], change["length"])
                elif change["op"] == "snapshot":
                    image.create_snap(change["name"])
                else:
                    sys.exit("unknown change: %s" % change["op"])
            image.flush()
            told = {"": digest(image)}
            snapshots = [snap["name"] for snap in image.list_snaps()]
        for snapshot in snapshots:
            with rbd.Image(ioctx, name, snapshot=snapshot, read_only=True) as image:
                told[snapshot] = digest(image)
    print(json.dumps(told))


main()
