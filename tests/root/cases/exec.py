# SPDX-License-Identifier: Apache-2.0
"""exec: a further process of a container that runs."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading

from frame import cgroups
from frame.case import Skip, case
from frame.config import caps, mask, user_namespace
from frame.phases import created, further, started
from frame.trial import TIMEOUT

PID_FILE = "exec.pid"


def report(t, *options, program=("/probe",), **more):
    return further(t, *options, t.id, *program, **more)


def end(t, pid):
    """A detached process is ours to reap: init waits for that before it ends."""
    os.kill(pid, signal.SIGKILL)
    t.wait_for_end(pid)
    t.delete("--force")


def options_row(name, options, expected, edits=None):
    def function(t):
        started(t, edits=edits)
        t.expect(report(t, *options), expected)
        t.delete("--force")
    case(name)(function)


options_row("defaults are the container's own", (), {
    "uids": [0, 0, 0, 0], "cwd": "/work", "no_new_privs": 1,
    "hostname": "inside"},
    {"process.cwd": "/work", "process.noNewPrivileges": True, "hostname": "inside"})
options_row("--user", ("--user", "1000:100"), {"uids": [1000] * 4, "gids": [100] * 4})
options_row("--user without a group", ("-u", "7"), {"uids": [7] * 4, "gids": [0] * 4})
options_row("--cwd", ("--cwd", "/tmp"), {"cwd": "/tmp"})
options_row("--additional-gids", ("-g", "5", "--additional-gids", "6"), {"groups": [5, 6]})
options_row("--env is added and the later one wins",
            ("-e", "A=1", "--env", "B=2", "-e", "A=3"),
            {"env": lambda env: "A=3" in env and "B=2" in env and "A=1" not in env
             and "FIRST=1" in env},
            {"+process.env": ["FIRST=1"]})
options_row("--cap", ("--cap", "CAP_SYS_TIME"),
            {"status.CapEff": lambda mask: int(mask, 16) >> 25 & 1})
options_row("--cap reaches a user where it is inheritable",
            ("-u", "7", "--cap", "CAP_SYSLOG", "--cap", "CAP_KILL"),
            {"capabilities.effective": mask("SYSLOG"), "capabilities.ambient": mask("SYSLOG"),
             "capabilities.bounding": mask("SYSLOG", "KILL")},
            {"process.capabilities": caps("SYSLOG", sets=("inheritable",))})


@case("--user-name")
def _(t):
    t.write(f"{t.rootfs}/etc/passwd", "root:x:0:0::/:\nweb:x:33:34::/srv/web:\n")
    t.write(f"{t.rootfs}/etc/group", "www:x:34:\ntls:x:50:root,web\nlogs:x:53:web\n")
    started(t)
    t.expect(report(t, "--user-name", "web"), {
        "uids": [33] * 4, "gids": [34] * 4, "groups": [50, 53],
        "env": lambda env: "HOME=/srv/web" in env})
    t.expect(report(t, "--user-name", "web:tls", "-g", "7"),
             {"uids": [33] * 4, "gids": [50] * 4, "groups": [7]})
    t.fails("^cleat: user 'nobody' is not in the container's /etc/passwd$",
            "exec", "--user-name", "nobody", t.id, "/probe")
    t.fails("option '--user' needs UID", "exec", "--user", "web", t.id, "/probe")
    t.fails("exclude each other", "exec", "-u", "1", "--user-name", "web", t.id, "/probe")
    t.delete("--force")


@case("--user-name where passwd is a link out of the root")
def _(t):
    t.write(f"{t.dir}/accounts", "web:x:33:34::/srv/web:\n")
    os.symlink(f"{t.dir}/accounts", f"{t.rootfs}/etc/passwd")
    started(t)
    t.fails("user 'web' is not in", "exec", "--user-name", "web", t.id, "/probe")
    t.delete("--force")


@case("--user-name does not open what is no file")
def _(t):
    """On the host a device of the container's would be anybody's: opening can do something."""
    started(t)
    for name in ("passwd", "group"):
        path = f"{t.rootfs}/etc/{name}"
        os.mkfifo(path)
        # waits in open until somebody opens it for reading
        writer = threading.Thread(target=os.open, args=(path, os.O_WRONLY), daemon=True)
        writer.start()
        t.fails(" is not in the container's /etc/" + name, "exec", "--user-name", "web:tls", t.id,
                "/probe")
        writer.join(0.3)
        t.check(writer.is_alive(), f"/etc/{name} was opened")
        os.close(os.open(path, os.O_RDONLY))
        writer.join()
        os.unlink(path)
        t.write(path, "web:x:33:34::/srv/web:\n")
    t.delete("--force")


@case("it is in the container's namespaces and cgroup")
def _(t):
    pid = started(t)
    t.start_command("exec", "--detach", "--pid-file", f"{t.dir}/{PID_FILE}", t.id, "/probe",
                    "sleep")
    other = int(t.read(f"{t.dir}/{PID_FILE}"))
    for name in ("mnt", "pid", "net", "ipc", "uts", "cgroup", "user"):
        t.equal(os.readlink(f"/proc/{other}/ns/{name}"), os.readlink(f"/proc/{pid}/ns/{name}"),
                name)
    t.equal(t.read(f"/proc/{other}/cgroup"), t.read(f"/proc/{pid}/cgroup"), "the cgroups")
    end(t, other)


@case("it is in the container's user namespace")
def _(t):
    pid = started(t, edits=user_namespace())
    t.expect(report(t), {"uids": [0] * 4})
    t.start_command("exec", "-d", "--pid-file", f"{t.dir}/{PID_FILE}", t.id, "/probe", "sleep")
    other = int(t.read(f"{t.dir}/{PID_FILE}"))
    t.equal(os.readlink(f"/proc/{other}/ns/user"), os.readlink(f"/proc/{pid}/ns/user"), "user")
    end(t, other)


@case("--process FILE, which may be removed at once")
def _(t):
    started(t)
    path = f"{t.dir}/process.json"
    t.write(path, json.dumps({"args": ["/probe"], "cwd": "/tmp", "user": {"uid": 3, "gid": 4},
                              "env": ["ONLY=this"]}))
    t.expect(report(t, "--process", path, program=()), {"uids": [3] * 4, "gids": [4] * 4,
                                                        "cwd": "/tmp"})
    t.delete("--force")


@case("--process FILE that is silent on what confines the container")
def _(t):
    started(t, edits={"process.capabilities": caps("KILL", "CHOWN"), "process.oomScoreAdj": 321})
    silent = {"args": ["/probe"], "cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["A=1"]}
    for more, want in (({}, (mask("KILL", "CHOWN"), "321")),
                       ({"capabilities": caps("KILL"), "oomScoreAdj": 400}, (mask("KILL"), "400"))):
        found = report(t, "--process", "-", program=(), text=json.dumps({**silent, **more}))
        t.equal((int(found["status"]["CapEff"], 16), found["oom_score_adj"]), want, str(more))
    t.delete("--force")


@case("--process FILE that is silent on limits, processors and priorities")
def _(t):
    cpu = max(os.sched_getaffinity(0))
    started(t, edits={
        "process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 78}],
        "process.scheduler": {"policy": "SCHED_BATCH", "nice": 5},
        "process.ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 0},
        "process.execCPUAffinity": {"initial": str(cpu), "final": str(cpu)}})
    text = json.dumps({"args": ["/probe"], "cwd": "/", "rlimits": []})
    t.expect(report(t, "--process", "-", program=(), text=text), {
        "rlimits.NOFILE": [77, 78], "scheduler.policy": 3, "scheduler.nice": 5,
        "ioprio": 3 << 13, "affinity": [cpu]})
    t.delete("--force")


@case("--process -")
def _(t):
    started(t)
    text = json.dumps({"args": ["/probe"], "cwd": "/", "user": {"uid": 9, "gid": 9}})
    t.expect(report(t, "--process", "-", program=(), text=text), {"uids": [9] * 4})
    t.delete("--force")


@case("a signal ends exec while it waits for its --process")
def _(t):
    started(t)
    fifo = f"{t.dir}/fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(t.command("exec", "--process", fifo, t.id)) as p:
        with open(fifo, "w", encoding="ascii"):  # waits until it has been opened for reading
            p.terminate()
            try:
                t.equal(p.wait(TIMEOUT), -signal.SIGTERM, "the status")
            finally:
                p.kill()
    t.delete("--force")


@case("a working directory that is missing is not made, and said to be missing")
def _(t):
    started(t)
    t.fails("enter the working directory '/nowhere': no such file or directory",
            "exec", "--cwd", "/nowhere", t.id, "/probe")
    t.check(not os.path.exists(f"{t.rootfs}/nowhere"), "it was made")
    t.delete("--force")


@case("a broken --process names the place")
def _(t):
    started(t)
    path = f"{t.dir}/process.json"
    t.write(path, '{"args": ["/probe"],\n "cwd": 7}')
    t.fails(r"process\.json:2:\d+: cwd", "exec", "--process", path, t.id)
    t.delete("--force")


for _words, _status in ((("exit", "0"), 0), (("exit", "42"), 42), (("kill", "15"), 143)):
    def _ends(t, words=_words, status=_status):
        started(t)
        t.equal(t.cleat("exec", t.id, "/probe", *words).rc, status, "the status")
        t.delete("--force")
    case(f"the status of {' '.join(_words)} is {_status}")(_ends)


for _program, _pattern in (("nope", r'exec: "nope": executable file not found in \$PATH'),
                           ("/nope", "no such file or directory"),
                           ("/tmp", "permission denied")):
    def _missing(t, program=_program, pattern=_pattern):
        started(t)
        r = t.fails(pattern, "exec", t.id, program)
        t.equal(r.rc, 255, "the status")
        t.delete("--force")
    case(f"a program that cannot be executed: {_program}")(_missing)


@case("a container that is created only")
def _(t):
    t.probe("sleep")
    t.create()
    t.expect(report(t), {"uids": [0] * 4})
    t.ok("start", t.id)
    t.delete("--force")


@case("a container that has stopped")
def _(t):
    t.probe("exit", "0")
    t.create()
    pid = t.state()["pid"]
    t.ok("start", t.id)
    t.wait_for_end(pid)
    t.fails("container not running: cannot exec in a stopped container", "exec", t.id, "/probe")
    t.delete()


@case("a container that is none")
def _(t):
    r = t.fails("does not exist", "exec", t.id, "/probe")
    t.equal(r.rc, 255, "the status")


@contextlib.contextmanager
def pidfd_receiver(t):
    """A socket, and what to call for the word and what fdinfo says of the pidfd that it got."""
    path = f"{t.dir}/pidfd.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(1)
        server.settimeout(30)

        def receive():
            peer, _address = server.accept()
            with peer:
                word, fds, _flags, _address = socket.recv_fds(peer, 64, 1)
            info = t.read(f"/proc/self/fdinfo/{fds[0]}")
            os.close(fds[0])
            return word, info
        yield path, receive


@case("the pidfd arrives before exec returns")
def _(t):
    started(t)
    with pidfd_receiver(t) as (path, receive):
        t.start_command("exec", "-d", "--pidfd-socket", path, "--pid-file",
                        f"{t.dir}/{PID_FILE}", t.id, "/probe", "sleep")
        word, info = receive()
    t.equal(word, b"setns", "the word")
    pid = int(t.read(f"{t.dir}/{PID_FILE}"))
    t.check(f"Pid:\t{pid}\n" in info, f"not its pidfd: {info}")
    end(t, pid)


@case("the pidfd of a container, for which an annotation asks")
def _(t):
    with pidfd_receiver(t) as (path, receive):
        t.edit({"annotations": {"run.oci.pidfd_receiver": path}})
        pid = created(t)
        word, info = receive()
    t.equal(word, b"standard", "the word")
    t.check(f"Pid:\t{pid}\n" in info, f"not its pidfd: {info}")
    t.edit({"annotations": {"run.oci.pidfd_receiver": f"{t.dir}/nobody"}})
    t.write_config()
    t.fails("nobody", "create", "--bundle", t.bundle, t.id + "x")
    t.delete("--force")


def prepared(t, name, *program, options=()):
    path = f"{t.dir}/{name}.pid"
    t.start_command("exec", "--create", name, "--pid-file", path, *options, t.id, *program)
    return int(t.read(path))


@case("--create and --start")
def _(t):
    """A supervisor has the pidfd of each before it runs, and loses no exit status."""
    init = started(t)
    pids = [prepared(t, f"p{i}", "/probe", "exit", str(i)) for i in range(20)]
    fds = [os.pidfd_open(pid) for pid in pids]
    t.equal(t.read(f"/proc/{pids[3]}/cgroup"), t.read(f"/proc/{init}/cgroup"), "the cgroups")
    t.fails("process 'p3' of container .* already exists and waits", "exec", "--create", "p3",
            t.id, "/probe")
    t.equal(t.state()["status"], "running", "the status")
    for i in range(20):
        t.ok("exec", "--start", f"p{i}", t.id)
    for i, fd in enumerate(fds):
        t.equal(os.waitid(os.P_PIDFD, fd, os.WEXITED).si_status, i, "a status")
        os.close(fd)
    t.fails("has no process 'p3' that waits", "exec", "--start", "p3", t.id)
    t.equal([n for n in os.listdir(f"{t.root}/{t.id}") if n.startswith("exec-")], [], "files")
    t.delete("--force")
    t.wait_for_end(init)


@case("--start says why the program cannot be executed")
def _(t):
    started(t)
    t.write(f"{t.rootfs}/bin/app", "#!/bin/bash\n", 0o755)
    pid = prepared(t, "app", "/bin/app")
    r = t.fails("its interpreter '/bin/bash' does not exist in the container", "exec", "--start",
                "app", t.id)
    t.equal(r.rc, 255, "the status")
    t.wait_for_end(pid)
    t.fails(r"exec: \"nope\": executable file not found", "exec", "--create", "app", t.id, "nope")
    t.fails("cannot name a process", "exec", "--create", "a/b", t.id, "/probe")
    t.fails("only ID follows", "exec", "--start", "a", t.id, "/probe")
    t.delete("--force")


@case("--create, and the name of one that has ended")
def _(t):
    started(t)
    pid = prepared(t, "a", "/probe", "exit", "1")
    os.kill(pid, signal.SIGKILL)
    t.wait_for_end(pid)
    t.fails("has no process 'a' that waits", "exec", "--start", "a", t.id)
    pid = prepared(t, "a", "/probe", "exit", "2")
    t.ok("exec", "--start", "a", t.id)
    t.equal(t.wait_for_end(pid), 2, "the status")
    end(t, prepared(t, "b", "/probe", "exit", "2"))


@case("a filter binds it too")
def _(t):
    started(t, edits={"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["chroot"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99}]}})
    t.expect(report(t), {"status.Seccomp": "2"})
    t.delete("--force")


def _footprint(t, pid):
    path = t.config["linux"]["cgroupsPath"]
    memory = int(cgroups.read("memory", path, "memory.usage_in_bytes", "memory.current")) \
        if cgroups.has("memory") else 0
    return {"descriptors": len(os.listdir(f"/proc/{pid}/fd")),
            "processes": len(cgroups.processes(path)),
            "cgroups": len(cgroups.named(path.strip("/"))),
            "files": len(os.listdir(f"{t.root}/{t.id}"))}, memory


@case("many in a row leave nothing")
def _(t):
    """No descriptor, process, cgroup or memory; ten thousand when there is time."""
    pid = started(t)
    t.ok("exec", t.id, "/probe", "exit", "0")
    before, memory = _footprint(t, pid)
    for _ in range(10000 if os.environ.get("CLEAT_LONG") else 200):
        t.ok("exec", t.id, "/probe", "exit", "0")
    after, memory_after = _footprint(t, pid)
    t.equal(after, before, "what is there")
    t.check(memory_after - memory < 512 << 10, f"{memory_after - memory} bytes of memory more")
    t.delete("--force")


# --- options that need more than a row -----------------------------------------------------

options_row("--no-new-privs", ("--no-new-privs",), {"no_new_privs": 1})
options_row("what the container's process has and no option says",
            (), {"umask": 0o27, "rlimits.NOFILE": [100, 200], "ioprio": 3 << 13,
                 "status.CapBnd": lambda mask: mask == "0000000000000020",
                 "sid": lambda sid: sid > 1},
            {"process.user.umask": 0o27,
             "process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}],
             "process.ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 0},
             "process.capabilities": {"bounding": ["CAP_KILL"]}})


@case("nothing of the caller reaches it")
def _(t):
    """Descriptors, signals, environment: as for the container's own process."""
    started(t)
    command = t.command("exec", "--preserve-fds", "2", t.id, "/probe", "report", "descriptors",
                        "signals", "place")
    p = subprocess.run(
        ["sh", "-c", 'trap "" HUP PIPE USR2; exec "$@" 3>/dev/null 4</dev/null 5>/dev/null', "sh",
         *command], capture_output=True, text=True, timeout=TIMEOUT, check=False,
        env={**os.environ, "SECRET": "x"})
    t.check(p.returncode == 0 and not p.stderr, p.stderr)
    found = t.decode(p.stdout)
    t.equal(sorted(found["descriptors"]), ["0", "1", "2", "3", "4"], "the descriptors")
    t.equal((found["signals_ignored"], found["signals_blocked"]), ([], []), "the signals")
    t.check(not any(v.startswith("SECRET") for v in found["env"]), str(found["env"]))
    t.delete("--force")


