# SPDX-License-Identifier: Apache-2.0
"""containerd by its own client, ctr: no Docker, no Kubernetes between."""
import glob
import os

import frame
from frame import like, need, same, test

TREE = "/var/tmp/bb"


def image_archive(where, tree):
    """An archive of the kind that `docker save` writes, which containerd imports."""
    import hashlib
    import json
    import shutil
    import subprocess
    shutil.rmtree(where, ignore_errors=True)
    os.makedirs(where)
    subprocess.run(["tar", "-C", tree, "-cf", f"{where}/layer.tar", "."], check=True)
    with open(f"{where}/layer.tar", "rb") as f:
        layer = hashlib.sha256(f.read()).hexdigest()
    config = {"architecture": "amd64", "os": "linux",
              "config": {"Cmd": ["sh"], "Env": ["PATH=/bin"]},
              "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]}}
    with open(f"{where}/config.json", "w", encoding="ascii") as f:
        json.dump(config, f)
    with open(f"{where}/manifest.json", "w", encoding="ascii") as f:
        json.dump([{"Config": "config.json", "RepoTags": ["docker.io/library/bb:latest"],
                    "Layers": ["layer.tar"]}], f)
    subprocess.run(["tar", "-C", where, "-cf", f"{where}.tar", "manifest.json", "config.json",
                    "layer.tar"], check=True)
    return f"{where}.tar"


class Containerd(frame.Engine):
    """ctr names the runtime in each call."""
    space = "default"

    def start(self):
        self.lift_start_limit("containerd")
        self.sh("systemctl start containerd")
        frame.busybox_tree(TREE)
        self.sh(f"ctr -n {self.space} image import {image_archive('/var/tmp/bb-image', TREE)}")
        # ctr asks for its default of shares also where no controller can give them
        shares = "" if frame.has_controller("cpu") else "--cpu-shares 0"
        self.bb = f"--runc-binary {self.path} {shares} docker.io/library/bb:latest"

    def remove_all(self):
        self.run("for c in $(ctr c ls -q); do ctr task kill -a -s KILL $c; ctr task rm -f $c; "
                 "ctr c rm $c; done 2>/dev/null")
        need(not glob.glob("/sys/fs/cgroup/default/*/"), "a cgroup is left")

    def stop(self):
        self.run("systemctl stop containerd; rm -rf /var/tmp/bb-image /var/tmp/bb-image.tar " + TREE)
        self.restore_start_limit("containerd")

    def pid(self, name):
        return self.sh(f"ctr task ls | awk '$1 == \"{name}\" {{ print $2 }}'")


def make(*args):
    return Containerd(*args)


@test("ctr run", quick=True)
def _(e):
    same(e.sh(f"ctr run --rm {e.bb} one echo hello"), "hello")
    e.sh(f"ctr run --rm {e.bb} one sh -c 'exit 7'", status=7)
    like(e.run(f"ctr run --rm {e.bb} one no-such-command").stderr, "executable file.*not found in \\$PATH")
    same(e.sh("ctr c ls -q; ctr c rm one 2>/dev/null; true").replace("one", ""), "")


@test("ctr run -d, task ls, ps, kill, rm", quick=True)
def _(e):
    e.sh(f"ctr run -d {e.bb} one sleep 1000")
    like(e.sh("ctr task ls"), "one +[0-9]+ +RUNNING")
    like(e.sh("ctr task ps one"), e.pid("one"))
    e.sh("ctr task kill -s KILL one")
    e.until("ctr task ls", "STOPPED")
    e.sh("ctr task rm one; ctr c rm one")


@test("ctr task exec", quick=True)
def _(e):
    e.sh(f"ctr run -d {e.bb} one sleep 1000")
    same(e.sh("ctr task exec --exec-id x one echo in"), "in")
    e.sh("ctr task exec --exec-id x one sh -c 'exit 9'", status=9)
    same(e.sh("ctr task exec --exec-id x --cwd /etc --user 1000 one sh -c 'pwd; id -u'"), "/etc\n1000")
    need(e.run("ctr task exec --exec-id x one no-such").returncode != 0, "it ran")


@test("ctr run -t, exec -t", quick=True)
def _(e):
    with open("/var/tmp/ctr.exp", "w", encoding="ascii") as f:
        f.write('set timeout 60\nproc no {what} {puts "no $what"; exit 1}\n'
                f"spawn ctr run -t --rm {e.bb} one sh\n"
                'expect "# " {} timeout {no prompt}\nsend "tty\\r"\n'
                'expect "/dev/pts/0" {} timeout {no tty}\nsend "exit 6\\r"\nexpect eof\n'
                "lassign [wait] p q r status\nif {$status != 6} {no status}\n")
    e.sh("expect -f /var/tmp/ctr.exp")


@test("ctr task pause, resume", quick=True)
def _(e):
    e.sh(f"ctr run -d {e.bb} one sleep 1000; ctr task pause one")
    like(e.sh("ctr task ls"), "PAUSED")
    like(e.value("one", "cgroup.events"), "frozen 1")
    e.sh("ctr task resume one")
    like(e.sh("ctr task ls"), "RUNNING")


@test("ctr task metrics, limits", quick=True)
def _(e):
    frame.needs_controller("memory")
    e.sh(f"ctr run -d --memory-limit 33554432 --cpus 0.5 {e.bb} one sleep 1000")
    same((e.value("one", "memory.max"), e.value("one", "cpu.max")), ("33554432", "50000 100000"))
    like(e.sh("ctr task metrics one"), "memory.usage_limit +33554432")


@test("ctr --runc-systemd-cgroup", quick=True)
def _(e):
    e.sh(f"ctr run -d --runc-systemd-cgroup --cgroup system.slice:mine:one {e.bb} one sleep 1000")
    like(e.sh(f"cat /proc/{e.pid('one')}/cgroup"), "/system.slice/mine-one.scope(/container)?$")  # crun's is below
    like(e.sh("systemctl is-active mine-one.scope"), "active")
    e.sh("ctr task exec --exec-id x one true; ctr task kill -s KILL one")
    e.until("ctr task ls", "STOPPED")
    e.sh("ctr task rm one; ctr c rm one")
    need(e.run("systemctl is-active mine-one.scope").returncode != 0, "the scope is left")


@test("ctr task checkpoint")
def _(e):
    if e.run(f"{e.path} checkpoint --help").returncode != 0:
        raise frame.Skip("the runtime says that it cannot")
    e.sh(f"ctr run -d {e.bb} one sleep 1000")
    e.sh("ctr c checkpoint --task one cp1; ctr image ls | grep -q cp1")


@test("containerd restarted meanwhile", quick=True)
def _(e):
    e.sh(f"ctr run -d {e.bb} one sleep 1000")
    pid = e.pid("one")
    e.sh("systemctl restart containerd")
    same(e.pid("one"), pid)
    same(e.sh("ctr task exec --exec-id x one echo still"), "still")
    e.sh("systemctl kill --kill-whom=main -s KILL containerd; systemctl start containerd")
    e.until("ctr task ls", f"one +{pid} +RUNNING")


@test("a killed shim is cleaned up")
def _(e):
    e.sh(f"ctr run -d {e.bb} one sleep 1000")
    pid = e.pid("one")
    e.sh("pkill -KILL -f 'containerd-shim-runc-v2 .*-id one '")
    e.until(f"test -e /proc/{pid} || echo gone", "gone")
