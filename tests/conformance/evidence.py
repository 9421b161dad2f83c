# SPDX-License-Identifier: Apache-2.0
"""Which test touches which property of the schemas.

A test touches what its configuration sets, as far as its source shows: the changes in the
tables of tests/root, tests/golden and tests/check, and paths in the source of cases that are
functions. Elsewhere a comment says it: "spec: linux.resources.pids.limit".
"""
import functools
import importlib
import inspect
import json
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = TOP / "libocispec/schema"
KINDS = ("inside", "plan", "refused", "other")
# each time it is asked, inspect reads the file as Python again
source_of = functools.lru_cache(maxsize=None)(inspect.getsource)


# --- properties --------------------------------------------------------------------------------

def _resolve(file, node):
    while "$ref" in node:
        name, _, pointer = node["$ref"].partition("#")
        file = name or file
        node = json.loads((SCHEMA / file).read_text(encoding="utf-8"))
        for part in pointer.strip("/").split("/") if pointer else []:
            node = node[part]
    return file, node


def _walk(file, node, path):
    file, node = _resolve(file, node)
    if node.get("type") == "array":
        yield from _walk(file, node["items"], path)
    elif isinstance(node.get("additionalProperties"), dict):
        yield from _walk(file, node["additionalProperties"], path)
    for name, inner in node.get("properties", {}).items():
        if inner.get("$ref") == "cleat-exit.json":
            continue  # ours, no word of the specification
        below = f"{path}.{name}" if path else name
        yield below
        yield from _walk(file, inner, below)


def properties(file, prefix=""):
    """Paths of all properties; indexes and keys of maps are left out."""
    return [prefix + p for p in _walk(file, {"$ref": file}, "")]


# --- tests ----------------------------------------------------------------------------------------

class Evidence:
    def __init__(self):
        self.known = set(properties("config.json")) | set(properties("features.json", "features: ")) \
            | set(properties("state.json", "state: ")) \
            | set(properties("container-process-state.json", "seccomp state: "))
        self.maps = ("annotations", "linux.sysctl", "linux.netDevices", "linux.resources.rdma",
                     "linux.resources.unified")
        self.tests = {}  # property -> {kind: [title]}
        self.titles = []

    def add(self, kind, title, paths):
        for path in paths:
            titles = self.tests.setdefault(path, {}).setdefault(kind, [])
            if title not in titles:
                titles.append(title)

    def plain(self, path):
        """The property that a path with indexes and keys means, or None."""
        path = re.sub(r"\[[^\]]*\]", "", path.lstrip("+"))
        for known in self.maps:
            if path.startswith(known + "."):
                rest = path[len(known) + 1:].split(".")[-1]
                return f"{known}.{rest}" if f"{known}.{rest}" in self.known else known
        return path if path in self.known else None

    def of_value(self, path, value):
        found = self.plain(path)
        if found:
            yield found
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from self.of_value(f"{path}.{key}", inner)
        elif isinstance(value, list):
            for inner in value:
                yield from self.of_value(path, inner)

    def of_changes(self, changes):
        """Of a table of changes, with paths as keys; below linux.resources the head may be missing."""
        for path, value in changes.items() if isinstance(changes, dict) else ():
            if not isinstance(path, str):
                continue
            path = path.lstrip("+")
            head = "" if self.plain(path.split(".")[0].split("[")[0]) else "linux.resources."
            yield from self.of_value(head + path, value)

    def of_source(self, text):
        for quoted in re.findall(r'"(\+?[\w.\[\]"]+?)"', text):
            found = self.plain(quoted)
            if found:
                yield found
        for tagged in re.findall(r"spec: ([\w. :]+)", text):
            if tagged.strip() in self.known:
                yield tagged.strip()


def _sources(function, depth=2):
    """The source of a function and of those that it names; texts that it closes over are put in."""
    try:
        text = source_of(function)
    except (OSError, TypeError):
        return
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        if isinstance(cell.cell_contents, str):
            text = text.replace("{" + name + "}", cell.cell_contents)
    for name, default in zip(reversed(function.__code__.co_varnames[
            :function.__code__.co_argcount]), reversed(function.__defaults__ or ())):
        if isinstance(default, str):
            text = text.replace("{" + name + "}", default)
    yield text
    for name in function.__code__.co_names if depth else ():
        inner = function.__globals__.get(name)
        if inspect.isfunction(inner) and inner.__module__.startswith("cases."):
            yield from _sources(inner, depth - 1)


