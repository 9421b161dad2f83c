# SPDX-License-Identifier: Apache-2.0
"""31 to 38: the words by which callers tell one failure from another."""
import copy
import errno
import os
import re

from callers import Conmon, Shim
from contract import (attempts, created, gone, kill_and_wait, refused, requirement, started,
                      stopped)
from frame.case import Failed

BARE = r"executable file not found in \$PATH"
MISSING = "no such file or directory"
DENIED = "permission denied"


def _create_fails(t, args, pattern, **edits):
    t.args(*args)
    t.edit(edits)
    t.write_config()
    try:
        r = refused(t, pattern, "create", "--bundle", t.bundle, t.id)
    except Failed:
        t.cleat("delete", "--force", t.id)
        raise
    gone(t)
    return r


@requirement(31, "a command that is missing fails create, not start", "podman, dockerd")
def _(t):
    for args in (["/nope"], ["nope"], ["./nope"], ["/tmp"]):
        _create_fails(t, args, r"\S")
        r = Conmon(t).create()
        t.check(r.rc != 0 and r.err.strip(), f"what conmon reads: {r}")


@requirement(32, "a bare command that is missing: 'executable file not found in $PATH'; a path: 'no "
             "such file or directory'", "podman, dockerd, docker's command line")
def _(t):
    rows = [("a bare name", ["nope"], BARE), ("a path", ["/no/such/program"], MISSING),
            ("a path in a directory", ["/bin/nope"], MISSING)]
    attempts(t, [(name, lambda a=args, p=pattern: _create_fails(t, a, p))
                 for name, args, pattern in rows])


@requirement(33, "a command that is not executable: 'permission denied'; a directory: that, or 'is "
             "a directory'", "podman, dockerd, docker's command line")
def _(t):
    t.write(f"{t.rootfs}/plain", "x", 0o644)
    rows = [("/plain", DENIED), ("./plain", DENIED), ("/etc", DENIED + "|is a directory"),
            ("/", DENIED + "|is a directory")]
    attempts(t, [(name, lambda n=name, p=pattern: _create_fails(t, [n], p))
                 for name, pattern in rows])


# every errno text of libc that does not begin with an abbreviation
_CAPITALS = sorted({os.strerror(n) for n in errno.errorcode if os.strerror(n)[1:2].islower()})


def _messages(t):
    """What is said, on stderr and in the log, of failures of many kinds."""
    t.globals = ["--log", f"{t.dir}/log.json", "--log-format", "json"]
    start = copy.deepcopy(t.config)
    rows = [{"process.args": ["/nope"]}, {"process.args": ["nope"]}, {"process.args": ["/etc"]},
            {"process.cwd": "/probe/x"}, {"root.path": "/nowhere"},
            {"+mounts": [{"destination": "/mnt", "type": "bind", "source": "/nowhere",
                          "options": ["bind"]}]},
            {"+mounts": [{"destination": "/mnt", "type": "no-such-fs", "source": "x"}]},
            {"+mounts": [{"destination": "/probe/x", "type": "tmpfs", "source": "x"}]},
            {"hooks": {"createRuntime": [{"path": "/no/hook"}]}},
            {"linux.sysctl": {"net.ipv4.no_such_thing": "1"}},
            {"linux.resources.unified": {"hugetlb.nothing": "1"}},
            {"linux.namespaces": [{"type": "mount"}, {"type": "network", "path": "/nowhere"}]}]
    said = []
    for edits in rows:
        t.config = copy.deepcopy(start)
        t.edit(edits)
        t.write_config()
        r = t.cleat("create", "--bundle", t.bundle, t.id)
        t.check(r.rc != 0 and r.err.strip(), f"{edits}: should have failed with a message: {r}")
        said.append((edits, r.err))
        t.cleat("delete", "--force", t.id)
    for options in (["--pid-file", "/no/dir/pid"], ["--console-socket", "/no/dir/socket"],
                    ["--bundle", "/no/bundle"], ["--pidfd-socket", "/no/dir/socket"]):
        t.config = copy.deepcopy(start)
        t.edit({"process.terminal": options[0] == "--console-socket"})
        t.probe("exit", "0")
        t.write_config()
        r = t.cleat("create", "--bundle", t.bundle, *options, t.id)
        t.check(r.rc != 0 and r.err.strip(), f"{options}: should have failed with a message: {r}")
        said.append((options, r.err))
        t.cleat("delete", "--force", t.id)
    return said


@requirement(34, "the text of an errno is in lower case, on stderr and in the log",
             "docker's command line, CRI-O")
def _(t):
    said = [text for _, text in _messages(t)] + [t.read(f"{t.dir}/log.json")]
    wrong = [line for text in said for line in text.splitlines()
             if any(words in line for words in _CAPITALS)]
    t.check(not wrong, "\n".join(wrong))


@requirement(35, "'no such file or directory' and 'permission denied' of anything but the command "
             "come after the name of what is meant", "podman")
def _(t):
    wrong = []
    for what, text in _messages(t):
        if "process.args" in what:
            continue
        found = re.search("no such file or directory|permission denied", text.lower())
        before = text[:found.start()] if found else "/"
        if "/" not in re.sub(r'time="\S*"', "", before) and "." not in before:
            wrong.append(f"{what}: {text.strip()}")
    t.check(not wrong, "\n".join(wrong))


@requirement(36, "an id that exists: create fails with 'already exists' and the first container "
             "stays as it is", "all")
def _(t):
    pid = started(t)
    before = (t.ok("state", t.id).out, sorted(os.listdir(f"{t.root}/{t.id}")))
    for command in ("create", "run"):
        refused(t, "already exists", command, "--bundle", t.bundle, "--pid-file",
                f"{t.dir}/second", t.id)
    after = (t.ok("state", t.id).out, sorted(os.listdir(f"{t.root}/{t.id}")))
    t.equal(after, before, "the first container")
    kill_and_wait(t, pid)
    refused(t, "already exists", "create", "--bundle", t.bundle, t.id)
    t.delete()


@requirement(37, "an unknown id: state, start, kill, exec, delete, ps, pause and resume fail with "
             "'does not exist'", "shim, Rust's shim")
def _(t):
    os.makedirs(t.root, 0o700)
    rows = [["state", t.id], ["start", t.id], ["kill", t.id, "9"], ["kill", "--all", t.id, "9"],
            ["exec", t.id, "/probe"], ["delete", t.id], ["ps", "--format", "json", t.id],
            ["pause", t.id], ["resume", t.id]]
    attempts(t, [(" ".join(r[:-1]), lambda r=r: refused(t, "does not exist", *r)) for r in rows])


@requirement(38, "kill of a container that has stopped, or is a zombie: 'container not running'",
             "shim, CRI-O, podman")
def _(t):
    stopped(t)
    refused(t, "container not running", "kill", t.id, "TERM")
    t.equal(Shim(t).call("kill", t.id, "9").rc == 0, False, "whether the shim's kill succeeds")
    t.delete()
    pid = created(t)
    os.kill(pid, 9)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        refused(t, "container not running", "kill", t.id, "15")
    finally:
        t.wait_for_end(pid)
        t.cleat("delete", "--force", t.id)
