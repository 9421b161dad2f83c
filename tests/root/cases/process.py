# SPDX-License-Identifier: Apache-2.0
"""process of config.json: ids, environment, directory, descriptors, signals, status."""
import os
import subprocess

from frame.case import DELETE, case, has, report_rows
from frame.config import DEV, PROC, user_namespace

report_rows([
    ("root by default", {}, {
        "uids": [0] * 4, "gids": [0] * 4, "groups": [], "cwd": "/", "umask": 0o22, "pid": 1,
        "ppid": 0, "sid": 1, "pgrp": 1, "signals_ignored": [], "signals_blocked": [],
        "no_new_privs": 0, "seccomp": 0, "processes": {"1": "probe"}, "exe": "/probe", "root": "/",
    }),
    ("user and group", {"process.user": {"uid": 1000, "gid": 1001}},
     {"uids": [1000] * 4, "gids": [1001] * 4, "groups": []}),
    ("a group only", {"process.user": {"uid": 0, "gid": 7}}, {"uids": [0] * 4, "gids": [7] * 4}),
    ("the highest ids", {"process.user": {"uid": 4294967294, "gid": 4294967294}},
     {"uids": [4294967294] * 4, "gids": [4294967294] * 4}),
    ("more groups", {"process.user": {"uid": 5, "gid": 6, "additionalGids": [10, 6, 4000000000]}},
     {"groups": lambda g: sorted(g) == [6, 10, 4000000000]}),
    ("more groups for root", {"process.user.additionalGids": [1, 2, 3]}, {"groups": [1, 2, 3]}),
    ("sixty groups", {"process.user.additionalGids": list(range(100, 160))},
     {"groups": list(range(100, 160))}),
    ("umask", {"process.user.umask": 0o27}, {"umask": 0o27}),
    ("umask of nothing", {"process.user.umask": 0}, {"umask": 0}),
    ("umask of everything", {"process.user.umask": 0o777}, {"umask": 0o777}),
    ("dumpable as any program", {}, {"dumpable": 1, "subreaper": 0, "pdeathsig": 0}),
    ("not dumpable business of others", {"process.user": {"uid": 9, "gid": 9}}, {"dumpable": 1}),
])

# --- environment -------------------------------------------------------------------------

report_rows([
    ("env is process.env", {"process.env": ["A=1", "B=x=y z", "EMPTY="]},
     {"env": has("A=1", "B=x=y z", "EMPTY=")}),
    ("HOME of root without passwd", {"process.env": ["A=1"]}, {"env": has("HOME=/")}),
    ("HOME as given", {"process.env": ["HOME=/somewhere"]},
     {"env": lambda e: [x for x in e if x.startswith("HOME=")] == ["HOME=/somewhere"]}),
    ("the last of equal names counts", {"process.env": ["A=1", "A=2"]},
     {"env": lambda e: [x for x in e if x.startswith("A=")] == ["A=2"]}),
    ("env with bytes beyond ASCII", {"process.env": ["U=\u00e4\u20ac"]},
     {"env": has("U=\u00c3\u00a4\u00e2\u0082\u00ac")}),
])


@case("HOME from the image's passwd")
def _(t):
    t.write(f"{t.rootfs}/etc/passwd", "root:x:0:0::/root:/bin/sh\nme:x:33:33::/home/me:/bin/sh\n")
    t.edit({"process.user": {"uid": 33, "gid": 33}, "process.env": ["A=1"]})
    t.expect(t.run_probe(), {"env": has("HOME=/home/me")})


@case("nothing of the caller's environment comes in")
def _(t):
    report = t.run_probe(env={**os.environ, "SECRET": "x", "LD_PRELOAD": "", "NOTIFY_SOCKET": ""})
    t.check(not [e for e in report["env"] if not e.startswith(("PATH=", "TERM=", "HOME="))],
            f"the environment is {report['env']}")


@case("a large environment")
def _(t):
    t.edit({"process.env": [f"V{i}={'x' * 1000}" for i in range(500)]})
    report = t.run_probe()
    t.equal(len([e for e in report["env"] if e.startswith("V")]), 500, "the number of variables")


# --- directory, arguments ----------------------------------------------------------------

