# SPDX-License-Identifier: Apache-2.0
"""process.terminal: the console socket, a foreground terminal, /dev/console."""
import array
import fcntl
import os
import pty
import select
import shlex
import socket
import struct
import subprocess
import termios

from frame import kernel
from frame.case import DELETE, case
from frame.config import namespaces, user_namespace
from frame.trial import TIMEOUT

TERMINAL = {"process.terminal": True}


def read_until(t, fd, text, so_far=""):
    """What comes from a terminal, until @text has come or its other side is closed."""
    while text not in so_far:
        ready, _, _ = select.select([fd], [], [], TIMEOUT)
        t.check(ready, f"nothing more than {so_far!r} came")
        try:
            data = os.read(fd, 4096)
        except OSError:
            data = b""
        if not data:
            t.check(text in so_far, f"the terminal was closed after {so_far!r}")
            break
        so_far += data.decode(errors="replace")
    return so_far


def read_all(t, fd):
    so_far = ""
    while True:
        ready, _, _ = select.select([fd], [], [], TIMEOUT)
        t.check(ready, f"nothing more than {so_far!r} came")
        try:
            data = os.read(fd, 4096)
        except OSError:
            data = b""
        if not data:
            return so_far
        so_far += data.decode(errors="replace")


def receive(t, listener):
    """The terminal as callers take it: one message, one descriptor."""
    peer, _ = listener.accept()
    with peer:
        data, ancillary, _, _ = peer.recvmsg(4096, socket.CMSG_SPACE(4))
    t.check(1 <= len(data) < 4096, f"a payload of {len(data)} bytes")
    t.equal(len(ancillary), 1, "the number of control messages")
    fds = array.array("i", ancillary[0][2])
    t.equal(len(fds), 1, "the number of descriptors")
    return fds[0], data.decode()


def with_console(t, *words, edits=None):
    """Create and start with a console socket; the master."""
    path, listener = t.listen("console.sock")
    t.edit({**TERMINAL, **(edits or {})})
    if words:
        t.probe(*words)
    t.create("--console-socket", path)
    master, name = receive(t, listener)
    listener.close()
    t.check(name.startswith("/dev/"), f"the payload is {name}")
    t.ok("start", t.id)
    return master


def finish(t, master):
    text = read_all(t, master)
    os.close(master)
    t.delete("--force")
    return text


def report(t, text):
    return t.decode(text.strip().splitlines()[-1])


@case("a console socket gets the terminal")
def _(t):
    master = with_console(t, "report", "terminal", "ids")
    t.expect(report(t, finish(t, master)),
             {"tty": [1, 1, 1], "controlling_tty": 1, "tty_sid": 1, "tty_pgrp": 1, "sid": 1})


@case("a terminal without a mount namespace, of what is mounted in the root already")
def _(t):
    pts = f"{t.rootfs}/dev/pts"
    os.mkdir(pts)
    kernel.mount("devpts", pts, "devpts", 0, "newinstance,ptmxmode=666")
    try:
        master = with_console(t, "report", "terminal", edits={
            "mounts": [], "hostname": DELETE, "linux.namespaces": namespaces("pid"),
            "linux.maskedPaths": DELETE, "linux.readonlyPaths": DELETE})
        found = report(t, finish(t, master))
    finally:
        kernel.umount(pts)
    t.expect(found, {"tty": [1, 1, 1], "tty_sid": 1})


@case("the terminal belongs to the user")
def _(t):
    master = with_console(t, "report", "descriptors",
                          edits={"process.user": {"uid": 1000, "gid": 1000}})
    found = report(t, finish(t, master))["descriptors"]
    t.equal(sorted(found), ["0", "1", "2"], "the descriptors")
    t.equal([found[n]["uid"] for n in "012"], [1000] * 3, "the owner")
    t.equal([found[n]["target"] for n in "012"], ["/dev/pts/0"] * 3, "the terminal")


@case("/dev/console is the terminal")
def _(t):
    master = with_console(t, "file", "/dev/console")
    t.expect(report(t, finish(t, master)), {
        "/dev/console.type": "c", "/dev/console.major": 136, "/dev/console.minor": 0})