def _cells(function):
    return [c.cell_contents for c in function.__closure__ or ()] + list(function.__defaults__ or ())


def root_cases(ev):
    sys.path.insert(0, str(TOP / "tests/root"))
    frame = importlib.import_module("frame.case")
    for path in sorted((TOP / "tests/root/cases").glob("*.py")):
        importlib.import_module("cases." + path.stem)
    for c in frame.CASES:
        ev.titles.append(c.title)
        found = set()
        for text in _sources(c.function):
            found.update(ev.of_source(text))
        for value in _cells(c.function):
            found.update(ev.of_changes(value))
            if inspect.isfunction(value):
                found.update(ev.of_source(source_of(value)))
        state = re.findall(r'"(ociVersion|id|pid|status|bundle|rootfs|created|annotations|owner)"',
                           source_of(c.function))
        if "state" in source_of(c.function):
            found.update("state: " + word for word in state)
        ev.add("inside", c.title, found)
    sys.path.pop(0)


def golden_cases(ev):
    sys.path.insert(0, str(TOP / "tests/golden"))
    sys.path.insert(0, str(TOP / "tests/check"))
    # another module of tests/root is called cases
    for name in [n for n in sys.modules if n.split(".")[0] == "cases"]:
        del sys.modules[name]
    for name, changes in importlib.import_module("cases").CASES:
        ev.titles.append("golden: " + name)
        ev.add("plan", "golden: " + name, set(ev.of_changes(changes)))
    broken = importlib.import_module("broken_test")
    for name, changes, path, _, _ in broken.ERRORS + broken.REMARKS:
        ev.titles.append("check: " + name)
        found = ev.plain(path)
        ev.add("refused", "check: " + name, set(ev.of_changes(changes)) | ({found} if found else set()))
    for path, _ in _features_rows():
        ev.titles.append("features: " + path)
        parts = path.split(".")
        for n in range(1, len(parts) + 1):
            ev.add("other", "features: " + path, {"features: " + ".".join(parts[:n])})


def _features_rows():
    sys.path.insert(0, str(TOP / "tests/cli"))
    return importlib.import_module("features_test").ROWS


def tagged(ev):
    """Comments in unit tests and other programs: each stands for the test that follows."""
    files = [p for d in ("tests/unit", "tests/cli", "tests/vm", "tests/crash")
             for p in sorted((TOP / d).rglob("*")) if p.suffix in (".c", ".py")]
    for file in files:
        text = file.read_text(encoding="utf-8")
        where = str(file.relative_to(TOP))
        for name in re.findall(r"^TEST\((\w+)\)", text, re.M):
            ev.titles.append(f"{where}: {name}")
        for tag, name in re.findall(r"spec: ([\w., :\n*]+?) ?\*/\nTEST\((\w+)\)", text):
            paths = {t.strip() for t in re.sub(r"\n \* ", " ", tag).split(",")}
            ev.add("other", f"{where}: {name}", paths & ev.known)


def titled(ev):
    """tags.txt; returns the lines that match no title or name no property."""
    idle = []
    for line in (TOP / "tests/conformance/tags.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        pattern, _, paths = line.partition(" || ")
        found = [m for m in (re.search(pattern, t) for t in ev.titles) if m]
        for m in found:
            named = re.findall(r"(?:seccomp state: )?[\w.\\]+", paths)
            expanded = {m.expand(p) for p in named}
            if not expanded <= ev.known:
                found = []
            ev.add("inside", m.string, expanded & ev.known)
        if not found:
            idle.append(line)
    return idle


def collect():
    sys.dont_write_bytecode = True
    ev = Evidence()
    root_cases(ev)
    golden_cases(ev)
    ev.idle = titled(ev)
    tagged(ev)
    return ev
