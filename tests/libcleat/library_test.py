#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libcleat says what the executable says, and exports what its header declares.

By way of contrib/examples/containers.c, without root, on records that were written by hand.

environment: CLEAT (default ./cleat), CONTAINERS (the example, default tests/libcleat/containers),
LIBCLEAT (the library, default ./libcleat.so.0), CC
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path[:0] = [str(HERE.parent / "cli"), str(HERE.parent / "check")]
from verbs_test import CLEAT, Fake  # noqa: E402
from layout import BASE, edit, write  # noqa: E402

CONTAINERS = os.path.abspath(os.environ.get("CONTAINERS", "tests/libcleat/containers"))
LIBRARY = os.path.abspath(os.environ.get("LIBCLEAT", "libcleat.so.0"))
HEADER = TOP / "src/libcleat/cleat.h"


def command(*words, **more):
    return subprocess.run(words, capture_output=True, encoding="utf-8", timeout=60,
                          check=False, stdin=subprocess.DEVNULL, **more)


class Both:
    """The example and the executable on one state root with one container in it."""

    def __init__(self, tmp):
        self.tmp = tmp
        self.fake = Fake(tmp)
        self.fake.record()

    def library(self, *words):
        return command(CONTAINERS, "-r", self.fake.root, "-p", CLEAT, *words)

    def cleat(self, *words):
        return command(CLEAT, "--root", self.fake.root, *words)

    def bundle(self, changes):
        os.makedirs(f"{self.tmp}/bundle/rootfs", exist_ok=True)
        text, _, _ = write(edit(BASE, changes))
        with open(f"{self.tmp}/bundle/config.json", "w", encoding="utf-8") as f:
            f.write(text)
        return f"{self.tmp}/bundle"


def equal(got, want, what="the answers"):
    assert got == want, f"{what} differ:\n{got}\n{want}"


def error_of(result):
    """The text of a failure, of the library's without the code."""
    assert result.returncode == 1 and not result.stdout, f"should have failed: {result}"
    return re.sub(r" \[[a-z-]+\]$", "", result.stderr.partition(": ")[2].strip())


def states(b):
    ours, theirs = b.library("state", "c1"), b.cleat("state", "c1")
    equal(json.loads(ours.stdout), json.loads(theirs.stdout))
    ours, theirs = b.library("list"), b.cleat("list", "--format", "json")
    equal(json.loads(ours.stdout), json.loads(theirs.stdout))
    equal((ours.stderr, theirs.stderr), ("", ""), "stderr")


def pids(b):
    equal(b.library("pids", "c1").stdout, f"{b.fake.process.pid}\n")


def errors(b):
    for words in (["state", "nobody"], ["state", "a/b"], ["pids", "nobody"]):
        want = b.cleat("ps" if words[0] == "pids" else "state", words[1])
        equal(error_of(b.library(*words)), error_of(want))
    # by the executable, whose own line on stderr comes first
    got = b.library("call", "kill", "nobody", "9")
    equal(got.stderr.splitlines(), ["cleat: container 'nobody' does not exist",
                                    "containers: container 'nobody' does not exist "
                                    "[container-unknown]"])


def codes(b):
    """Every failure has one, and the library's are those of the executable."""
    none, wrong = b.tmp + "/none", b.bundle({"process.cwd": "relative"})
    for ours, theirs, code in (
            (["state", "nobody"], ["state", "nobody"], "container-unknown"),
            (["state", "a/b"], ["state", "a/b"], "invalid"),
            (["check", none], ["check", none], "not-found"),
            (["plan", none], ["create", "-b", none, "c2"], "config"),
            (["plan", wrong], ["create", "-b", wrong, "c2"], "config"),
            (["stop", "nobody"], ["kill", "nobody", "KILL"], "container-unknown"),
            (["run", none, "c2"], ["create", "-b", none, "c2"], "config"),
            (["-p", "cleat", "list"], None, "invalid"),
            (["-p", none, "stop", "c1"], None, "not-found")):
        said = b.library(*ours)
        assert said.returncode == 1 and said.stderr.endswith(f" [{code}]\n"), f"{ours}: {said}"
        if theirs:
            log = f"{b.tmp}/log"
            b.cleat("--log", log, "--log-format", "json", *theirs)
            with open(log, encoding="utf-8") as f:
                equal(json.loads(f.read().splitlines()[-1])["code"], code, f"code of {theirs}")