@case("LISTEN_FDS for an exec")
def _(t):
    started(t)
    script = 'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web; exec "$@" 3>/dev/null'
    p = subprocess.run(["sh", "-c", script, "sh", *t.command("exec", t.id, "/probe")],
                       capture_output=True, text=True, timeout=TIMEOUT, check=False)
    t.check(p.returncode == 0, p.stderr)
    env = t.decode(p.stdout)["env"]
    pid = next(v.partition("=")[2] for v in env if v.startswith("LISTEN_PID="))
    t.check({"LISTEN_FDS=1", "LISTEN_FDNAMES=web"} <= set(env) and int(pid) > 1, str(env))
    t.delete("--force")


@case("--cgroup below the container's", needs="cgroup2")
def _(t):
    started(t)
    below = cgroups.v2_root() + t.config["linux"]["cgroupsPath"] + "/below"
    os.mkdir(below)
    for path, place in (("below", "/below"), ("/below", "/below"), ("/", "/"), ("//", "/")):
        text = t.ok("exec", "--cgroup", path, t.id, "/probe", "read", "/proc/self/cgroup").out
        t.check(f"0::{place}" in json.loads(text)["/proc/self/cgroup"].split("\n"), text)
    t.fails(" ../x is not a sub cgroup path", "exec", "--cgroup", "../x", t.id, "/probe")
    t.fails("open the cgroup 'none'", "exec", "--cgroup", "none", t.id, "/probe")
    t.delete("--force")


