# SPDX-License-Identifier: Apache-2.0
"""Containers of a user without privilege; frame/user.py has the user."""
import json
import os
import shutil
import stat
import subprocess

from frame import cgroups
from frame.agent import received
from frame.case import DELETE, Skip, case
from frame.config import namespaces
from frame.trial import TIMEOUT
from frame.user import SUB_IDS, delegated, take_over

MIB = 1 << 20
NAMESPACES = ("pid", "ipc", "uts", "mount", "cgroup", "user")
SYS = {"destination": "/sys", "type": "none", "source": "/sys",
       "options": ["rbind", "nosuid", "noexec", "nodev", "ro"]}


def of_user(name, needs=""):
    return case(name, needs="users " + needs)


def maps(*rows):
    return [{"containerID": c, "hostID": h, "size": n} for c, h, n in rows]


def single(user, inside=0):
    return {"linux.uidMappings": maps((inside, user.uid, 1)),
            "linux.gidMappings": maps((inside, user.gid, 1))}


def ranges(user):
    rows = maps((0, user.uid, 1), (1, user.sub_id, SUB_IDS - 1))
    return {"linux.uidMappings": rows, "linux.gidMappings": rows}


def no_group_5(t):
    """The terminals' group cannot be had where only one id is mapped."""
    for mount in t.config["mounts"]:
        mount["options"] = [o for o in mount.get("options", []) if not o.startswith("gid=")]


def rootless(t, mapping=single, **how):
    """The container is the user's from here on; returns the user."""
    user = take_over(t, **how)
    t.edit({**mapping(user), "linux.namespaces": namespaces(*NAMESPACES),
            "linux.cgroupsPath": "", "linux.resources": {}})
    t.config["mounts"] = [SYS if m["destination"] == "/sys" else m for m in t.config["mounts"]]
    if mapping is single:
        no_group_5(t)
    return user


def table(*rows):
    def check(text):
        return text is not None and [tuple(map(int, x.split())) for x in text.splitlines()] == \
            list(rows)
    check.text = f"has the mappings {rows}"
    return check


# --- ids -----------------------------------------------------------------------------------

@of_user("one id: root inside is the user outside")
def _(t):
    user = rootless(t)
    t.expect(t.run_probe(), {
        "uid_map": table((0, user.uid, 1)), "gid_map": table((0, user.gid, 1)),
        "setgroups": "deny", "uids": [0] * 4, "gids": [0] * 4, "hostname": "inside"})


@of_user("one id that is not root inside")
def _(t):
    user = rootless(t)
    t.edit({**single(user, 1000), "process.user": {"uid": 1000, "gid": 1000}})
    t.expect(t.run_probe(), {"uid_map": table((1000, user.uid, 1)), "uids": [1000] * 4,
                             "gids": [1000] * 4})


@of_user("without a user namespace the others cannot be had")
def _(t):
    rootless(t)
    t.edit({"linux.namespaces": namespaces(*(n for n in NAMESPACES if n != "user"))})
    t.edit({"linux.uidMappings": [], "linux.gidMappings": []})
    t.write_config()
    t.fails("without CAP_SYS_ADMIN new namespaces need one of type user beside them in "
            "linux.namespaces, as 'cleat spec --rootless' writes it: .*operation not permitted",
            "run", "--bundle", t.bundle, t.id)


@of_user("many ids by newuidmap and newgidmap", needs="subids")
def _(t):
    user = rootless(t, ranges)
    t.edit({"process.user": {"uid": 12, "gid": 34, "additionalGids": [5, 6]}})
    rows = table((0, user.uid, 1), (1, user.sub_id, SUB_IDS - 1))
    t.expect(t.run_probe(), {"uid_map": rows, "gid_map": rows, "setgroups": "allow",
                             "uids": [12] * 4, "gids": [34] * 4, "groups": [5, 6]})


@of_user("what such a container writes is the user's, or a sub-id's", needs="subids")
def _(t):
    user = rootless(t, ranges)
    t.probe_result("write", "/tmp/root", "x")
    t.edit({"process.user": {"uid": 7, "gid": 8}})
    t.probe_result("write", "/tmp/seven", "x")
    owners = [(os.stat(f"{t.rootfs}/tmp/{n}").st_uid, os.stat(f"{t.rootfs}/tmp/{n}").st_gid)
              for n in ("root", "seven")]
    t.equal(owners, [(user.uid, user.gid), (user.sub_id + 6, user.sub_id + 7)], "the owners")


