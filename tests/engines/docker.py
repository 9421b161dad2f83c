# SPDX-License-Identifier: Apache-2.0
"""Docker: dockerd with the runtime as its default, every command that people use."""
import json
import os
import shutil

import frame
from frame import like, need, same, test

TREE = "/var/tmp/bb"
EXPECT = "/var/tmp/dialogue.exp"


class Docker(frame.Engine):
    """The containers' default runtime is the runtime; BuildKit uses it too."""

    def configure(self, **more):
        config = {"log-level": "warn", "iptables": True, "ip6tables": False}
        if self.name != "runc":
            config["runtimes"] = {self.name: {"path": self.path}}
        config["default-runtime"] = self.name
        config["exec-opts"] = [f"native.cgroupdriver={self.manager}"]
        config.update(more)
        os.makedirs("/etc/docker", exist_ok=True)
        with open("/etc/docker/daemon.json", "w", encoding="ascii") as f:
            json.dump(config, f)

    def start(self):
        drop_in = "/etc/systemd/system/docker.service.d"
        os.makedirs(drop_in, exist_ok=True)
        with open(f"{drop_in}/runtime.conf", "w", encoding="ascii") as f:
            f.write(f"[Service]\nEnvironment=DOCKER_BUILDKIT_RUNC_COMMAND={self.path}\n")
        self.configure()
        self.lift_start_limit("docker")
        self.sh("systemctl restart docker")
        self.import_image()

    def import_image(self):
        frame.busybox_tree(TREE)
        self.sh(f"tar -C {TREE} -c . | docker import -c 'CMD [\"sh\"]' -c 'EXPOSE 80' - bb")

    def restart(self, **more):
        self.configure(**more)
        self.sh("systemctl restart docker")

    def remove_all(self):
        self.run("docker ps -aq | xargs -r docker rm -f -v")
        self.run("docker network prune -f; docker volume prune -af")

    def stop(self):
        self.run("docker image prune -af; systemctl stop docker.service docker.socket")
        self.run("rm -rf /etc/docker/daemon.json /etc/systemd/system/docker.service.d; "
                 "systemctl stop containerd")
        self.restore_start_limit("docker")
        shutil.rmtree(TREE, ignore_errors=True)

    def inspect(self, name, form):
        return self.sh(f"docker inspect -f '{{{{{form}}}}}' {name}")

    def pid(self, name):
        return self.inspect(name, ".State.Pid")

    def dialogue(self, script, timeout=120):
        """Run an expect script: a person at a terminal."""
        with open(EXPECT, "w", encoding="ascii") as f:
            f.write("set timeout 60\nproc no {what} {puts \"no $what\"; exit 1}\n" + script)
        return self.sh(f"expect -f {EXPECT}", timeout=timeout)


def make(*args):
    return Docker(*args)


# --- the commands -----------------------------------------------------------------------------

@test("service docker start", quick=True)
def _(e):
    e.sh("service docker stop; service docker start")
    same(e.sh("docker info -f '{{.DefaultRuntime}} {{.CgroupDriver}} {{.CgroupVersion}}'"),
         f"{e.name} {e.manager} 2")
    same(e.sh("docker run --rm bb echo up"), "up")


@test("create, start", quick=True)
def _(e):
    e.sh("docker create --name one bb sh -c 'echo started; exec top'")
    same(e.inspect("one", ".State.Status"), "created")
    same(e.sh("docker start one"), "one")
    same(e.inspect("one", ".HostConfig.Runtime .State.Status".replace(" ", "}} {{")),
         f"{e.name} running")
    e.until("docker logs one", "^started")
    like(e.sh(f"cat /proc/{e.pid('one')}/comm"), "top")


@test("run, exit codes", quick=True)
def _(e):
    same(e.sh("docker run --rm bb echo hello world"), "hello world")
    e.sh("docker run --rm bb sh -c 'exit 7'", status=7)
    gone = e.run("docker run --rm bb no-such-command")
    same(gone.returncode, 127)
    like(gone.stderr, "executable file.*not found in \\$PATH")
    same(e.run("docker run --rm bb /no/such").returncode, 127)
    same(e.run("docker run --rm bb /etc/not-executable").returncode, 126)
    same(e.run("docker run --rm bb /etc").returncode, 126)
    same(e.run("docker run --rm --no-such-flag bb").returncode, 125)
    same(e.sh("docker ps -aq"), "")


@test("run -i, standard input", quick=True)
def _(e):
    same(e.sh("docker run -i --rm bb wc -c", stdin="x" * 100000), "100000")