@case("--cgroup is that cgroup or none", needs="cgroup2")
def _(t):
    """Without it a further process goes to where init is, if the container's cgroup takes none."""
    pid = started(t)
    top = cgroups.v2_root() + t.config["linux"]["cgroupsPath"]
    for name in ("below", "below/deep", "other"):
        os.mkdir(f"{top}/{name}")
    with open(f"{top}/below/deep/cgroup.procs", "w", encoding="ascii") as f:
        f.write(str(pid))
    for path in (top, f"{top}/below"):
        for controller in ("memory", "io", "hugetlb"):  # those that are not for threads
            cgroups.enable(path, controller)
    if not t.read(f"{top}/cgroup.subtree_control").split():
        raise Skip("the cgroup2 tree has no controller but for threads")

    def place(*options):
        text = t.ok("exec", *options, t.id, "/probe", "read", "/proc/self/cgroup").out
        return json.loads(text)["/proc/self/cgroup"].partition("0::")[2].split("\n")[0]

    t.equal([place(), place("--cgroup", "other")], ["/below/deep", "/other"], "where it is")
    for path in ("/", "below"):
        t.fails(f"a cgroup that passes controllers on: '{path}': device or resource busy",
                "exec", "--cgroup", path, t.id, "/probe")
    t.delete("--force")


