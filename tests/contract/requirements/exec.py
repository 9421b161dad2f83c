# SPDX-License-Identifier: Apache-2.0
"""71 to 77: exec, and run in the foreground."""
import os
import signal
import time

from callers import BuildKit, Conmon, Listener, Shim, process_of
from contract import created, ended, gone, kill_and_wait, refused, requirement, started, stopped
from frame import cgroups
from frame.case import Skip
from frame.trial import TIMEOUT


def _reported(t, *words, **more):
    return t.decode(t.ok("exec", *words, "/probe", "report", "ids", "place", **more).out)


@requirement(71, "exec takes --process FILE, read before it returns, or a command with --tty, --cwd, "
             "--env, --user, --detach, --pid-file, --console-socket, --preserve-fds, long or short",
             "go-runc, conmon, conmon-rs")
def _(t):
    started(t)
    r, pid = Shim(t).exec(process_of("/probe", "exit", "7", user={"uid": 3, "gid": 4}))
    t.check(r.rc == 0, f"with the process in a file: {r.rc}")
    t.equal(ended(t, pid), 7, "the status")
    r = Conmon(t).exec(process_of("/probe", "exit", "8"))
    t.check(r.rc == 0, f"conmon's exec: {r}")
    t.equal(ended(t, int(t.read(f"{t.dir}/exec.pid"))), 8, "the status")
    for words in (["--cwd", "/tmp", "--env", "A=1", "--user", "5:6"],
                  ["--cwd=/tmp", "-e", "A=1", "-u", "5:6"],
                  ["-cwd", "/tmp", "-env=A=1", "-user=5:6", "--preserve-fds", "0"]):
        report = _reported(t, *words, t.id)
        t.equal((report["cwd"], report["uids"][0], report["gids"][0], "A=1" in report["env"]),
                ("/tmp", 5, 6, True), f"with {words}")
    listener = Listener(t)
    r = t.start_command("exec", "-d", "-t", "--console-socket", listener.path, "--pid-file",
                        f"{t.dir}/pid", t.id, "/probe", "sleep")
    fd = listener.receive()
    pid = int(t.read(f"{t.dir}/pid"))
    t.equal(os.readlink(f"/proc/{pid}/fd/0"), "/dev/pts/0", "its standard input")
    os.kill(pid, 9)
    ended(t, pid)
    os.close(fd)
    t.delete("--force")


@requirement(72, "exec works in a created container; in a stopped one it is refused with 'container "
             "not running', in a paused one with a reason", "shim, CRI-O")
def _(t):
    pid = created(t)
    t.equal(t.ok("exec", t.id, "/probe", "say", "ran").out, "ran\n", "the output")
    t.ok("start", t.id)
    t.ok("pause", t.id)
    refused(t, "pause", "exec", t.id, "/probe", "exit", "0")
    t.ok("resume", t.id)
    kill_and_wait(t, pid)
    refused(t, "container not running", "exec", t.id, "/probe", "exit", "0")
    t.delete()
    stopped(t)
    r, pid = Shim(t).exec(process_of("/probe", "exit", "0"))
    t.check(r.rc != 0 and pid == 0, f"the shim's exec in a stopped one: {r.rc}, pid {pid}")
    t.delete()


@requirement(73, "run and exec in the foreground return the process's status, 128+n for a signal; "
             "what fails before is never 0", "BuildKit, CRI-O streaming exec")
def _(t):
    for words, status in ((("exit", "0"), 0), (("exit", "42"), 42), (("exit", "255"), 255),
                          (("kill", "15"), 143)):
        t.probe(*words)
        t.equal(t.run().rc, status, f"the status of run {' '.join(words)}")
    started(t)
    for words, status in ((("exit", "0"), 0), (("exit", "42"), 42), (("kill", "15"), 143),
                          (("kill", "9"), 137)):
        t.equal(t.cleat("exec", t.id, "/probe", *words).rc, status,
                f"the status of exec {' '.join(words)}")
    t.check(t.cleat("exec", t.id, "/nope").rc in (126, 127, 255), "the status of a missing one")
    t.delete("--force")
    t.args("/nope")
    t.check(t.run().rc != 0, "a run that fails")


FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1,
             signal.SIGUSR2)


@requirement(74, "run and exec in the foreground hand TERM, INT, HUP, QUIT, USR1 and USR2 on (27 has "
             "WINCH)", "BuildKit")