@test("restart", quick=True)
def _(e):
    e.sh("docker run -d --init --name one bb sleep 1000")
    first = e.pid("one")
    e.sh("docker restart -t 5 one")
    need(e.pid("one") not in (first, "0"), "it is the same process")
    need(not os.path.exists(f"/proc/{first}"), "the first process is there")


@test("pause, unpause", quick=True)
def _(e):
    e.sh("docker run -d --name one bb sh -c 'while :; do echo x; sleep 0.2; done'")
    e.until("docker logs one", "x")
    e.sh("docker pause one")
    same(e.inspect("one", ".State.Status"), "paused")
    like(e.value("one", "cgroup.events"), "frozen 1")
    count = e.sh("docker logs one | wc -l")
    need(e.run("docker exec one true").returncode != 0, "exec in a paused container")
    same(e.sh("sleep 1; docker logs one | wc -l"), count)
    e.sh("docker unpause one")
    e.until("docker logs one | wc -l", f"^(?!{count}$)")
    e.sh("docker pause one; docker rm -f one")


@test("attach", quick=True)
def _(e):
    e.sh("docker run -d -i --name one bb sh -c 'read l; echo got $l; sleep 1; exit 3'")
    done = e.run("(echo a line; sleep 4) | docker attach one")
    same((done.out, done.returncode), ("got a line", 3))


@test("stop, wait", quick=True)
def _(e):
    e.sh("docker run -d --name one bb sh -c 'trap \"echo bye; exit 4\" TERM; while :; do sleep 0.1; done'")
    e.sh("docker exec one true; docker stop one")
    same(e.sh("docker wait one"), "4")
    same(e.sh("docker logs one"), "bye")
    e.sh("docker run -d --name two bb sleep 1000")
    e.sh("docker stop -t 1 two")
    same(e.inspect("two", ".State.ExitCode"), "137")


@test("kill", quick=True)
def _(e):
    e.sh("docker run -d --name one bb sh -c 'trap \"echo usr1\" USR1; echo on; while :; do sleep 0.1; done'")
    e.until("docker logs one", "on")
    e.sh("docker kill -s USR1 one")
    e.until("docker logs one", "usr1")
    e.sh("docker kill one")
    same(e.sh("docker wait one"), "137")
    like(e.run("docker kill one").stderr, "is not running")


@test("rm", quick=True)
def _(e):
    e.sh("docker run -d --name one bb sleep 1000")
    like(e.run("docker rm one").stderr, "running")
    where, pid = e.cgroup("one"), e.pid("one")
    e.sh("docker rm -f one")
    need(not os.path.exists(where), f"{where} is left")
    need(not os.path.exists(f"/proc/{pid}"), "its process is left")
    e.sh("docker create --name two bb true; docker rm two")
    same(e.sh("docker ps -aq"), "")


@test("update", quick=True)
def _(e):
    e.sh("docker run -d --name one -m 64m bb sleep 1000")
    same(e.value("one", "memory.max"), str(64 << 20))
    e.sh("docker update -m 96m --memory-swap 96m --cpus 0.5 --pids-limit 55 --cpu-shares 512 one")
    same([e.value("one", f) for f in ("memory.max", "memory.swap.max", "cpu.max", "pids.max")],
         [str(96 << 20), "0", "50000 100000", "55"])
    like(e.value("one", "cpu.weight"), "^(20|59)$")
    same(e.sh("docker exec one echo alive"), "alive")
    e.sh("docker update --restart always one")
    same(e.value("one", "memory.max"), str(96 << 20))


@test("rmi")
def _(e):
    e.sh("docker tag bb other; docker run --name one other true")
    like(e.sh("docker rmi other"), "Untagged: other")
    need(e.run("docker run --rm --pull never other true").returncode == 125, "it ran")


@test("ps, ps -a", quick=True)
def _(e):
    e.sh("docker run -d --name one bb sleep 1000; docker run --name two bb sh -c 'exit 5'", status=5)
    like(e.sh("docker ps --format '{{.Names}} {{.Status}}'"), "^one Up [^\\n]*$")
    like(e.sh("docker ps -a --format '{{.Names}} {{.Status}}'"), "two Exited \\(5\\).*\\none Up")


@test("logs", quick=True)
def _(e):
    e.sh("docker run --name one bb sh -c 'echo out; echo err >&2'")
    same(e.sh("docker logs one 2>/dev/null"), "out")
    same(e.sh("docker logs one 2>&1 >/dev/null"), "err")
    e.sh("docker run -d --name two bb sh -c 'for i in 1 2 3; do echo $i; sleep 0.3; done'")
    same(e.sh("docker logs -f two"), "1\n2\n3")