def later_release(b):
    b.fake.record(version=4711)
    for words in (["state", "c1"], ["stop", "c1"]):
        said = error_of(b.library(*words))
        assert "belongs to a newer release" in said, said
    assert b.fake.alive()


def findings(b):
    path = b.bundle({"process.cwd": "relative", "hostnme": "x", "linux.resources.pids.limit": "y"})
    theirs = [line.split(": ", 1)[1] for line in b.cleat("check", path).stdout.splitlines()]
    lines = b.library("check", path).stdout.splitlines()
    ours = [line.split(": ", 1)[1] for line in lines[:-1]]
    assert len(ours) == len(theirs) >= 3, f"{ours} {theirs}"
    for mine, other in zip(ours, theirs):
        text = mine.replace("remark: ", "warning: ")
        assert other.startswith(text), f"{mine} but {other}"
    equal(lines[-1], f"{sum(x.startswith('error') for x in theirs)} errors")
    one = b.library("check", b.bundle({"process.cwd": "relative"})).stdout.splitlines()
    equal(one[-1], "1 error")


def plans(b):
    path = b.bundle({})
    want = b.cleat("check", "--plan", path).stdout
    got = b.library("plan", path)
    assert len(got.stdout.splitlines()) > 20, got
    assert want.endswith(got.stdout.rstrip("\n") + "\n"), f"{got.stdout}\n{want}"
    path = b.bundle({"process.cwd": "relative"})
    assert "process.cwd" in error_of(b.library("plan", path))


def verbs(b):
    equal(b.library("call", "kill", "c1", "TERM").stdout, "status 0\n")
    equal(b.fake.wait_signal(), 15, "the signals")
    equal(json.loads(b.library("state", "c1").stdout)["status"], "stopped", "the status")
    equal(b.library("call", "delete", "c1").stdout, "status 0\n")
    assert not b.fake.exists()


def exports(_):
    """The header, the map and the library name the same functions, and nothing else."""
    header = set(re.findall(r"(?m)^CLEAT_EXPORT [^;(]*?(\w+)\(", HEADER.read_text()))
    listed = set(re.findall(r"^\t(cleat_\w+);", (HEADER.parent / "libcleat.map").read_text(), re.M))
    names = command(os.environ.get("NM", "nm"), "-D", "--defined-only", LIBRARY).stdout
    exported = {line.split()[2].partition("@")[0] for line in names.splitlines()
                if line.split()[1] != "A"}
    assert len(header) > 10
    equal(header, listed, "header and map")
    equal(header, exported, "header and library")
    headers = command(os.environ.get("READELF", "readelf"), "--dynamic", LIBRARY).stdout
    assert "[libcleat.so.0]" in headers, headers
    needed = set(re.findall(r"NEEDED.*\[(\w+)", headers))
    sanitizers = {"libasan", "libubsan"}  # --enable-sanitizers
    assert needed - sanitizers <= {"libc", "libyajl", "libseccomp", "ld"}, needed


def header_alone(b):
    """The header needs nothing else and is C++ too."""
    source = b.tmp + "/x.c"
    with open(source, "w", encoding="utf-8") as f:
        f.write('#include <cleat.h>\nint main(void) { return !cleat_version(); }\n')
    cc = os.environ.get("CC", "cc").split()
    # a compiler of C may be there without its half for C++
    for language, compiler in ("c", cc), ("c++", ["c++"]):
        if not shutil.which(compiler[0]):
            continue
        r = command(*compiler, "-x", language, "-Wall", "-Wextra", "-pedantic", "-Werror",
                    f"-I{HEADER.parent}", "-fsyntax-only", source)
        equal((r.returncode, r.stderr), (0, ""), "status and output of the compiler")


TESTS = [states, pids, errors, codes, later_release, findings, plans, verbs, exports, header_alone]


def main():
    print(f"1..{len(TESTS)}")
    bad = 0
    for number, test in enumerate(TESTS, 1):
        with tempfile.TemporaryDirectory() as tmp:
            b = Both(tmp)
            try:
                test(b)
                print(f"ok {number} - libcleat: {test.__name__}")
            except (AssertionError, ValueError) as e:
                bad = 1
                print(f"not ok {number} - libcleat: {test.__name__}")
                print("\n".join(f"# {line}" for line in str(e).splitlines()))
            finally:
                b.fake.close()
    return bad


if __name__ == "__main__":
    sys.exit(main())
