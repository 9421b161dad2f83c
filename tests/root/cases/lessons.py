# SPDX-License-Identifier: Apache-2.0
"""What other runtimes had to repair, each as the case that would have found it."""
import json
import os
import shutil
import subprocess
import time

from frame import host, kernel
from frame.case import DELETE, case, failure_rows, has, report_rows
from frame.config import caps, mask, namespaces, user_namespace
from frame.phases import further, started
from frame.trial import TIMEOUT


def mount(destination, kind="tmpfs", source="x", *options):
    return {"+mounts": [{"destination": destination, "type": kind, "source": source,
                         "options": list(options)}]}


# --- modes of what is covered -------------------------------------------------------------------

@case("the mode of a mount point does not become that of proc, sysfs or mqueue")
def _(t):
    for name in ("proc", "sys"):
        os.chmod(f"{t.rootfs}/{name}", 0o700)
    t.config["mounts"] = [m for m in t.config["mounts"] if m["destination"] != "/dev/mqueue"]
    os.mkdir(f"{t.rootfs}/mq", 0o700)
    t.edit({"+mounts": [{"destination": "/mq", "type": "mqueue", "source": "mqueue"}]})
    t.expect(t.probe_result("file", "/proc", "/sys", "/mq"),
             {"/proc.mode": 0o555, "/sys.mode": 0o555, "/mq.mode": 0o1777})


# iversion is for mount(2) only
for _mode, _words in ((0o751, ()), (0o1777, ()), (0o2755, ()), (0o700, ()), (0o711, ("iversion",))):
    def _covered(t, mode=_mode, words=_words):
        os.mkdir(f"{t.rootfs}/var")
        os.chmod(f"{t.rootfs}/var", mode)
        t.edit(mount("/var", "tmpfs", "x", *words))
        t.expect(t.probe_result("file", "/var"), {"/var.mode": mode})
    case(" ".join((f"a tmpfs takes the mode {_mode:o} of what it covers", *_words)))(_covered)


@case("a tmpfs that covers nothing has the kernel's mode, and a mode that is given wins")
def _(t):
    os.mkdir(f"{t.rootfs}/var", 0o700)
    t.edit(mount("/new"))
    t.edit(mount("/var", "tmpfs", "x", "mode=755"))
    t.expect(t.probe_result("file", "/new", "/var"), {"/new.mode": 0o1777, "/var.mode": 0o755})


# --- propagation --------------------------------------------------------------------------------

def shared_top(t):
    top = f"{t.dir}/top"
    os.mkdir(top)
    kernel.mount("top", top, "tmpfs", 0, "size=64k")
    os.mkdir(f"{top}/later")
    return top


for _word, _root, _there in (("rshared", "rshared", True), ("shared", "shared", True),
                             ("rshared", "rslave", False), ("shared", "rprivate", False),
                             ("rslave", "rshared", False), ("rprivate", "rshared", False),
                             ("rslave", "rslave", False), ("rprivate", "rprivate", False)):
    def _outwards(t, word=_word, root=_root, there=_there):
        """What the container mounts below a shared bind is seen by the host: engines make
        the root shared as well when they want that."""
        top = shared_top(t)
        try:
            t.edit({**mount("/mnt", "bind", top, "rbind", word),
                    "linux.rootfsPropagation": root, "process.capabilities": caps("SYS_ADMIN")})
            t.probe("syscall", "mount", "inner", "/mnt/later", "tmpfs", "0", "0", ",", "sleep")
            t.create()
            t.ok("start", t.id)
            t.wait_for_line("ready")
            found = f" {top}/later " in t.read("/proc/self/mountinfo")
            t.delete("--force")
            if found:
                kernel.umount(f"{top}/later")
            t.equal(found, there, "whether the host sees the mount")
        finally:
            kernel.umount(top)
    case(f"a mount of the container's below a bind with {_word}, the root {_root}")(_outwards)


@case("an unbindable root cannot be bound")
def _(t):
    t.edit({"linux.rootfsPropagation": "unbindable", "process.capabilities": caps("SYS_ADMIN")})
    t.expect(t.probe_result("syscall", "mount", "/", "/mnt", "0", "4096", "0"), {"error": "EINVAL"})


