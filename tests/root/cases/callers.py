# SPDX-License-Identifier: Apache-2.0
"""What engines meet: frozen containers, cgroups of others, the log, records, two at once.

What they rely on is tests/contract.
"""
import json
import os
import shutil
import subprocess

from frame import cgroups
from frame.case import Skip, case
from frame.config import namespaces
from frame.trial import TIMEOUT


@case("spec makes a bundle that runs", needs="busybox")
def _(t):
    t.busybox()
    r = t.cleat("spec", cwd=t.bundle)
    t.check(r.rc == 0 and not r.err, f"{r}")
    t.config = json.loads(t.read(f"{t.bundle}/config.json"))
    t.config["process"].pop("terminal", None)
    t.args("/bin/sh", "-c", "echo ran; hostname")
    t.equal(t.run().out, "ran\n" + t.config["hostname"] + "\n", "the output")


@case("configuration, process and resources from a pipe")
def _(t):
    t.probe("report", "place")
    for words in (["--config", "/dev/stdin"], ["--config", "-"]):
        r = t.ok("run", "--bundle", t.bundle, *words, t.id, text=json.dumps(t.config))
        t.expect(t.decode(r.out), {"cwd": "/"})
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    for text, *words in (
            ('{"args":["/probe","report","place"],"cwd":"/tmp"}',
             "exec", "--process", "/dev/stdin", t.id),
            ("{}", "update", "--resources", "/dev/stdin", t.id),
            ("[]", "mounts", "add", t.id, "/dev/stdin")):
        t.ok(*words, text=text)
    t.delete("--force")


# --- descriptors ---------------------------------------------------------------------------

def _activated(t, count, preserved, names=None):
    t.probe("report", "descriptors", "place")
    t.write_config()
    opened = " ".join(f"{i + 3}>{t.dir}/fd{i}" for i in range(count + preserved))
    named = f"LISTEN_FDNAMES={names}" if names else ""
    p = subprocess.run(
        ["sh", "-c", f'export LISTEN_PID=$$ LISTEN_FDS={count} {named}; exec "$@" {opened}', "sh",
         *t.command("run", *(["--preserve-fds", str(preserved)] if preserved else []),
                    "--bundle", t.bundle, t.id)],
        capture_output=True, text=True, timeout=TIMEOUT, check=False)
    t.check(p.returncode == 0, p.stderr)
    report = t.decode(p.stdout)
    t.equal(sorted(report["descriptors"], key=int), [str(i) for i in range(3 + count + preserved)],
            "the descriptors")
    return report["env"]


@case("LISTEN_FDNAMES")
def _(t):
    env = _activated(t, 2, 1, "web:control")
    t.check("LISTEN_FDS=2" in env and "LISTEN_FDNAMES=web:control" in env, str(env))


# --- frozen --------------------------------------------------------------------------------------

def freeze(t, frozen):
    """As an engine would: through the cgroup."""
    path = cgroups.directory("", "/" + t.id)
    with open(f"{path}/cgroup.freeze", "w", encoding="ascii") as f:
        f.write("1" if frozen else "0")
    while f"frozen {int(frozen)}" not in t.read(f"{path}/cgroup.events"):
        pass


def frozen(t):
    if not cgroups.v2_root():
        raise Skip("there is no cgroup2 tree")
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    t.wait_for_line("ready")
    freeze(t, True)


@case("a frozen container is paused")
def _(t):
    frozen(t)
    first = t.state()["status"]
    freeze(t, False)
    second = t.state()["status"]
    t.delete("--force")
    t.equal((first, second), ("paused", "running"), "the status")


@case("KILL reaches a frozen container")
def _(t):
    frozen(t)
    pid = t.state()["pid"]
    t.ok("kill", t.id, "KILL")
    t.equal(t.wait_for_end(pid), -9, "the status")
    t.delete()


@case("delete --force of a frozen container")
def _(t):
    frozen(t)
    t.delete("--force")


@case("delete of a frozen container is refused")
def _(t):
    frozen(t)
    t.fails("not stopped", "delete", t.id)
    t.delete("--force")