report_rows([
    ("cwd", {"process.cwd": "/tmp"}, {"cwd": "/tmp"}),
    ("cwd that is missing is made", {"process.cwd": "/new/deep"}, {"cwd": "/new/deep"}),
    ("cwd that is missing is made, the root is read-only then",
     {"process.cwd": "/new/deep", "root.readonly": True}, {"cwd": "/new/deep"}),
    ("cwd that is missing is made, its mount is read-only then",
     {"process.cwd": "/tmp/a/b",
      "mounts": [PROC, DEV, {"destination": "/tmp", "type": "tmpfs", "options": ["ro"]}]},
     {"cwd": "/tmp/a/b"}),
    ("cwd below a mount", {"process.cwd": "/dev/shm"}, {"cwd": "/dev/shm"}),
    ("a slash more", {"process.cwd": "/tmp/"}, {"cwd": "/tmp"}),
])


@case("cwd through a link stays inside")
def _(t):
    os.symlink("/tmp", f"{t.rootfs}/link")
    t.edit({"process.cwd": "/link"})
    t.expect(t.run_probe(), {"cwd": "/tmp"})


@case("cwd that only its user may enter")
def _(t):
    os.mkdir(f"{t.rootfs}/private", 0o700)
    os.chown(f"{t.rootfs}/private", 1000, 1000)
    t.edit({"process.cwd": "/private", "process.user": {"uid": 1000, "gid": 1000}})
    t.expect(t.run_probe(), {"cwd": "/private"})


@case("cwd that the user may not enter, root may")
def _(t):
    os.mkdir(f"{t.rootfs}/closed", 0o700)
    t.edit({"process.cwd": "/closed", "process.user": {"uid": 1000, "gid": 1000}})
    r = t.run()
    t.check(r.rc != 0 or "/closed" in r.out, f"neither refused nor there: {r}")


@case("arguments as they are")
def _(t):
    t.probe("say", "a b", "", "'\"\\", "$HOME")
    t.equal(t.run().out, "a b  '\"\\ $HOME\n", "the line")


@case("the program is found in PATH")
def _(t):
    os.rename(f"{t.rootfs}/probe", f"{t.rootfs}/bin/prog")
    t.edit({"process.args": ["prog", "say", "found"], "process.env": ["PATH=/nowhere:/bin"]})
    t.equal(t.run().out, "found\n", "the line")


@case("a relative program is found from cwd")
def _(t):
    os.rename(f"{t.rootfs}/probe", f"{t.rootfs}/tmp/prog")
    t.edit({"process.args": ["./prog", "say", "found"], "process.cwd": "/tmp"})
    t.equal(t.run().out, "found\n", "the line")


@case("a script with an interpreter", needs="busybox")
def _(t):
    t.busybox()
    t.write(f"{t.rootfs}/script", "#!/bin/sh\necho script $1\n", 0o755)
    t.args("/script", "runs")
    t.equal(t.run().out, "script runs\n", "the line")


# --- streams, descriptors, signals ---------------------------------------------------------

@case("standard input is the caller's")
def _(t):
    t.probe("echo")
    t.write_config()
    t.equal(t.cleat("run", "--bundle", t.bundle, t.id, text="some text\n").out, "some text\n",
            "the output")


@case("only three descriptors")
def _(t):
    extra = [os.open("/dev/null", os.O_RDONLY) for _ in range(3)]
    t.probe("report", "descriptors")
    report = t.run_probe(pass_fds=extra)
    t.equal(sorted(report["descriptors"]), ["0", "1", "2"], "the descriptors")
    for fd in extra:
        os.close(fd)


def _with_descriptors(t, count, action):
    """Run @action with descriptors 3.. open on files; pass_fds keeps numbers as they are."""
    paths = [f"{t.dir}/fd{i}" for i in range(count)]
    words = " ".join(f"{i + 3}>{p}" for i, p in enumerate(paths))
    return subprocess.run(["sh", "-c", f'exec "$@" {words}', "sh", *action], capture_output=True,
                          encoding="utf-8", timeout=60, check=False, stdin=subprocess.DEVNULL)


