# SPDX-License-Identifier: Apache-2.0
"""What engines rely on without any specification: options, files, sockets, frozen containers."""
import array
import json
import os
import re
import select
import shutil
import socket
import subprocess

from frame import cgroups
from frame.case import Skip, case
from frame.config import namespaces
from frame.trial import TIMEOUT


# --- the command line ------------------------------------------------------------------------

for _form in (["--bundle", "{b}"], ["--bundle={b}"], ["-bundle", "{b}"], ["-bundle={b}"],
              ["-b", "{b}"], ["-b={b}"], ["--bundle", "/nowhere", "--bundle", "{b}"]):
    def _bundle(t, form=_form):
        t.probe("say", "ran")
        t.write_config()
        words = [w.format(b=t.bundle) for w in form]
        r = t.cleat("run", *words, t.id)
        t.equal((r.rc, r.out, r.err), (0, "ran\n", ""), "status and output")
    case("run " + " ".join(_form).format(b="DIR"))(_bundle)


@case("global options before every command")
def _(t):
    t.globals = ["--debug=false", "--log-format", "text", "--log-format=json", "--rootless=false",
                 "--criu", "/nowhere", "--cgroup-manager=cgroupfs"]
    t.probe("sleep")
    t.create()
    for words in (("state", t.id), ("list",), ("start", t.id), ("kill", t.id, "KILL"),
                  ("delete", "--force", t.id)):
        t.ok(*words)


@case("the bundle is the working directory by default")
def _(t):
    t.probe("say", "ran")
    t.write_config()
    t.equal(t.cleat("run", t.id, cwd=t.bundle).out, "ran\n", "the output")


@case("from a directory that is gone")
def _(t):
    os.mkdir(f"{t.dir}/gone")
    t.probe("say", "ran")
    t.write_config()
    p = subprocess.run(["sh", "-c", f"cd {t.dir}/gone && rmdir ../gone && exec \"$@\"", "sh",
                        *t.command("run", "--bundle", t.bundle, t.id)], capture_output=True,
                       text=True, timeout=TIMEOUT, check=False)
    t.equal((p.returncode, p.stdout, p.stderr), (0, "ran\n", ""), "status and output")


@case("a bundle with a relative path")
def _(t):
    t.probe("say", "ran")
    t.write_config()
    t.equal(t.cleat("run", "--bundle", "bundle", t.id, cwd=t.dir).out, "ran\n", "the output")
    t.probe("sleep")
    t.write_config()
    t.start_command("create", "--bundle", "bundle", t.id, cwd=t.dir)
    bundle = t.state()["bundle"]
    t.delete("--force")
    t.equal(bundle, t.bundle, "the bundle in the state")


@case("no environment at all")
def _(t):
    t.probe("sleep")
    t.write_config()
    t.start_command("create", "--bundle", t.bundle, t.id, env={})
    for words in (("start", t.id), ("state", t.id), ("kill", t.id, "KILL"),
                  ("delete", "--force", t.id)):
        t.ok(*words, env={})


@case("--version")
def _(t):
    lines = t.ok("--version").out.splitlines()
    t.check(re.match(r"\S+ version \S+$", lines[0]), lines[0])
    t.check(any(x.startswith("commit: ") for x in lines), "no commit")
    t.check(any(re.match(r"spec: 1\.\d", x) for x in lines), "no spec")


@case("features without anything")
def _(t):
    r = subprocess.run([t.cleat_path, "features"], capture_output=True, text=True, check=False,
                       env={}, timeout=TIMEOUT)
    t.equal((r.returncode, r.stderr), (0, ""), "status and stderr")
    features = json.loads(r.stdout)
    for key in ("ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux"):
        t.check(features.get(key), f"no {key}")
    t.check("mount" in features["linux"]["namespaces"], "no namespaces")
    t.check("rro" in features["mountOptions"], "no rro")
    t.check("enabled" in features["linux"]["mountExtensions"]["idmap"], "no idmap")


@case("spec makes a bundle that runs", needs="busybox")
def _(t):
    t.busybox()
    r = t.cleat("spec", cwd=t.bundle)
    t.check(r.rc == 0 and not r.err, f"{r}")
    t.config = json.loads(t.read(f"{t.bundle}/config.json"))
    t.config["process"].pop("terminal", None)
    t.args("/bin/sh", "-c", "echo ran; hostname")
    t.equal(t.run().out, "ran\n" + t.config["hostname"] + "\n", "the output")


# --- sockets, descriptors ----------------------------------------------------------------------

@case("the pidfd socket")
def _(t):
    path, listener = t.listen("pidfd.sock")
    t.probe("exit", "9")
    t.create("--pidfd-socket", path)
    peer, _ = listener.accept()
    with peer, listener:
        data, ancillary, _, _ = peer.recvmsg(4096, socket.CMSG_SPACE(4))
    t.check(data, "no payload")
    fds = array.array("i", ancillary[0][2])
    info = t.read(f"/proc/self/fdinfo/{fds[0]}")
    pid = t.state()["pid"]
    t.ok("start", t.id)
    ended = select.select([fds[0]], [], [], TIMEOUT)[0]
    os.close(fds[0])
    t.check(f"Pid:\t{pid}\n" in info, info)
    t.check(ended, "it never said that the process ended")
    t.wait_for_end(pid)
    t.delete()


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


@case("LISTEN_FDS")
def _(t):
    env = _activated(t, 2, 0)
    t.check("LISTEN_FDS=2" in env and "LISTEN_PID=1" in env, str(env))
    t.check(not any(x.startswith("LISTEN_FDNAMES") for x in env), str(env))


