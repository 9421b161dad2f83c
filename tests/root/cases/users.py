# SPDX-License-Identifier: Apache-2.0
"""What users without privilege run into: what happens then, and the words for it."""
import os
import shutil
import subprocess

from cases.rootless import (INSIDE, NAMESPACES, maps, of_user, ranges, rootless, single)
from frame import kernel
from frame.case import DELETE
from frame.config import namespaces
from frame.trial import TIMEOUT
from frame.user import SUB_IDS


def within(t, **edits):
    """As root of a user namespace that the caller has made, with no word of one."""
    user = rootless(t, inside=INSIDE)
    t.edit({"linux.namespaces": namespaces(*NAMESPACES[:-1]), "linux.uidMappings": [],
            "linux.gidMappings": [], **edits})
    return user


# --- ids and limits ------------------------------------------------------------------------

def refused(name, edits, pattern, mapping=single, needs="", prefix=()):
    @of_user(name, needs=needs)
    def _(t):
        rootless(t, mapping)
        t.edit(edits)
        t.prefix = [*t.prefix, *prefix]
        t.expect_failure(pattern)


refused("a user that is not mapped", {"process.user": {"uid": 12, "gid": 0}},
        "user 12 is not mapped in the user namespace")
refused("a group that is not mapped", {"process.user": {"uid": 0, "gid": 34}},
        "group 34 is not mapped in the user namespace")
refused("more groups that are not mapped",
        {"process.user": {"uid": 0, "gid": 0, "additionalGids": [SUB_IDS + 1]}},
        "a group is not mapped in the user namespace: set 1 groups", ranges, "subids")
