# SPDX-License-Identifier: Apache-2.0
"""rules.py - every rule of every schema, kept and broken once.

For each property of each object, wherever it can stand, documents are made that are right
or wrong in one respect; what the engine must say of them is worked out here from the
schemas alone. Each property is one case.
"""
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
TOP = pathlib.Path(os.environ.get("srcdir", ".")).resolve() / "libocispec"
sys.path.insert(0, str(TOP / "gen"))
import model  # noqa: E402

FORMS = {  # format: texts that have it, texts that do not
    "absolute-path": (["/", "/a b"], ["", "a", "./a"]),
    "capability": (["CAP_CHOWN"], ["", "chown", "CAP_"]),
    "cpu-list": (["", "0-3, 7"], ["a"]),
    "date-time": (["2026-11-23T20:01:02Z"], ["", "now", "2026-11-23"]),
    "environment": (["A=", "A=b=c"], ["", "A", "=b"]),
    "memory-bandwidth": (["MB:0=10"], ["", "L3:0=f", "MB:0=1\nL3:0=f"]),
    "page-size": (["2MB", "64KB"], ["", "64kB", "../2MB"]),
    "rlimit": (["RLIMIT_NOFILE"], ["", "NOFILE", "RLIMIT_x"]),
    "version": (["1.3.0", "1.0.2-dev"], ["", "1.3", "v1.3.0"]),
}
OTHERS = {  # a value of each JSON type, as it is written
    "bool": "true", "number": "7", "text": '"word"', "array": "[]", "object": "{}",
}


class Pairs(list):
    """A JSON object as (name, value) pairs: one name can come twice."""


