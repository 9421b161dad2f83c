# SPDX-License-Identifier: Apache-2.0
"""Errors that say why: mounts, limits that are reached, and the codes in the log."""
import json
import os
import resource
import signal
import subprocess

from frame.case import DELETE, case
from frame.trial import TIMEOUT

PROC_MAP = [{"containerID": 0, "hostID": 1000, "size": 10}]


def bind(source, target, *options, **more):
    return {"destination": target, "type": "bind", "source": source,
            "options": ["bind", *options], **more}


def log_entry(t, *words, **more):
    """The one line that a failing command adds to the log."""
    path = f"{t.dir}/log"
    if os.path.exists(path):
        os.unlink(path)
    t.globals = ["--log", path, "--log-format", "json"]
    t.cleat(*words, **more)
    t.globals = []
    (line,) = t.read(path).splitlines()
    return json.loads(line)


def fails_with(t, code, message, step="mounts", **more):
    t.write_config()
    entry = log_entry(t, "run", "--bundle", t.bundle, t.id, **more)
    t.expect(entry, {"level": "error", "msg": message, "code": code, "step": step})
    return entry


def mount_row(name, mount, code, says):
    @case(name)
    def _(t):
        t.write(f"{t.rootfs}/file", "")
        t.write(f"{t.dir}/file", "")
        os.symlink("file", f"{t.rootfs}/link")
        m = {**mount, "source": mount["source"].replace("HOST", t.dir)}
        t.edit({"mounts": t.config["mounts"] + [m]})
        fails_with(t, code, f"mounts[7]: {m['type']} '{m['source']}' on '{m['destination']}': "
                            + says.replace("HOST", t.dir))


mount_row("a target below a file", bind("/tmp", "/file/a/b"), "mount-path",
          "open the target '/file/a/b': '/file' is a file: not a directory")
mount_row("a target below a link to a file", bind("/tmp", "/link/a"), "mount-path",
          "open the target '/link/a': '/link' is a link to 'file', a file: not a directory")
mount_row("a source below a file", bind("HOST/file/a", "/mnt"), "mount-path",
          "open the source 'HOST/file/a': 'HOST/file' is a file: not a directory")
mount_row("a source below nothing", bind("/nowhere/a", "/mnt"), "mount-path",
          "open the source '/nowhere/a': '/nowhere' does not exist: no such file or directory")
mount_row("a source that is not there", bind("/nowhere", "/mnt"), "mount-path",
          "open the source '/nowhere': no such file or directory")
mount_row("a file on a directory", bind("HOST/file", "/mnt"), "mount-path",
          "mount on '/mnt': a file cannot go on a directory: not a directory")
mount_row("a directory on a file", bind("/tmp", "/file"), "mount-path",
          "mount on '/file': a directory cannot go on a file: not a directory")
mount_row("a file system that does not exist",
          {"destination": "/mnt", "type": "nofs", "source": "none"}, "mount-type",
          "the kernel has no file system of type 'nofs': no such device")
mount_row("a file system that maps no ids",
          bind("/proc/sys", "/mnt", "idmap", uidMappings=PROC_MAP, gidMappings=PROC_MAP),
          "mount-idmap", "map the ids of '/proc/sys': proc, the file system of '/proc', does not "
          "support id-mapped mounts: invalid argument")


@case("a flag that is locked, and the mount that locks it")
def _(t):
    """As root of a user namespace, who inherits a mount that is noexec."""
    os.mkdir(f"{t.dir}/locked")
    t.edit({"mounts": t.config["mounts"][:1] + [bind(f"{t.dir}/locked", "/mnt", "exec", "nodev")],
            "linux.namespaces": [{"type": "mount"}, {"type": "pid"}],
            "linux.cgroupsPath": "", "linux.resources": {}, "hostname": DELETE})
    t.write_config()
    script = (f"mount -t tmpfs -o noexec,nosuid none {t.dir}/locked && "
              "exec unshare --user --map-root-user --mount \"$@\"")
    r = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh",
                        *t.command("run", "--bundle", t.bundle, t.id)],
                       capture_output=True, text=True, timeout=TIMEOUT, check=False)
    t.equal(r.stderr, f"cleat: mounts[1]: bind '{t.dir}/locked' on '/mnt': set flags (on: nodev, "
                      f"off: noexec) of '{t.dir}/locked': noexec is locked by the mount "
                      f"'{t.dir}/locked' (tmpfs), which was made outside of this user namespace: "
                      "operation not permitted\n", "the message")
    t.equal(r.returncode, 1, "the status")


# --- limits ------------------------------------------------------------------------------

