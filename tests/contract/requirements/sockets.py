# SPDX-License-Identifier: Apache-2.0
"""25 to 30: terminals and pidfds that are handed out; what is final when create returns."""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios

from callers import Listener, Shim, process_of
from contract import (created, ended, gone, kill_and_wait, refused, remove_cgroups, requirement,
                      started)
from frame import cgroups
from frame.config import NAMESPACES, user_namespace
from frame.trial import TIMEOUT


def read_until(t, fd, text, so_far=""):
    """What comes from a terminal until @text has come."""
    while text not in so_far:
        t.check(select.select([fd], [], [], TIMEOUT)[0], f"nothing more than {so_far!r} came")
        try:
            data = os.read(fd, 4096)
        except OSError:
            data = b""
        t.check(data, f"the terminal was closed after {so_far!r}")
        so_far += data.decode(errors="replace")
    return so_far


@requirement(25, "the console socket gets one message of 1 to 4095 bytes with one descriptor; the "
             "runtime waits for no answer, and accept may come after its end",
             "shim, conmon, buildah")
def _(t):
    t.edit({"process.terminal": True})
    t.probe("winsize")
    listener = Listener(t)
    r = Shim(t).create("--console-socket", listener.path)
    t.check(r.rc == 0, f"create: {r.rc}")
    master = listener.receive()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 31, 97, 0, 0))
    t.ok("start", t.id)
    read_until(t, master, "size 31 97")
    other = Listener(t, "exec.sock")
    r, pid = Shim(t).exec(process_of("/probe", "say", "hello", terminal=True),
                          "--console-socket", other.path)
    t.check(r.rc == 0, f"exec: {r.rc}")
    fd = other.receive()
    read_until(t, fd, "hello")
    ended(t, pid)
    t.delete("--force")
    os.close(fd)
    os.close(master)


@requirement(26, "a console socket that nobody listens at fails create, with a message", "conmon")
def _(t):
    t.edit({"process.terminal": True})
    t.write_config()
    listener = Listener(t)
    listener.socket.close()
    for path in (listener.path, f"{t.dir}/none.sock"):
        r = refused(t, r"\S", "create", "--bundle", t.bundle, "--console-socket", path, t.id)
        t.check("console" in r.err or path in r.err, f"what failed is not told: {r}")
        gone(t)


def _size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _foreground(t, words):
    """A command with a terminal for its streams, as BuildKit and CRI-O give it."""
    master, slave = pty.openpty()
    _size(slave, 24, 80)
    p = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    text = read_until(t, master, "ready")
    t.check("size 24 80" in text, f"the size at first: {text!r}")
    _size(slave, 33, 101)
    p.send_signal(signal.SIGWINCH)
    read_until(t, master, "size 33 101")
    p.send_signal(signal.SIGTERM)
    t.equal(p.wait(TIMEOUT), 128 + signal.SIGTERM, "the status")
    os.close(slave)
    os.close(master)


@requirement(27, "terminal without a console socket is refused by create and by a detached exec; in "
             "the foreground the runtime has an inner terminal, whose size follows",
             "BuildKit, CRI-O streaming exec")
def _(t):
    t.edit({"process.terminal": True})
    t.probe("winsize")
    t.write_config()
    refused(t, r"\S", "create", "--bundle", t.bundle, t.id)
    gone(t)
    _foreground(t, t.command("run", "--bundle", t.bundle, t.id))
    t.edit({"process.terminal": False})
    started(t, "sleep")
    path = f"{t.dir}/process.json"
    t.write(path, json.dumps(process_of("/probe", "winsize", terminal=True)))
    refused(t, r"\S", "exec", "--detach", "--process", path, t.id)
    _foreground(t, t.command("exec", "--process", path, t.id))
    _foreground(t, t.command("exec", "--tty", t.id, "/probe", "winsize"))
    t.delete("--force")


@requirement(28, "the pidfd socket has the pidfd of create's or exec's process before the command "
             "ends", "go-runc")
def _(t):
    t.probe("sleep")
    listener = Listener(t)
    r = Shim(t).create("--pidfd-socket", listener.path)
    t.check(r.rc == 0, f"create: {r.rc}")
    fd = listener.receive()
    pid = t.state()["pid"]
    t.check(f"Pid:\t{pid}\n" in t.read(f"/proc/self/fdinfo/{fd}"), "not the pidfd of init")
    t.ok("start", t.id)
    listener = Listener(t, "exec.sock")
    r, other = Shim(t).exec(process_of("/probe", "sleep"), "--pidfd-socket", listener.path)
    t.check(r.rc == 0, f"exec: {r.rc}")
    second = listener.receive()
    t.check(f"Pid:\t{other}\n" in t.read(f"/proc/self/fdinfo/{second}"), "not that of exec")
    os.kill(other, 9)
    ended(t, other)
    kill_and_wait(t, pid)
    ready = select.select([fd], [], [], TIMEOUT)[0]
    t.delete()
    os.close(fd)
    os.close(second)
    t.check(ready, "it never said that the process ended")


def _places(pid):
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as f:
        return f.read()


@requirement(29, "when create returns the process is in its final cgroup", "shim, conmon")
def _(t):
    t.edit({"linux.cgroupsPath": f"/{t.id}/deep"})
    pid = created(t)
    before = _places(pid)
    t.ok("start", t.id)
    t.wait_for_line("ready")
    after = _places(pid)
    t.delete("--force")
    t.equal(before, after, "the cgroups before and after start")
    v2 = [line for line in after.splitlines() if line.startswith("0::")]
    if cgroups.v2_root():
        t.equal(v2, [f"0::/{t.id}/deep"], "the v2 cgroup")
    remove_cgroups(t.id)


@requirement(30, "when create returns every namespace is the container's final one",
             "dockerd, buildah, nerdctl")
def _(t):
    kinds = ("net", "mnt", "pid", "ipc", "uts", "cgroup", "user")
    for edits in ({}, user_namespace()):
        t.edit(edits)
        pid = created(t)
        before = {n: os.readlink(f"/proc/{pid}/ns/{n}") for n in kinds}
        t.ok("start", t.id)
        t.wait_for_line("ready")
        after = {n: os.readlink(f"/proc/{pid}/ns/{n}") for n in kinds}
        same = [n for n in kinds if after[n] == os.readlink(f"/proc/self/ns/{n}")]
        t.delete("--force")
        t.output.text = ""
        t.equal(before, after, "the namespaces before and after start")
        t.equal(same, [] if edits else ["user"], f"those of the caller (of {NAMESPACES})")