@case("preserved descriptors, and no others")
def _(t):
    t.probe("report", "descriptors")
    t.write_config()
    p = _with_descriptors(t, 4, t.command("run", "--preserve-fds", "2", "--bundle", t.bundle, t.id))
    t.check(p.returncode == 0, p.stderr)
    found = t.decode(p.stdout)["descriptors"]
    t.equal(sorted(found), ["0", "1", "2", "3", "4"], "the descriptors")
    t.equal(found["4"]["target"], f"{t.dir}/fd1", "what descriptor 4 is")


@case("preserved descriptors with gaps")
def _(t):
    """podman's --preserve-fd=5,7 is --preserve-fds 5."""
    t.probe("report", "descriptors")
    t.write_config()
    script = f'exec "$@" 5>{t.dir}/five 7>{t.dir}/seven'
    p = subprocess.run(["sh", "-c", script, "sh",
                        *t.command("run", "--preserve-fds", "5", "--bundle", t.bundle, t.id)],
                       capture_output=True, encoding="utf-8", timeout=60, check=False,
                       stdin=subprocess.DEVNULL)
    t.check(p.returncode == 0, p.stderr)
    found = t.decode(p.stdout)["descriptors"]
    t.equal({fd: d["target"] for fd, d in found.items() if int(fd) > 2},
            {"5": f"{t.dir}/five", "7": f"{t.dir}/seven"}, "the descriptors")


@case("preserved descriptors, fewer than there may be")
def _(t):
    t.probe("report", "descriptors")
    t.write_config()
    p = _with_descriptors(t, 2, t.command("run", "--preserve-fds=100", "--bundle", t.bundle, t.id))
    t.check(p.returncode == 0, p.stderr)
    t.equal(sorted(t.decode(p.stdout)["descriptors"]), ["0", "1", "2", "3", "4"], "the descriptors")


@case("a preserved descriptor that is not open")
def _(t):
    t.write_config()
    r = t.cleat("run", "--preserve-fds", "1", "--bundle", t.bundle, t.id)
    t.check(r.rc != 0, f"should have failed: {r}")
    t.check_message(r, "descriptor 3")


@case("ignored and blocked signals are not handed on")
def _(t):
    t.probe("report", "signals")
    t.write_config()
    p = subprocess.run(
        ["python3", "-c",
         "import os, signal, sys\n"
         "for s in (signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1): signal.signal(s, signal.SIG_IGN)\n"
         "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR2])\n"
         "os.execv(sys.argv[1], sys.argv[1:])", *t.command("run", "--bundle", t.bundle, t.id)],
        capture_output=True, encoding="utf-8", timeout=60, check=False)
    t.check(p.returncode == 0, p.stderr)
    t.expect(t.decode(p.stdout), {"signals_ignored": [], "signals_blocked": []})


@case("the caller's umask does not count")
def _(t):
    t.edit({"process.args": ["/probe", "report", "devices", "place"]})
    old = os.umask(0o777)
    try:
        r = t.command("run", "--bundle", t.bundle, t.id)
        os.umask(0o022)
        t.write_config()
        os.umask(0o777)
        p = subprocess.run(r, capture_output=True, encoding="utf-8", timeout=60, check=False)
    finally:
        os.umask(old)
    t.check(p.returncode == 0, p.stderr)
    t.expect(t.decode(p.stdout), {"umask": 0o22, "dev.null.mode": 0o666, "dev.shm.mode": 0o1777})


# --- exit status ---------------------------------------------------------------------------

def _status(words, want):
    def check(t):
        t.probe(*words)
        r = t.run()
        t.equal(r.rc, want, f"the status of {r}")
        t.equal(r.err, "", "stderr")
    return check


for code in (0, 1, 42, 126, 127, 255):
    case(f"exit status {code}")(_status(("exit", str(code)), code))
for name, sig in (("TERM", 15), ("KILL", 9), ("SEGV", 11)):
    case(f"a child that ends by SIG{name}")(_status(("kill", str(sig)), 128 + sig))


@case("a container that ends by SIGKILL")
def _(t):
    t.edit({"linux.namespaces": [n for n in t.config["linux"]["namespaces"] if n["type"] != "pid"]})
    t.probe("kill", "9")
    r = t.run()
    t.equal(r.rc, 137, f"the status of {r}")


