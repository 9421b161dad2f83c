# SPDX-License-Identifier: Apache-2.0
"""published.py - our schemas beside the published ones, and their fixtures.

Needs a folder with the schemas of runtime-spec and their test/ folder: SPEC_DIR, or
shared/spec beside the source tree. Everything that is published for Linux must be in our
schemas with the same meaning; where we differ on purpose, DIFFERENCES says why.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
SOURCE = pathlib.Path(os.environ.get("srcdir", ".")).resolve()
sys.path[:0] = [str(SOURCE / "libocispec/gen"), str(SOURCE / "libocispec/tests")]
import model  # noqa: E402
import rules  # noqa: E402

ROOTS = {"config": "config-schema.json", "state": "state-schema.json",
         "features": "features-schema.json"}
DIFFERENCES = {
    "state .status": "paused is what everybody prints for a frozen container",
    "state .pid": "a process id of Linux is no larger",
    "config .process.oomScoreAdj": "without a range the type must still end somewhere",
    "config .hooks.*.timeout": "the same",
}
ACCEPTED = {"freebsd-vnet-disable.json": "blocks of other systems are not looked at"}
OTHER_SYSTEMS = ("solaris", "windows", "vm", "zos", "freebsd")


class Published:
    """The published files with their references followed."""

    def __init__(self, folder):
        self.folder, self.files = folder, {}

    def load(self, name):
        """One file."""
        if name not in self.files:
            self.files[name] = json.loads((self.folder / name).read_text(encoding="utf-8"))
        return self.files[name]

    def flat(self, node, name):
        """A node without $ref, allOf and anyOf, and the file of each of its parts."""
        merged = {"properties": {}, "required": []}
        for part in node.get("allOf", []) + node.get("anyOf", []):
            self.merge(merged, *self.flat(part, name))
        if "$ref" in node:
            file, _, pointer = node["$ref"].partition("#")
            there, file = self.load(file or name), file or name
            for key in pointer.strip("/").split("/"):
                there = there[key]
            merged_there, file = self.flat(there, file)
            self.merge(merged, merged_there, file)
        self.merge(merged, node, name)
        return merged, name

    @staticmethod
    def merge(into, node, name):
        """Add a node's words; its parts remember their file."""
        for key, value in node.items():
            if key == "properties":
                into[key].update({k: v if isinstance(v, tuple) else (v, name)
                                  for k, v in value.items()})
            elif key == "required":
                into[key] = sorted(set(into[key]) | set(value))
            elif key in ("items", "additionalProperties"):
                into[key] = value if isinstance(value, tuple) else (value, name)
            elif key not in ("$ref", "allOf", "anyOf"):
                into[key] = value