def dump(value):
    """JSON as the engine writes it; a str of class Raw as it is."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{dump(k)}:{dump(v)}" for k, v in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value)


class Raw(str):
    """JSON that is written already."""


class Rules:
    """All documents of one model with what is to be said of them."""

    def __init__(self, schemas):
        self.schemas = schemas
        self.cases = {}  # property: list of (root, JSON, verdict, finding, encoded or None)

    def sample(self, v):
        """The smallest right value."""
        if v.kind == "bool":
            return False
        if v.kind == "number":
            return max(v.low, 0)
        if v.kind == "text":
            return v.words[0] if v.words else FORMS[v.form][0][0] if v.form else "x"
        if v.kind == "array":
            return [self.sample(v.item)] * v.least
        if v.kind == "object":
            return Pairs((f.name, self.sample(f.value)) for f in self.schemas.structs[v.struct].fields
                         if f.required)
        return Pairs()

    def add(self, verdict, finding, value, encoded=None):
        """One document for the property in work; @encoded: what is expected back."""
        root, wrap, where = self.here
        self.cases.setdefault(where, []).append(
            (root, dump(wrap(value)), verdict, finding,
             dump(wrap(value if encoded is None else encoded)) if verdict == "ok" else None))

    def right(self, value):
        """Taken without a word and given back as it was."""
        self.add("ok", "", value)

    def walk_root(self, name):
        """All rules of one type."""
        struct = self.schemas.structs[name]
        if struct.is_list:
            self.walk(struct.fields[0].value, name, lambda x: x, "", True)
        else:
            self.walk(model.Value("object", struct=name), name, lambda x: x, "", True)

    def walk(self, v, root, wrap, path, item):
        """Rules of a value; @wrap puts it into a whole document; @item: null is no absence."""
        self.here = root, wrap, f"{root} {path}"
        kind = {"map": "object", "skip": "object"}.get(v.kind, v.kind)
        for other, text in OTHERS.items():
            if other != kind:
                self.add("bad", f"error:{path}", Raw(text))
        if item:
            self.add("bad", f"error:{path}", Raw("null"))
        getattr(self, f"walk_{v.kind}")(v, root, wrap, path)

    def walk_bool(self, *_):
        """Both."""
        self.right(False)
        self.right(True)

    def walk_number(self, v, _root, _wrap, path):
        """The ends, and one beyond each."""
        low, high = model.INTEGERS[v.ctype]
        self.right(v.low)
        self.right(v.high)
        for n in {v.low - 1, v.high + 1, low - 1, high + 1}:
            soft = not v.hard and low <= n <= high
            if not v.low <= n <= v.high:
                self.add("ok" if soft else "bad", f"{'range' if soft else 'error'}:{path}", n)
        self.add("bad", f"error:{path}", Raw("1.5"))
        self.add("bad", f"error:{path}", Raw("1e-1"))
        self.add("bad", f"error:{path}", Raw("1e30"))
        self.add("ok", "", Raw(f"{v.high}0e-1"), v.high)

    def walk_text(self, v, _root, _wrap, path):
        """Words and forms, and others."""
        good, bad, kind = ["", "x\\y\"z"], [], ""
        if v.words:
            good, bad, kind = v.words, [v.words[0].lower() + "x", ""], "enum"
        elif v.form:
            (good, bad), kind = FORMS[v.form], "format"
        for text in good:
            self.right(text)
        for text in bad:
            self.add("bad" if v.hard else "ok", f"{'error' if v.hard else kind}:{path}", text)
        self.add("bad", f"error:{path}", Raw('"a\\u0000"'))

    def walk_skip(self, _v, root, wrap, path):
        """Taken and not kept; tested where the property is."""

    def walk_array(self, v, root, wrap, path):
        """None, one, many."""
        one = self.sample(v.item)
        for n in (0, 1, 2, 100):
            if n >= v.least:
                self.right([one] * n)
            else:
                self.add("bad", f"error:{path}", [one] * n)
        self.walk(v.item, root, lambda x: wrap([one, x]), f"{path}[1]", True)

    def walk_map(self, v, root, wrap, path):
        """None, some, one twice, one without a name."""
        one = self.sample(v.item)
        self.right(Pairs())
        self.right(Pairs([("b", one), ("a", one), ("c", one)]))
        self.add("bad", f"error:{path}.a" if path else "error:a",
                 Pairs([("a", one), ("b", one), ("a", one)]))
        many = [(f"k{i}", one) for i in range(40)]
        self.right(Pairs(many))
        self.add("bad", f"error:{path}.k7" if path else "error:k7", Pairs(many + [many[7]]))
        self.add("ok", f'format:{path}[""]', Pairs([("", one)]))
        self.walk(v.item, root, lambda x: wrap(Pairs([("a", one), ("b", x)])), f"{path}.b", True)

    def walk_object(self, v, root, wrap, path):
        """Each property there, missing, null, twice; one that is not known."""
        struct = self.schemas.structs[v.struct]
        rest = self.sample(v)
        dot = f"{path}." if path else ""
        self.right(rest)
        self.add("ok", f"unknown:{dot}zzz", Pairs(rest + [("zzz", Pairs([("a", [1])]))]), rest)
        for f in struct.fields:
            self.walk_field(f, struct, rest, root, wrap, dot)

    def walk_field(self, f, struct, rest, root, wrap, dot):
        """One property of an object of which @rest is needed."""
        path, value = dot + f.name, self.sample(f.value)
        without = Pairs(p for p in rest if p[0] != f.name)
        order = [x.name for x in struct.fields]

        def inside(x):
            return wrap(Pairs(sorted(without + [(f.name, x)], key=lambda p: order.index(p[0]))))

        kept = f.value.kind != "skip"
        if kept:
            self.walk(f.value, root, inside, path, f.required and not f.soft_required)
        self.here = root, wrap, f"{root} {path}"
        both = Pairs(without + [(f.name, value), (f.name, value)])
        self.add("bad", f"error:{path}", both)
        null = Pairs(without + [(f.name, Raw("null"))])
        if not f.required:
            self.add("ok", "", null, without)
            self.add("ok", "", without)
        elif f.soft_required:
            self.add("ok", f"missing:{path}", null, without)
            self.add("ok", f"missing:{path}", without)
        else:
            self.add("bad", f"error:{path}", null)
            self.add("bad", f"error:{path}", without)
        if not kept:
            self.add("ok", "", Pairs(without + [(f.name, Pairs([("a", [Pairs()])]))]), without)
            self.add("bad", f"error:{path}", Pairs(without + [(f.name, 3)]))


def main():
    roots = ("config process resources mounts seccomp state state-list container-process-state "
             "features cleat-exit cleat-state cleat-state-version").split()
    schemas = model.Model([TOP / "schema" / f"{name}.json" for name in roots])
    rules = Rules(schemas)
    for name in schemas.roots:
        rules.walk_root(name)
    rows = [(where, *row) for where, list_ in rules.cases.items() for row in list_]
    text = "".join(f"{row[1]}\t{row[2]}\n" for row in rows)
    out = subprocess.run(["libocispec/tests/verdict"], input=text, capture_output=True, text=True,
                         check=True).stdout.split("\n")
    wrong, number = {}, 0
    for (where, root, json, verdict, finding, encoded), line in zip(rows, out):
        got = line.split("\t")
        if got[:2] != [verdict, finding] or (encoded is not None and got[2] != encoded):
            wrong.setdefault(where, []).append(f"{json}\n#  got: {line}\n"
                                               f"# want: {verdict} {finding} {encoded}")
    for number, where in enumerate(rules.cases, 1):
        count = len(rules.cases[where])
        print(f"{'not ' if where in wrong else ''}ok {number} - {where}: {count} documents")
        for line in wrong.get(where, [])[:3]:
            print(f"# {line}")
    enough = number >= 500 and len(rows) == len(out) - 1
    print(f"{'' if enough else 'not '}ok {number + 1} - {len(rows)} documents were judged")
    print(f"1..{number + 1}")
    return bool(wrong) or not enough


if __name__ == "__main__":
    sys.exit(main())
