"""Asks crushtool where the maps made by crush_maps.py send inputs 0 to 1023, and keeps digests."""
import hashlib
import json
import pathlib
import re
import subprocess
import sys

LAST_X = 1023
# Replicas wanted, and OSDs that are out or half out.
RUNS = [(3, {}), (6, {3: 0.3, 7: 0, 8: 0, 9: 0, 10: 0, 11: 0, 20: 0.9})]


def mappings(path, rule, num_rep, weights):
    args = ["crushtool", "-i", str(path), "--test", "--rule", str(rule), "--num-rep", str(num_rep),
            "--min-x", "0", "--max-x", str(LAST_X), "--show-mappings"]
    for osd, weight in weights.items():
        args += ["--weight", str(osd), str(weight)]
    text = subprocess.run(args, check=True, capture_output=True, text=True).stdout
    return [f"{x} {osds}" for x, osds in re.findall(r"^CRUSH rule \d+ x (\d+) (\[.*\])$", text, re.M)]


def main(directory):
    cases = []
    for path in sorted(pathlib.Path(directory).glob("crush-*.bin")):
        for rule in range(8):
            for num_rep, weights in RUNS:
                lines = mappings(path, rule, num_rep, weights)
                assert len(lines) == LAST_X + 1, (path, rule, num_rep)
                digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
                cases.append({"map": path.name, "rule": rule, "numRep": num_rep,
                              "weights": weights, "first": lines[:2], "sha256": digest[:16]})
    with open(f"{directory}/crush-mappings.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


main(sys.argv[1])