@case("too few descriptors")
def _(t):
    t.write_config()
    entry = log_entry(t, "run", "--bundle", t.bundle, t.id, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_NOFILE, (8, 8)))
    t.expect(entry, {"code": "quota-descriptors", "errno": "EMFILE", "msg": lambda m: m.startswith(
        "a process may have 8 open files (RLIMIT_NOFILE): ")})


@case("too few descriptors of the container's limit")
def _(t):
    t.edit({"process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 3, "hard": 3}]})
    t.write_config()
    entry = log_entry(t, "run", "--bundle", t.bundle, t.id)
    t.expect(entry, {"code": "quota-descriptors", "errno": "EMFILE", "msg": (
        'a process may have 3 open files (RLIMIT_NOFILE): exec: "/probe": stat /probe: '
        "too many open files")})


@case("no more namespaces of a kind")
def _(t):
    t.edit({"linux.cgroupsPath": "", "linux.resources": {}})
    t.write_config()
    script = 'echo 0 >/proc/sys/user/max_uts_namespaces && exec "$@"'
    r = subprocess.run(["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh",
                        *t.command("run", "--bundle", t.bundle, t.id)],
                       capture_output=True, text=True, timeout=TIMEOUT, check=False)
    t.equal(r.stderr, "cleat: there may be no more uts namespaces (user.max_uts_namespaces is 0): "
                      "clone init: no space left on device\n", "the message")


@case("no more processes in the caller's cgroup", needs="v1 cgroup:pids")
def _(t):
    group = f"/sys/fs/cgroup/pids/{t.id}.caller"
    os.mkdir(group)
    try:
        t.write(f"{group}/pids.max", "1")
        t.write_config()
        entry = log_entry(t, "run", "--bundle", t.bundle, t.id,
                          preexec_fn=lambda: t.write(f"{group}/cgroup.procs", "0"))
    finally:
        os.rmdir(group)
    t.expect(entry, {"code": "quota-pids", "errno": "EAGAIN", "msg": (
        f"cgroup '/{t.id}.caller' has 1 of 1 pids: clone the middle process: resource "
        "temporarily unavailable")})


@case("no more processes in the container's cgroup", needs="v2 cgroup:pids")
def _(t):
    t.edit({"linux.resources.pids": {"limit": 1}})
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    t.wait_for_line("ready")
    entry = log_entry(t, "exec", t.id, "/probe")
    t.expect(entry, {"code": "quota-pids", "msg": (
        "the container's cgroup has 1 of 1 pids: clone init: resource temporarily unavailable")})
    t.delete("--force")


# --- codes -------------------------------------------------------------------------------

@case("the code, step and object of each kind")
def _(t):
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    rows = [
        (("bogus",), {"code": "usage", "object": "bogus", "errno": "EINVAL"}),
        (("stop", "--time", "x", t.id), {"code": "usage", "object": "x"}),
        (("kill", t.id, "NOPE"), {"code": "usage", "object": "NOPE"}),
        (("events", "--interval", "x", t.id), {"code": "usage", "object": "x"}),
        (("update", "--memory", "1z", t.id), {"code": "usage", "object": "1z"}),
        (("state", "none"), {"code": "container-unknown", "object": "none", "errno": "ENOENT"}),
        (("create", "--bundle", t.bundle, t.id), {"code": "container-exists", "object": t.id,
                                                  "errno": "EEXIST"}),
        (("resume", t.id), {"code": "container-state", "object": t.id, "errno": "EINVAL"}),
        (("exec", "--user-name", "x", t.id, "a"), {"code": "user-unknown", "object": "x"}),
        (("exec", "--start", "x", t.id), {"code": "process-unknown", "object": "x"}),
        (("exec", t.id, "nope"), {"code": "exec-not-found", "object": "nope", "step": "program"}),
        (("exec", t.id, "/etc"), {"code": "exec-denied", "object": "/etc", "errno": "EACCES"}),
        (("exec", "--pidfd-socket", "/nowhere", t.id, "/probe"),
         {"code": "terminal", "object": "/nowhere"}),
        (("run", "--bundle", "/nowhere", "other"), {"code": "config", "object": "/nowhere"}),
    ]
    for words, expected in rows:
        t.expect(log_entry(t, *words), {**expected, "level": "error", "time": lambda x: x[10] == "T"})
    t.delete("--force")
    t.equal(t.wait_for_end(pid), -signal.SIGKILL, "a signal")
    t.edit({"hooks": {"createRuntime": [{"path": "/bin/false"}]}})
    t.write_config()
    t.expect(log_entry(t, "run", "--bundle", t.bundle, t.id),
             {"code": "hook", "step": "runtime-hooks"})
