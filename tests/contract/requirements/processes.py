# SPDX-License-Identifier: Apache-2.0
"""8 to 24: pid files, parents, helpers, what the container's process inherits."""
import copy
import os
import re
import signal
import socket
import subprocess
import time

from callers import BuildKit, Conmon, ConmonRs, Shim, environment, process_of
from contract import (children, ended, gone, holders, kill_and_wait, outcome, parent_of, quiet,
                      requirement, started)
from frame import cgroups
from frame.case import Failed
from frame.config import namespaces
from frame.trial import TIMEOUT


# --- pid files --------------------------------------------------------------------------------

@requirement(8, "the pid file holds decimal digits and nothing else", "go-runc, conmon-rs")
def _(t):
    for caller in (Shim(t), Conmon(t), ConmonRs(t)):
        t.probe("sleep")
        r = caller.create()
        t.check(r.rc == 0, f"create: {r}")
        t.equal(caller.pid(), t.state()["pid"], "the pid")
        t.delete("--force")
    started(t)
    r, pid = Shim(t).exec(process_of("/probe", "sleep"))
    text = t.read(f"{t.bundle}/exec.pid")
    os.kill(pid, 9)
    ended(t, pid)
    t.delete("--force")
    t.check(r.rc == 0 and text.isdigit(), f"exec's pid file holds {text!r}")


@requirement(9, "the pid file appears at once, by rename, and before the runtime is gone",
             "shim, conmon, BuildKit")
def _(t):
    """What was there under the name, seen through a link, is replaced and not written over."""
    t.probe("sleep")
    t.write_config()
    names = {}
    for what in ("create", "exec"):
        names[what] = f"{t.dir}/{what}.pid"
        t.write(names[what], "old")
        os.link(names[what], names[what] + ".old")
    t.start_command("create", "--bundle", t.bundle, "--pid-file", names["create"], t.id)
    t.equal(t.read(names["create"]), str(t.state()["pid"]), "the pid file of create")
    t.ok("start", t.id)
    t.wait_for_line("ready")
    t.start_command("exec", "--detach", "--pid-file", names["exec"], t.id, "/probe", "sleep")
    pid = int(t.read(names["exec"]))
    os.kill(pid, 9)
    ended(t, pid)
    t.delete("--force")
    for what, path in names.items():
        t.equal(t.read(path + ".old"), "old", f"what {what} found there")
    t.equal(sorted(x for x in os.listdir(t.dir) if ".pid" in x and x.startswith(".")), [],
            "temporary files that are left")


@requirement(10, "no pid file is left by a create, run or exec that failed", "conmon, podman")
def _(t):
    pid_file = f"{t.dir}/pid"

    def fails(what, *words):
        r = t.start_command(*words, expect=None)
        t.check(r.rc != 0, f"{what} should have failed: {r}")
        t.check(not os.path.exists(pid_file), f"{what} left a pid file")
    end = ("--pid-file", pid_file, "--bundle", t.bundle, t.id)
    late = {"path": "/bin/false", "args": ["false"]}
    rows = [("a missing program", {"process.args": ["/nope"]}),
            ("a createRuntime hook that fails", {"hooks": {"createRuntime": [late]}}),
            ("a createContainer hook that fails", {"hooks": {"createContainer": [late]}}),
            ("a mount that fails", {"+mounts": [{"destination": "/mnt", "type": "no-such-fs"}]})]
    original = t.config
    for what, change in rows:
        t.config = copy.deepcopy(original)
        t.edit(change)
        t.write_config()
        for command in ("create", "run"):
            fails(f"{command} with {what}", command, *end)
            t.cleat("delete", "--force", t.id)
    t.config = original
    started(t)
    fails("exec of a missing program", "exec", "--detach", "--pid-file", pid_file, t.id, "/nope")
    fails("exec with a missing directory", "exec", "--pid-file", pid_file, "--cwd", "/nope", t.id,
          "/probe", "exit", "0")
    t.delete("--force")


@requirement(11, "the pid is that of the container's process as the caller sees it, also in a pid "
             "namespace of the caller's", "all")
