# SPDX-License-Identifier: Apache-2.0
"""What the test suites for OCI runtimes ask for: life cycle, hooks, warnings, odd corners."""
import json
import os
import socket
import time

from frame.case import DELETE, case, report_rows
from frame.config import CAPABILITIES, DEFAULT_CAPABILITIES, caps, mask, namespaces, user_namespace
from frame.phases import lived, started

KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
HOST_KINDS = tuple(k for k in KINDS if k != "startContainer")


def add(t, kind, path, *args, **more):
    t.config.setdefault("hooks", {}).setdefault(kind, []).append(
        {"path": path, "args": [os.path.basename(path), *args], **more})


# --- create without a process ----------------------------------------------------------------------

@case("a container without a process is created, and cannot be started")
def _(t):
    t.edit({"process": DELETE})
    t.create()
    t.equal(t.state()["status"], "created", "the status")
    t.fails("process is missing", "start", t.id)
    t.equal(t.state()["status"], "stopped", "the status after it")
    t.delete()
    t.write_config()
    t.fails("process is missing", "run", "--bundle", t.bundle, t.id)


@case("a further process in a container without one")
def _(t):
    """It needs all of a process of its own: there is none to take anything from."""
    t.edit({"process": DELETE})
    t.create()
    t.fails("has no process", "exec", t.id, "/probe")
    text = json.dumps({"args": ["/probe", "report", "ids"], "cwd": "/", "user": {"uid": 3, "gid": 4}})
    r = t.ok("exec", "--process", "-", t.id, text=text)
    t.delete("--force")
    t.expect(t.decode(r.out), {"uids": [3] * 4, "gids": [4] * 4})


@case("a start that fails leaves a container that has stopped")
def _(t):
    t.write(f"{t.rootfs}/bin/prog", "\0", 0o755)
    t.args("/bin/prog")
    for _ in range(10):
        t.create()
        t.fails("exec format error", "start", t.id)
        t.equal(t.state()["status"], "stopped", "the status at once")
        t.delete()


# --- states ----------------------------------------------------------------------------------------

@case("the state of each status has all that the specification wants, and no more")
def _(t):
    t.edit({"annotations": {"a": "b"}})
    t.probe("exit", "0")
    t.create()
    states = [t.state()]
    pid = states[0]["pid"]
    t.ok("start", t.id)
    t.wait_for_end(pid)
    states.append(t.state())
    t.delete()
    for state, status in zip(states, ("created", "stopped")):
        t.expect(state, {"status": status, "id": t.id, "bundle": t.bundle,
                         "annotations": {"a": "b"}, "ociVersion": lambda v: v.startswith("1."),
                         "pid": pid if status == "created" else 0})


for _verb, _pattern in (("kill", "container not running"), ("start", "cannot start"),
                        ("exec", "not running")):
    def _stopped(t, verb=_verb, pattern=_pattern):
        t.probe("exit", "0")
        t.create()
        pid = t.state()["pid"]
        t.ok("start", t.id)
        t.wait_for_end(pid)
        t.fails(pattern, verb, t.id, *(["/probe"] if verb == "exec" else []))
        t.equal(t.state()["status"], "stopped", "the status")
        t.delete()
    case(f"{_verb} of a stopped container says why not")(_stopped)


@case("KILL of a created container ends it, and its program never runs")
def _(t):
    t.probe("say", "ran")
    t.create()
    pid = t.state()["pid"]
    t.ok("kill", t.id, "KILL")
    t.equal(t.wait_for_end(pid), -9, "the status of the process")
    t.equal(t.state()["status"], "stopped", "the status")
    t.fails("cannot start", "start", t.id)
    t.delete()
    t.equal(t.out(), "", "the output")


@case("delete of a running container says what it is, and changes nothing")
def _(t):
    pid = started(t)
    t.fails("cannot delete container .* that is not stopped: running", "delete", t.id)
    t.expect(t.state(), {"status": "running", "pid": pid})
    t.delete("--force")


@case("an id may be used again after delete, with other contents")
def _(t):
    for text in ("first", "second"):
        t.probe("say", text)
        lived(t)
    t.equal(t.out(), "first\nsecond\n", "the output")


# --- hooks -----------------------------------------------------------------------------------------

# config.md, "POSIX-platform hooks" and runtime.md, "Lifecycle"
STATUS = {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
          "startContainer": "created", "poststart": "running", "poststop": "stopped"}