@test("inspect", quick=True)
def _(e):
    e.sh("docker run -d --name one -e V=1 -w /tmp --hostname inside bb sleep 1000")
    found = json.loads(e.sh("docker inspect one"))[0]
    same((found["State"]["Running"], found["HostConfig"]["Runtime"]), (True, e.name))
    same(os.readlink(f"/proc/{found['State']['Pid']}/cwd"), "/tmp")
    same(e.sh("docker exec one sh -c 'hostname; echo $V; pwd'"), "inside\n1\n/tmp")


@test("events")
def _(e):
    since = e.sh("date +%s.%N")
    e.sh("docker run --name one bb true; docker rm one")
    ask = f"docker events --since {since} --until $(date +%s.%N) --format '{{{{.Action}}}}' --filter container="
    same(e.sh(ask + "one").split(), ["create", "attach", "start", "die", "destroy"])
    frame.needs_controller("memory")
    e.sh("docker run --name two -m 16m bb sh -c 'x=$(cat /dev/zero | head -c 64000000 | tr \"\\0\" y)'", status=137)
    like(e.sh(ask + "two"), "oom")
    same(e.inspect("two", ".State.OOMKilled"), "true")


@test("port, published ports", quick=True)
def _(e):
    e.sh("docker run -d --name one -p 127.0.0.1:8080:80 bb httpd -f -h /www")
    same(e.sh("docker port one"), "80/tcp -> 127.0.0.1:8080")
    e.until("curl -s http://127.0.0.1:8080/", "hello from the container")


@test("top", quick=True)
def _(e):
    e.sh("docker run -d --name one bb sh -c 'sleep 1234 & exec sleep 2345'")
    e.until("docker top one", "sleep 1234")
    rows = e.sh("docker top one -o pid,args").splitlines()
    same(len(rows), 3)
    like(rows[1], f"^{e.pid('one')} +sleep 2345")


@test("stats", quick=True)
def _(e):
    frame.needs_controller("memory")
    e.sh("docker run -d --name one -m 64m bb sh -c 'sleep 1000 & exec sleep 1000'")
    found = json.loads(e.sh("docker stats --no-stream --format '{{json .}}' one"))
    like(found["MemUsage"], "^[0-9.]+[KM]iB / 64MiB")
    same(found["PIDs"], "2")


@test("diff", quick=True)
def _(e):
    e.sh("docker run --name one bb sh -c 'echo x >/root/new; rm /etc/group'")
    same(sorted(e.sh("docker diff one").splitlines()),
         ["A /root/new", "C /etc", "C /root", "D /etc/group"])


@test("cp", quick=True)
def _(e):
    e.sh("docker run -d --name one bb sleep 1000")
    e.sh("echo text >/tmp/there; docker cp -q /tmp/there one:/root/here")
    same(e.sh("docker exec one cat /root/here"), "text")
    e.sh("docker exec one sh -c 'echo back >/root/back'; docker cp -q one:/root/back /tmp/back")
    same(e.sh("cat /tmp/back"), "back")


@test("export")
def _(e):
    e.sh("docker run --name one bb sh -c 'echo mine >/root/mine'")
    layer = e.inspect("one", ".GraphDriver.Data.MergedDir")
    same(e.sh("docker export -o /tmp/one.tar one; tar -xOf /tmp/one.tar root/mine"), "mine")
    e.run(f"docker rm one; umount {layer}")  # dockerd 26 leaves it mounted, with any runtime


@test("exec", quick=True)
def _(e):
    e.sh("docker run -d --name one -e BASE=1 bb sleep 1000")
    same(e.sh("docker exec one echo in"), "in")
    e.sh("docker exec one sh -c 'exit 9'", status=9)
    same(e.sh("docker exec -u 1000 -w /etc -e MORE=2 one sh -c 'id -u; pwd; echo $BASE$MORE'"),
         "1000\n/etc\n12")
    same(e.sh("docker exec -i one wc -c", stdin="x" * 70000), "70000")
    like(e.sh("docker exec one no-such-command 2>&1; true"), "executable file.*not found in")
    same(e.run("docker exec one /etc/not-executable").returncode, 126)
    like(e.sh("docker exec -w /nowhere one true 2>&1; true"), "(?i)no such file or directory")
    e.sh("docker exec -d one sleep 4321")
    e.until("docker top one", "sleep 4321")
    pid = e.sh("pgrep -f '^sleep 4321'")
    same(e.sh(f"cat /proc/{pid}/cgroup"), e.sh(f"cat /proc/{e.pid('one')}/cgroup"))
    show = "grep CapBnd /proc/self/status"
    same(e.sh(f"docker exec --privileged one {show}"), e.sh(show))