@of_user("ids that are somebody else's are refused by newuidmap", needs="subids")
def _(t):
    rootless(t, ranges)
    t.edit({"linux.uidMappings": maps((0, t.user.uid, 1), (1, 100000, 10))})
    t.expect_failure("newuidmap")


@of_user("somebody else's single id is refused")
def _(t):
    user = rootless(t)
    t.edit({"linux.uidMappings": maps((0, user.uid + 500, 1))})
    t.expect_failure("uid_map|newuidmap")


@of_user("more groups where setgroups is denied are refused")
def _(t):
    rootless(t)
    t.edit({"process.user": {"uid": 0, "gid": 0, "additionalGids": [10]}})
    t.expect_failure("additionalGids.*single group")


# --- a configuration as `spec` writes it ----------------------------------------------------

def by_spec(t, *words):
    """The configuration of `spec --rootless`, with the probe as its program."""
    rootless(t)
    t.ok("spec", "--rootless", "--bundle", t.bundle)
    config = t.decode(t.read(f"{t.bundle}/config.json"))
    config["process"].update(args=["/probe", *words], terminal=False)
    t.config = config


@of_user("spec --rootless is what a user can run")
def _(t):
    by_spec(t)
    report = t.run_probe()
    t.expect(report, {
        "uid_map": table((0, t.user.uid, 1)), "uids": [0] * 4, "mounts./sys.type": "sysfs",
        "mounts./sys.options": lambda o: o and "ro" in o, "mounts./dev.type": "tmpfs",
        "mounts./proc.type": "proc", "mounts./.options": lambda o: "ro" in o})


@of_user("devices are the host's, by bind mounts")
def _(t):
    by_spec(t, "open-dev", "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
            "/dev/tty")
    report = t.run_probe()
    wrong = {k: v for k, v in report.items() if v is not None and k != "/dev/tty"}
    t.equal(wrong, {}, "what cannot be opened")
    by = t.config["process"]
    by["args"] = ["/probe", "file", "/dev/null"]
    t.expect(t.run_probe(), {"/dev/null.major": 1, "/dev/null.minor": 3})


# --- the life of a container -----------------------------------------------------------------

@of_user("create, start, exec, kill, delete")
def _(t):
    rootless(t)
    t.probe("sleep")
    t.create()
    t.equal(t.state()["status"], "created", "the status")
    t.equal(t.state()["owner"], str(t.user.uid), "the owner")
    t.ok("start", t.id)
    t.equal(t.state()["status"], "running", "the status")
    report = t.decode(t.ok("exec", t.id, "/probe").out)
    t.expect(report, {"uids": [0] * 4, "uid_map": table((0, t.user.uid, 1))})
    t.equal(t.ok("list", "--quiet").out.split(), [t.id], "the list")
    t.ok("kill", t.id, "KILL")
    t.ok("wait", t.id)
    t.delete()


@of_user("oomScoreAdj of run, of exec, and in a user namespace that there is")
def _(t):
    rootless(t)
    t.edit({"process.oomScoreAdj": 100})
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    pid = t.state()["pid"]
    found = [t.read(f"/proc/{pid}/oom_score_adj").strip()]
    r = t.ok("exec", t.id, "/probe", "read", "/proc/self/oom_score_adj")
    found.append(t.decode(r.out)["/proc/self/oom_score_adj"])
    t.edit({"linux.namespaces": namespaces(*NAMESPACES[:-1]) +
            [{"type": "user", "path": f"/proc/{pid}/ns/user"}],
            "linux.uidMappings": DELETE, "linux.gidMappings": DELETE,
            "process.oomScoreAdj": 200})
    t.probe("read", "/proc/self/oom_score_adj")
    t.write_config()
    r = t.cleat("run", "--bundle", t.bundle, f"{t.id}-2")
    t.delete("--force")
    found.append(t.decode(r.out, r)["/proc/self/oom_score_adj"])
    t.equal(found, ["100", "100", "200"], "the scores")


@of_user("exec as another of many ids", needs="subids")
def _(t):
    rootless(t, ranges)
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    r = t.ok("exec", "--user", "33:44", "--additional-gids", "55", t.id, "/probe")
    t.delete("--force")
    t.expect(t.decode(r.out), {"uids": [33] * 4, "gids": [44] * 4, "groups": [55]})