@case("LISTEN_FDNAMES")
def _(t):
    env = _activated(t, 2, 1, "web:control")
    t.check("LISTEN_FDS=2" in env and "LISTEN_FDNAMES=web:control" in env, str(env))


@case("LISTEN_FDS and preserved ones")
def _(t):
    env = _activated(t, 1, 2)
    t.check("LISTEN_FDS=1" in env, str(env))


@case("LISTEN_FDS for another process")
def _(t):
    report = t.run_probe(env={**os.environ, "LISTEN_FDS": "3", "LISTEN_PID": "1"})
    t.check(not any(x.startswith("LISTEN") for x in report["env"]), str(report["env"]))


@case("nothing keeps the caller's streams open")
def _(t):
    """A container that is only created, its streams elsewhere: the pipe of the caller ends."""
    t.probe("sleep")
    t.write_config()
    extra_reader, extra_writer = os.pipe()
    t.start_command("create", "--bundle", t.bundle, t.id, pass_fds=[extra_writer])
    os.close(extra_writer)
    ended = select.select([extra_reader], [], [], 5)[0] and os.read(extra_reader, 1) == b""
    os.close(extra_reader)
    t.delete("--force")
    t.check(ended, "somebody holds it")


@case("namespaces are final when create returns")
def _(t):
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    names = ("net", "mnt", "pid", "ipc", "uts", "cgroup")
    before = {n: os.readlink(f"/proc/{pid}/ns/{n}") for n in names}
    t.ok("start", t.id)
    t.wait_for_line("ready")
    after = {n: os.readlink(f"/proc/{pid}/ns/{n}") for n in names}
    t.delete("--force")
    t.equal(after, before, "the namespaces")


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

@case("cgroups that the caller made below are removed", needs="cgroup2")
def _(t):
    t.probe("sleep")
    t.create()
    path = cgroups.directory("", "/" + t.id)
    os.makedirs(f"{path}/made/by/others")
    t.delete("--force")
    t.check(not os.path.exists(path), "they are left")


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


# --- the log -------------------------------------------------------------------------------------

@case("the log is there although the bundle is not")
def _(t):
    t.globals = ["--log", f"{t.dir}/log", "--log-format", "json"]
    t.fails("/nowhere", "run", "--bundle", "/nowhere", t.id)
    t.equal(len(t.read(f"{t.dir}/log").splitlines()), 1, "lines")


@case("errors are appended to the log, a line each")
def _(t):
    t.globals = ["--log", f"{t.dir}/log", "--log-format", "json"]
    for _ in range(3):
        t.fails("does not exist", "state", t.id)
    entries = [json.loads(x) for x in t.read(f"{t.dir}/log").splitlines()]
    t.equal([e["level"] for e in entries], ["error"] * 3, "the levels")


@case("many at once share a log")
def _(t):
    t.globals = ["--log", f"{t.dir}/log", "--log-format", "json"]
    processes = [subprocess.Popen(t.command("state", "no-such-" + "x" * i),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for i in range(16)]
    for p in processes:
        p.wait(TIMEOUT)
    t.equal(len([json.loads(x) for x in t.read(f"{t.dir}/log").splitlines()]), 16, "lines")


@case("a log with --debug is JSON throughout")
def _(t):
    t.globals = ["--debug", "--log", f"{t.dir}/log", "--log-format", "json"]
    t.probe("exit", "0")
    r = t.run()
    t.equal(r.rc, 0, f"status of {r}")
    for line in t.read(f"{t.dir}/log").splitlines():
        entry = json.loads(line)
        t.check(entry["level"] in ("debug", "info", "warning", "error") and entry["msg"], line)


@case("control characters do not reach the terminal")
def _(t):
    t.args("/no/\033[31m\n\u202esuch")
    t.write_config()
    r = t.cleat("run", "--bundle", t.bundle, t.id)
    t.check(r.rc != 0 and "\033" not in r.err and "\u202e" not in r.err, f"{r.err!r}")
    t.equal(len(r.err.splitlines()), 1, "lines")


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


@case("a pid that was given again is not ours")
def _(t):
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    os.kill(pid, 9)
    t.wait_for_end(pid)
    other = subprocess.Popen(["sleep", "1000"])
    path = f"{t.root}/{t.id}/state.json"
    record = t.read(path)
    t.check(str(pid) in record, "the record has no pid")
    t.write(path, record.replace(f"{pid}", f"{other.pid}"), 0o600)
    state = t.cleat("state", t.id)
    t.cleat("kill", t.id, "KILL")
    t.cleat("delete", "--force", t.id)
    alive = other.poll() is None
    other.kill()
    other.wait()
    t.check(alive, "a stranger was killed")
    t.check('"running"' not in state.out, state.out)


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


@case("eight processes start one container: one succeeds")
def _(t):
    t.probe("sleep")
    t.create()
    processes = [subprocess.Popen(t.command("start", t.id), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True) for _ in range(8)]
    results = [(p.communicate(timeout=TIMEOUT)[1], p.returncode) for p in processes]
    t.delete("--force")
    t.equal([rc for _, rc in results].count(0), 1, f"how many succeeded: {results}")


@case("eight processes delete one container")
def _(t):
    t.probe("sleep")
    t.create()
    processes = [subprocess.Popen(t.command("delete", "--force", t.id), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True) for _ in range(8)]
    results = [(p.communicate(timeout=TIMEOUT)[1], p.returncode) for p in processes]
    t.equal(results, [("", 0)] * 8, "the results")


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