@test("rename, commit")
def _(e):
    e.sh("docker run --name one bb sh -c 'echo kept >/root/kept'; docker rename one two; docker commit two copy")
    same(e.sh("docker run --rm copy cat /root/kept"), "kept")
    e.sh("docker rm two; docker rmi copy")


# --- what a container is ------------------------------------------------------------------------

@test("its own root file system", quick=True)
def _(e):
    e.sh("docker run -d --name one bb sh -c 'echo a >/root/mine; exec sleep 1000'")
    e.sh("docker run -d --name two bb sleep 1000")
    same(e.sh("docker exec two ls /root"), "")
    need(not os.path.exists("/root/mine"), "the host has the container's file")
    need(e.run("docker exec one ls /usr/bin/dpkg").returncode != 0, "the host's files are there")


@test("its own process tree", quick=True)
def _(e):
    e.sh("docker run -d --name one bb sleep 1111; docker run -d --name two bb sleep 2222")
    found = e.sh("docker exec one ps -o pid,args")
    like(found, "\\n +1 sleep 1111")
    need("2222" not in found and "systemd" not in found, "it sees others: " + found)
    spaces = [os.readlink(f"/proc/{e.pid(n)}/ns/{s}") for n in ("one", "two")
              for s in ("pid", "mnt", "ipc", "uts", "net", "cgroup")]
    same(len(set(spaces)), 12)


@test("its own network stack", quick=True)
def _(e):
    e.sh("docker run -d --name one bb httpd -f -h /www; docker run -d --name two bb sleep 1000")
    where = e.inspect("one", ".NetworkSettings.IPAddress")
    like(e.sh("docker exec one ip addr"), f"lo:[^$]*{where}/")
    like(e.sh(f"docker exec two wget -qO- http://{where}/"), "hello from")
    same(e.sh("docker run --rm --network none bb ls /sys/class/net"), "lo")
    e.sh("docker network create n; docker run -d --name three --network n bb httpd -f -h /www")
    like(e.sh("docker run --rm --network n bb wget -qO- http://three/"), "hello from")
    need(e.run(f"docker run --rm --network n bb wget -T 3 -qO- http://{where}/").returncode != 0,
         "networks see each other")


@test("memory limit", quick=True)
def _(e):
    e.sh("docker run -d --name one -m 32m --memory-reservation 16m bb sleep 1000")
    same((e.value("one", "memory.max"), e.value("one", "memory.low")), (str(32 << 20), str(16 << 20)))
    need(e.run("docker exec one sh -c 'head -c 80000000 /dev/zero | tail'").returncode != 0,
         "80 MB fit into 32")
    like(e.value("one", "memory.events"), "oom_kill [1-9]")


@test("cpu limits", quick=True)
def _(e):
    frame.needs_controller("cpu")
    if os.cpu_count() == 1:
        raise frame.Skip("this machine has one processor")
    e.sh("docker run -d --name one --cpus 0.25 --cpuset-cpus 1 --cpu-shares 2048 bb sleep 1000")
    same((e.value("one", "cpu.max"), e.value("one", "cpuset.cpus.effective")), ("25000 100000", "1"))
    same(e.sh("docker exec one nproc"), "1")
    need(int(e.value("one", "cpu.weight")) > 70, "the weight is " + e.value("one", "cpu.weight"))


@test("other limits: pids, blkio, ulimit")
def _(e):
    e.sh("docker run -d --name one --pids-limit 20 --blkio-weight 300 "
         "--ulimit nofile=111:222 --ulimit core=0 bb sleep 1000")
    same(e.value("one", "pids.max"), "20")
    need(e.value("one", "io.weight") != "default 100", "the weight is the default")
    same(e.sh("docker exec one sh -c 'ulimit -n; ulimit -Hn'"), "111\n222")
    need("can't fork" in e.run("docker exec one sh -c 'for i in $(seq 40); do sleep 9 & done'").stderr,
         "40 processes fit into 20")


@test("throttled devices")
def _(e):
    frame.needs_controller("io")
    # Debian's docker 26 takes --device-read-bps and forgets it, with any runtime: its API does not.
    wish = {"Image": "bb", "Cmd": ["sleep", "1000"], "HostConfig": {
        "BlkioDeviceReadBps": [{"Path": "/dev/vda", "Rate": 1048576}],
        "BlkioDeviceWriteIOps": [{"Path": "/dev/vda", "Rate": 77}]}}
    e.sh("curl -sf --unix-socket /run/docker.sock -H 'Content-Type: application/json' --data @- "
         "'http://docker/containers/create?name=one'", stdin=json.dumps(wish))
    e.sh("docker start one")
    like(e.value("one", "io.max"), "rbps=1048576 wbps=max riops=max wiops=77")