@case("--cgroup in v1 hierarchies", needs="v1")
def _(t):
    """For all that have it, or those of some controllers; runc has the same words."""
    started(t)
    path, trees = t.config["linux"]["cgroupsPath"], cgroups.v1_roots()
    first, second = [c for c in ("memory", "pids", "cpu", "freezer") if c in trees][:2]
    for controller in (first, second):
        os.mkdir(f"{trees[controller]}{path}/below")

    def places(*options):
        text = t.ok("exec", *options, t.id, "/probe", "read", "/proc/self/cgroup").out
        return tuple(f"{c}:/below" in text for c in (first, second))

    for options, expected in (
            (("--cgroup", "below"), (True, True)),
            (("--cgroup", f"{first},{first}:below"), (True, False)),
            (("--cgroup", f"{first}:below"), (True, False)),
            (("--cgroup", f"{first},{second}:/below"), (True, True)),
            (("--cgroup", f"{first}:/", "--cgroup", f"{second}:below"), (False, True)),
            (("--cgroup", "/"), (False, False))):
        t.equal(places(*options), expected, " ".join(options))
    for word, text in (("nope:below", "unknown controller 'nope'"),
                       (f"{first}:none", "open the cgroup 'none'"),
                       (f"{first}:../x", " ../x is not a sub cgroup path"),
                       ("none", "open the cgroup 'none'")):
        t.fails(text, "exec", "--cgroup", word, t.id, "/probe")
    for other, text in (("below", "'below' is without controllers"),
                        (f"{first}:/", f"the hierarchy of '{first}' is named twice")):
        t.fails(text, "exec", "--cgroup", f"{first}:below", "--cgroup", other, t.id, "/probe")
    t.delete("--force")