class Compare:
    """Lines of what differs, by place."""

    def __init__(self, published, schemas):
        self.published, self.schemas = published, schemas
        self.seen, self.faults, self.used = 0, [], set()

    def say(self, where, what):
        """One difference, unless it is on purpose."""
        known = re.sub(r"hooks\.\w+\[\]", "hooks.*", where)
        if known in DIFFERENCES:
            self.used.add(known)
        else:
            self.faults.append(f"{where}: {what}")

    def value(self, node, name, ours, where):
        """A published node and our value."""
        node, name = self.published.flat(node, name)
        self.seen += 1
        kind = {"bool": "boolean", "text": "string", "number": "integer", "array": "array"}
        if node.get("type", "object") != kind.get(ours.kind, "object"):
            self.say(where, f"is {node.get('type')}, ours is {ours.kind}")
        elif ours.kind == "text":
            self.text(node, ours, where)
        elif ours.kind == "number":
            if (node.get("minimum"), node.get("maximum")) != (ours.low, ours.high):
                self.say(where, f"range is {node.get('minimum')} to {node.get('maximum')}")
        elif ours.kind == "array":
            if node.get("minItems", 0) != ours.least:
                self.say(where, f"minItems is {node.get('minItems')}")
            self.value(*node["items"], ours.item, f"{where}[]")
        elif ours.kind == "map":
            item = node.get("additionalProperties") or (node["patternProperties"][".{1,}"], name)
            self.value(*item, ours.item, f"{where}.*")
        elif ours.kind == "object":
            self.object(node, self.schemas.structs[ours.struct], where)

    def text(self, node, ours, where):
        """Words and patterns; one of one letter may be words."""
        pattern = node.get("pattern")
        if node.get("enum") and set(node["enum"]) != set(ours.words):
            self.say(where, f"words differ: {sorted(set(node['enum']) ^ set(ours.words))}")
        if pattern and ours.words:
            good, bad = ours.words, ["", "x", ours.words[0] * 2]
        elif pattern and ours.form:
            good, bad = rules.FORMS[ours.form]
        elif pattern:
            self.say(where, f"pattern {pattern} is not kept")
            return
        else:
            return
        pattern = re.compile(pattern.replace("\\\\n", "\\n").replace("$", r"\Z"))
        for text in good:
            if not pattern.search(text):
                self.say(where, f"'{text}' has not the form {pattern.pattern}")
        for text in bad:
            if pattern.search(text):
                self.say(where, f"'{text}' has the form {pattern.pattern}")

    def object(self, node, struct, where):
        """Every property, and which are required."""
        ours = {f.name: f for f in struct.fields}
        for key, (child, name) in node["properties"].items():
            if key not in ours:
                self.say(f"{where}.{key}", "is not in ours")
            elif key not in OTHER_SYSTEMS:
                self.value(child, name, ours[key].value, f"{where}.{key}")
        required = {f.name for f in struct.fields if f.required}
        if set(node["required"]) != required:
            self.say(where, f"required are {sorted(node['required'])}, ours {sorted(required)}")


def find_folder():
    """Where the published files are, or None."""
    if os.environ.get("SPEC_DIR"):
        return pathlib.Path(os.environ["SPEC_DIR"])
    for up in (SOURCE.parent, SOURCE.parent.parent):
        if (up / "shared/spec/config-schema.json").is_file():
            return up / "shared/spec"
    return None


def fixtures(folder):
    """(name, right) of each fixture."""
    files = sorted(folder.glob("test/*/*/*.json"))
    struct = {"config": "oci_config", "state": "oci_state", "features": "oci_features"}
    lines = [f"{struct[f.parent.parent.name]}\t{f.read_text(encoding='utf-8')}".replace("\n", " ")
             for f in files]
    out = subprocess.run(["libocispec/tests/verdict"], input="\n".join(lines) + "\n", text=True,
                         capture_output=True, check=True).stdout.splitlines()
    for f, line in zip(files, out):
        verdict, findings = line.split("\t")[:2]
        known = [x for x in findings.split(",") if x and not x.startswith("unknown:")]
        good = verdict == "ok" and not known
        want = f.parent.name == "good" or f.name in ACCEPTED
        yield f"{f.relative_to(folder / 'test')} is {'good' if want else 'bad'}", good == want, line


def main():
    folder = find_folder()
    if not folder:
        print("1..0 # SKIP no published schemas: SPEC_DIR is not set")
        return 0
    schemas = model.Model([SOURCE / "libocispec/schema" / f"{name}.json" for name in ROOTS])
    cases, n_seen = [], 0
    used = set()
    for name, file in ROOTS.items():
        compare = Compare(Published(folder), schemas)
        root = schemas.structs[schemas.roots[list(ROOTS).index(name)]]
        compare.object(compare.published.flat(compare.published.load(file), file)[0], root,
                       f"{name} ")
        cases.append((f"{name}: {compare.seen} published nodes are in our schema",
                      not compare.faults and compare.seen > 5, "\n# ".join(compare.faults)))
        n_seen += compare.seen
        used |= compare.used
    cases.append(("every difference on purpose is one", used == set(DIFFERENCES),
                  f"{sorted(set(DIFFERENCES) - used)}"))
    judged = list(fixtures(folder))
    cases += judged
    cases.append((f"{len(judged)} fixtures were judged", len(judged) > 10, ""))
    for number, (name, good, why) in enumerate(cases, 1):
        print(f"{'' if good else 'not '}ok {number} - {name}")
        if not good:
            print(f"# {why}")
    print(f"1..{len(cases)}")
    return not all(good for _, good, _ in cases)


if __name__ == "__main__":
    sys.exit(main())
