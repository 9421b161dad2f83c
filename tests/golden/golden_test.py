#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden_test.py [--write]: the plan of each case on each kind of host, beside plans.txt.

plans.txt has the plan of the base for each host in full, and of each case how it differs:
lines that are gone (-) or new (+), with the hosts where that is so when it is not all.
--write makes it anew: then read the difference.

environment: PLAN (the program, default tests/golden/plan)
"""
import difflib
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../check"))
sys.path.insert(0, HERE)
from cases import CASES  # noqa: E402
from layout import BASE, edit, write  # noqa: E402

PLAN = os.path.abspath(os.environ.get("PLAN", "tests/golden/plan"))
FILE = os.path.join(HERE, "plans.txt")
HOSTS = {"v2": ["v2"], "hybrid": ["hybrid"], "v1": ["v1"], "none": ["none"], "user": ["user"],
         "systemd": ["systemd", "v2"]}


def plan(path, host, changes):
    text, _, _ = write(edit({**BASE, "root": {"path": "/rootfs"}}, changes))
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    r = subprocess.run([PLAN, *HOSTS[host], path], capture_output=True, encoding="utf-8",
                       timeout=60, check=False)
    if r.returncode:
        return [f"status {r.returncode}: {r.stderr}"]
    return r.stdout.replace(path, "config.json").splitlines()


def difference(old, new):
    """What went and what came, by plain matching: ndiff's taste differs between Pythons."""
    if new[0].startswith("error: "):
        return new
    out = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            out += ["- " + line for line in old[a:b]] + ["+ " + line for line in new[c:d]]
    return out


def section(name, bases, path, changes):
    """ "== NAME" and the lines that differ, those of equal hosts once """
    found = {}
    for host, base in bases.items():
        found.setdefault(tuple(difference(base, plan(path, host, changes))), []).append(host)
    out = ["== " + name]
    for lines, hosts in found.items():
        if len(found) > 1:
            out.append("on " + " ".join(hosts) + ":")
        out += list(lines) or ["(the same)"]
    return "\n".join(out) + "\n"


def sections():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "config.json")
        bases = {host: plan(path, host, {}) for host in HOSTS}
        for host, base in bases.items():
            yield "base, " + host, f"== base, {host}\n" + "\n".join(base) + "\n"
        for name, changes in CASES:
            yield name, section(name, bases, path, changes)


def main():
    if sys.argv[1:] == ["--write"]:
        with open(FILE, "w", encoding="utf-8") as f:
            f.write("\n".join(text for _, text in sections()))
        return 0
    with open(FILE, encoding="utf-8") as f:
        want = {text.split("\n", 1)[0]: text.strip() for text in
                ("== " + part for part in f.read()[len("== "):].split("\n== "))}
    bad = n = 0
    for n, (name, text) in enumerate(sections(), 1):
        expected = want.pop("== " + name, "")
        bad += text.strip() != expected
        print(f"{'ok' if text.strip() == expected else 'not ok'} {n} - {name}")
        if text.strip() != expected:
            print("\n".join("# " + line for line in difflib.unified_diff(
                expected.splitlines(), text.strip().splitlines(), "plans.txt", "now",
                lineterm="")))
    print(f"{'not ok' if want else 'ok'} {n + 1} - nothing else is in plans.txt {list(want)}"
          .rstrip("[] "))
    print(f"1..{n + 1}")
    return 1 if bad or want else 0


if __name__ == "__main__":
    sys.exit(main())