for _word in ("shared", "slave", "private", "unbindable"):
    def _mountpoint(t, word=_word):
        """A root that is a mount of its own, below one that is shared."""
        kernel.mount(t.rootfs, t.rootfs, None, kernel.MS_BIND)
        try:
            t.edit({"linux.rootfsPropagation": word})
            t.run_probe()
        finally:
            kernel.umount(t.rootfs)
    case(f"a root that is a mount point with rootfsPropagation {_word}")(_mountpoint)


@case("what the host mounts in a slave's root is seen")
def _(t):
    kernel.mount(t.rootfs, t.rootfs, None, kernel.MS_BIND)
    try:
        started(t, edits={"linux.rootfsPropagation": "rslave"})
        pid = t.state()["pid"]
        kernel.mount("later", f"{t.rootfs}/mnt", "tmpfs", 0, "size=16k")
        text = t.read(f"/proc/{pid}/mountinfo")
        kernel.umount(f"{t.rootfs}/mnt")
        t.delete("--force")
        t.check(" /mnt " in text, text)
    finally:
        kernel.umount(t.rootfs)


@case("rootfsPropagation with r- is that of all mounts, else of the root alone")
def _(t):
    t.edit(mount("/mnt"))
    for word, below in (("rshared", True), ("shared", False)):
        t.edit({"linux.rootfsPropagation": word})
        mounts = t.run_probe()["mounts"]
        tags = [any(x.startswith("shared:") for x in mounts[at]["tags"]) for at in ("/", "/mnt")]
        t.equal(tags, [True, below], f"what is shared of / and /mnt with {word}")


@case("a bind without a word about propagation is a slave, and what is below it")
def _(t):
    """What the host mounts there later is to be seen."""
    top = shared_top(t)
    kernel.mount("below", f"{top}/later", "tmpfs", 0, "size=16k")
    try:
        t.edit(mount("/mnt/slave", "bind", top, "rbind"))
        t.edit(mount("/mnt/private", "bind", top, "rbind", "private"))
        t.edit(mount("/mnt/rprivate", "bind", top, "rbind", "rprivate"))
        mounts = t.run_probe()["mounts"]
        slaves = {at[5:]: any(x.startswith("master:") for x in m["tags"])
                  for at, m in mounts.items() if at.startswith("/mnt/")}
        t.equal(slaves, {"slave": True, "slave/later": True, "private": False,
                         "private/later": True, "rprivate": False, "rprivate/later": False},
                "which are slaves")
    finally:
        kernel.umount(f"{top}/later")
        kernel.umount(top)


# --- attributes ---------------------------------------------------------------------------------

@case("attributes for all of a tree on a file, a fifo and a socket")
def _(t):
    import socket
    t.write(f"{t.dir}/file", "x")
    os.mkfifo(f"{t.dir}/fifo")
    s = socket.socket(socket.AF_UNIX)
    s.bind(f"{t.dir}/socket")
    for name in ("file", "fifo", "socket"):
        t.edit(mount(f"/mnt/{name}", "bind", f"{t.dir}/{name}", "rbind", "rro", "rnosuid"))
    mounts = t.run_probe()["mounts"]
    s.close()
    for name in ("file", "fifo", "socket"):
        t.equal(mounts[f"/mnt/{name}"]["options"], has("ro", "nosuid"), name)


@case("a bind that only takes flags back")
def _(t):
    top = f"{t.dir}/top"
    os.mkdir(top)
    kernel.mount("top", top, "tmpfs", 2 | 4 | 8, "size=64k")  # nosuid, nodev, noexec
    try:
        t.edit(mount("/mnt", "bind", top, "bind", "exec", "suid"))
        t.expect(t.run_probe(), {"mounts./mnt.options": lambda o: "noexec" not in o and
                                 "nosuid" not in o and "nodev" in o})
    finally:
        kernel.umount(top)


