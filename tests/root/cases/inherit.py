# SPDX-License-Identifier: Apache-2.0
"""What a container is given of its caller is a list: each thing changed, none of it comes in.

MOODY changes what survives fork and execve in the process that becomes cleat: in run, in create
and start (whose moods differ from what the container was made with), and in exec.
"""
import os
import subprocess
import sys

from frame.case import Skip, case
from frame.config import user_namespace
from frame.trial import TIMEOUT

MOODY = r"""
import ctypes, fcntl, os, resource, signal, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    return libc.syscall(number, *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
PRCTL, MEMPOLICY, IOPRIO, SETATTR, KEYCTL = 157, 238, 251, 314, 250
changed = []
def note(name, ok):
    if ok: changed.append(name)
# dispositions, mask
for s in (1, 2, 3, 10, 12, 13, 14, 15, 17, 18, 20, 21, 22, 28, 40, 64):
    if s not in (9, 19): signal.signal(s, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {9, 19, 32, 33})
note("signals", True)
os.umask(0o777); note("umask", True)
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}); note("affinity", True)
# policy batch, nice 7, reset on fork not set
note("scheduler", call(SETATTR, 0, struct.pack("IIQiIQQQ", 48, 3, 0, 7, 0, 0, 0, 0), 0) == 0)
note("ioprio", call(IOPRIO, 1, 0, 3 << 13) == 0)
note("timerslack", call(PRCTL, 29, 123456, 0, 0, 0) == 0)
note("mempolicy", call(MEMPOLICY, 3, struct.pack("Q", 1), 2) == 0)
note("personality", libc.personality(0x0040000 | 0x0200000) >= 0)  # no randomization, short inodes
note("securebits", call(PRCTL, 28, 1 << 6, 0, 0, 0) == 0)  # no ambient raise
note("keepcaps", call(PRCTL, 8, 1, 0, 0, 0) == 0)
note("dumpable", call(PRCTL, 4, 0, 0, 0, 0) == 0)
note("pdeathsig", call(PRCTL, 1, 10, 0, 0, 0) == 0)
note("subreaper", call(PRCTL, 36, 1, 0, 0, 0) == 0)
note("thp", call(PRCTL, 41, 1, 0, 0, 0) == 0)
note("speculation", call(PRCTL, 53, 0, 4, 0, 0) == 0)
note("session keyring", call(KEYCTL, 1, b"the-callers") >= 0)
try:
    with open("/proc/self/coredump_filter", "w") as f: f.write("0x7f")
    note("coredump filter", True)
except OSError: pass
resource.setrlimit(resource.RLIMIT_NOFILE, (777, 888)); note("rlimits", True)
os.setgroups([4, 24]); note("groups", True)
call(PRCTL, 15, b"moody-name", 0, 0, 0)
os.environ.update(SECRET="x", LD_PRELOAD="/nowhere.so", LISTEN_FDS="9",
                  CLEAT_TRACE="", CLEAT_FAIL="", LC_ALL="C", MALLOC_TRACE="/tmp/x")
for i in range(5):
    os.set_inheritable(os.open("/", os.O_RDONLY | os.O_DIRECTORY), True)
os.set_inheritable(os.open("/", os.O_PATH), True)
r, w = os.pipe(); os.set_inheritable(r, True); os.set_inheritable(w, True)
note("descriptors", True)
with open(sys.argv[1], "a") as f: f.write(" ".join(changed).replace("session keyring", "keyring") + "\n")
os.execv(sys.argv[2], sys.argv[2:])
"""