@test("capabilities, --cap-add, --cap-drop", quick=True)
def _(e):
    show = "grep -h Cap /proc/self/status"
    like(e.sh(f"docker run --rm bb {show}"), "CapEff:\t00000000a80425fb")
    like(e.sh(f"docker run --rm --cap-drop all bb {show}"), "CapBnd:\t0000000000000000")
    like(e.sh(f"docker run --rm --cap-drop all --cap-add net_admin bb {show}"),
         "CapEff:\t0000000000001000")
    like(e.sh(f"docker run --rm -u 1000 bb {show}"), "CapEff:\t0000000000000000")
    need(e.run("docker run --rm bb ip link add d0 type dummy").returncode != 0, "links can be made")
    e.sh("docker run --rm --cap-add net_admin bb ip link set lo down")


# --- options --------------------------------------------------------------------------------------

@test("-it: a real terminal", quick=True)
def _(e):
    e.dialogue(r'''
spawn docker run -it --rm --name one bb sh
stty rows 33 columns 101 < $spawn_out(slave,name)
expect "# " {} timeout {no prompt}
send "tty; test -t 0 && echo is-a-\"tty\"\r"
expect "/dev/pts/0" {} timeout {no tty}
expect "is-a-tty" {} timeout {no terminal}
send "sleep 100\r"
sleep 1
send "\003"
expect "# " {} timeout {no interrupt}
send "stty size\r"
expect -re {33 101} {} timeout {no size}
stty rows 44 columns 88 < $spawn_out(slave,name)
sleep 1
send "stty size\r"
expect -re {44 88} {} timeout {no new-size}
send "exit 6\r"
expect eof
lassign [wait] a b c status
if {$status != 6} {no "status 6 but $status"}
''')


@test("exec -it, detach keys", quick=True)
def _(e):
    e.sh("docker run -dit --name one bb sh")
    e.dialogue(r'''
spawn docker exec -it one sh
expect "# " {} timeout {no prompt}
send "tty\r"
expect -re {/dev/pts/[0-9]} {} timeout {no tty}
send "exit 5\r"
expect eof
lassign [wait] a b c status
if {$status != 5} {no "status 5 but $status"}
spawn docker attach one
send "echo atta\"ched\"\r"
expect "attached" {} timeout {no attach}
send "\020\021"
expect eof
wait
''')
    same(e.inspect("one", ".State.Running"), "true")


@test("under tmux")
def _(e):
    e.sh("tmux new-session -d -s t -x 90 -y 20 'docker run -it --rm --name one bb sh'")
    e.until("tmux capture-pane -p -t t", "/ #")
    e.sh("tmux send-keys -t t 'stty size; vi /etc/passwd' Enter")
    e.until("tmux capture-pane -p -t t", "root:x:0:0")
    e.sh("tmux send-keys -t t ':q' Enter; sleep 1; tmux send-keys -t t 'stty size' Enter")
    e.until("tmux capture-pane -p -t t", "20 90")
    e.sh("tmux kill-session -t t")
    e.until("docker ps -q --filter name=one | wc -l", "^[01]$")


@test("--init", quick=True)
def _(e):
    e.sh("docker run -d --init --name one bb sh -c 'sleep 0.1 & exec sleep 1000'")
    like(e.sh("docker exec one ps -o pid,args"), " 1 (/sbin/docker-init|/usr/bin/tini|.*init)")
    e.until("docker exec one ps -o stat,args", "^(?!.*Z)")


@test("--read-only, --tmpfs", quick=True)
def _(e):
    done = e.run("docker run --rm --read-only --tmpfs /tmp:size=1m,mode=1777 bb "
                 "sh -c 'echo x >/tmp/x && cat /tmp/x; echo y >/root/y'")
    like(done.stderr, "Read-only file system")
    same(done.out, "x")
    like(e.sh("docker run --rm --tmpfs /t:size=1m,noexec bb grep ' /t ' /proc/mounts"),
         "tmpfs.*noexec.*size=1024k")