@case("each hook gets the status of its moment, and the pid that it can see")
def _(t):
    path = t.script("keep", f"cat >{t.dir}/state-$1\n")
    for kind in HOST_KINDS:
        add(t, kind, path, kind, env=["PATH=/bin:/usr/bin"])
    add(t, "startContainer", "/probe", "save", "/tmp/state")
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    t.ok("start", t.id)
    t.delete("--force")
    states = {kind: json.loads(t.read(f"{t.dir}/state-{kind}")) for kind in HOST_KINDS}
    states["startContainer"] = json.loads(t.read(f"{t.rootfs}/tmp/state"))
    t.equal({k: s["status"] for k, s in states.items()}, STATUS, "the status")
    t.equal({k: s.get("pid", 0) for k, s in states.items()},
            {"prestart": pid, "createRuntime": pid, "createContainer": 1, "startContainer": 1,
             "poststart": pid, "poststop": 0}, "the pid")


for _kind in HOST_KINDS:
    def _given(t, kind=_kind):
        """args and env of each kind, as they are and nothing else."""
        add(t, kind, t.script("look", f"{{ echo \"$0|$1|$2\"; env | grep -v ^PWD=; }} "
                                      f">{t.dir}/looked\n"), "a b", "",
            env=["PATH=/bin:/usr/bin", "TWO=x y"])
        t.probe("exit", "0")
        t.equal(t.run().rc, 0, "the status")
        lines = t.read(f"{t.dir}/looked").splitlines()
        t.equal(lines[0], f"{t.dir}/look|a b|", "name and arguments")
        t.equal(sorted(x for x in lines[1:] if not x.startswith(("_=", "OLDPWD=", "SHLVL="))),
                ["PATH=/bin:/usr/bin", "TWO=x y"], "the environment")
    case(f"arguments and environment of a {_kind} hook")(_given)


@case("arguments and environment of a startContainer hook")
def _(t):
    add(t, "startContainer", "/probe", "environment", "/tmp/env", env=["ONLY=this"])
    t.run_probe()
    t.equal(t.read(f"{t.rootfs}/tmp/env"), "ONLY=this\n", "the environment")


@case("a poststart hook that fails stops and removes the container, and poststop runs")
def _(t):
    add(t, "poststart", t.script("fail", "echo reason >&2; exit 3\n"))
    add(t, "poststop", t.script("stop", f"cat >{t.dir}/stopped\n"))
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    t.fails("poststart hook #0: .*3.*reason", "start", t.id)
    t.equal(t.wait_for_end(pid), -9, "how the process ended")
    t.fails("does not exist", "state", t.id)
    t.equal(json.loads(t.read(f"{t.dir}/stopped"))["status"], "stopped", "the state of poststop")


@case("a startContainer hook that fails stops and removes the container, and poststop runs")
def _(t):
    add(t, "startContainer", "/probe", "exit", "3")
    add(t, "poststop", t.script("stop", f"cat >{t.dir}/stopped\n"))
    t.probe("say", "ran")
    t.create()
    pid = t.state()["pid"]
    t.fails("startContainer hook #0: .*3", "start", t.id)
    t.wait_for_end(pid)
    t.fails("does not exist", "state", t.id)
    t.equal(json.loads(t.read(f"{t.dir}/stopped"))["status"], "stopped", "the state of poststop")
    t.equal(t.out(), "", "the output")
    # what engines do next
    t.ok("delete", "--force", t.id)
    t.fails("does not exist", "delete", t.id)


@case("a poststart hook that fails in run is an error too")
def _(t):
    add(t, "poststart", t.script("fail", "exit 3\n"))
    t.probe("sleep")
    r = t.run()
    t.check(r.rc == 1, f"{r}")
    t.check_message(r, "poststart hook #0: .*3")
    t.fails("does not exist", "state", t.id)


@case("a poststop hook that fails is a warning: the rest runs, and delete succeeds")
def _(t):
    add(t, "poststop", t.script("fail", "exit 3\n"))
    add(t, "poststop", t.script("second", f"cat >/dev/null; echo ran >{t.dir}/second-ran\n"))
    t.probe("exit", "0")
    t.create()
    pid = t.state()["pid"]
    t.ok("start", t.id)
    t.wait_for_end(pid)
    log = f"{t.dir}/log"
    t.globals = ["--log", log, "--log-level", "warning", "--log-format", "json"]
    r = t.cleat("delete", t.id)
    t.globals = []
    t.equal(r.rc, 0, f"the status of {r}")
    t.equal(t.read(f"{t.dir}/second-ran"), "ran\n", "the second one")
    entries = [json.loads(x) for x in t.read(log).splitlines()]
    t.check([e for e in entries if e["level"] == "warning" and "poststop" in e["msg"]],
            f"no warning in {entries}")
    t.fails("does not exist", "state", t.id)