def _(t):
    buildkit = BuildKit(t)
    started(t)
    for name in ("exec", "run"):
        for number in FORWARDED:
            t.output.text = ""
            with buildkit.run() if name == "run" else buildkit.exec(process_of("/probe", "sleep")) as p:
                t.wait_for_line("ready")
                p.send_signal(number)
                t.equal(p.wait(TIMEOUT), 128 + number, f"{name}'s status with {number!r}")
        t.cleat("delete", "--force", t.id)


def _places(pid):
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as f:
        return f.read()


@requirement(75, "exec lands in the container's cgroup; where cgroup v2 refuses that, in the one init "
             "is in now", "conmon, dockerd, users of crun")
def _(t):
    pid = started(t)
    _, other = Shim(t).exec(process_of("/probe", "sleep"))
    found = (_places(other), _places(pid))
    os.kill(other, 9)
    ended(t, other)
    t.equal(found[0], found[1], "the cgroups")
    top = cgroups.v2_root()
    if not top or not t.read(f"{top}/{t.id}/cgroup.controllers").split():
        t.delete("--force")
        raise Skip("no controller of cgroup v2 to turn on: the second half cannot be tried")
    controller = t.read(f"{top}/{t.id}/cgroup.controllers").split()[0]
    os.mkdir(f"{top}/{t.id}/inner")
    t.write(f"{top}/{t.id}/inner/cgroup.procs", str(pid))
    t.write(f"{top}/{t.id}/cgroup.subtree_control", "+" + controller)
    r, other = Shim(t).exec(process_of("/probe", "sleep"))
    found = other and _places(other)
    if other:
        os.kill(other, 9)
        ended(t, other)
    t.delete("--force")
    t.check(r.rc == 0, f"exec where the container has cgroups of its own: {r.rc}")
    t.check(f"0::/{t.id}/inner" in found, f"it landed in {found}")


@requirement(76, "exec of a missing command fails with the words of 32 and leaves no pid file",
             "podman, CRI-O")
def _(t):
    started(t)
    for name, words in (("nope", r"executable file not found in \$PATH"),
                        ("/nope", "no such file or directory"), ("/etc", "permission denied|is a directory")):
        for caller in (Shim(t), Conmon(t)):
            r = caller.exec(process_of(name))
            r = r[0] if isinstance(r, tuple) else r
            t.check(r.rc != 0, f"exec of '{name}' should have failed")
            t.check(not os.path.exists(f"{t.dir}/exec.pid")
                    and not os.path.exists(f"{t.bundle}/exec.pid"), "there is a pid file")
        refused(t, words, "exec", "--pid-file", f"{t.dir}/pid", t.id, name)
        t.check(not os.path.exists(f"{t.dir}/pid"), "there is a pid file")
    t.delete("--force")


@requirement(77, "run --keep leaves state and cgroup until delete; without it run removes both",
             "BuildKit")
def _(t):
    buildkit = BuildKit(t)
    t.probe("exit", "3")
    with buildkit.run("--keep") as p:
        t.equal((p.wait(TIMEOUT), p.stderr.read()), (3, b""), "status and stderr of run --keep")
    t.equal(buildkit.ok("state", t.id).out.count('"stopped"'), 1, "how often it is stopped")
    if cgroups.v2_root():
        t.check(os.path.exists(f"{cgroups.v2_root()}/{t.id}/cgroup.events"), "the cgroup is gone")
    buildkit.ok("delete", t.id)
    gone(t)
    t.probe("sleep")
    with buildkit.run("--keep") as p:  # a debug shell waits for it, by state
        end = time.monotonic() + TIMEOUT
        while '"running"' not in buildkit.call("state", t.id).out and time.monotonic() < end:
            time.sleep(0.01)
        with buildkit.exec(process_of("/probe", "exit", "5")) as second:
            t.equal(second.wait(TIMEOUT), 5, "the status of exec meanwhile")
        buildkit.ok("kill", t.id, "9")
        t.equal(p.wait(TIMEOUT), 137, "the status of run")
    buildkit.ok("delete", t.id)
    t.probe("exit", "4")
    with buildkit.run() as p:
        t.equal(p.wait(TIMEOUT), 4, "the status of run")
    gone(t)
    t.equal(cgroups.named(t.id), [], "cgroups that are left")