@test("volumes: -v, --mount, propagation", quick=True)
def _(e):
    e.sh("mkdir -p /tmp/vol; echo host >/tmp/vol/file")
    same(e.sh("docker run --rm -v /tmp/vol:/v:ro bb sh -c 'cat /v/file; echo x >/v/x'", status=1), "host")
    e.sh("docker run --rm -v data:/d bb sh -c 'echo kept >/d/f'")
    same(e.sh("docker run --rm --mount type=volume,src=data,dst=/d,readonly bb cat /d/f"), "kept")
    e.sh("docker run -d --name one -v /tmp/vol:/v:rslave bb sleep 1000")
    e.sh("mkdir -p /tmp/vol/sub; mount -t tmpfs none /tmp/vol/sub; touch /tmp/vol/sub/late")
    done = e.run("docker exec one ls /v/sub").out
    e.sh("umount /tmp/vol/sub")
    same(done, "late")
    for what, where in (("/tmp/vol/file", "/etc"), ("/tmp/vol", "/etc/passwd")):
        gone = e.run(f"docker run --rm -v {what}:{where} bb true")
        same(gone.returncode, 125)
        like(gone.stderr, "Are you trying to mount a directory onto a file")


@test("--privileged", quick=True)
def _(e):
    e.sh("docker run --rm --privileged bb sh -c 'mount -t tmpfs none /tmp && test -b /dev/vda && "
         "echo 1 >/proc/sys/net/ipv4/ip_forward && mkdir /sys/fs/cgroup/x && rmdir /sys/fs/cgroup/x'")
    need(e.run("docker run --rm bb mount -t tmpfs none /tmp").returncode != 0, "anyone mounts")
    need(e.run("docker run --rm bb mkdir /sys/fs/cgroup/x").returncode != 0, "cgroups are writable")


@test("--device", quick=True)
def _(e):
    same(e.sh("docker run --rm --device /dev/vda:/dev/disk:r bb sh -c 'head -c 9 /dev/disk | wc -c'"), "9")
    need(e.run("docker run --rm --device /dev/vda:/dev/disk:r bb sh -c 'echo >>/dev/disk'").returncode
         != 0, "it is writable")
    need(e.run("docker run --rm --cap-add mknod bb sh -c 'mknod /d b 254 0 && head -c 1 /d'").returncode
         != 0, "any device can be read")


@test("--security-opt seccomp=", quick=True)
def _(e):
    need(e.run("docker run --rm bb unshare -U true").returncode != 0, "unshare is allowed")
    like(e.sh("docker run --rm bb grep Seccomp: /proc/self/status"), "2")
    like(e.sh("docker run --rm --security-opt seccomp=unconfined bb grep Seccomp: /proc/self/status"), "0")
    with open("/tmp/profile.json", "w", encoding="ascii") as f:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 11}]}, f)
    like(e.run("docker run --rm --security-opt seccomp=/tmp/profile.json bb mkdir /x").stderr,
         "temporarily unavailable")


@test("--security-opt apparmor=", quick=True)
def _(e):
    if not os.path.exists("/sys/kernel/security/apparmor/profiles"):
        raise frame.Skip("no AppArmor in this kernel")
    show = "cat /proc/self/attr/apparmor/current"
    same(e.sh(f"docker run --rm bb {show}"), "docker-default (enforce)")
    same(e.sh(f"docker run --rm --security-opt apparmor=unconfined bb {show}"), "unconfined")
    e.sh("docker run -d --name one bb sleep 1000")
    same(e.sh(f"docker exec one {show}"), "docker-default (enforce)")
    e.sh("docker stop -t 1 one")


@test("--security-opt no-new-privileges", quick=True)
def _(e):
    show = "grep NoNewPrivs /proc/self/status"
    like(e.sh(f"docker run --rm --security-opt no-new-privileges bb {show}"), "1$")
    like(e.sh(f"docker run --rm bb {show}"), "0$")


@test("--sysctl", quick=True)
def _(e):
    same(e.sh("docker run --rm --sysctl net.ipv4.ip_forward=0 --sysctl kernel.msgmax=4096 bb "
              "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax"), "0\n4096")
    need(e.run("docker run --rm --sysctl net.no.such=1 bb true").returncode != 0, "it ran")


@test("--pid, --ipc, --network, --uts of another and of the host", quick=True)
def _(e):
    e.sh("docker run -d --name one --ipc shareable bb sleep 1111")
    like(e.sh("docker run --rm --pid container:one bb ps -o args"), "sleep 1111")
    for kind in ("ipc", "net"):
        option = "network" if kind == "net" else kind
        same(e.sh(f"docker run --rm --{option} container:one bb readlink /proc/self/ns/{kind}"),
             os.readlink(f"/proc/{e.pid('one')}/ns/{kind}"))
        same(e.sh(f"docker run --rm --{option} host bb readlink /proc/self/ns/{kind}"),
             os.readlink(f"/proc/self/ns/{kind}"))
    like(e.sh("docker run --rm --pid host bb ps -o args"), "dockerd")
    same(e.sh("docker run --rm --uts host bb hostname"), e.sh("hostname"))
    e.sh("docker run -d --name two --pid host bb sleep 1000; docker rm -f two")