def _(t):
    pid = started(t)
    t.equal(os.readlink(f"/proc/{pid}/exe").rpartition("/")[2], "probe", "the program of the pid")
    t.check(f"\t{pid}\t1\n" in t.read(f"/proc/{pid}/status"), "NSpid is not that pid, then 1")
    t.delete("--force")
    t.write_config()
    command = " ".join(t.command("create", "--bundle", t.bundle, "--pid-file", f"{t.dir}/pid", t.id))
    start = " ".join(t.command("start", t.id))
    end = " ".join(t.command("delete", "--force", t.id))
    p = subprocess.run(
        ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
         f"{command} </dev/null >{t.dir}/o 2>&1 || {{ cat {t.dir}/o; exit 1; }}; "
         f"{start} && cat {t.dir}/pid && readlink /proc/$(cat {t.dir}/pid)/ns/pid "
         f"/proc/self/ns/pid; {end}"], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    found = re.fullmatch(r"(\d+)pid:\[(\d+)\]\npid:\[(\d+)\]\n", p.stdout)
    t.check(p.returncode == 0 and found, f"in a pid namespace: {p}")
    t.check(int(found[1]) < 100 and found[2] != found[3],
            f"{found[1]} is not the container's process as seen there: {p.stdout}")


# --- who is whose child -----------------------------------------------------------------------

@requirement(12, "after create the container's process is a child of the nearest subreaper, with "
             "no process of the runtime between", "conmon, shim, buildah")
def _(t):
    t.probe("sleep")
    t.write_config()
    words = t.command("create", "--bundle", t.bundle, "--pid-file", f"{t.dir}/pid", t.id)
    for argv in (words, ["sh", "-c", '"$@"; exit $?', "sh", *words]):
        r = outcome(t, argv, stdout=t.output.writer)
        t.check(r.rc == 0, f"create: {r}")
        pid = int(t.read(f"{t.dir}/pid"))
        t.equal((parent_of(pid), children()), (os.getpid(), [pid]), "the parent, and its children")
        t.delete("--force")
        ended(t, pid)


@requirement(13, "the same after a detached exec, whose process is in another pid namespace",
             "conmon, shim")
def _(t):
    pid = started(t)
    for caller in (Shim(t), ConmonRs(t)):
        r, other = caller.exec(*([process_of("/probe", "sleep")] if isinstance(caller, Shim)
                                 else ["/probe", "sleep"]))
        t.check(r.rc == 0, f"exec: {r}")
        t.equal((parent_of(other), children()), (os.getpid(), sorted([pid, other])),
                "the parent, and its children")
        os.kill(other, 9)
        t.equal(ended(t, other), -9, "what the caller learns of its end")
    t.delete("--force")


@requirement(14, "when a command has ended, well or not, no child, zombie or helper of it is left",
             "conmon-rs, CRI-O")
def _(t):
    def after(what, *words, want=(), **more):
        t.start_command(*words, expect=None, **more)
        t.equal(children(), sorted(want), f"children after {what}")
    t.probe("sleep")
    t.write_config()
    bundle = ("--bundle", t.bundle)
    t.start_command("create", *bundle, t.id)
    pid = t.state()["pid"]
    t.equal(children(), [pid], "children after create")
    for words in (["start", t.id], ["state", t.id], ["ps", "-f", "json", t.id], ["pause", t.id],
                  ["resume", t.id], ["exec", t.id, "/probe", "exit", "3"], ["exec", t.id, "/nope"],
                  ["exec", "--cwd", "/nope", t.id, "/probe"], ["events", "--stats", t.id],
                  ["start", t.id], ["delete", t.id], ["create", *bundle, t.id],
                  ["kill", t.id, "NOSUCH"]):
        after(" ".join(words[:1]), *words, want=[pid])
    kill_and_wait(t, pid)
    after("delete", "delete", t.id)
    t.args("/nope")
    t.write_config()
    after("a create that fails", "create", *bundle, t.id)
    after("a run that fails", "run", *bundle, t.id)
    t.probe("exit", "0")
    t.edit({"hooks": {"createRuntime": [{"path": "/bin/false"}]}})
    t.write_config()
    after("a hook that fails", "create", *bundle, t.id)
    t.cleat("delete", "--force", t.id)


@requirement(15, "no process but the container's holds the runtime's own stdin, stdout or stderr",
             "buildah, conmon, go-runc")