@case("/dev/console in the image's own /dev")
def _(t):
    t.config["mounts"] = [m for m in t.config["mounts"]
                          if m["destination"] not in ("/dev", "/dev/shm", "/dev/mqueue")]
    master = with_console(t, "file", "/dev/console", "/dev/ptmx")
    t.expect(report(t, finish(t, master)), {"/dev/console.major": 136, "/dev/ptmx.type": "l"})


@case("/dev/console is a link out of the root")
def _(t):
    t.config["mounts"] = [m for m in t.config["mounts"]
                          if m["destination"] not in ("/dev", "/dev/shm", "/dev/mqueue")]
    os.symlink(f"{t.beside}/console", f"{t.rootfs}/dev/console")
    path, listener = t.listen("console.sock")
    t.edit(TERMINAL)
    t.write_config()
    r = t.cleat("create", "--console-socket", path, "--bundle", t.bundle, t.id)
    listener.close()
    t.check(r.rc != 0, f"create went well: {r}")
    t.check_message(r, "/dev/console")


@case("a terminal in a user namespace")
def _(t):
    master = with_console(t, "report", "terminal", edits=user_namespace())
    t.expect(report(t, finish(t, master)), {"tty": [1, 1, 1], "controlling_tty": 1})


@case("the size of the terminal")
def _(t):
    master = with_console(t, "report", "terminal",
                          edits={"process.consoleSize": {"height": 31, "width": 97}})
    t.expect(report(t, finish(t, master)), {"winsize": [31, 97]})


@case("a change of the size reaches the container")
def _(t):
    master = with_console(t, "winsize")
    read_until(t, master, "ready")
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 11, 22, 0, 0))
    read_until(t, master, "size 11 22")
    os.close(master)
    t.delete("--force")


@case("what is typed arrives")
def _(t):
    master = with_console(t, "echo")
    os.write(master, b"typed\n\4")
    text = finish(t, master)
    t.equal(text.count("typed"), 2, f"times in {text!r}")


@case("ctrl-c ends the container")
def _(t):
    master = with_console(t, "sleep")
    read_until(t, master, "ready")
    pid = t.state()["pid"]
    os.write(master, b"\3")
    t.equal(t.wait_for_end(pid), 130, "the status of the process")
    os.close(master)
    t.equal(t.state()["status"], "stopped", "the status")
    t.delete()


@case("a console socket with a long path")
def _(t):
    deep = f"{t.dir}/{'d' * 100}/{'e' * 100}"
    os.makedirs(deep)
    s = socket.socket(socket.AF_UNIX)
    fd = os.open(deep, os.O_PATH)
    s.bind(f"/proc/self/fd/{fd}/sock")
    s.listen(1)
    s.settimeout(TIMEOUT)
    t.edit(TERMINAL)
    t.probe("report", "terminal")
    t.create("--console-socket", f"{deep}/sock")
    master, _ = receive(t, s)
    s.close()
    os.close(fd)
    t.ok("start", t.id)
    t.expect(report(t, finish(t, master)), {"tty": [1, 1, 1]})


def foreground(t, *words, edits=None, size=None, program="/probe",
               session=("setsid", "--ctty", "--wait")):
    """run with a terminal of our own as its streams; the outer master and the process"""
    outer, slave = pty.openpty()
    if size:
        fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    before = termios.tcgetattr(slave)
    t.edit({**TERMINAL, **(edits or {})})
    t.args(program, *words)
    t.write_config()
    p = subprocess.Popen([*session, *t.command("run", "--bundle", t.bundle, t.id)],
                         stdin=slave, stdout=slave, stderr=slave)
    return outer, slave, before, p


def end(t, outer, slave, before, p, status=0):
    t.equal(p.wait(TIMEOUT), status, "the status")
    t.check(termios.tcgetattr(slave) == before, "the terminal's settings were not put back")
    os.close(slave)
    text = read_all(t, outer)
    os.close(outer)
    return text


@case("a foreground terminal")
def _(t):
    outer, slave, before, p = foreground(t, "report", "terminal", size=(41, 83))
    found = report(t, end(t, outer, slave, before, p))
    t.expect(found, {"tty": [1, 1, 1], "controlling_tty": 1, "winsize": [41, 83]})


