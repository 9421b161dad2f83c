# SPDX-License-Identifier: Apache-2.0
"""buildah: run in a working container, and build from a file."""
import os

import frame
from frame import like, need, same, test

TREE = "/var/tmp/bb"
CONF = "/etc/containers/containers.conf.d/90-test.conf"
LOGIN = ("runuser -u user -- env -i HOME=/home/user USER=user PATH=/usr/local/bin:/usr/bin:/bin "
         "XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus "
         "systemd-run --user --quiet --pipe --wait --collect -p Delegate=yes -p KillMode=process bash -c ")


class Buildah(frame.Engine):
    """BUILDAH_RUNTIME names the runtime; the working container is made from scratch."""

    def start(self):
        self.env["BUILDAH_RUNTIME"] = self.path
        os.makedirs(os.path.dirname(CONF), exist_ok=True)
        with open(CONF, "w", encoding="ascii") as f:
            f.write(frame.containers_conf())
        policy = "/etc/containers/policy.json"  # of a package that is only recommended
        if not os.path.exists(policy):
            with open(policy, "w", encoding="ascii") as f:
                f.write('{"default": [{"type": "insecureAcceptAnything"}]}')
        frame.busybox_tree(TREE)
        self.sh(f"chmod 755 {TREE}; buildah from --name base scratch; buildah copy -q base {TREE} / && "
                "buildah config --cmd sh base && buildah commit -q base bb && buildah rm base")

    def remove_all(self):
        self.run("buildah rm -a; " + LOGIN + "'buildah rm -a'")

    def stop(self):
        self.run(f"buildah rm -a; buildah rmi -a -f; rm -rf {CONF} {TREE}")


def make(*args):
    return Buildah(*args)


@test("buildah run", quick=True)
def _(e):
    e.sh("buildah from --name one bb")
    same(e.sh("buildah run one -- echo hello"), "hello")
    e.sh("buildah run one -- sh -c 'exit 7'", status=7)
    same(e.sh("echo text | buildah run one -- cat"), "text")
    e.sh("buildah run one -- sh -c 'echo made >/root/made'")
    same(e.sh("buildah run one -- cat /root/made"), "made")
    like(e.run("buildah run one -- no-such-command").stderr, "not found")


@test("buildah run -t", quick=True)
def _(e):
    e.sh("buildah from --name one bb")
    with open("/var/tmp/buildah.exp", "w", encoding="ascii") as f:
        f.write('set timeout 60\nproc no {what} {puts "no $what"; exit 1}\n'
                "spawn buildah run -t one -- sh\n"
                'expect "# " {} timeout {no prompt}\nsend "tty\\r"\n'
                'expect "/dev/pts/0" {} timeout {no tty}\nsend "exit 6\\r"\nexpect eof\n'
                "lassign [wait] p q r status\nif {$status != 6} {no status}\n")
    e.sh("expect -f /var/tmp/buildah.exp")


@test("buildah run with volumes, users, capabilities, limits", quick=True)
def _(e):
    e.sh("mkdir -p /tmp/vol; echo host >/tmp/vol/file; buildah from --name one bb")
    same(e.sh("buildah run -v /tmp/vol:/v:ro one -- cat /v/file"), "host")
    for words in ("z", "Z", "U", "O", "cached", "delegated"):
        same(e.sh(f"buildah run -v /tmp/vol:/v:{words} one -- cat /v/file"), "host")
    same(e.sh("buildah run --user 1000 one -- id -u"), "1000")
    like(e.sh("buildah run --cap-drop all one -- grep CapEff /proc/self/status"), "0{16}")
    frame.needs_controller("memory")
    e.sh("buildah from --name two --memory 32m bb")
    same(e.sh("buildah run two -- cat /sys/fs/cgroup/memory.max"), str(32 << 20))


@test("buildah bud", quick=True)
def _(e):
    os.makedirs("/tmp/bud", exist_ok=True)
    with open("/tmp/bud/Containerfile", "w", encoding="ascii") as f:
        f.write("FROM bb\nRUN echo one >/root/made\nUSER 1000\nRUN id -u >/tmp/uid\n"
                "RUN test $(cat /tmp/uid) = 1000\nUSER 0\nRUN echo two >>/root/made\n")
    e.sh("buildah bud -q -t built /tmp/bud", timeout=300)
    e.sh("buildah from --name two built")
    same(e.sh("buildah run two -- cat /root/made"), "one\ntwo")
    with open("/tmp/bud/Containerfile", "w", encoding="ascii") as f:
        f.write("FROM bb\nRUN exit 42\n")
    need(e.run("buildah bud -q /tmp/bud").returncode == 42, "the status is not that of the step")


@test("rootless: run and bud", quick=True)
def _(e):
    script = (f"export BUILDAH_RUNTIME={e.path}; set -e; buildah from --name one scratch; "
              f"buildah copy -q one {TREE} /; buildah run one -- id -u; buildah rm one >/dev/null")
    like(e.sh(LOGIN + "'" + script + "'"), "\n0$")