@case("flags of the source that are locked stay, unless they are to go")
def _(t):
    top = f"{t.dir}/top"
    os.mkdir(top)
    kernel.mount("top", top, "tmpfs", 1 | 2 | 4, "size=64k")  # ro, nosuid, nodev
    try:
        t.edit({**user_namespace(), **mount("/mnt", "bind", top, "bind", "noexec")})
        t.expect(t.run_probe(), {"mounts./mnt.options": has("ro", "nosuid", "nodev", "noexec")})
    finally:
        kernel.umount(top)


@case("devices that are bound keep the flags of where they come from")
def _(t):
    """In a user namespace they are; another mount of the node must be no way around nosuid."""
    t.edit(user_namespace())
    kernel.mount("/dev/full", "/dev/full", None, kernel.MS_BIND)
    try:
        kernel.mount(None, "/dev/full", None,
                     kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_NOSUID | kernel.MS_NOEXEC)
        t.expect(t.run_probe(), {"mounts./dev/full.options": has("nosuid", "noexec"),
                                 "mounts./dev/zero.options": has("rw")})
    finally:
        kernel.umount("/dev/full")


@case("options of a cgroup2 mount are the container's, and the host's stay", needs="cgroup2")
def _(t):
    """They reach the kernel as attributes of the mount: the superblock is everybody's."""
    before = host.cgroup_options()
    t.edit(mount("/two", "cgroup2", "cgroup", "nosuid", "noexec", "nodev", "ro", "noatime",
                 "memory_localevents"))
    t.edit(mount("/three", "cgroup2", "cgroup", "nosuid"))
    t.expect(t.run_probe(), {
        "mounts./two.type": "cgroup2",
        "mounts./two.options": has("nosuid", "noexec", "nodev", "ro", "noatime"),
        "mounts./three.options": has("nosuid", "rw")})
    if not shutil.which("criu"):  # which changes them for a moment, in a case beside this one
        t.equal(host.cgroup_options(), before, "the host's options")


@case("masked directories are one file system, and of no use")
def _(t):
    for name in ("one", "two", "three"):
        os.mkdir(f"{t.rootfs}/{name}")
    t.edit({"linux.maskedPaths": ["/one", "/two", "/three", "/one"]})
    found = t.probe_result("file", "/one", "/two", "/three")
    t.equal(len({f["dev"] for f in found.values()}), 1, f"file systems of {found}")


@case("createContainer hooks may still write to a root that becomes read-only")
def _(t):
    t.edit({"root.readonly": True, "hooks.createContainer": [{
        "path": t.script("write", f"cat >/dev/null; echo by the hook >{t.rootfs}/etc/made\n")}]})
    t.expect(t.probe_result("read", "/etc/made"), {"/etc/made": "by the hook"})


@case("a read-only root with a terminal, in the image's own /dev")
def _(t):
    import array
    import socket
    t.config["mounts"] = [m for m in t.config["mounts"] if m["destination"] not in
                          ("/dev", "/dev/shm", "/dev/mqueue")]
    t.edit({"root.readonly": True, "process.terminal": True})
    path, listener = t.listen("console.sock")
    t.probe("file", "/dev/console")
    t.create("--console-socket", path)
    peer, _ = listener.accept()
    with peer, listener:
        _, ancillary, _, _ = peer.recvmsg(4096, socket.CMSG_SPACE(4))
    master = array.array("i", ancillary[0][2])[0]
    pid = t.state()["pid"]
    t.ok("start", t.id)
    t.wait_for_end(pid)
    text = os.read(master, 65536).decode()
    os.close(master)
    t.delete()
    t.expect(t.decode(text.strip()), {"/dev/console.major": 136})


@case("a device path that ends with a slash")
def _(t):
    t.edit({"linux.devices": [{"path": "/dev/x/", "type": "c", "major": 1, "minor": 3}]})
    t.expect(t.run_probe(), {"dev.x.minor": 3})