# --- cgroups of others ---------------------------------------------------------------------------

@case("somebody else's process in the cgroup lives on", needs="cgroup2")
def _(t):
    """What the container started dies with its pid namespace; who else is there is not ours."""
    t.probe("sleep")
    t.create()
    path = cgroups.directory("", "/" + t.id)
    guest = subprocess.Popen(["sh", "-c", f"echo $$ >{path}/cgroup.procs; echo in; read x"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    guest.stdout.readline()
    r = t.cleat("delete", "--force", t.id)
    alive = guest.poll() is None
    guest.communicate()
    if os.path.isdir(path):
        os.rmdir(path)
    t.equal((r.rc, alive), (0, True), f"status, and whether it lives: {r}")
    t.fails("does not exist", "state", t.id)


@case("a frozen cgroup that was there is refused, and stays", needs="cgroup2")
def _(t):
    path = cgroups.directory("", "/" + t.id)
    t.write_config()
    os.mkdir(path)
    freeze(t, True)
    try:
        for verb in ("create", "run"):
            t.fails("container's cgroup unexpectedly frozen", verb, "--bundle", t.bundle, t.id)
    finally:
        there = os.path.isdir(path)
        if there:
            os.rmdir(path)
    t.check(there, "the cgroup is gone")


@case("without a pid namespace whoever is in the cgroup is the container's", needs="cgroup2")
def _(t):
    t.edit({"linux.namespaces": namespaces("network", "ipc", "uts", "mount", "cgroup")})
    t.probe("sleep")
    t.create()
    path = cgroups.directory("", "/" + t.id)
    guest = subprocess.Popen(["sh", "-c", f"echo $$ >{path}/cgroup.procs; echo in; read x"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    guest.stdout.readline()
    t.delete("--force")
    t.equal(guest.wait(TIMEOUT), -9, "how it ended")
    guest.communicate()


@case("a cgroup of that name that is somebody else's lives on", needs="cgroup2")
def _(t):
    """The record says which one was ours: by its inode, not by its name."""
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    t.ok("kill", t.id, "KILL")
    t.wait_for_end(pid)
    path = cgroups.directory("", "/" + t.id)
    os.rmdir(path)
    os.mkdir(path)
    other = subprocess.Popen(["sh", "-c", f"echo $$ >{path}/cgroup.procs; echo in; read x"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        r = t.cleat("delete", "--force", t.id)
        t.check(other.poll() is None, f"it was killed: {r}")
    finally:
        other.communicate()
        t.cleat("delete", "--force", t.id)
        if os.path.isdir(path):
            os.rmdir(path)
    t.check(t.cleat("state", t.id).rc != 0, "the record is left")


@case("a cgroup that passes controllers on holds no process", needs="cgroup2")
def _(t):
    """As of `buildah bud --cgroup-parent`, which is not a parent then but the cgroup itself."""
    path = cgroups.directory("", "/" + t.id)
    os.mkdir(path)
    try:
        for controller in ("memory", "io", "hugetlb"):  # those that are not for threads
            cgroups.enable(path, controller)
        if not t.read(f"{path}/cgroup.subtree_control").split():
            raise Skip("the cgroup2 tree has no controller but for threads")
        t.edit({"linux.cgroupsPath": "/" + t.id})
        t.check_message(t.run(), f"a cgroup that passes controllers on: '/{t.id}': device or resource busy")
    finally:
        if os.path.isdir(path):
            os.rmdir(path)


# --- the log -------------------------------------------------------------------------------------

@case("a log with --debug is JSON throughout")
def _(t):
    t.globals = ["--debug", "--log", f"{t.dir}/log", "--log-format", "json"]
    t.probe("exit", "0")
    r = t.run()
    t.equal(r.rc, 0, f"status of {r}")
    for line in t.read(f"{t.dir}/log").splitlines():
        entry = json.loads(line)
        t.check(entry["level"] in ("debug", "info", "warning", "error") and entry["msg"], line)


# --- records -------------------------------------------------------------------------------------

@case("a record that is broken can be deleted by force")
def _(t):
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    os.kill(pid, 9)
    t.wait_for_end(pid)
    path = f"{t.root}/{t.id}/state.json"
    t.check(os.path.exists(path), "no state.json")
    text = t.read(path)
    t.write(path, text[:len(text) // 2])
    t.cleat("delete", "--force", t.id)
    t.check(not os.path.exists(f"{t.root}/{t.id}"), "it is left")
    for at in cgroups.named(t.id):
        os.rmdir(at)  # the record said which cgroup was ours


@case("an empty record directory can be deleted by force")
def _(t):
    os.makedirs(f"{t.root}/{t.id}", 0o700)
    os.chmod(t.root, 0o700)
    t.ok("delete", "--force", t.id)
    t.check(not os.path.exists(f"{t.root}/{t.id}"), "it is left")


@case("two state roots do not know each other")
def _(t):
    t.probe("sleep")
    t.create()
    first, t.root = t.root, t.root + "2"
    t.fails("does not exist", "state", t.id)
    t.root = first
    t.delete("--force")


@case("state answers while create is at work")
def _(t):
    """A hook that waits holds create up; state says creating, and waits for nothing."""
    fifo = f"{t.dir}/fifo"
    os.mkfifo(fifo)
    t.edit({"hooks.createRuntime": [{"path": t.script(
        "wait", f"cat >/dev/null; echo in >{fifo}; read x <{fifo}\n")}]})
    t.probe("sleep")
    t.write_config()
    p = subprocess.Popen(t.command("create", "--bundle", t.bundle, t.id),
                         stdin=subprocess.DEVNULL, stdout=t.output.writer, stderr=t.output.writer)
    with open(fifo, encoding="ascii") as f:
        f.readline()
    state = t.cleat("state", t.id)
    with open(fifo, "w", encoding="ascii") as f:
        f.write("go on\n")
    t.equal(p.wait(TIMEOUT), 0, "the status of create")
    after = t.state()["status"]
    t.delete("--force")
    t.equal(t.decode(state.out)["status"], "creating", "the status meanwhile")
    t.equal(after, "created", "the status afterwards")


@case("a create that is killed leaves what delete --force removes")
def _(t):
    fifo = f"{t.dir}/fifo"
    os.mkfifo(fifo)
    t.edit({"hooks.createRuntime": [{"path": t.script(
        "wait", f"cat >/dev/null; echo in >{fifo}; read x <{fifo}\n")}]})
    t.probe("sleep")
    t.write_config()
    p = subprocess.Popen(t.command("create", "--bundle", t.bundle, t.id),
                         stdin=subprocess.DEVNULL, stdout=t.output.writer, stderr=t.output.writer)
    with open(fifo, encoding="ascii") as f:
        f.readline()
    p.kill()
    p.wait()
    try:
        fd = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        os.write(fd, b"go on\n")
        os.close(fd)
    except OSError:
        pass  # the hook went with it
    t.delete("--force")
    t.fails("does not exist", "state", t.id)


@case("a rootfs on a file system of its own", needs="program:mkfs.ext4")
def _(t):
    from frame import kernel
    image = f"{t.dir}/image"
    with open(image, "wb") as f:
        f.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
    where = f"{t.dir}/mounted"
    os.mkdir(where)
    p = subprocess.run(["mount", "-o", "loop", image, where], capture_output=True, check=False)
    if p.returncode:
        raise Skip("no loop devices")
    try:
        shutil.copy(f"{t.rootfs}/probe", f"{where}/probe")
        for name in ("proc", "sys", "dev", "tmp"):
            os.mkdir(f"{where}/{name}")
        t.edit({"root.path": where, "root.readonly": True})
        t.expect(t.run_probe(), {"mounts./.type": "ext4"})
    finally:
        kernel.umount(where, 0)


@case("without a pid namespace the streams of run end with the container")
def _(t):
    t.edit({"linux.namespaces": namespaces("network", "ipc", "uts", "mount", "cgroup")})
    t.probe("exit", "4")
    t.equal(t.run().rc, 4, "the status")