for _kind in ("startContainer", "poststart", "poststop"):
    def _late(t, kind=_kind):
        if kind == "startContainer":
            add(t, kind, "/probe", "sleep", timeout=1)
        else:
            add(t, kind, t.script("late", "exec sleep 100\n"), timeout=1)
        t.probe("exit", "0")
        began = time.monotonic()
        r = t.run()
        t.check(time.monotonic() - began < 25, "it took too long")
        if kind == "poststop":
            t.equal(r.rc, 0, f"the status of {r}")
        else:
            t.check(r.rc != 0, f"it went well: {r}")
            t.check_message(r, f"{kind} hook #0: .*(time|deadline)")
    case(f"a {_kind} hook is ended after its timeout")(_late)


# --- warnings ----------------------------------------------------------------------------------------

@case("capabilities that no kernel knows are a warning in the log, the others count")
def _(t):
    t.edit({"process.capabilities": {s: ["CAP_KILL", "CAP_OF_THE_FUTURE"] for s in (
        "bounding", "effective", "permitted")}})
    t.expect(t.run_probe(), {"capabilities.bounding": mask("KILL"),
                             "capabilities.effective": mask("KILL")})
    log = f"{t.dir}/log"
    t.globals = ["--log", log, "--log-level", "warning", "--log-format", "json"]
    t.run()
    t.check("CAP_OF_THE_FUTURE" in t.read(log), f"the log: {t.read(log)}")
    t.check(all(json.loads(x)["level"] == "warning" for x in t.read(log).splitlines()), "levels")


@case("capabilities that we lack ourselves are left out")
def _(t):
    with open("/proc/self/status", encoding="utf-8") as f:
        ours = next(int(x.split()[1], 16) for x in f if x.startswith("CapBnd"))
    t.edit({"process.capabilities": caps(*CAPABILITIES)})
    t.expect(t.run_probe(), {"capabilities.bounding": ours & mask(*CAPABILITIES)})


# --- limits, priorities ------------------------------------------------------------------------------

report_rows([
    ("priorities in a user namespace", {**user_namespace(), "process.scheduler": {
        "policy": "SCHED_OTHER", "nice": -5}, "process.ioPriority": {
            "class": "IOPRIO_CLASS_RT", "priority": 2}, "process.user": {"uid": 5, "gid": 5}},
     {"scheduler.nice": -5, "ioprio": 1 << 13 | 2}, "cap:SYS_NICE"),
    ("a deadline scheduler", {"process.scheduler": {
        "policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 10000000,
        "period": 20000000, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}},
     {"scheduler.policy": 6, "scheduler.runtime": 1000000, "scheduler.deadline": 10000000,
      "scheduler.period": 20000000, "scheduler.flags": 1}, "cap:SYS_NICE"),
    ("memory.kernel is ignored", {"linux.resources.memory": {"kernel": 1 << 20}}, {"pid": 1}),
    ("flags of a personality are ignored", {"linux.personality": {
        "domain": "LINUX32", "flags": []}}, {"personality": 8}),
])


# --- seccomp ------------------------------------------------------------------------------------------

# what a static program of glibc's needs to report
NEEDED = """access arch_prctl brk capget clock_gettime close execve exit exit_group fcntl
    fstat getcwd getdents64 getegid geteuid getgid getgroups getpgid getpgrp getpid getppid
    getrandom getresgid getresuid getsid getuid ioctl keyctl lseek mmap mprotect mremap munmap
    newfstatat openat openat2 prctl prlimit64 pread64 read readlink readlinkat rseq rt_sigaction
    rt_sigprocmask set_robust_list set_tid_address setfsgid setfsuid statx umask uname write
    writev sendmsg recvmsg capset seccomp close_range getsockopt ppoll sendto recvfrom dup dup2
    dup3 socket fchdir chdir setresuid setresgid setgroups statfs fstatfs""".split()
CHROOT = ("syscall", "chroot", "/nowhere")


def allow_list(**more):
    return {"linux.seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        {"names": NEEDED, "action": "SCMP_ACT_ALLOW"}], **more},
            "process.noNewPrivileges": True}


for _name, _more, _words, _want in (
        ("the errno of the default action is EPERM", {}, CHROOT, "EPERM"),
        ("defaultErrnoRet", {"defaultErrnoRet": 95}, CHROOT, "EOPNOTSUPP"),
        ("a call that is newer than the profile gives ENOSYS", {}, ("syscall", "500"), "ENOSYS"),
        ("also where the profile is for another architecture only",
         {"architectures": ["SCMP_ARCH_X86"]}, CHROOT, "EPERM")):
    def _default(t, more=_more, words=_words, want=_want):
        t.edit(allow_list(**more))
        t.expect(t.probe_result(*words), {"error": want})
    case("seccomp: " + _name)(_default)