# --- privileges that a process must not gain -------------------------------------------------

report_rows([
    ("no_new_privs", {"process.noNewPrivileges": True}, {"no_new_privs": 1}),
    ("no_new_privs for a user",
     {"process.noNewPrivileges": True, "process.user": {"uid": 1, "gid": 1}}, {"no_new_privs": 1}),
    ("without a process.user", {"process.user": DELETE}, {"uids": [0] * 4, "gids": [0] * 4}),
])

# --- limits ----------------------------------------------------------------------------------

_LIMITS = {
    "AS": (1 << 32, 1 << 33), "CORE": (0, 0), "CPU": (1000, 2000), "DATA": (1 << 30, 1 << 31),
    "FSIZE": (1 << 20, 1 << 21), "LOCKS": (10, 20), "MEMLOCK": (4096, 8192),
    "MSGQUEUE": (1000, 2000), "NICE": (0, 0), "NOFILE": (100, 200), "NPROC": (5000, 6000),
    "RSS": (1 << 20, 1 << 21), "RTPRIO": (0, 0), "RTTIME": (1000, 2000),
    "SIGPENDING": (50, 100), "STACK": (1 << 20, 1 << 22),
}
report_rows([
    (f"rlimit {name}", {"process.rlimits": [
        {"type": "RLIMIT_" + name, "soft": soft, "hard": hard}]},
     {f"rlimits.{name}": [soft, hard]}) for name, (soft, hard) in _LIMITS.items()
])
report_rows([
    ("all rlimits at once", {"process.rlimits": [
        {"type": "RLIMIT_" + n, "soft": s, "hard": h} for n, (s, h) in _LIMITS.items()]},
     {"rlimits": {n: list(v) for n, v in _LIMITS.items()}}),
    ("rlimits of a user in a user namespace",
     {**user_namespace(), "process.user": {"uid": 5, "gid": 5},
      "process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 33, "hard": 44}]},
     {"rlimits.NOFILE": [33, 44]}),
    ("oom_score_adj", {"process.oomScoreAdj": 321}, {"oom_score_adj": "321"}),
    ("the highest oom_score_adj", {"process.oomScoreAdj": 1000}, {"oom_score_adj": "1000"}),
    ("oom_score_adj in a user namespace", {**user_namespace(), "process.oomScoreAdj": 77},
     {"oom_score_adj": "77"}),
])


@case("groups of the caller that it has no right to drop")
def _(t):
    t.prefix = ["setpriv", "--bounding-set=-setgid"]
    t.probe()
    t.expect_failure("CAP_SETGID.*set 0 groups")


@case("oom_score_adj below the caller's", needs="cap:SYS_RESOURCE")
def _(t):
    t.edit({"process.oomScoreAdj": -500})
    t.expect(t.run_probe(), {"oom_score_adj": "-500"})


@case("oom_score_adj of the caller where none is given")
def _(t):
    t.expect(t.run_probe(), {"oom_score_adj": t.read("/proc/self/oom_score_adj").strip()})


# --- scheduling ------------------------------------------------------------------------------

report_rows([
    ("scheduler batch with a nice", {"process.scheduler": {"policy": "SCHED_BATCH", "nice": 5}},
     {"scheduler.policy": 3, "scheduler.nice": 5}),
    ("scheduler idle", {"process.scheduler": {"policy": "SCHED_IDLE"}}, {"scheduler.policy": 5}),
    ("scheduler other", {"process.scheduler": {"policy": "SCHED_OTHER", "nice": 3}},
     {"scheduler.policy": 0, "scheduler.nice": 3}),
    ("reset on fork", {"process.scheduler": {
        "policy": "SCHED_OTHER", "nice": 1, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}},
     {"scheduler.flags": 1}),
    ("ioPriority idle", {"process.ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 0}},
     {"ioprio": 3 << 13}),
    ("ioPriority best effort", {"process.ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6}},
     {"ioprio": 2 << 13 | 6}),
    ("personality", {"linux.personality": {"domain": "LINUX32"}}, {"personality": 8}),
])