@of_user("another user's records are nobody's business, root's neither")
def _(t):
    user = rootless(t)
    t.probe("sleep")
    t.create()
    mine = t.prefix
    for t.prefix in ["setpriv", f"--reuid={user.uid + 500}", f"--regid={user.gid + 500}",
                     "--clear-groups", "--"], []:
        for words in ("state",), ("kill",), ("delete", "--force"):
            t.fails(f"belongs to user {user.uid}", words[0], *words[1:], t.id)
    t.prefix = mine
    t.equal(t.state()["status"], "created", "the status")
    t.delete("--force")


@of_user("a terminal where group tty is not mapped")
def _(t):
    rootless(t)
    path, socket = t.listen("console")
    os.chmod(path, 0o777)
    t.edit({"process.terminal": True})
    t.probe("sleep")
    t.create("--console-socket", path)
    connection, _ = socket.accept()
    import array
    _, control, _, _ = connection.recvmsg(64, 64)
    master = array.array("i", control[0][2])[0]
    report = t.read(f"/proc/{t.state()['pid']}/stat").split()
    connection.close()
    socket.close()
    t.delete("--force")
    os.close(master)
    t.check(int(report[6]) != 0, "it has no terminal")


# --- where the records are ---------------------------------------------------------------------

def bare(t, *words, env=()):
    """A command without --root, with this environment alone."""
    p = subprocess.run([*t.prefix, "env", "-i", *env, t.cleat_path, *words],
                       stdin=subprocess.DEVNULL, stdout=t.output.writer, stderr=t.output.writer,
                       timeout=TIMEOUT, check=False)
    t.check(p.returncode == 0, f"{words}: status {p.returncode}: {t.out()}")


def records(t, where, env=()):
    t.write_config()
    try:
        bare(t, "create", "--bundle", t.bundle, t.id, env=env)
        st = os.stat(where)
        there = os.path.isdir(f"{where}/{t.id}")
        # engines give one call more of the environment than the next
        bare(t, "state", t.id, env=env)
        bare(t, "delete", "--force", t.id, env=env)
    finally:
        shutil.rmtree(where, ignore_errors=True)
    t.check(there, f"there is no record in {where}")
    t.equal((st.st_uid, stat.S_IMODE(st.st_mode) & 0o777), (t.user.uid, 0o700), "owner and mode")


@of_user("without XDG_RUNTIME_DIR")
def _(t):
    rootless(t)
    if os.path.exists(f"/run/user/{t.user.uid}"):
        raise Skip("there is a runtime directory for that id")
    t.probe("sleep")
    records(t, f"/tmp/cleat-{t.user.uid}")


@of_user("with XDG_RUNTIME_DIR")
def _(t):
    rootless(t)
    os.mkdir(f"{t.dir}/run", 0o700)
    os.chown(f"{t.dir}/run", t.user.uid, t.user.gid)
    t.probe("sleep")
    records(t, f"{t.dir}/run/cleat", [f"XDG_RUNTIME_DIR={t.dir}/run"])


@of_user("a place for records in /tmp that somebody else made is refused")
def _(t):
    user = rootless(t)
    where = f"/tmp/cleat-{user.uid}"
    t.write_config()
    os.mkdir(where, 0o700)
    os.chown(where, user.uid + 500, user.gid)
    try:
        p = subprocess.run([*t.prefix, "env", "-i", t.cleat_path, "list"], capture_output=True,
                           timeout=TIMEOUT, check=False, text=True)
    finally:
        os.rmdir(where)
    t.check(p.returncode == 1 and where in p.stderr, f"status {p.returncode}: {p.stderr}")


# --- cgroups -------------------------------------------------------------------------------------

LIMITS = {"linux.resources": {"pids": {"limit": 20}, "memory": {"limit": 64 * MIB}}}


@of_user("no cgroup may be made: one line names the limits that are not applied")
def _(t):
    rootless(t)
    t.edit(LIMITS)
    t.probe("exit", "3")
    r = t.run()
    t.equal(r.rc, 3, f"the status of {r}")
    t.check_message(r, "not applied:(?=.* memory.limit).* pids.limit")


@of_user("no cgroup may be made, and no limit is asked for: nothing is said")
def _(t):
    rootless(t)
    t.probe("exit", "3")
    r = t.run()
    t.equal((r.rc, r.err), (3, ""), "status and words")