@case("seccomp: a listener for the very calls that hand it over")
def _(t):
    path, listener = t.listen("seccomp.sock")
    t.edit({"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path,
                              "syscalls": [{"names": ["sendmsg", "sendto", "connect", "ioctl"],
                                            "action": "SCMP_ACT_NOTIFY"}]}})
    t.probe("say", "ran")
    t.create()
    pid = t.state()["pid"]
    t.ok("start", t.id)
    peer, _ = listener.accept()
    data, fds, _, _ = socket.recv_fds(peer, 65536, 4)
    # the program's own calls of these would wait for us: it makes none
    t.wait_for_line("ran")
    for fd in fds:
        os.close(fd)
    peer.close()
    listener.close()
    t.wait_for_end(pid)
    t.delete()
    t.equal((len(fds), t.decode(data)["state"]["id"]), (1, t.id), "descriptors, and whose")


# --- mounts --------------------------------------------------------------------------------------------

@case("a mount over the root itself takes its place")
def _(t):
    os.mkdir(f"{t.dir}/other")
    os.link(f"{t.rootfs}/probe", f"{t.dir}/other/probe")
    for name in ("proc", "dev", "sys", "tmp"):
        os.mkdir(f"{t.dir}/other/{name}")
    t.write(f"{t.dir}/other/which", "the other")
    t.config["mounts"].insert(0, {"destination": "/", "type": "bind", "source": f"{t.dir}/other",
                                  "options": ["rbind"]})
    t.probe("read", "/which", ",", "report", "mounts")
    r = t.run()
    t.check(r.rc == 0, f"{r}")
    first, second = map(t.decode, r.out.splitlines())
    t.equal(first, {"/which": "the other"}, "the file")
    t.expect(second, {"mounts./proc.type": "proc", "mounts./dev.type": "tmpfs"})


@case("overlay with five hundred layers")
def _(t):
    layers = []
    for i in range(500):
        layers.append(f"{t.dir}/layer{i}")
        os.mkdir(layers[-1])
    for i in (0, 250, 499):
        t.write(f"{layers[i]}/f{i}", str(i))
    t.edit({"+mounts": [{"destination": "/mnt", "type": "overlay", "source": "overlay",
                         "options": ["lowerdir=" + ":".join(layers)]}]})
    t.expect(t.probe_result("read", "/mnt/f0", "/mnt/f250", "/mnt/f499"),
             {"/mnt/f0": "0", "/mnt/f250": "250", "/mnt/f499": "499"})


@case("a thousand mounts")
def _(t):
    for i in range(1000):
        t.edit({"+mounts": [{"destination": f"/mnt/m{i}", "type": "bind", "source": t.beside,
                             "options": ["bind", "ro"]}]})
    t.write_config()
    t.probe("read", "/mnt/m0/null", "/mnt/m999/null")
    t.write_config()
    r = t.cleat("run", "--bundle", t.bundle, t.id,
                preexec_fn=lambda: __import__("resource").setrlimit(7, (1024, 1024)))
    t.equal(t.decode(r.out, r), {"/mnt/m0/null": "beside null", "/mnt/m999/null": "beside null"},
            "the first and the last")


@case("every option that features lists is taken")
def _(t):
    names = t.decode(t.ok("features").out)["mountOptions"]
    of_binds = {"bind", "rbind", "idmap", "ridmap", "copy-symlink", "src-nofollow"}
    t.probe("exit", "0")
    plain = list(t.config["mounts"])
    for name in names:
        kind = "bind" if name in of_binds or name == "dest-nofollow" else "tmpfs"
        maps = [{"containerID": 0, "hostID": 0, "size": 10}]
        entry = {"destination": "/mnt", "type": kind, "source": t.beside, "options": [name]}
        if name in ("idmap", "ridmap"):
            entry.update(uidMappings=maps, gidMappings=maps)
        if name == "remount":
            entry["options"].append("nosuid")
            t.config["mounts"] = plain + [{"destination": "/mnt", "type": "tmpfs",
                                           "source": "x"}, entry]
        else:
            t.config["mounts"] = plain + [entry]
        r = t.run()
        t.check(r.rc == 0 and not r.err, f"{name}: {r}")


@case("the usual privileges of a container", needs="cap:MKNOD")
def _(t):
    t.expect(t.run_probe(), {"capabilities.bounding": mask(*DEFAULT_CAPABILITIES),
                             "no_new_privs": 0, "namespaces.user": os.stat(
                                 "/proc/self/ns/user").st_ino})


@case("a container in none but a mount namespace")
def _(t):
    t.edit({"linux.namespaces": namespaces("mount"), "hostname": DELETE})
    report = t.run_probe()
    t.check(report["pid"] > 1, f"it is process {report['pid']}")