@case("a foreground terminal and what is typed")
def _(t):
    outer, slave, before, p = foreground(t, "say", "ready", ",", "echo")
    # what comes through says that our terminal is raw by now, and does not echo as well
    read_until(t, outer, "ready\r\n")
    os.write(outer, b"typed\n")
    text = read_until(t, outer, "typed\r\ntyped\r\n")
    os.write(outer, b"\4")
    end(t, outer, slave, before, p)
    t.equal(text.count("typed"), 2, f"times in {text!r}")


@case("a foreground terminal that is nobody's controlling terminal")
def _(t):
    # as BuildKit and CRI-O give one: made raw as well, or each line would end with "\r\r\n"
    outer, slave, before, p = foreground(t, "say", "ready", session=("setsid", "--wait"))
    t.equal(end(t, outer, slave, before, p), "ready\r\n", "what came out")


@case("a foreground terminal that changes its size")
def _(t):
    outer, slave, before, p = foreground(t, "winsize", size=(5, 6))
    read_until(t, outer, "ready")
    fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 51, 61, 0, 0))
    read_until(t, outer, "size 51 61")
    os.write(outer, b"\3")
    end(t, outer, slave, before, p, 130)


@case("a foreground terminal and the exit status")
def _(t):
    outer, slave, before, p = foreground(t, "exit", "42")
    end(t, outer, slave, before, p, 42)


def _no_socket(t):
    t.edit(TERMINAL)
    t.write_config()
    r = t.cleat("create", "--bundle", t.bundle, t.id)
    t.check(r.rc != 0, f"create went well: {r}")
    t.check_message(r, "needs --console-socket .*, or has to be false")


case("create with a terminal needs a console socket")(_no_socket)


@case("a console socket without a terminal")
def _(t):
    path, listener = t.listen("console.sock")
    t.write_config()
    r = t.cleat("create", "--console-socket", path, "--bundle", t.bundle, t.id)
    listener.close()
    t.check(r.rc != 0, f"create went well: {r}")
    t.check_message(r, "console-socket|terminal")


@case("a console socket that nobody listens at")
def _(t):
    t.edit(TERMINAL)
    t.write_config()
    r = t.cleat("create", "--console-socket", f"{t.dir}/nobody", "--bundle", t.bundle, t.id)
    t.check(r.rc != 0, f"create went well: {r}")
    t.check_message(r, "nobody")


@case("a terminal without devpts")
def _(t):
    t.config["mounts"] = [m for m in t.config["mounts"] if m["destination"] != "/dev/pts"]
    path, listener = t.listen("console.sock")
    t.edit(TERMINAL)
    t.write_config()
    r = t.cleat("create", "--console-socket", path, "--bundle", t.bundle, t.id)
    listener.close()
    t.check(r.rc != 0, f"create went well: {r}")
    t.check_message(r, "/dev/pts|devpts")




# --- streams that are closed, stuck or half gone -------------------------------------------

def shell_run(t, redirect, *words, command="run", stdin=subprocess.DEVNULL):
    """run or exec as a shell starts it, with some of its streams redirected"""
    target = (t.id, "/probe", *words) if command == "exec" else ("--bundle", t.bundle, t.id)
    if command == "run":
        t.edit(TERMINAL)
        t.probe(*words)
        t.write_config()
    options = ("-t",) if command == "exec" else ()
    p = subprocess.run(["sh", "-c", f'exec "$@" {redirect}', "sh",
                        *t.command(command, *options, *target)],
                       stdin=stdin, capture_output=True, timeout=TIMEOUT, check=False)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def background(t):
    """A container in which something can be executed."""
    t.edit({"process.terminal": False})
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)


for _name, _redirect in (("stdin", "<&-"), ("stdout", ">&-"), ("stderr", "2>&-"),
                         ("everything", "<&- >&- 2>&-")):
    def _closed(t, redirect=_redirect):
        words = ("say", "hello", ",", "exit", "7")
        heard = "" if ">&-" in redirect and not redirect.startswith("2") else "hello\r\n"
        t.equal(shell_run(t, redirect, *words), (7, heard, ""), "status and output of run")
        background(t)
        t.equal(shell_run(t, redirect, *words, command="exec"), (7, heard, ""),
                "status and output of exec")
        t.delete("--force")
    case(f"a foreground terminal with {_name} closed")(_closed)