def _(t):
    t.probe("sleep")
    t.write_config()

    kept = []

    def call(*words):
        ends = [os.pipe() for _ in range(3)]
        streams = [ends[0][0], ends[1][1], ends[2][1]]
        kept.extend([ends[0][1], ends[1][0], ends[2][0]])
        p = subprocess.run(t.command(*words), stdin=streams[0], stdout=streams[1],
                           stderr=streams[2], timeout=TIMEOUT, check=False)
        for fd in streams:
            os.close(fd)
        t.equal(p.returncode, 0, f"the status of {words[0]}")
        return set().union(*(holders(os.fstat(fd).st_ino) for fd in kept[-3:])) - {os.getpid()}
    pid_file = f"{t.dir}/pid"
    who = call("create", "--bundle", t.bundle, "--pid-file", pid_file, t.id)
    pid = int(t.read(pid_file))
    t.equal(who, {pid}, "who holds the streams of create")
    t.equal(call("start", t.id), set(), "who holds those of start")
    who = call("exec", "--detach", "--pid-file", pid_file, t.id, "/probe", "sleep")
    t.equal(who, {int(t.read(pid_file))}, "who holds those of exec")
    os.kill(int(t.read(pid_file)), 9)
    ended(t, int(t.read(pid_file)))
    t.delete("--force")
    who = call("run", "--detach", "--bundle", t.bundle, "--pid-file", pid_file, t.id)
    t.equal(who, {int(t.read(pid_file))}, "who holds those of run --detach")
    t.delete("--force")
    for fd in kept:
        os.close(fd)


@requirement(16, "the container's process leads a session and a process group", "conmon --timeout")
def _(t):
    for spaces in (("pid", "mount"), ("mount",)):
        t.edit({"linux.namespaces": namespaces(*spaces), "hostname": ""})
        t.config.pop("hostname")
        t.config["mounts"] = [m for m in t.config["mounts"]
                              if m["destination"] not in ("/sys", "/dev/mqueue", "/sys/fs/cgroup")]
        t.expect(t.probe_result("report", "ids"),
                 {"sid": lambda sid: sid > 0, "pgrp": lambda pgrp: pgrp > 0})
        pid = started(t)
        r, other = Shim(t).exec(process_of("/probe", "sleep"))
        found = [(os.getsid(p), os.getpgid(p)) for p in (pid, other)]
        os.kill(other, 9)
        ended(t, other)
        t.delete("--force")
        t.equal((r.rc, found), (0, [(p, p) for p in (pid, other)]), "session and group")


# --- killed in the middle ---------------------------------------------------------------------

@requirement(17, "delete --force removes what a create leaves that was killed at any moment",
             "shim (parent-death signal), podman")
def _(t):
    t.probe("sleep")
    t.write_config()
    words = t.command("create", "--bundle", t.bundle, t.id)
    began = time.monotonic()
    t.start_command("create", "--bundle", t.bundle, t.id)
    whole = time.monotonic() - began
    t.delete("--force")
    wrong = []
    for step in range(16):
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=t.output.writer,
                              stderr=subprocess.DEVNULL) as p:
            time.sleep(whole * step / 15)  # the moment is what is varied
            p.kill()
        r = t.cleat("delete", "--force", t.id)
        if r.rc:
            wrong.append(str(r))
        wrong += [f"after {step}/15: cgroup {path}" for path in cgroups.named(t.id)]
        if os.path.exists(f"{t.root}/{t.id}"):
            wrong.append(f"after {step}/15: the state")
        if wrong:
            break
    t.check(not wrong, "\n".join(wrong))


# --- what it inherits -------------------------------------------------------------------------

def _hostile():
    for number in (signal.SIGPIPE, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD,
                                              signal.SIGWINCH, 40})


@requirement(18, "no signal is ignored or blocked in the container, whatever was in the caller",
             "podman, containerd under nohup")
def _(t):
    want = {"signals_ignored": [], "signals_blocked": []}
    t.probe("report", "signals")
    t.expect(t.run_probe(preexec_fn=_hostile), want)
    started(t)
    r = t.ok("exec", t.id, "/probe", "report", "signals", preexec_fn=_hostile)
    t.delete("--force")
    t.expect(t.decode(r.out), want)