def all_cpus():
    """Those that anybody here may have; the tests may have been given fewer."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(1024))
    try:
        return sorted(os.sched_getaffinity(0))
    finally:
        os.sched_setaffinity(0, ours)


# what must have been changed for the case to mean anything
CHANGED = {"signals", "umask", "affinity", "scheduler", "ioprio", "timerslack", "personality",
           "securebits", "dumpable", "pdeathsig", "subreaper", "thp", "rlimits", "groups",
           "descriptors", "keyring"}
# a process as the kernel begins with it: prctl(2), core(5), sched(7)
PLAIN = {
    "signals_ignored": [], "signals_blocked": [], "umask": 0o22,
    "scheduler.policy": 0, "scheduler.nice": 0, "scheduler.flags": 0, "scheduler.priority": 0,
    "ioprio": 0, "timerslack": 50000, "mempolicy.0": 0, "personality": 0, "securebits": 0,
    "dumpable": 1, "pdeathsig": 0, "subreaper": 0, "thp_disable": 0, "groups": [],
    "coredump_filter": lambda x: x.lstrip("0") == "33",
    "affinity": lambda cpus: cpus == all_cpus(),
    "speculation": lambda x: x in (None, plain_speculation()) or x & 0x2 == plain_speculation() & 2,
    "env": lambda env: not [e for e in env if not e.startswith(("PATH=", "TERM=", "HOME="))],
    "no_new_privs": 0,
}


def plain_speculation():
    import ctypes
    return ctypes.CDLL(None).prctl(52, 0, 0, 0, 0)


def moody(t, *words, stdout=subprocess.PIPE):
    path = f"{t.dir}/moody.py"
    t.write(path, MOODY)
    with open(f"{t.dir}/err", "ab") as err:  # a created container keeps it open
        p = subprocess.run([sys.executable, path, f"{t.dir}/changed", *t.command(*words)],
                           stdin=subprocess.DEVNULL, stdout=stdout, stderr=err,
                           timeout=TIMEOUT, check=False, text=stdout == subprocess.PIPE)
    t.check(p.returncode == 0 and not t.err(), f"{words}: {p.returncode} {t.err()}")
    lacking = CHANGED - set(t.read(f"{t.dir}/changed").splitlines()[-1].split())
    if lacking:
        raise Skip("this machine lets nobody change: " + ", ".join(sorted(lacking)))
    return p.stdout


def expect_plain(t, report, session=True):
    t.expect(report, {**PLAIN, **({"sid": lambda sid: sid == report["pid"],
                                   "pgrp": lambda pgrp: pgrp == report["pid"]} if session else {}),
                      # rlimits that the configuration does not set are the caller's
                      "rlimits.NOFILE": [777, 888],
                      "keyring_name": lambda name: name is None or t.id in name})
    t.equal(sorted(report["descriptors"]), ["0", "1", "2"], "the descriptors")


REPORT = ("report", "descriptors", "ids", "privileges", "place", "limits", "signals",
          "scheduling", "attributes", "keyring")

for _way, _edits in (("", {}), (" in a user namespace", user_namespace()),
                     (" for a user", {"process.user": {"uid": 1000, "gid": 1000}})):
    def _run(t, edits=_edits):
        t.edit(edits)
        t.probe(*REPORT)
        t.write_config()
        expect_plain(t, t.decode(moody(t, "run", "--bundle", t.bundle, t.id).splitlines()[-1]))
    case("run by a caller of every mood" + _way)(_run)

    def _create(t, edits=_edits):
        t.edit(edits)
        t.probe(*REPORT, ",", "sleep")
        t.write_config()
        moody(t, "create", "--bundle", t.bundle, t.id, stdout=t.output.writer)
        moody(t, "start", t.id)
        t.wait_for_line("ready")
        report = t.decode(t.out().splitlines()[0])
        further = t.decode(moody(t, "exec", t.id, "/probe", *REPORT).splitlines()[-1])
        t.delete("--force")
        expect_plain(t, report)
        expect_plain(t, further)
    case("create, start and exec by callers of every mood" + _way)(_create)


@case("what the configuration sets is set whatever the caller's mood")
def _(t):
    t.edit({"process.user.umask": 0o27, "process.oomScoreAdj": 100, "process.scheduler": {
        "policy": "SCHED_BATCH", "nice": 3}, "process.ioPriority": {
            "class": "IOPRIO_CLASS_BE", "priority": 2}, "process.rlimits": [
                {"type": "RLIMIT_NOFILE", "soft": 60, "hard": 70}],
            "linux.personality": {"domain": "LINUX32"}, "process.noNewPrivileges": True})
    t.probe(*REPORT)
    t.write_config()
    t.expect(t.decode(moody(t, "run", "--bundle", t.bundle, t.id).splitlines()[-1]), {
        "umask": 0o27, "oom_score_adj": "100", "scheduler.policy": 3, "scheduler.nice": 3,
        "ioprio": 2 << 13 | 2, "rlimits.NOFILE": [60, 70], "personality": 8, "no_new_privs": 1,
        "timerslack": 50000, "signals_ignored": [], "signals_blocked": []})