@case("a foreground terminal whose input ends")
def _(t):
    r, w = os.pipe()
    os.write(w, b"one\ntwo")
    os.close(w)
    rc, out, err = shell_run(t, "", "echo", stdin=r)
    os.close(r)
    t.equal((rc, err), (0, ""), "status and stderr")
    # what is typed is echoed, and comes again as the program copies it
    t.equal((out.count("one"), out.count("two")), (2, 2), f"what came: {out!r}")


def bytes_in(pipe):
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@case("a foreground terminal whose reader stops")
def _(t):
    """The container waits, we do not spin, and nothing is lost when it is read again."""
    t.edit(TERMINAL)
    t.args("/bin/sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo line$i; i=$((i+1)); done")
    t.busybox()
    t.write_config()
    with subprocess.Popen(t.command("run", "--bundle", t.bundle, t.id), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        t.check(select.select([p.stdout], [], [], TIMEOUT)[0], "nothing came")
        # full: the pipe, our buffer and the terminal; only then the container waits
        count = -1
        while count != bytes_in(p.stdout):
            count = bytes_in(p.stdout)
            select.select([], [], [], 0.5)
        used = cpu_seconds(p.pid)
        select.select([], [], [], 1)
        t.check(cpu_seconds(p.pid) - used < 0.2, "it spins while nobody reads")
        out, err = p.communicate(timeout=TIMEOUT)
    t.equal((p.returncode, err), (0, b""), "status and stderr")
    t.check(out == b"".join(b"line%d\r\n" % i for i in range(20000)), f"{len(out)} bytes came")


@case("a foreground terminal that is hung up")
def _(t):
    """The window is closed: the container gets what is sent to us, and we end with it."""
    outer, slave, _before, p = foreground(t, "sleep")
    read_until(t, outer, "ready")
    os.close(slave)
    os.close(outer)
    # the kernel sends CONT after HUP, and the probe may see that one first
    t.check(p.wait(TIMEOUT) in (128 + 1, 128 + 18), f"the status is {p.returncode}")


@case("a foreground terminal in the background", needs="busybox")
def _(t):
    """What is typed is the shell's until fg; then it is the container's, and the terminal raw."""
    t.busybox()
    t.edit(TERMINAL)
    t.args("/bin/sh", "-c", "echo up; read x; echo got $? $x; read x; echo end $x")
    t.write_config()
    outer, slave = pty.openpty()
    p = subprocess.Popen(["setsid", "--ctty", "--wait", "sh", "-i"], stdin=slave, stdout=slave,
                         stderr=slave, env={**os.environ, "PS1": "$ ", "ENV": ""})
    try:
        run = shlex.join(t.command("run", "--bundle", t.bundle, t.id))
        os.write(outer, f"{run} &\n".encode())
        read_until(t, outer, "up\r")
        os.write(outer, b"echo for the $((40 + 2))\n")
        text = read_until(t, outer, "for the 42")
        t.check("got" not in text, text)
        os.write(outer, b"fg\n")
        read_until(t, outer, "run --bundle")
        os.write(outer, b"first\n")
        read_until(t, outer, "got 0 first")
        t.check(not termios.tcgetattr(slave)[3] & termios.ICANON, "our terminal is not raw")
        os.write(outer, b"second\n")
        read_until(t, outer, "end second\r\n$ ")
        os.write(outer, b"exit 3\n")
        t.equal(p.wait(TIMEOUT), 3, "the status of the shell")
    finally:
        os.close(slave)
        os.close(outer)


@case("a foreground terminal and a program that cannot be executed")
def _(t):
    outer, slave, before, p = foreground(t, program="nope")
    text = end(t, outer, slave, before, p, 1)
    t.check("executable file not found" in text, text)


@case("a foreground terminal of exec")
def _(t):
    background(t)
    outer, slave = pty.openpty()
    fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 17, 71, 0, 0))
    before = termios.tcgetattr(slave)
    p = subprocess.Popen(["setsid", "--ctty", "--wait",
                          *t.command("exec", "--tty", t.id, "/probe", "winsize")],
                         stdin=slave, stdout=slave, stderr=slave)
    read_until(t, outer, "size 17 71")
    fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 18, 72, 0, 0))
    read_until(t, outer, "size 18 72")
    os.write(outer, b"\3")
    end(t, outer, slave, before, p, 130)
    t.delete("--force")
