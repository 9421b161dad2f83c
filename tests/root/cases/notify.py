# SPDX-License-Identifier: Apache-2.0
"""NOTIFY_SOCKET: what a container says to the service manager of whoever started it."""
import array
import os
import socket
import threading

from frame.case import case
from frame.config import caps, user_namespace
from frame.trial import TIMEOUT

READY = "READY=1\nSTATUS=up"


class Manager:
    """As a service manager: messages in order, and what came with each; closes barriers."""

    def __init__(self, t, name=None):
        self.path = name or f"{t.dir}/manager"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind("\0" + name[1:] if name else self.path)
        self.socket.settimeout(TIMEOUT)
        self.env = {**os.environ, "NOTIFY_SOCKET": self.path}
        self.messages = []
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        while True:
            try:
                text, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(16))
            except OSError:
                return
            self.messages.append(text.decode())
            for _, _, data in ancillary:
                for fd in array.array("i", data):
                    os.close(fd)
            if text == b"end":
                return

    def close(self):
        """All that was said."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.connect("\0" + self.path[1:] if self.path[0] == "@" else self.path)
            own.send(b"end")
        self.thread.join(TIMEOUT)
        self.socket.close()
        return self.messages[:-1]


def expected(pid):
    return ["STATUS=begin\n", f"READY=1\nSTATUS=up\nMAINPID={pid}\n", "BARRIER=1"]


def detached(t, edits=None, name=None):
    manager = Manager(t, name)
    if edits:
        os.makedirs(t.rootfs + manager.path)  # nobody in there may make it in our image
        t.edit(edits)
    t.probe("notify", "STATUS=begin\nMAINPID=7", READY, ",", "sleep")
    t.write_config()
    t.start_command("run", "--detach", "--bundle", t.bundle, t.id, env=manager.env)
    pid = t.state()["pid"]
    t.equal(manager.close(), expected(pid), "what the manager heard")
    t.delete("--force")
    t.wait_for_end(pid)


@case("a detached run returns when READY was read")
def _(t):
    detached(t)


@case("another user, in a user namespace")
def _(t):
    detached(t, {**user_namespace(), "process.user": {"uid": 1000, "gid": 1000}})


@case("a manager with an abstract address")
def _(t):
    detached(t, name=f"@{t.id}")


@case("create and start")
def _(t):
    manager = Manager(t)
    t.probe("notify", "STATUS=begin", READY, ",", "report", "env", "place", ",", "sleep")
    t.create(env=manager.env)
    pid = t.state()["pid"]
    t.equal(manager.messages, [], "messages of a container that waits")
    t.start_command("start", t.id, env=manager.env)
    t.equal(manager.close(), expected(pid), "what the manager heard")
    t.wait_for_line("ready")
    t.check(f'"NOTIFY_SOCKET={manager.path}/notify.sock"' in t.out(), t.out())
    t.delete("--force")
    t.wait_for_end(pid)


@case("a foreground run passes on what is said, but nothing of others")
def _(t):
    manager = Manager(t)
    t.probe("notify", READY, "FDSTORE=1\nWATCHDOG=1", "NOTIFYACCESS=all", "STOPPING=1")
    t.equal(t.run(env=manager.env).rc, 0, "the status")
    heard = manager.close()
    t.check(heard[0].startswith("READY=1\nSTATUS=up\nMAINPID="), str(heard))
    t.equal(heard[1:], ["WATCHDOG=1\n", "STOPPING=1\n"], "the rest")


@case("a container that ends without a word")
def _(t):
    manager = Manager(t)
    t.probe("exit", "0")
    t.create(env=manager.env)
    pid = t.state()["pid"]
    t.start_command("start", t.id, env=manager.env)
    t.equal(t.wait_for_end(pid), 0, "the status")
    t.equal(manager.close(), [], "what the manager heard")
    t.delete()


@case("a manager that is not there")
def _(t):
    """As in a shell of a service that has ended: nobody waits for a word."""
    t.probe("exit", "0")
    t.write_config()
    p = t.cleat("--log-level", "warning", "run", "--bundle", t.bundle, t.id,
                env={**os.environ, "NOTIFY_SOCKET": "/no/where"})
    t.equal(p.rc, 0, "the status")
    t.check("NOTIFY_SOCKET '/no/where': no such file or directory: nothing is passed on" in p.err,
            p.err)


@case("where the container finds it")
def _(t):
    """Systemd's own place is left to a systemd inside; there may be none here to hear of it."""
    for given, place in (("/a//b/", "/a/b"), ("@abstract", "/run/notify"), ("//", "/run/notify"),
                         ("/run/systemd/notify", "/run/notify"),
                         ("/run/user/1/systemd/notify", "/run/notify")):
        report = t.run_probe(env={**os.environ, "NOTIFY_SOCKET": given})
        t.check(place in report["mounts"], f"{given}: {report['mounts']}")
        t.check(f"NOTIFY_SOCKET={place}/notify.sock" in report["env"], f"{given}: {report['env']}")


@case("a container that has filled the directory of its socket", needs="busybox")
def _(t):
    """Root with CAP_SYS_ADMIN and no user namespace: it can make the mount writable."""
    manager = Manager(t)
    t.busybox()
    t.edit({"process.capabilities": caps("SYS_ADMIN", "DAC_OVERRIDE")})
    t.args("/bin/sh", "-c", f"""
cd {manager.path}
mount -o remount,rw,bind {manager.path}
/bin/busybox rm -f notify.sock
mkdir -p notify.sock/x 0/1/2 3
i=0
while test $i -lt 200; do
  echo x >file; /bin/busybox ln -s {t.beside} link; mkdir d; cd d; i=$((i+1))
done
echo ready
exec sleep 1000""")
    t.create(env=manager.env)
    pid = t.state()["pid"]
    t.ok("start", t.id)
    t.wait_for_line("ready")
    manager.close()
    t.check(os.path.isdir(f"{t.root}/{t.id}/notify/d/d/d/d"), "it has not filled it")
    t.delete("--force")
    t.wait_for_end(pid)
    t.equal(os.path.exists(f"{t.root}/{t.id}"), False, "a directory that is left")


@case("without NOTIFY_SOCKET there is nothing of it")
def _(t):
    report = t.run_probe()
    t.check("/run/notify" not in report["mounts"], "a mount")
    t.check(not any(v.startswith("NOTIFY_SOCKET") for v in report["env"]), str(report["env"]))
