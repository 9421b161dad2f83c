# SPDX-License-Identifier: Apache-2.0
"""create, state, start, kill, delete, list, run: each in every order."""
import json
import os
import re
import select
import shutil
import signal
import stat
import subprocess
import time

from frame import cgroups
from frame.case import Skip, case
from frame.config import namespaces
from frame.phases import created, paused, started, stopped, until
from frame.trial import TIMEOUT


# where, step, errno, its text; of middle, init before and after the gate, a process of exec
FAULTS = [("run", "clone-init", "ENOMEM", "cannot allocate memory"),
          ("run", "mounts", "EPERM", "operation not permitted"),
          ("run", "bounding-set", "ENOSPC", "no space left on device"),
          ("run", "capabilities", "EIO", "input/output error"),
          ("exec", "stdio", "EBADF", "bad file descriptor")]
STATES = {"created": created, "running": started, "paused": paused, "stopped": stopped}


@case("create, start, kill, delete")
def _(t):
    pid = created(t)
    t.expect(t.state(), {"status": "created", "id": t.id, "bundle": t.bundle, "pid": pid})
    t.equal(t.out(), "", "the output before start")
    t.ok("start", t.id)
    t.wait_for_line("ready")
    t.expect(t.state(), {"status": "running", "pid": pid})
    t.ok("kill", t.id, "TERM")
    t.equal(t.wait_for_end(pid), 128 + 15, "the status")
    t.expect(t.state(), {"status": "stopped", "pid": 0})
    t.delete()
    t.fails("does not exist", "state", t.id)
    t.equal(t.err(), "", "stderr of the container")


@case("run of a bundle's path: the container is named like its directory")
def _(t):
    """Who runs a bundle by hand says where it is; ids cannot hold a slash."""
    t.probe("sleep")
    t.write_config()
    os.rename(t.bundle, f"{t.dir}/{t.id}")
    try:
        t.start_command("create", f"./{t.id}/", cwd=t.dir)
        t.expect(t.state(), {"status": "created", "bundle": f"{t.dir}/{t.id}"})
        t.fails("already exists: '" + t.id, "run", f"{t.dir}/{t.id}/")
        t.delete("--force")
        t.fails("invalid character '/' in the container ID 'x/y'", "run", "--bundle", f"{t.dir}/{t.id}", "x/y")
        t.fails("invalid character '/' in the container ID 'x/y'", "run", "x/y", cwd=t.dir)
        t.fails("find the bundle 'x/': no such file", "run", "x/", cwd=t.dir)
    finally:
        os.rename(f"{t.dir}/{t.id}", t.bundle)


