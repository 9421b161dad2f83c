#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Configurations that engines made, kept small: tests/data/engines/ENGINE.json.

A file has `parts`, values that occur more than once, and `configs` by name; {"$": n} stands
for parts[n]. Names that engines draw by chance were replaced by plain ones.

    corpus.py pack OUT-OF-COLLECT DIRECTORY    corpus.py unpack FILE NAME
"""
import collections
import json
import os
import re
import sys

SMALLEST = 48  # bytes of a value that is worth a place among the parts


def load(path):
    """{name: config} of one file."""
    with open(path, encoding="utf-8") as f:
        packed = json.load(f)
    done = {}

    def whole(value):
        if isinstance(value, list):
            return [whole(v) for v in value]
        if not isinstance(value, dict):
            return value
        if list(value) == ["$"]:
            n = value["$"]
            if n not in done:
                done[n] = whole(packed["parts"][n])
            return done[n]
        return {k: whole(v) for k, v in value.items()}
    return {name: whole(config) for name, config in packed["configs"].items()}


def load_all(directory):
    """[(engine, name, config)] of all files."""
    return [(file[:-len(".json")], name, config)
            for file in sorted(os.listdir(directory)) if file.endswith(".json")
            for name, config in load(os.path.join(directory, file)).items()]


# --- packing ---------------------------------------------------------------------------------

def anonymous(text):
    """No names that were drawn by chance, no times, no name of the machine."""
    ids = {}

    def plain(match):
        word = match.group(0)
        short = ids.setdefault(word[:12], f"{len(ids) + 1:012x}")
        return (short * 6)[:len(word)]
    text = re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b(?!\.)", plain, text)
    text = re.sub(r"buildah\d+", "buildah1", text)
    text = re.sub(r"/proc/\d+/exe", "/proc/1/exe", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "2026-01-01T00:00:00Z", text)
    host = os.uname().nodename
    return text.replace(f'"{host}"', '"host"').replace(f'"HOSTNAME={host}"', '"HOSTNAME=host"')


def pack(configs):
    """The text of a file."""
    seen = collections.Counter()

    def key(value):
        return json.dumps(value, separators=(",", ":"))

    def count(value):
        text = key(value)
        if isinstance(value, (dict, list)) and len(text) >= SMALLEST:
            seen[text] += 1
            if seen[text] > 1:
                return
        for v in value.values() if isinstance(value, dict) else value \
                if isinstance(value, list) else []:
            count(v)
    for config in configs.values():
        count(config)
    parts, numbers = [], {}

    def short(value, top=False):
        text = key(value)
        if not isinstance(value, (dict, list)):
            return value
        if not top and seen[text] > 1:
            if text not in numbers:
                inner = short(value, True)
                numbers[text] = len(parts)
                parts.append(inner)
            return {"$": numbers[text]}
        if isinstance(value, list):
            return [short(v) for v in value]
        return {k: short(v) for k, v in value.items()}
    lines = {name: key(short(config)) for name, config in configs.items()}
    return ('{\n"parts": [\n' + ",\n".join(key(p) for p in parts) + '\n],\n"configs": {\n' +
            ",\n".join(f"{json.dumps(n)}: {t}" for n, t in lines.items()) + "\n}\n}\n")


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
        sys.exit(__doc__)
    if sys.argv[1] == "unpack":
        print(json.dumps(load(sys.argv[2])[sys.argv[3]], indent="\t"))
        return
    engines = collections.defaultdict(dict)
    for file in sorted(os.listdir(sys.argv[2])):
        engine, name = file[:-len(".json")].split("-", 1)
        with open(os.path.join(sys.argv[2], file), encoding="utf-8") as f:
            engines[engine][name] = json.loads(anonymous(f.read()))
    os.makedirs(sys.argv[3], exist_ok=True)
    for engine, configs in engines.items():
        with open(os.path.join(sys.argv[3], engine + ".json"), "w", encoding="utf-8") as f:
            f.write(pack(configs))


if __name__ == "__main__":
    main()