def _leak(t):
    """Descriptors as the callers have them: a socket at 3, and some of a shell's."""
    s = socket.socket(socket.AF_UNIX)
    s.bind(f"{t.dir}/leak-{len(os.listdir(t.dir))}.sock")
    opened = [os.dup2(os.open("/etc/passwd", os.O_RDONLY), n) for n in (40, 51, 210)]
    fds = [s.detach(), *opened]
    for fd in fds:
        os.set_inheritable(fd, True)
    return fds


@requirement(19, "the container has descriptors 0, 1 and 2 only, though the runtime was given more, "
             "also at 3", "all")
def _(t):
    fds = _leak(t)
    try:
        t.probe("report", "descriptors")
        report = t.run_probe(pass_fds=fds)
        t.equal(sorted(report["descriptors"]), ["0", "1", "2"], "the descriptors")
        t.probe("sleep")
        r = Shim(t).create(leak=fds)
        t.check(r.rc == 0, f"create: {r}")
        t.ok("start", t.id)
        r = t.ok("exec", t.id, "/probe", "report", "descriptors", pass_fds=fds)
        t.equal(sorted(t.decode(r.out)["descriptors"]), ["0", "1", "2"], "those of exec")
    finally:
        for fd in fds:
            os.close(fd)
        t.cleat("delete", "--force", t.id)