@of_user("--require-limits refuses instead")
def _(t):
    rootless(t)
    t.edit(LIMITS)
    t.probe("exit", "3")
    r = t.run("--require-limits")
    t.equal(r.rc, 1, f"the status of {r}")
    t.check_message(r, "(?i)cgroup.*permission denied|read-only")
    t.fails("does not exist", "state", t.id)


@of_user("--require-limits without limits asks for nothing")
def _(t):
    rootless(t)
    t.probe("exit", "3")
    t.equal(t.run("--require-limits").rc, 3, "the status")


@of_user("a delegated cgroup: limits are applied", needs="cgroup2")
def _(t):
    with delegated(t) as prefix:
        rootless(t, prefix=prefix)
        limits = {"unified": {"cgroup.max.depth": "3"}}
        expected = {"cgroup.max.depth": "3"}
        for controller, name, resources, file, value in (
                ("pids", "pids", {"limit": 20}, "pids.max", "20"),
                ("memory", "memory", {"limit": 64 * MIB}, "memory.max", str(64 * MIB)),
                ("cpu", "cpu", {"quota": 50000, "period": 100000}, "cpu.max", "50000 100000"),
                ("cpuset", "cpu", {"cpus": "0"}, "cpuset.cpus", "0")):
            if controller in cgroups.v2_controllers():
                limits.setdefault(name, {}).update(resources)
                expected[file] = value
        t.edit({"linux.resources": limits})
        t.probe("sleep")
        t.create("--require-limits")
        path = f"{cgroups.v2_root()}/{t.id}-user/cleat-{t.id}"
        found = {file: t.read(f"{path}/{file}").strip() for file in expected}
        t.ok("start", t.id)
        inside = t.decode(t.ok("exec", t.id, "/probe").out)["cgroup"]
        t.delete("--force")
        left = os.path.exists(path)
    t.equal(found, expected, "the files")
    t.check("0::/" in inside.splitlines(), f"exec is not in the container's cgroup: {inside}")
    t.check(not left, "the cgroup is left")


@of_user("a delegated cgroup: pause, resume, update, ps, stats", needs="cgroup2")
def _(t):
    with delegated(t) as prefix:
        rootless(t, prefix=prefix)
        t.probe("sleep")
        t.create()
        t.ok("start", t.id)
        t.ok("pause", t.id)
        paused = t.state()["status"]
        t.ok("resume", t.id)
        if "pids" in cgroups.v2_controllers():
            t.ok("update", "--pids-limit", "33", t.id)
            t.equal(t.read(f"{cgroups.v2_root()}/{t.id}-user/cleat-{t.id}/pids.max").strip(),
                    "33", "pids.max")
        pids = json.loads(t.ok("ps", "--format", "json", t.id).out)
        events = json.loads(t.ok("events", "--stats", t.id).out)
        pid = t.state()["pid"]
        t.delete("--force")
    t.equal((paused, pids, events["id"]), ("paused", [pid], t.id), "status, pids and id")


@of_user("a delegated cgroup: a path of the caller's", needs="v2")
def _(t):
    with delegated(t) as prefix:
        rootless(t, prefix=prefix)
        t.edit({"linux.cgroupsPath": f"/{t.id}-user/a/b"})
        t.probe("sleep")
        t.create()
        inside = t.read(f"{cgroups.v2_root()}/{t.id}-user/a/b/cgroup.procs").split()
        t.delete("--force")
    t.equal(len(inside), 1, "how many processes are in it")


@of_user("a delegated cgroup: a relative path is one beside the caller's", needs="cgroup2")
def _(t):
    with delegated(t) as prefix:
        rootless(t, prefix=prefix)
        t.edit({"linux.cgroupsPath": "c/d"})
        t.probe("sleep")
        t.create()
        inside = t.read(f"{cgroups.v2_root()}/{t.id}-user/c/d/cgroup.procs").split()
        t.delete("--force")
        left = os.path.exists(f"{cgroups.v2_root()}/{t.id}-user/c/d")
    t.equal((len(inside), left), (1, False), "how many processes are in it, and whether it is left")


READONLY = ["unshare", "--mount", "sh", "-c",
            "for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mountpoint -q $d && "
            "mount -o remount,bind,ro $d; done; exec \"$@\"", "sh"]


@of_user("the cgroup tree is mounted read-only")
def _(t):
    rootless(t, prefix=READONLY)
    t.edit(LIMITS)
    t.probe("sleep")
    t.write_config()
    t.start_command("create", "--bundle", t.bundle, t.id)
    t.check_message(type("R", (), {"err": t.err()})(), "not applied")
    t.ok("start", t.id)
    t.ok("kill", t.id, "KILL")
    t.ok("wait", t.id)
    t.delete()