@case("--ignore-paused", needs="cgroup2")
def _(t):
    started(t)
    t.ok("pause", t.id)
    t.fails("cannot exec in a paused container", "exec", t.id, "/probe")
    p = subprocess.Popen(t.command("exec", "--ignore-paused", t.id, "/probe", "exit", "5"),
                         stdin=subprocess.DEVNULL)
    try:
        p.wait(1)
        t.check(False, "it ran while the container was paused")
    except subprocess.TimeoutExpired:
        pass
    t.ok("resume", t.id)
    t.equal(p.wait(TIMEOUT), 5, "the status")
    t.delete("--force")


@case("--process with what only a file can say")
def _(t):
    started(t)
    cpu = min(os.sched_getaffinity(0))
    text = json.dumps({"args": ["/probe"], "cwd": "/", "user": {"uid": 5, "gid": 6, "umask": 7},
                       "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6},
                       "scheduler": {"policy": "SCHED_OTHER", "nice": 3},
                       "oomScoreAdj": 77, "noNewPrivileges": True,
                       "execCPUAffinity": {"initial": str(cpu), "final": str(cpu)}})
    t.expect(report(t, "--process", "-", program=(), text=text), {
        "uids": [5] * 4, "gids": [6] * 4, "umask": 7, "ioprio": 2 << 13 | 6, "scheduler.nice": 3,
        "no_new_privs": 1, "affinity": [cpu]})
    t.delete("--force")


@case("a detached exec with a terminal hands it over")
def _(t):
    started(t)
    path, listener = t.listen("exec.sock")
    t.fails("--console-socket", "exec", "--tty", "--detach", t.id, "/probe")
    t.start_command("exec", "--tty", "--detach", "--console-socket", path, "--pid-file",
                    f"{t.dir}/{PID_FILE}", t.id, "/probe", "sleep")
    with listener.accept()[0] as peer:
        name, fds, _flags, _address = socket.recv_fds(peer, 4096, 2)
    t.equal((len(fds), name.startswith(b"/dev/pts/")), (1, True), "what came")
    text = os.read(fds[0], 100)
    t.equal(text, b"ready\r\n", "what it says")
    os.close(fds[0])
    listener.close()
    end(t, int(t.read(f"{t.dir}/{PID_FILE}")))


@case("labels and profiles where there is no such module")
def _(t):
    started(t)
    if not os.path.exists("/sys/kernel/security/apparmor"):
        t.fails("apparmor|AppArmor", "exec", "--apparmor", "none", t.id, "/probe")
    if not os.path.exists("/sys/fs/selinux/enforce"):
        t.fails("selinux|SELinux", "exec", "--process-label", "a:b:c:s0", t.id, "/probe")
    t.delete("--force")