def _given(t, options, opened, environ=""):
    """The descriptors, and the environment, of a container whose runtime had these open."""
    t.probe("report", "descriptors", "place")
    t.write_config()
    opens = " ".join(f"{n}>{t.dir}/fd{n}" for n in opened)
    p = subprocess.run(["sh", "-c", f'{environ} exec "$@" {opens}', "sh",
                        *t.command("run", *options, "--bundle", t.bundle, t.id)],
                       capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if p.returncode:
        raise Failed(f"{' '.join(options)}: {p.stderr}")
    report = t.decode(p.stdout)
    return sorted(map(int, report["descriptors"])), report["env"]


@requirement(20, "--preserve-fds N hands on 3 to N+2, those that were open only; LISTEN_FDS alike, "
             "with LISTEN_PID 1", "podman")
def _(t):
    t.equal(_given(t, ["--preserve-fds", "2"], [3, 4, 5])[0], [0, 1, 2, 3, 4], "with two of three")
    fds, env = _given(t, [], [3, 4], "export LISTEN_PID=$$ LISTEN_FDS=2;")
    t.equal(fds, [0, 1, 2, 3, 4], "with LISTEN_FDS")
    t.check("LISTEN_FDS=2" in env and "LISTEN_PID=1" in env, f"LISTEN_FDS and LISTEN_PID: {env}")
    fds, env = _given(t, ["--preserve-fds=1"], [3, 4], "export LISTEN_PID=$$ LISTEN_FDS=1;")
    t.equal((fds, "LISTEN_FDS=1" in env), ([0, 1, 2, 3, 4], True), "with both")
    fds, env = _given(t, [], [3, 4], "export LISTEN_PID=1 LISTEN_FDS=2;")
    t.equal((fds, [x for x in env if x.startswith("LISTEN")]), ([0, 1, 2], []), "for another")
    try:
        t.equal(_given(t, ["--preserve-fds", "9"], [3])[0], [0, 1, 2, 3], "with one of nine")
    except Failed as e:
        t.check("descriptor" in str(e) or "preserve" in str(e), str(e))


@requirement(21, "nothing of the runtime's environment reaches the container", "all")
def _(t):
    t.edit({"process.env": ["HOME=/", "PATH=/", "ONLY=this"]})
    t.probe("report", "place")
    for caller in (Shim(t), Conmon(t)):
        t.equal(sorted(t.run_probe(env=caller.env)["env"]), sorted(t.config["process"]["env"]),
                "the environment")
    started(t)
    env = t.decode(t.ok("exec", t.id, "/probe", "report", "place", env=Shim(t).env).out)["env"]
    t.delete("--force")
    t.equal(sorted(env), sorted(t.config["process"]["env"]), "that of exec")


def _modes(t, top):
    found = {}
    for path, names, files in os.walk(top):
        for name in names + files:
            full = os.path.join(path, name)
            found[os.path.relpath(full, top)] = oct(os.lstat(full).st_mode)
    return found


@requirement(22, "the caller's umask decides no mode: devices, mount points, state, pid file; the "
             "container's is the specification's, else 022", "all")
def _(t):
    seen = []
    t.edit({"process.cwd": "/made/here",
            "+mounts": [{"destination": "/new/dir", "type": "tmpfs", "source": "tmpfs"},
                        {"destination": "/file", "type": "bind", "source": "/etc/passwd",
                         "options": ["bind", "ro"]}]})
    for mask in (0o022, 0, 0o077):
        t.probe("report", "place", "devices")
        t.write_config()
        pid_file, log = f"{t.dir}/pid{mask}", f"{t.dir}/log{mask}"
        t.globals = ["--log", log]
        t.start_command("create", "--bundle", t.bundle, "--pid-file", pid_file, t.id,
                        preexec_fn=lambda mask=mask: os.umask(mask))
        state = _modes(t, t.root)
        pid = t.state()["pid"]
        before = len(t.out())
        t.ok("start", t.id)
        ended(t, pid)
        report = t.decode(t.out()[before:])
        t.delete()
        t.equal(report["umask"], 0o022, "the container's umask")
        devices = {k: (v["type"], v["mode"]) for k, v in report["dev"].items()}
        seen.append((oct(os.stat(pid_file).st_mode), oct(os.stat(log).st_mode), state, devices,
                     [oct(os.stat(f"{t.rootfs}/{n}").st_mode)
                      for n in ("made", "made/here", "new", "new/dir", "file")]))
        for name in ("made/here", "made", "new/dir", "new"):
            os.rmdir(f"{t.rootfs}/{name}")
        os.unlink(f"{t.rootfs}/file")
    for mask, other in zip((0, 0o077), seen[1:]):
        for what, first, second in zip(("pid file", "log", "state", "devices", "places"), seen[0],
                                       other):
            t.equal(second, first, f"{what} under umask {mask:#o}")
    t.edit({"process.user.umask": 0o027})
    t.equal(t.probe_result("report", "place")["umask"], 0o027, "the umask that was asked for")


@requirement(23, "stdout and stderr that are read-only or closed make nothing fail",
             "go-runc NullIO")
def _(t):
    shim = Shim(t)
    t.probe("sleep")

    def nothing(*words):
        streams = shim.null_io()
        try:
            r = shim.call(*words, **streams)
        finally:
            os.close(streams["stdin"])
        t.check(r.rc == 0, f"{words[0]} with read-only streams: {r.rc} {shim.last_error()}")
    r = shim.create()
    t.check(r.rc == 0, f"create with read-only streams: {r.rc}")
    for words in (["start", t.id], ["exec", t.id, "/probe", "exit", "0"], ["kill", t.id, "9"]):
        nothing(*words)
    ended(t, shim.pid())
    nothing("delete", t.id)
    for closed in ("1>&-", "2>&-", "0<&- 1>&- 2>&-"):
        for words in (["create", "--bundle", t.bundle, t.id], ["start", t.id],
                      ["kill", t.id, "KILL"], ["delete", "--force", t.id]):
            p = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *t.command(*words)],
                               stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False,
                               stdout=t.output.writer, stderr=subprocess.DEVNULL)
            t.equal(p.returncode, 0, f"status of {words[0]} with {closed}")


@requirement(24, "create, start, pause, resume, update, kill and delete print nothing when they "
             "succeed", "podman, go-runc")
def _(t):
    t.probe("ignore-term")
    t.write_config()
    r = Conmon(t).create()
    t.check((r.rc, r.err, t.read(f"{t.dir}/conmon.out")) == (0, "", ""), f"create: {r}")
    for words in (["start", t.id], ["pause", t.id], ["resume", t.id], ["kill", t.id, "TERM"]):
        quiet(t, *words)
    quiet(t, "update", "-r", "-", t.id, text="{}")
    quiet(t, "kill", t.id, "KILL")
    quiet(t, "delete", "--force", t.id)
    r = BuildKit(t).call("run", "--detach", "--bundle", t.bundle, t.id, stdout=t.output.writer)
    t.check((r.rc, r.err) == (0, ""), f"run --detach: {r}")
    quiet(t, "delete", "--force", t.id, env=environment())
    gone(t)