@test("--cgroupns, --cgroup-parent, --group-add, --shm-size, --oom-score-adj")
def _(e):
    same(e.sh("docker run --rm bb grep ^0:: /proc/self/cgroup"), "0::/")
    like(e.sh("docker run --rm --cgroupns host bb cat /proc/self/cgroup"), "docker-.*scope")
    e.sh("docker run -d --name one --cgroup-parent my-own.slice --oom-score-adj 77 bb sleep 1000")
    like(e.cgroup("one"), "/my.slice/my-own.slice/docker-")
    same(e.sh(f"cat /proc/{e.pid('one')}/oom_score_adj"), "77")
    like(e.sh("docker run --rm --shm-size 5m bb df -k /dev/shm"), " 5120 ")
    like(e.sh("docker run --rm -u 1000 --group-add 44 bb id"), "44")


@test("health checks", quick=True)
def _(e):
    e.sh("docker run -d --name one --health-cmd 'test -e /tmp/well' --health-interval 1s "
         "--health-retries 1 bb sleep 1000")
    e.until("docker inspect -f '{{.State.Health.Status}}' one", "unhealthy")
    e.sh("docker exec one touch /tmp/well")
    e.until("docker inspect -f '{{.State.Health.Status}}' one", "^healthy")


@test("restart policies")
def _(e):
    e.sh("docker run -d --name one --restart on-failure:2 bb sh -c 'exit 3'")
    e.until("docker inspect -f '{{.State.Status}} {{.RestartCount}}' one", "exited 2")
    e.sh("docker run -d --name two --restart always bb sleep 1000")
    first = e.pid("two")
    e.sh(f"kill -9 {first}")
    e.until("docker inspect -f '{{.State.Running}} {{.State.Pid}}' two", f"true (?!{first}$)[1-9]")


@test("docker build with BuildKit", quick=True)
def _(e):
    e.sh("mkdir -p /tmp/build; cat >/tmp/build/Dockerfile", stdin="""FROM bb
ENV WHO=builder
WORKDIR /work
RUN echo "by $WHO" >made && cat /proc/self/status >status
RUN --mount=type=tmpfs,target=/t touch /t/x && ls /t >list
CMD ["cat", "made"]
""")
    e.sh("docker buildx build --load --no-cache -t built /tmp/build", timeout=400)
    same(e.sh("docker run --rm built"), "by builder")
    same(e.sh("docker run --rm built cat list"), "x")
    e.sh("printf 'FROM bb\\nRUN exit 42\\n' >/tmp/build/bad")
    like(e.run("docker buildx build --no-cache -f /tmp/build/bad /tmp/build").stderr, "exit code: 42")
    like(e.sh("journalctl -u docker -b --no-pager | tail -n 200; docker info -f '{{.DefaultRuntime}}'"), e.name)


@test("docker compose")
def _(e):
    if e.run("docker compose version").returncode != 0:
        raise frame.Skip("this Debian has no compose for docker")
    e.sh("mkdir -p /tmp/compose; cat >/tmp/compose/compose.yaml", stdin="""
services:
  web:
    image: bb
    command: httpd -f -h /www
    deploy: {resources: {limits: {memory: 32M}}}
  ask:
    image: bb
    depends_on: [web]
    command: sh -c 'until wget -qO- http://web/; do sleep 0.3; done'
""")
    e.sh("cd /tmp/compose && docker compose up -d --scale web=2")
    e.until("cd /tmp/compose && docker compose logs ask", "hello from the container")
    same(e.sh("cd /tmp/compose && docker compose ps -q web | wc -l"), "2")
    e.sh("cd /tmp/compose && docker compose down -t 1")


@test("swarm: replicas scaled and updated")
def _(e):
    e.sh("docker swarm init --advertise-addr 127.0.0.1")
    try:
        e.sh("docker service create -d --no-resolve-image --name s --replicas 2 --stop-grace-period 1s "
             "--limit-memory 32m bb sleep 1000")
        e.until("docker service ls --format '{{.Replicas}}'", "2/2", 120)
        e.sh("docker service scale -d s=4")
        e.until("docker service ls --format '{{.Replicas}}'", "4/4", 120)
        like(e.sh("docker ps -q | xargs docker inspect -f '{{.HostConfig.Runtime}}' | sort -u"), e.name)
        e.sh("docker service scale -d s=1")
        e.until("docker ps -q | wc -l", "^1$", 120)
        e.sh("docker service update -d --no-resolve-image --env-add V=2 s")
        e.until("docker ps -q | xargs docker inspect -f '{{.Config.Env}} {{.State.Running}}'",
                r"^\[V=2[^\n]*true$", 120)
        e.sh("docker service rm s")
        e.until("docker ps -q | wc -l", "^0$", 120)
    finally:
        e.run("docker swarm leave --force")