@case("the state has what callers read")
def _(t):
    t.edit({"annotations": {"a": "b"}})
    created(t)
    state = t.state()
    t.delete("--force")
    t.expect(state, {"ociVersion": lambda v: re.match(r"1\.\d+\.\d+", v or ""),
                     "rootfs": t.rootfs, "annotations": {"a": "b"}, "owner": "root",
                     "created": lambda c: re.match(
                         r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$", c or "")})


@case("annotations that are none")
def _(t):
    created(t)
    state = t.state()
    t.delete("--force")
    t.check(not state.get("annotations"), f"they are {state.get('annotations')}")


@case("a zombie is stopped")
def _(t):
    pid = created(t, "exit", "0")
    t.ok("start", t.id)
    # WNOWAIT leaves it a zombie
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    t.expect(t.state(), {"status": "stopped", "pid": 0})
    t.delete()


def zombie_of_exec(t):
    """The pid of an exec that has ended, and is not reaped before the case does it."""
    t.ok("exec", "--detach", "--pid-file", f"{t.dir}/pid", t.id, "/probe", "exit", "0")
    pid = int(t.read(f"{t.dir}/pid"))
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


def reap(t, zombie, pid, status):
    """Only now do both of them end for the kernel; init with @status."""
    t.equal(t.wait_for_end(zombie), 0, "the status of the zombie")
    t.equal(t.wait_for_end(pid), status, "the status of init")


@case("an init that waits for zombies of others is stopped")
def _(t):
    pid = started(t)
    zombie = zombie_of_exec(t)
    t.ok("kill", t.id, "KILL")
    until(t, "the end", lambda: t.state()["status"] == "stopped")
    t.expect(t.state(), {"status": "stopped", "pid": 0})
    t.fails("container not running", "kill", t.id, "KILL")
    t.fails("container not running", "exec", t.id, "/probe")
    t.delete()
    reap(t, zombie, pid, -9)


@case("zombies of others do not hold up delete --force")
def _(t):
    pid = started(t)
    zombie = zombie_of_exec(t)
    began = time.monotonic()
    t.delete("--force")
    t.check(time.monotonic() - began < 5, "it took too long")
    reap(t, zombie, pid, -9)


def holds_pidfd(pid):
    try:
        return any("[pidfd]" in os.readlink(f"/proc/{pid}/fd/{n}")
                   for n in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


@case("zombies of others do not hold up stop, nor who has waited")
def _(t):
    """They learn how it ended, too."""
    pid = started(t)
    zombie = zombie_of_exec(t)
    # pylint: disable-next=consider-using-with
    p = subprocess.Popen(t.command("wait", t.id), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(t, "wait", lambda: p.poll() is not None or holds_pidfd(p.pid))
        t.ok("stop", "--time", str(2 * TIMEOUT), t.id)
        t.equal(p.communicate(timeout=TIMEOUT), ("143\n", ""), "what wait prints")
    finally:
        p.kill()
        p.wait()
    t.expect(t.state(), {"status": "stopped", "pid": 0, "exit.status": 143})
    t.delete()
    reap(t, zombie, pid, 143)


@case("zombies of others do not hold up --record-exit")
def _(t):
    t.probe("sleep")
    t.write_config()
    t.start_command("run", "--detach", "--record-exit", "--bundle", t.bundle, t.id)
    t.wait_for_line("ready")
    pid, zombie = t.state()["pid"], zombie_of_exec(t)
    t.ok("kill", t.id, "TERM")
    until(t, "a record", lambda: "exit" in t.state())
    t.expect(t.state(), {"status": "stopped", "pid": 0, "exit.status": 143})
    t.delete()
    reap(t, zombie, pid, 143)


@case("zombies of others, when somebody has removed the cgroup that they left empty")
def _(t):
    """systemd does, of a scope."""
    pid = started(t)
    zombie = zombie_of_exec(t)
    t.ok("kill", t.id, "KILL")
    until(t, "the end", lambda: t.state()["status"] == "stopped")
    for path in cgroups.named(t.id):
        os.rmdir(path)
    t.expect(t.state(), {"status": "stopped", "pid": 0})
    t.equal(t.ok("wait", t.id).out, "137\n", "what wait prints")
    began = time.monotonic()
    t.delete("--force")
    t.check(time.monotonic() - began < 5, "it took too long")
    reap(t, zombie, pid, -9)


@case("wait, of one that zombies of others already keep")
def _(t):
    pid = started(t)
    zombie = zombie_of_exec(t)
    t.ok("kill", t.id, "TERM")
    until(t, "the end", lambda: t.state()["status"] == "stopped")
    t.equal(t.ok("wait", t.id).out, "143\n", "what it prints")
    t.delete()
    reap(t, zombie, pid, 143)


@case("a process that is killed from outside")
def _(t):
    pid = started(t)
    os.kill(pid, 9)
    t.equal(t.wait_for_end(pid), -9, "the status")
    t.equal(t.state()["status"], "stopped", "the status")
    t.delete()


for _how, _all in (("KILL", ()), ("KILL to all", ("--all",))):
    def _killed(t, options=_all):
        """The next command of a script comes sooner than the end of fifty processes."""
        for kinds in (("mount", "pid", "uts", "ipc", "network"), ("mount", "uts", "ipc", "network")):
            t.edit({"linux.namespaces": namespaces(*kinds)})
            for _ in range(3):
                pid = started(t, "children", "50")
                t.ok("kill", *options, t.id, "KILL")
                t.delete()
                t.equal(t.wait_for_end(pid), -9, "the status")
    case(f"delete right after {_how} waits for the end")(_killed)


ANSWERS = {  # (verb, state): None when it works, or the words of the refusal
    ("start", "created"): None,
    ("start", "running"): "cannot start an already running container",
    ("start", "stopped"): "cannot start",
    ("kill", "created"): None,
    ("kill", "running"): None,
    ("kill", "stopped"): "container not running",
    ("delete", "created"): None,
    ("delete", "running"): "that is not stopped",
    ("delete", "stopped"): None,
    ("delete --force", "created"): None,
    ("delete --force", "running"): None,
    ("delete --force", "stopped"): None,
    ("state", "created"): None,
    ("state", "running"): None,
    ("state", "stopped"): None,
    ("kill --all", "created"): None,
    ("kill --all", "running"): None,
    ("kill --all", "stopped"): None,
    ("start", "paused"): "cannot start a container in the paused state",
    ("kill", "paused"): None,
    ("delete", "paused"): "that is not stopped",
    ("delete --force", "paused"): None,
    ("state", "paused"): None,
    ("kill --all", "paused"): None,
    ("pause", "created"): None,
    ("pause", "running"): None,
    ("pause", "paused"): "container paused",
    ("pause", "stopped"): "container not running",
    ("resume", "created"): "container not paused",
    ("resume", "running"): "container not paused",
    ("resume", "paused"): None,
    ("resume", "stopped"): "container not paused",
    ("ps", "created"): None,
    ("ps", "running"): None,
    ("ps", "paused"): None,
    ("ps", "stopped"): None,
}

for (_verb, _state), _words in ANSWERS.items():
    def _order(t, verb=_verb, state=_state, words=_words):
        STATES[state](t)
        command = [*verb.split(), t.id] + (["KILL"] if verb.startswith("kill") else [])
        if words is None:
            t.ok(*command)
        else:
            t.fails(words, *command)
            t.equal(t.state()["status"], state, "the status after it")
        t.cleat("delete", "--force", t.id)
    case(f"{_verb} when {_state} {'works' if _words is None else 'is refused'}")(_order)

for _verb in ("state", "start", "kill", "delete", "pause", "resume", "ps"):
    def _unknown(t, verb=_verb):
        t.fails("does not exist", verb, t.id)
    case(f"{_verb} of an unknown container")(_unknown)


# --- signals -------------------------------------------------------------------------------

for _name in ("15", "TERM", "SIGTERM", "sigterm", "term"):
    def _signal(t, name=_name):
        pid = started(t)
        t.ok("kill", t.id, name)
        t.equal(t.wait_for_end(pid), 143, "the status")
        t.delete()
    case(f"kill with '{_name}'")(_signal)


@case("kill without a signal is TERM")
def _(t):
    pid = started(t)
    t.ok("kill", t.id)
    t.equal(t.wait_for_end(pid), 143, "the status")
    t.delete()


for _name, _number in (("HUP", 1), ("INT", 2), ("USR1", 10), ("RTMIN+1", 35), ("64", 64)):
    def _other(t, name=_name, number=_number):
        pid = started(t)
        t.ok("kill", t.id, name)
        t.equal(t.wait_for_end(pid), 128 + number, "the status")
        t.delete()
    case(f"kill with {_name}")(_other)


@case("kill with a bad name")
def _(t):
    pid = started(t)
    t.fails("NOSUCH", "kill", t.id, "NOSUCH")
    os.kill(pid, 0)
    t.delete("--force")


@case("kill --all reaches every process")
def _(t):
    pid = started(t, "children", "3")
    t.ok("kill", "--all", t.id, "KILL")
    t.equal(t.wait_for_end(pid), -9, "the status")
    t.check(not cgroups.processes("/" + t.id), "there is somebody left")
    t.delete()


@case("KILL of init without a pid namespace, and delete, leave nobody")
def _(t):
    t.edit({"linux.namespaces": namespaces("network", "ipc", "uts", "mount", "cgroup")})
    pid = started(t, "children", "3")
    t.ok("kill", t.id, "KILL")
    t.equal(t.wait_for_end(pid), -9, "the status")
    t.delete()
    t.check(not cgroups.processes("/" + t.id), "there is somebody left")


@case("delete --force without a pid namespace leaves nobody")
def _(t):
    t.edit({"linux.namespaces": namespaces("network", "ipc", "uts", "mount", "cgroup")})
    started(t, "children", "3")
    t.delete("--force")


@case("delete --force where its cgroup cannot be seen says so, and leaves the record")
def _(t):
    started(t)
    blind = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys/fs && exec "$@"', "sh"]
    r = subprocess.run([*blind, *t.command("delete", "--force", t.id)], capture_output=True,
                       text=True, timeout=TIMEOUT, check=False)
    t.check(r.returncode == 1 and "/sys/fs/cgroup" in r.stderr, f"{r}")
    t.equal(t.state()["status"], "stopped", "the status")
    t.delete()


@case("delete --force of one that ignores TERM")
def _(t):
    started(t, "ignore-term")
    t.delete("--force")


# --- pause, ps -------------------------------------------------------------------------------

@case("pause stops all processes, resume lets them go on")
def _(t):
    pid = started(t, "children", "2")
    t.ok("pause", t.id)
    t.equal(t.state()["status"], "paused", "the status")
    t.ok("kill", t.id, "TERM")
    # a frozen process does not get to its handler
    fd = os.pidfd_open(pid)
    went_on = select.select([fd], [], [], 0.2)[0]
    os.close(fd)
    t.check(not went_on, "it went on")
    t.ok("resume", t.id)
    t.equal(t.wait_for_end(pid), 143, "the status of the process")
    t.equal(t.state()["status"], "stopped", "the status")
    t.delete()


@case("ps tells the processes")
def _(t):
    pid = started(t, "children", "3")
    pids = json.loads(t.ok("ps", "--format", "json", t.id).out)
    table = t.ok("ps", t.id, "-ef").out
    t.delete("--force")
    t.check(pid in pids and len(pids) == 4, f"they are {pids}")
    t.check("PID" in table.splitlines()[0] and len(table.splitlines()) == 5, table)


@case("ps of a stopped container")
def _(t):
    stopped(t)
    text = t.ok("ps", "--format", "json", t.id).out
    t.delete()
    t.check(json.loads(text) in (None, []), text)


# --- names, records ------------------------------------------------------------------------

@case("an id that is taken")
def _(t):
    pid = started(t)
    t.write_config()
    r = t.cleat("create", "--bundle", t.bundle, t.id)
    t.check(r.rc != 0, f"create went well: {r}")
    t.check_message(r, "already exists")
    t.expect(t.state(), {"status": "running", "pid": pid})
    t.delete("--force")


for _id in ("", ".", "..", "a/b", "../x", "a b", ".hidden", "x" * 300, "a\nb"):
    def _bad(t, name=_id):
        t.write_config()
        r = t.cleat("create", "--bundle", t.bundle, name)
        t.check(r.rc != 0, f"create went well: {r}")
        t.equal(len(r.err.strip().splitlines()), 1, f"lines of {r}")
        t.check(not os.path.isdir(t.root) or not os.listdir(t.root), "something was made")
    case(f"the id {_id[:20]!r} is refused")(_bad)


@case("an id of all letters that are allowed")
def _(t):
    t.probe("sleep")
    t.write_config()
    name = t.id + "_A.b+c-9"
    t.start_command("create", "--bundle", t.bundle, name)
    t.equal(t.decode(t.ok("state", name).out)["id"], name, "the id")
    t.ok("delete", "--force", name)


@case("a pid file that cannot be written")
def _(t):
    t.write_config()
    r = t.cleat("create", "--pid-file", "/no/such/dir/pid", "--bundle", t.bundle, t.id)
    t.check(r.rc != 0, f"create went well: {r}")
    t.check_message(r, "/no/such/dir")


@case("a pid file that was there before a create or exec that fails")
def _(t):
    path = f"{t.dir}/x.pid"
    t.write(path, "4242")
    t.edit({"hooks": {"createRuntime": [{"path": "/bin/false", "args": ["false"]}]}})
    t.write_config()
    for command in ("create", "run"):
        t.fails("hook", command, "--pid-file", path, "--bundle", t.bundle, t.id)
        t.equal(t.read(path), "4242", f"what {command} leaves")
    t.edit({"hooks": {}})
    pid = started(t)
    t.fails("no such file", "exec", "--pid-file", path, t.id, "/nonexist")
    t.equal(t.read(path), "4242", "what exec leaves")
    t.delete("--force")
    t.create("--pid-file", path)
    t.check(t.read(path) not in ("4242", str(pid)), "it was not replaced")
    t.delete("--force")


@case("a pid file is not put in the place of a device, pipe, socket, link or directory")
def _(t):
    started(t)
    os.mknod(f"{t.dir}/device", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mkfifo(f"{t.dir}/pipe")
    os.symlink("/proc/self/fd/1", f"{t.dir}/link")
    os.mkdir(f"{t.dir}/directory")
    listener = t.listen("socket")[1]
    for name in ("device", "pipe", "link", "directory", "socket"):
        path = f"{t.dir}/{name}"
        before = os.lstat(path)
        for words in (("create", "--bundle", t.bundle, "--pid-file", path, t.id + "-2"),
                      ("exec", "--pid-file", path, t.id, "/probe", "exit", "0")):
            t.fails(f"pid file '{path}' would replace what is no regular file", *words)
            t.equal(os.lstat(path), before, f"what {words[0]} leaves")
    listener.close()
    t.delete("--force")


@case("list")
def _(t):
    created(t)
    text = t.ok("list").out
    rows = json.loads(t.ok("list", "--format", "json").out)
    t.delete("--force")
    t.check(t.id in text and "created" in text, text)
    t.equal([r["id"] for r in rows], [t.id], "the ids")
    t.expect(rows[0], {"status": "created", "bundle": t.bundle})


@case("list of nothing")
def _(t):
    os.mkdir(t.root, 0o700)
    t.check(json.loads(t.ok("list", "--format", "json").out) in (None, []), "something")


@case("list of a broken record")
def _(t):
    created(t)
    os.mkdir(f"{t.root}/broken", 0o700)
    t.write(f"{t.root}/broken/state.json", "{")
    r = t.cleat("list", "--format", "json")
    t.cleat("delete", "--force", "broken")
    t.delete("--force")
    t.check(t.id in r.out and r.rc == 0, f"{r}")


@case("the state directory is closed to others")
def _(t):
    created(t)
    modes = {p: stat.S_IMODE(os.stat(p).st_mode) for p in (t.root, f"{t.root}/{t.id}")}
    t.delete("--force")
    t.check(all(not m & 0o077 for m in modes.values()), str(modes))


@case("the configuration may change after create")
def _(t):
    created(t, "say", "first")
    t.probe("say", "second")
    t.write_config()
    pid = t.state()["pid"]
    t.ok("start", t.id)
    t.wait_for_end(pid)
    t.equal(t.out(), "first\n", "the output")
    t.delete()


@case("the bundle may be gone at delete")
def _(t):
    created(t)
    os.rename(t.bundle, t.bundle + "-gone")
    t.ok("delete", "--force", t.id)


# --- processes -----------------------------------------------------------------------------

@case("init is the caller's child when create returns")
def _(t):
    pid = created(t)
    status = t.read(f"/proc/{pid}/status")
    parent = int(re.search(r"PPid:\t(\d+)", status)[1])
    t.delete("--force")
    t.equal(parent, os.getpid(), "the parent")


@case("a created container holds nothing of the host")
def _(t):
    pid = created(t)
    fds = {n: os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")}
    t.delete("--force")
    others = {n: f for n, f in fds.items() if int(n) > 2 and not f.startswith("socket:")}
    t.equal(others, {}, "the descriptors")


@case("a created container does not show the caller's environment")
def _(t):
    """Who shares its pid namespace may have the right to trace it."""
    t.probe("sleep")
    t.create(env={**os.environ, "TOKEN": "of-the-caller"})
    text = t.read(f"/proc/{t.state()['pid']}/environ")
    t.delete("--force")
    t.equal("of-the-caller" in text, False, "whether the caller's variable is there")


@case("the program of a created container cannot be written")
def _(t):
    pid = created(t)
    # on a read-only mount of its own, or sealed; ETXTBSY holds only as long as it runs
    readonly = os.statvfs(f"/proc/{pid}/exe").f_flag & os.ST_RDONLY
    sealed = "memfd:" in os.readlink(f"/proc/{pid}/exe")
    t.delete("--force")
    t.check(readonly or sealed, "it can be")


@case("the program of a created container cannot be written when its mount can be again")
def _(t):
    """A host that is read-only is made writable for an update, while descriptors are kept."""
    place = os.path.join(t.dir, "place")
    os.mkdir(place)
    shutil.copy2(t.cleat_path, place)
    subprocess.run(["mount", "--bind", place, place], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
        t.cleat_path = os.path.join(place, os.path.basename(t.cleat_path))
        pid = created(t)
        subprocess.run(["mount", "-o", "remount,rw,bind", place], check=True)
        readonly = os.statvfs(f"/proc/{pid}/exe").f_flag & os.ST_RDONLY
        sealed = "memfd:" in os.readlink(f"/proc/{pid}/exe")
        t.delete("--force")
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
    t.check(readonly or sealed, "it can be")


@case("run --detach")
def _(t):
    t.probe("sleep")
    t.write_config()
    t.start_command("run", "--detach", "--bundle", t.bundle, t.id)
    t.wait_for_line("ready")
    t.equal(t.state()["status"], "running", "the status")
    t.delete("--force")


@case("run --keep")
def _(t):
    t.probe("exit", "5")
    t.equal(t.run("--keep").rc, 5, "the status")
    t.equal(t.state()["status"], "stopped", "the status")
    t.delete()


@case("run removes what it made")
def _(t):
    t.probe("exit", "0")
    t.equal(t.run().rc, 0, "the status")
    t.fails("does not exist", "state", t.id)


for _name in ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2"):
    def _forward(t, name=_name):
        t.probe("sleep")
        p = t.foreground()
        t.wait_for_line("ready")
        number = getattr(signal, "SIG" + name)
        p.send_signal(number)
        _, err = p.communicate(timeout=TIMEOUT)
        t.equal((p.returncode, err), (128 + number, b""), "status and stderr")
    case(f"run hands {_name} on")(_forward)


@case("a foreground run that is killed leaves what delete --force removes")
def _(t):
    t.probe("sleep")
    p = t.foreground()
    t.wait_for_line("ready")
    p.kill()
    p.wait()
    p.stderr.close()
    t.delete("--force")


@case("two hundred starts in a row")
def _(t):
    t.probe("exit", "0")
    t.write_config()
    for _ in range(200):
        r = t.cleat("run", "--bundle", t.bundle, t.id)
        t.check(r.rc == 0 and not r.err, f"{r}")


@case("eight starts at once")
def _(t):
    t.probe("exit", "0")
    t.edit({"linux.cgroupsPath": f"/{t.id}/x"})
    configs, processes = [], []
    for i in range(8):
        t.edit({"linux.cgroupsPath": f"/{t.id}-{i}"})
        configs.append(f"{t.bundle}/config-{i}.json")
        t.write(configs[-1], json.dumps(t.config))
    for i, path in enumerate(configs):
        processes.append(subprocess.Popen(
            t.command("run", "--bundle", t.bundle, "--config", path, f"{t.id}-{i}"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    results = [(p.communicate(timeout=TIMEOUT), p.returncode) for p in processes]
    t.equal(results, [((b"", b""), 0)] * 8, "the results")


@case("the same id at once: one wins")
def _(t):
    t.probe("exit", "0")
    t.write_config()
    processes = [subprocess.Popen(
        t.command("run", "--bundle", t.bundle, t.id), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    results = [(p.communicate(timeout=TIMEOUT)[1], p.returncode) for p in processes]
    t.check(any(rc == 0 for _, rc in results), f"none: {results}")
    t.check(all(rc == 0 or "already exists" in err for err, rc in results), f"{results}")


@case("a step fails on request, in a build for that")
def _(t):
    with open(t.cleat_path, "rb") as f:
        if b"CLEAT_FAIL" not in f.read():
            raise Skip("a build without --enable-debug")
    for command, step, name, text in FAULTS:
        env = {**os.environ, "CLEAT_FAIL": f"{step}:{name}"}
        said = f"^cleat: injected failure '{step}': {text}$"
        if command == "run":
            t.probe("exit", "0")
            t.write_config()
            t.fails(said, "run", "--bundle", t.bundle, t.id, env=env)
        else:
            started(t)
            t.fails(said, "exec", t.id, "/probe", "exit", "0", env=env)
            t.ok("exec", t.id, "/probe", "exit", "0")
            t.delete("--force")