# --- inside another user namespace -----------------------------------------------------------------

INSIDE = ("unshare", "--user", "--map-root-user", "--mount", "--")


@of_user("as root of a user namespace that somebody else made")
def _(t):
    rootless(t, inside=INSIDE)
    t.edit({"linux.namespaces": namespaces(*NAMESPACES[:-1]), "linux.uidMappings": [],
            "linux.gidMappings": []})
    t.expect(t.run_probe(), {"uid_map": table((0, t.user.uid, 1)), "uids": [0] * 4})


@of_user("as root of a user namespace, into one more")
def _(t):
    rootless(t, inside=INSIDE)
    rows = maps((0, 0, 1))
    t.edit({"linux.uidMappings": rows, "linux.gidMappings": rows})
    t.expect(t.run_probe(), {"uid_map": table((0, 0, 1)), "uids": [0] * 4})


@of_user("as root of a user namespace: limits that cannot be applied are said")
def _(t):
    rootless(t, inside=INSIDE)
    t.edit({**LIMITS, "linux.namespaces": namespaces(*NAMESPACES[:-1]), "linux.uidMappings": [],
            "linux.gidMappings": []})
    t.probe("exit", "3")
    r = t.run()
    t.equal(r.rc, 3, f"the status of {r}")
    t.check_message(r, "not applied:")


@of_user("a container in a container of a user", needs="subids")
def _(t):
    """The outer one has /proc in full: the kernel mounts no new one where part is covered."""
    rootless(t, ranges)
    inner = f"{t.rootfs}/inner"
    os.makedirs(f"{inner}/rootfs/proc")
    os.makedirs(f"{inner}/rootfs/dev")
    shutil.copy(t.cleat_path, f"{t.rootfs}/cleat")
    shutil.copy(t.probe_path, f"{inner}/rootfs/probe")
    config = {
        "ociVersion": "1.0.2", "root": {"path": "rootfs"}, "hostname": "within",
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["/probe"], "cwd": "/"},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
        "linux": {"namespaces": namespaces("pid", "mount", "uts", "ipc")}}
    t.write(f"{inner}/config.json", json.dumps(config))
    t.edit({"linux.maskedPaths": [], "linux.readonlyPaths": []})
    every = ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP",
             "CAP_MKNOD", "CAP_KILL", "CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER"]
    t.edit({"process.capabilities": {k: every for k in ("bounding", "effective", "permitted")}})
    t.args("/cleat", "--root", "/tmp/state", "run", "--bundle", "/inner", "in")
    t.expect(t.run_probe(), {"hostname": "within", "pid": 1, "uids": [0] * 4})


# --- seccomp -------------------------------------------------------------------------------

def _listener(name, **edits):
    @of_user(f"the listener of a filter{name}")
    def _(t):
        """Nobody without privilege may trace a process of another user namespace."""
        path, listener = t.listen("seccomp.sock")
        rootless(t)
        t.edit({"linux.seccomp": {
            "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path,
            "syscalls": [{"names": ["chroot"], "action": "SCMP_ACT_NOTIFY"},
                         {"names": ["sendmsg", "recvmsg"], "action": "SCMP_ACT_ERRNO"}]}, **edits})
        t.probe("sleep")
        t.create()
        t.ok("start", t.id)
        t.expect(received(t, listener), {"pid": t.state()["pid"]})
        t.ok("exec", t.id, "/probe", "exit", "0")
        t.expect(received(t, listener), {"state.id": t.id})
        t.start_command("exec", "--create", "p", t.id, "/probe", "exit", "0")
        t.ok("exec", "--start", "p", t.id)
        t.equal(t.wait_for_end(received(t, listener)["pid"]), 0, "the status of p")
        t.delete("--force")
        t.probe("syscall", "chroot", "/nowhere")
        p = t.foreground()
        t.expect(received(t, listener), {"state.id": t.id})
        _, err = p.communicate(timeout=TIMEOUT)
        t.equal((p.returncode, err), (0, b""), "status and stderr of run")
        # nobody has the listener any more, so nobody answers
        t.expect(t.decode(t.out().splitlines()[-1]), {"error": "ENOSYS"})
        listener.close()


_listener("")
_listener(" with no_new_privs", **{"process.noNewPrivileges": True})