@test("200 containers under load: created, started, removed")
def _(e):
    since = e.sh("date '+%F %T'")
    frame.many(e, "docker create --name many$n bb echo $n >/dev/null && docker start many$n >/dev/null && "
                  "docker wait many$n >/dev/null && docker logs many$n && docker rm many$n >/dev/null")
    same(e.sh("docker ps -aq"), "")
    same(e.sh(f"journalctl -q -u docker -u containerd --since '{since}' --no-pager -o cat | "
              "grep -E 'level=(error|fatal)' || :"), "")


# --- the daemon is restarted: last, as it costs most ---------------------------------------------

@test("live-restore across a restart of dockerd", quick=True)
def _(e):
    e.restart(**{"live-restore": True})
    try:
        e.sh("docker run -d --name one --restart always bb sleep 1000")
        pid = e.pid("one")
        e.sh("systemctl restart docker")
        same(e.pid("one"), pid)
        same(e.sh("docker exec one echo still"), "still")
        e.sh("systemctl kill -s KILL docker; systemctl start docker")
        same(e.pid("one"), pid)
        e.sh("docker top one; docker stop -t 1 one; docker rm one")
    finally:
        e.restart()


@test("cgroupfs as cgroup driver", quick=True)
def _(e):
    e.restart(**{"exec-opts": ["native.cgroupdriver=cgroupfs"]})
    try:
        e.sh("docker run -d --name one bb sleep 1000")
        where = e.cgroup("one")
        like(where, "^/sys/fs/cgroup/docker/[0-9a-f]{64}$")
        same(e.sh("docker exec one echo in"), "in")
        e.sh("docker pause one")
        like(e.value("one", "cgroup.events"), "frozen 1")
        e.sh("docker unpause one; docker rm -f one")
        need(not os.path.exists(where), f"{where} is left")
        frame.needs_controller("memory")
        e.sh("docker run -d --name two -m 64m --cpus 0.5 --pids-limit 30 bb sleep 1000")
        same((e.value("two", "memory.max"), e.value("two", "cpu.max"), e.value("two", "pids.max")),
             (str(64 << 20), "50000 100000", "30"))
        e.sh("docker update -m 80m --memory-swap -1 two")
        same(e.value("two", "memory.max"), str(80 << 20))
        like(e.sh("docker stats --no-stream --format '{{.MemUsage}}' two"), "/ 80MiB")
    finally:
        e.restart()


@test("set up by cleat-setup")
def _(e):
    if e.name != "cleat":
        raise frame.Skip("it is cleat's")
    own = ("/etc/docker/daemon.json", "/etc/systemd/system/docker.service.d/runtime.conf")
    for path in own:
        os.rename(path, path + ".away")
    try:
        e.sh(f"{frame.SETUP} --cleat {e.path} --default docker; systemctl daemon-reload; systemctl restart docker")
        same(e.sh("docker info -f '{{.DefaultRuntime}}'"), "cleat")
        same(e.sh("docker run --rm bb echo one; docker run --rm --runtime cleat bb echo two"), "one\ntwo")
        like(e.sh("systemctl show -P Environment docker"), f"DOCKER_BUILDKIT_RUNC_COMMAND={e.path}")
        e.sh(f"{frame.SETUP} --remove docker; systemctl daemon-reload; systemctl restart docker")
        same(e.sh("docker info -f '{{.DefaultRuntime}}'"), "runc")
        need(e.run("docker run --rm --runtime cleat bb true").returncode != 0, "it is still there")
    finally:
        for path in own:
            os.rename(path + ".away", path)
        e.sh("systemctl daemon-reload; systemctl restart docker")


@test("--userns-remap", quick=True)
def _(e):
    e.restart(**{"userns-remap": "user"})
    try:
        e.import_image()
        e.sh("docker run -d --name one bb sleep 1000")
        first = e.sh("grep ^user: /etc/subuid | cut -d: -f2")
        same(e.sh(f"stat -c %u /proc/{e.pid('one')}"), first)
        same(e.sh("docker exec one id -u"), "0")
        like(e.sh("docker exec one cat /proc/self/uid_map"), f"^ *0 +{first} +65536")
        e.sh("docker run --rm --userns host bb grep -q 4294967295 /proc/self/uid_map")
        e.sh("docker run --rm -m 32m -v vol:/v --tmpfs /t --sysctl kernel.msgmax=4096 bb "
             "sh -c 'touch /v/x /t/y'")
    finally:
        e.clean()
        e.restart()