@case("ids of a mount with a joined pid namespace")
def _(t):
    source = f"{t.dir}/owned"
    os.mkdir(source)
    t.write(f"{source}/x", "text")
    pid = started(t)
    second = t.id + "b"
    maps = [{"containerID": 0, "hostID": 5000, "size": 100}]
    for ns in t.config["linux"]["namespaces"]:
        if ns["type"] == "pid":
            ns["path"] = f"/proc/{pid}/ns/pid"
    t.edit({"linux.cgroupsPath": "/" + second, "+mounts": [
        {"destination": "/mnt", "type": "bind", "source": source, "options": ["bind", "idmap"],
         "uidMappings": maps, "gidMappings": maps}]})
    t.probe("file", "/mnt/x")
    t.write_config()
    r = t.cleat("run", "--bundle", t.bundle, second)
    t.delete("--force")
    t.expect(t.decode(r.out, r), {"/mnt/x.uid": 5000})


# --- exec ---------------------------------------------------------------------------------------

@case("exec is the container's user, unless another is given")
def _(t):
    started(t, edits={"process.user": {"uid": 33, "gid": 34, "additionalGids": [40]}})
    first = further(t, t.id, "/probe", "report", "ids")
    second = further(t, "-u", "5", t.id, "/probe", "report", "ids")
    t.delete("--force")
    t.expect(first, {"uids": [33] * 4, "gids": [34] * 4, "groups": [40],
                     "sid": lambda sid: sid == first["pid"]})
    t.expect(second, {"uids": [5] * 4})


@case("exec has a session of its own")
def _(t):
    started(t)
    report = further(t, t.id, "/probe", "report", "ids", "terminal")
    t.delete("--force")
    t.expect(report, {"sid": report["pid"], "pgrp": report["pid"], "controlling_tty": 0})


@case("exec joins the time namespace and leaves its offsets alone", needs="time")
def _(t):
    started(t, edits={"+linux.namespaces": namespaces("time"),
                "linux.timeOffsets": {"boottime": {"secs": 100000, "nanosecs": 7},
                                      "monotonic": {"secs": 5000, "nanosecs": 9}}})
    report = further(t, t.id, "/probe", "report", "clocks", "namespaces")
    t.delete("--force")
    with open("/proc/uptime", encoding="utf-8") as f:
        up = float(f.read().split()[0])
    t.check(abs(report["boottime"] - up - 100000) < 60, f"boottime is {report['boottime']}")
    t.equal([x.split() for x in report["timens_offsets"].splitlines()],
            [["monotonic", "5000", "9"], ["boottime", "100000", "7"]], "the offsets")


@case("exec has the attributes of the process that it is given")
def _(t):
    started(t)
    path = f"{t.dir}/process.json"
    t.write(path, json.dumps({
        "args": ["/probe"], "cwd": "/", "user": {"uid": 0, "gid": 0, "umask": 0o27},
        "env": ["A=1"], "noNewPrivileges": True, "oomScoreAdj": 300,
        "scheduler": {"policy": "SCHED_BATCH", "nice": 4},
        "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6},
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 55, "hard": 66}],
        "capabilities": caps("KILL")}))
    report = further(t, "--process", path, t.id)
    t.delete("--force")
    t.expect(report, {"umask": 0o27, "no_new_privs": 1, "oom_score_adj": "300",
                      "scheduler.policy": 3, "scheduler.nice": 4, "ioprio": 2 << 13 | 6,
                      "rlimits.NOFILE": [55, 66], "capabilities.bounding": mask("KILL"),
                      "env": lambda env: "A=1" in env and not [e for e in env if "TERM" in e]})


