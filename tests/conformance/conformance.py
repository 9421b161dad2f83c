#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""conformance.py [--write DIR]: which test shows that cleat does what the specification says.

Without arguments (as in `make check`): every property of the schemas has a test, every rule of
rules.txt and every published flaw of flaws.txt names tests that exist. --write makes
DIR/conformance.md and DIR/flaws.md.
"""
import argparse
import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from evidence import KINDS, collect, properties  # noqa: E402

RULES = os.path.join(HERE, "rules.txt")
FLAWS = os.path.join(HERE, "flaws.txt")
# Objects that this kind of system ignores: nothing of theirs has an effect to test.
OTHERS = {"solaris", "windows", "vm", "zos", "freebsd"}
SHOWN = 2

HEAD = """# Conformance to runtime-spec 1.3.0

Made by `make conformance` from the tests; do not edit. Each property of the schemas and each
rule stands beside tests that show it. *Inside* are containers that run (`tests/root`, as root
or in the virtual machine), where a program looks at the effect; *plan* is what would be done,
for hosts of five kinds (`tests/golden`); *refused* is what `cleat check` finds
(`tests/check`). Of more tests than two, two are named.

"""

FLAWS_HEAD = """# Published flaws of container runtimes

Made by `make conformance` from the tests; do not edit. Each flaw that was published of cleat's
kind stands beside the tests in which it is tried against cleat, with hostile images, neighbours
and processes; none may succeed. Titles with a file name in them are unit tests, the others are
containers (`tests/root`). Of more tests than two, two are named.
"""


def rules(path=RULES):
    """[(section, rule, pattern of titles)]"""
    section, found = "", []
    with open(path, encoding="utf-8") as f:
        for line in f:
            line = line.rstrip("\n")
            if line.startswith("## "):
                section = line[3:]
            elif line and not line.startswith("#"):
                text, _, pattern = line.partition(" || ")
                found.append((section, text, pattern))
    return found


def missing_properties(ev):
    return [p for p in sorted(ev.known) if p not in ev.tests and p not in OTHERS]


def titles_of(ev, pattern):
    return [t for t in ev.titles if re.search(pattern, t)]


def shown(titles):
    if not titles:
        return ""
    more = " and more" if len(titles) > SHOWN else ""  # a number would change all the time
    return "; ".join(t.replace("|", "\\|") for t in titles[:SHOWN]) + more


def table(ev, rows, marks, head):
    out, section = [], None
    for where, text, pattern in rows:
        if where != section:
            section = where
            out.append(f"\n{marks} {where}\n\n| {head} | tests |\n|---|---|\n")
        out.append(f"| {text} | {shown(titles_of(ev, pattern))} |\n")
    return out


def write_flaws(ev, path):
    with open(path, "w", encoding="utf-8") as f:
        f.write(FLAWS_HEAD + "".join(table(ev, rules(FLAWS), "##", "flaw")))


def write(ev, path):
    out = [HEAD, "## Rules\n"] + table(ev, rules(), "###", "rule")
    for title, file, prefix in (("config.json", "config.json", ""),
                                ("features", "features.json", "features: "),
                                ("state", "state.json", "state: "),
                                ("The state for seccomp agents", "container-process-state.json",
                                 "seccomp state: ")):
        out.append(f"\n## {title}\n\n| property | inside | plan | refused | other |\n"
                   "|---|---|---|---|---|\n")
        for p in properties(file, prefix):
            tests = ev.tests.get(p, {})
            cells = " | ".join(shown(tests.get(kind, [])) for kind in KINDS)
            if p in OTHERS:
                cells = " |  |  | for another platform, ignored"
            out.append(f"| `{p[len(prefix):]}` | {cells} |\n")
    with open(path, "w", encoding="utf-8") as f:
        f.write("".join(out))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("--write")
    args = p.parse_args()
    ev = collect()
    if args.write:
        write(ev, os.path.join(args.write, "conformance.md"))
        write_flaws(ev, os.path.join(args.write, "flaws.md"))
        return 0
    lines = [(f"'{p}' has a test", p not in missing_properties(ev)) for p in sorted(ev.known)
             if p not in OTHERS]
    lines += [(f"{section}: {text}", bool(pattern and titles_of(ev, pattern)))
              for section, text, pattern in rules() + rules(FLAWS)]
    lines.append((f"every line of tags.txt counts {ev.idle}".rstrip("[] "), not ev.idle))
    for n, (text, good) in enumerate(lines, 1):
        print(f"{'ok' if good else 'not ok'} {n} - conformance: {text.replace('#', '')}")
    print(f"1..{len(lines)}")
    return 0 if all(good for _, good in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