refused("a limit above the caller's",
        {"process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 5000, "hard": 5000}]},
        "the hard limit is 4000, which only the host's root can raise",
        prefix=["prlimit", "--nofile=3000:4000"])
refused("an oom score below the caller's", {"process.oomScoreAdj": -500},
        "below the caller's -?[0-9]+ only CAP_SYS_RESOURCE allows it")
refused("id-mapped mounts",
        {"+mounts": [{"destination": "/mnt", "type": "bind", "source": "/usr",
                      "options": ["bind"], "uidMappings": maps((0, 0, 1)),
                      "gidMappings": maps((0, 0, 1))}]},
        "map the ids of '/usr': only who has CAP_SYS_ADMIN over its file system can map them")


@of_user("exec as one who is not mapped")
def _(t):
    rootless(t)
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    t.fails("group 5 is not mapped", "exec", "--user", "5:5", t.id, "/probe")
    t.delete("--force")


# --- mappings ------------------------------------------------------------------------------

@of_user("as root of a user namespace, a hostID of the host above")
def _(t):
    user = rootless(t, inside=INSIDE)
    t.expect_failure(rf"linux.uidMappings: hostID {user.uid} \(size 1\) is not mapped in the "
                     "user namespace of the caller")


refused("newuidmap may map what the files of sub-ids say",
        {"linux.uidMappings": maps((0, 0, 2))}, "those can be mapped that /etc/subuid gives",
        ranges, "subids")
refused("newuidmap has no rights where the caller has no_new_privs", {},
        "no_new_privs keeps newuidmap from its rights", ranges, "subids",
        ["setpriv", "--no-new-privs"])


@of_user("newuidmap without its set-user-ID bit", needs="subids")
def _(t):
    shutil.copyfile("/usr/bin/newuidmap", f"{t.dir}/newuidmap")
    os.chmod(f"{t.dir}/newuidmap", 0o755)
    rootless(t, ranges, prefix=["unshare", "--mount", "sh", "-c",
                                'mount --bind "$0" /usr/bin/newuidmap && exec "$@"',
                                f"{t.dir}/newuidmap"])
    t.expect_failure("/usr/bin/newuidmap is not set-user-ID root, nor has it file capabilities")


# --- groups where setgroups is denied ------------------------------------------------------

@of_user("as root of a user namespace of one id, groups are gone without")
def _(t):
    """Engines add the groups that an image has for its user; runc and crun go without, too."""
    within(t, **{"process.user": {"uid": 0, "gid": 0, "additionalGids": [0, 10]}})
    t.write_config()
    r = t.run()
    t.equal((r.rc, r.err), (0, ""), "status and words")
    t.expect(t.decode(r.out), {"uids": [0] * 4, "setgroups": "deny"})
    r = t.cleat("--log-level", "warning", "run", "--bundle", t.bundle, t.id)
    t.check_message(r, "additionalGids: not set, because setgroups is denied")


@of_user("as root of a user namespace of one id, a group that is the process's own")
def _(t):
    within(t, **{"process.user": {"uid": 0, "gid": 0, "additionalGids": [0]}})
    t.write_config()
    r = t.cleat("--log-level", "warning", "run", "--bundle", t.bundle, t.id)
    t.equal((r.rc, r.err), (0, ""), "status and words")


# --- mounts --------------------------------------------------------------------------------

@of_user("bind of a directory with a mount below it")
def _(t):
    os.makedirs(f"{t.dir}/tree/below")
    rootless(t)
    kernel.mount("none", f"{t.dir}/tree/below", "tmpfs", 0)
    try:
        t.edit({"+mounts": [{"destination": "/mnt", "type": "bind", "source": f"{t.dir}/tree",
                             "options": ["bind"]}]})
        t.expect_failure("may not uncover what the mount '.*/tree/below' is on, so 'bind' has to "
                         "be 'rbind'")
        t.config["mounts"][-1]["options"] = ["rbind"]
        t.expect(t.run_probe(), {"mounts./mnt/below.type": "tmpfs"})
    finally:
        kernel.umount(f"{t.dir}/tree/below")


@of_user("rw, which podman writes to every bind, of what is read-only on the host")
def _(t):
    os.makedirs(f"{t.dir}/tree")
    rootless(t)
    kernel.mount("none", f"{t.dir}/tree", "tmpfs", kernel.MS_RDONLY | kernel.MS_NOSUID)
    try:
        t.edit({"+mounts": [{"destination": "/mnt", "type": "bind", "source": f"{t.dir}/tree",
                             "options": ["rw", "rprivate", "nodev", "rbind"]}]})
        t.expect(t.run_probe(), {
            "mounts./mnt.options": lambda o: {"ro", "nosuid", "nodev"} <= set(o)})
        r = t.cleat("--log-level", "warning", "run", "--bundle", t.bundle, t.id)
        t.check_message(r, "/tree' stays read-only")
        t.config["mounts"][-1]["options"] += ["suid"]
        t.expect_failure("nosuid is locked by the mount")
    finally:
        kernel.umount(f"{t.dir}/tree")


@of_user("as root of a user namespace, what may not be mounted anew is the host's")
def _(t):
    """sysfs belongs to the network, and procfs to the pids, which are the host's here."""
    within(t, **{"linux.namespaces": namespaces("ipc", "mount"), "linux.maskedPaths": [],
                 "linux.readonlyPaths": [], "hostname": DELETE})
    sys = next(m for m in t.config["mounts"] if m["destination"] == "/sys")
    sys.update(type="sysfs", source="sysfs", options=["nosuid", "noexec", "nodev", "ro"])
    t.expect(t.run_probe(), {
        "mounts./sys.type": "sysfs", "mounts./proc.type": "proc",
        "mounts./sys.options": lambda o: {"ro", "nosuid", "noexec", "nodev"} <= set(o)})


# --- records -------------------------------------------------------------------------------

@of_user("an XDG_RUNTIME_DIR that is somebody else's")
def _(t):
    """`su` takes it along."""
    os.mkdir(f"{t.dir}/run", 0o700)
    rootless(t)
    os.chown(f"{t.dir}/run", 0, 0)
    p = subprocess.run([*t.prefix, "env", "-i", f"XDG_RUNTIME_DIR={t.dir}/run", t.cleat_path,
                        "list"], capture_output=True, timeout=TIMEOUT, check=False, text=True)
    t.check(p.returncode == 1 and f"XDG_RUNTIME_DIR is '{t.dir}/run'; --root names another place"
            in p.stderr, f"status {p.returncode}: {p.stderr}")


# --- processes -----------------------------------------------------------------------------

@of_user("exec from outside of the user namespace that the container was made in")
def _(t):
    within(t)
    t.probe("sleep")
    t.create()
    t.prefix = t.user.become()
    t.ok("start", t.id)
    r = t.ok("exec", t.id, "/probe")
    t.prefix = t.user.become("unshare", "--user", "--map-root-user", "--")
    t.fails("the caller's user namespace has no rights over them", "exec", t.id, "/probe")
    t.prefix = t.user.become()
    t.delete("--force")
    t.expect(t.decode(r.out), {"uids": [0] * 4, "hostname": "inside"})


@of_user("kill --all and delete --force say that nothing tells who else is in the container")
def _(t):
    words = "neither a cgroup nor a pid namespace of its own: only its first process is reached"
    rootless(t)
    t.edit({"linux.namespaces": namespaces(*NAMESPACES[1:])})
    t.probe("sleep")
    for command in ("kill", "--all"), ("delete", "--force"):
        t.create()
        t.ok("start", t.id)
        r = t.cleat(*command, t.id, *(["KILL"] if command[0] == "kill" else []))
        t.check_message(r, words)
        t.ok("delete", "--force", t.id)
