#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Configurations that engines made: `cleat check` has nothing against them.

Each of tests/data/engines (how they came: collect.py) passes; with --strict the only
findings are those of EXPECTED; and with one fault put in, that one is found.

environment: CLEAT (the program, default ./cleat)
"""
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import corpus  # noqa: E402
from layout import write  # noqa: E402

CLEAT = os.path.abspath(os.environ.get("CLEAT", "./cleat"))
DATA = os.path.join(HERE, "../data/engines")

# What engines write that has no effect, or that the published lists lack.
EXPECTED = [
    r"linux\.maskedPaths\[\d+\]: '/sys/devices/virtual/powercap' is there already",
    r"hooks\.prestart: is deprecated",
    r"linux\.devices\[\d+\]\.fileMode: expected an integer from 0 to 511",
    r"linux\.rootfsPropagation: expected one of",
    r"mounts\[\d+\]\.options\[\d+\] is empty",
    r"linux\.resources\.\S+ is ignored",
    # what this machine's cgroups lack
    r"linux\.resources\S*: (the controller|this host|no hierarchy)",
]
results = []


def report(name, fault):
    results.append(not fault)
    print(f"{'not ' if fault else ''}ok {len(results)} - {name}")
    for line in fault.splitlines()[:20]:
        print("# " + line)


def check(path, config, *options):
    text, values, _ = write(config)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    r = subprocess.run([CLEAT, "check", *options, path], capture_output=True, encoding="utf-8",
                       timeout=60, check=False)
    return r.returncode, r.stdout + r.stderr, values


def fault_of(path, config):
    rc, out, _ = check(path, config)
    if rc:
        return f"status {rc}:\n{out}"
    _, out, _ = check(path, config, "--strict")
    for line in out.splitlines():
        text = line.split(": error: ", 1)[-1]
        if not any(re.match(e, text) for e in EXPECTED):
            return f"--strict: {line}"
    config["process"]["cwd"] = "relative"
    rc, out, values = check(path, config)
    line, column = values["process.cwd"]
    if rc != 1 or f":{line}:{column}: error: process.cwd" not in out:
        return f"a relative cwd: status {rc}:\n{out}"
    return ""


def main():
    engines = collections.Counter()
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "c.json")
        for engine, name, config in corpus.load_all(DATA):
            engines[engine] += 1
            report(f"{engine} {name}", fault_of(path, json.loads(json.dumps(config))))
    report(f"enough of each: {dict(engines)}", "" if sum(engines.values()) >= 200 and
           sorted(engines) == ["buildah", "containerd", "docker", "podman", "umoci"] else "no")
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