@case("exec has what the configuration gives the container")
def _(t):
    started(t, edits={"process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 55, "hard": 66}],
                "process.oomScoreAdj": 200, "process.user.umask": 0o37,
                "linux.personality": {"domain": "LINUX32"},
                "process.ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 0}})
    report = further(t, t.id, "/probe")
    t.delete("--force")
    t.expect(report, {"rlimits.NOFILE": [55, 66], "oom_score_adj": "200", "umask": 0o37,
                      "personality": 8, "ioprio": 3 << 13})


@case("exec goes by the configuration of create, not by the bundle's of now")
def _(t):
    started(t, edits={"process.env": ["WHICH=first"], "process.cwd": "/tmp"})
    t.edit({"process.env": ["WHICH=second"], "process.cwd": "/etc", "process.user": {
        "uid": 9, "gid": 9}})
    t.write_config()
    report = further(t, t.id, "/probe")
    t.delete("--force")
    t.expect(report, {"env": has("WHICH=first"), "cwd": "/tmp", "uids": [0] * 4})


@case("exec looks HOME up for its user")
def _(t):
    t.write(f"{t.rootfs}/etc/passwd", "root:x:0:0::/root:/bin/sh\nme:x:33:33::/home/me:/bin/sh\n")
    started(t, edits={"process.env": ["A=1"]})
    found = [next(e for e in further(t, "-u", uid, t.id, "/probe")["env"] if e.startswith("HOME="))
             for uid in ("0", "33", "77")]
    t.delete("--force")
    t.equal(found, ["HOME=/root", "HOME=/home/me", "HOME=/"], "HOME of each")


@case("exec with processors of its own, at first and in the end", needs="two-cpus")
def _(t):
    """process.execCPUAffinity of the container, and of the process that is given."""
    started(t, edits={"process.execCPUAffinity": {"initial": "0", "final": "1"}})
    own = further(t, t.id, "/probe", "report", "scheduling")["affinity"]
    path = f"{t.dir}/process.json"
    t.write(path, json.dumps({"args": ["/probe"], "cwd": "/", "user": {"uid": 0, "gid": 0},
                              "execCPUAffinity": {"initial": "1"}}))
    only_first = further(t, "--process", path, t.id)["affinity"]
    init = t.decode(t.ok("exec", t.id, "/probe", "read", "/proc/1/status").out)["/proc/1/status"]
    t.delete("--force")
    t.equal((own, only_first), ([1], [1]), "the processors")
    t.check("Cpus_allowed_list:\t0-" in init, "it concerns the container's init as well")


@case("a hundred programs that end at once, right after start")
def _(t):
    t.probe("sleep")
    for _ in range(10):
        t.create()
        t.ok("start", t.id)
        for _ in range(10):
            r = t.ok("exec", t.id, "/probe", "say", "x")
            t.equal(r.out, "x\n", "the output")
        t.delete("--force")


# --- environment, program -------------------------------------------------------------------------

report_rows([
    ("an empty HOME counts as none", {"process.env": ["HOME="]},
     {"env": lambda env: [e for e in env if e.startswith("HOME")] == ["HOME=/"]}),
    ("a bounding set that is absent is empty", {"process.capabilities": {
        "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]}, "process.user": {
            "uid": 1, "gid": 1}}, {"capabilities.bounding": 0, "capabilities.effective": 0}),
    ("without a capabilities object there are none", {"process.capabilities": DELETE},
     {f"capabilities.{s}": 0 for s in ("bounding", "effective", "permitted", "inheritable",
                                       "ambient")}),
    ("without it a user has none either", {"process.capabilities": DELETE, "process.user": {
        "uid": 5, "gid": 5}}, {"capabilities.bounding": 0, "capabilities.permitted": 0}),
    ("oomScoreAdj of 0 is written", {"process.oomScoreAdj": 0}, {"oom_score_adj": "0"}),
    ("the personality of 64 bits", {"linux.personality": {"domain": "LINUX"}}, {"personality": 0}),
    ("no host name, and no namespace for one", {"hostname": "", "linux.namespaces": namespaces(
        "pid", "network", "ipc", "mount", "cgroup")}, {"pid": 1}),
    ("a time namespace with fractions", {"+linux.namespaces": namespaces("time"),
                                         "linux.timeOffsets": {"monotonic": {
                                             "secs": 3, "nanosecs": 500000000}}},
     {"timens_offsets": lambda x: x.split()[:3] == ["monotonic", "3", "500000000"]}, "time"),
])


@case("oomScoreAdj of 0 where the caller's is another")
def _(t):
    def prepare():
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as f:
            f.write("300")
    t.edit({"process.oomScoreAdj": 0})
    t.expect(t.run_probe(preexec_fn=prepare), {"oom_score_adj": "0"})
    t.edit({"process.oomScoreAdj": DELETE})
    t.expect(t.run_probe(preexec_fn=prepare), {"oom_score_adj": "300"})


@case("a program whose name begins with a dot")
def _(t):
    os.link(f"{t.rootfs}/probe", f"{t.rootfs}/bin/.hidden")
    t.edit({"process.args": [".hidden", "say", "found"], "process.env": ["PATH=/bin"]})
    t.equal(t.run().out, "found\n", "the line")


@case("not executable is another error than not found")
def _(t):
    t.write(f"{t.rootfs}/bin/prog", "x", 0o644)
    t.edit({"process.args": ["prog"], "process.env": ["PATH=/bin"]})
    t.expect_failure("permission denied")


@case("a value of the environment is in no error")
def _(t):
    for env in (["PASSWORD=hunter2", "=hunter2"], ["hunter2"], ["A=hunter2\0"]):
        t.edit({"process.env": env})
        t.write_config()
        for words in (("run", "--bundle", t.bundle, t.id), ("check", t.bundle)):
            r = t.cleat(*words)
            t.check("hunter2" not in r.err + r.out or env == ["hunter2"], f"{r}")


# --- hooks ----------------------------------------------------------------------------------------

@case("the state that hooks get is one line, with plain slashes")
def _(t):
    """Hooks look for what they want with grep and sed."""
    t.edit({"hooks.createRuntime": [{"path": t.script("keep", f"cat >{t.dir}/kept\n")}],
            "annotations": {"a/b": "c/d"}})
    t.run_probe()
    text = t.read(f"{t.dir}/kept")
    t.equal(len(text.splitlines()), 1, "lines")
    t.check("\\/" not in text and f'"bundle":"{t.bundle}"' in text.replace('": "', '":"'), text)
    t.equal(json.loads(text)["annotations"], {"a/b": "c/d"}, "the annotations")


@case("a startContainer hook without an environment has the process's")
def _(t):
    t.edit({"hooks.startContainer": [{"path": "/probe", "args": ["probe", "environment",
                                                                "/tmp/env"]}],
            "process.env": ["MINE=1"]})
    t.run_probe()
    text = t.read(f"{t.rootfs}/tmp/env")
    t.check({"MINE=1", "HOME=/"} <= set(text.splitlines()), f"its environment: {text!r}")


# --- life cycle -----------------------------------------------------------------------------------

@case("--version and features although the state root cannot be")
def _(t):
    t.root = "/proc/nothing"
    t.ok("--version")
    features = t.decode(t.ok("features").out)
    texts = [v for v in features["annotations"].values()]
    t.check(not [x for x in texts if x != x.strip()], f"stray white space in {texts}")


@case("list while containers come and go")
def _(t):
    t.probe("exit", "0")
    os.mkdir(t.root, 0o700)
    t.write_config()
    end = time.monotonic() + 3
    p = subprocess.Popen(["sh", "-c", "while :; do \"$@\" || exit; done", "sh",
                          *t.command("run", "--bundle", t.bundle, t.id)],
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, start_new_session=True)
    try:
        while time.monotonic() < end:
            r = t.ok("list", "--format", "json")
            t.check(isinstance(json.loads(r.out), (list, type(None))), r.out)
    finally:
        p.terminate()
        err = p.communicate(timeout=TIMEOUT)[1]
    # the shell has gone; the last container may still be on its way
    for _ in range(100):
        if t.cleat("delete", "--force", t.id).rc == 0 and t.cleat("state", t.id).rc:
            break
    t.equal(err, b"", "errors of run")


failure_rows([
    ("an entry of the environment with a NUL is named without its value",
     {"process.env": ["A=hunter2\0x"]}, r"^(?!.*hunter2).*env"),
    ("a path in a hugepage size", {"linux.resources.hugepageLimits": [
        {"pageSize": "2MB/x", "limit": 1}]}, "pageSize"),
])
