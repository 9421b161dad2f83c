# SPDX-License-Identifier: Apache-2.0
"""podman with conmon, as root and, in the tests called rootless, as a user."""
import json
import os

import frame
from frame import Failed, like, need, same, test

TREE = "/var/tmp/bb"
CONF = "/etc/containers/containers.conf.d/90-test.conf"
LOGIN = ("runuser -u user -- env -i HOME=/home/user USER=user PATH=/usr/local/bin:/usr/bin:/bin "
         "XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus "
         "systemd-run --user --quiet --pipe --wait --collect -p Delegate=yes -p KillMode=process bash -c ")


class Podman(frame.Engine):
    """The runtime is the default of containers.conf; podman has no daemon."""
    has_user = False  # a test made something as the user

    def configure(self, manager=None):
        manager = manager or self.manager
        os.makedirs(os.path.dirname(CONF), exist_ok=True)
        known = json.dumps(["crun", "runc", self.name])
        with open(CONF, "w", encoding="ascii") as f:
            f.write(f'{frame.containers_conf()}[engine]\nruntime = "{self.name}"\ncgroup_manager = "{manager}"\n'
                    'infra_image = "localhost/infra:latest"\nevents_logger = "file"\n'
                    f'runtime_supports_json = {known}\n'
                    f'runtime_supports_nocgroup = ["crun", "{self.name}"]\n'
                    f'[engine.runtimes]\n{self.name} = ["{self.path}"]\n'
                    '[network]\nfirewall_driver = "nftables"\n')

    def start(self):
        self.configure()
        policy = "/etc/containers/policy.json"  # of a package that is only recommended
        if not os.path.exists(policy):
            with open(policy, "w", encoding="ascii") as f:
                f.write('{"default": [{"type": "insecureAcceptAnything"}]}')
        frame.busybox_tree(TREE)
        self.sh(f"tar -C {TREE} -cf /var/tmp/bb.tar . && chmod 644 /var/tmp/bb.tar && "
                "podman import -q -c CMD=sh /var/tmp/bb.tar bb; "
                "podman import -q -c 'CMD [\"sleep\", \"100000\"]' /var/tmp/bb.tar infra")

    def remove_all(self):
        if self.has_user:
            self.user("podman pod rm -a -f -t 0; podman rm -a -f -v -t 0", any_status=True)
            self.has_user = False
        self.run("podman pod rm -a -f -t 0; podman rm -a -f -v -t 0; podman network prune -f")

    def stop(self):
        self.user("podman rm -a -f -t 0; podman rmi -a -f", any_status=True)
        self.run(f"podman rmi -a -f; rm -rf {CONF} {TREE} /var/tmp/bb.tar")

    def user(self, command, any_status=False, stdin=""):
        """Run a command as the user, in a session of systemd with delegated controllers."""
        self.has_user = True
        quoted = "'" + command.replace("'", "'\\''") + "'"
        done = self.run(LOGIN + quoted, stdin=stdin)
        if done.returncode and not any_status:
            raise Failed(f"as the user '{command}' ended with status {done.returncode}")
        return done.out

    def user_image(self):
        self.user("podman image exists bb || podman import -q -c CMD=sh /var/tmp/bb.tar bb")

    def pid(self, name):
        return self.sh(f"podman inspect -f '{{{{.State.Pid}}}}' {name}")


def make(*args):
    return Podman(*args)


@test("info", quick=True)
def _(e):
    found = json.loads(e.sh("podman info --format '{{json .Host.OCIRuntime}}'"))
    same((found["name"], found["path"]), (e.name, e.path))
    like(found["version"], "version [0-9]")


@test("run, exit codes and their words", quick=True)
def _(e):
    same(e.sh("podman run --rm bb echo hello"), "hello")
    e.sh("podman run --rm bb sh -c 'exit 7'", status=7)
    same(e.sh("podman run -i --rm bb wc -c", stdin="x" * 90000), "90000")
    gone = e.run("podman run --rm bb no-such-command")
    same(gone.returncode, 127)
    like(gone.stderr, "executable file.*not found in \\$PATH.*OCI runtime attempted to invoke a command that was not found")
    same(e.run("podman run --rm bb /no/such").returncode, 127)
    denied = e.run("podman run --rm bb /etc/not-executable")
    same(denied.returncode, 126)
    like(denied.stderr, "(?i)(permission denied|operation not permitted).*OCI permission denied")
    same(e.run("podman run --rm bb /etc").returncode, 126)
    same(e.run("podman run --rm --no-such-flag bb").returncode, 125)
    same(e.sh("podman ps -aq"), "")


@test("create, start, stop, restart, rm", quick=True)
def _(e):
    e.sh("podman create --name one bb sh -c 'trap \"exit 4\" TERM; echo on; while :; do sleep 0.1; done'")
    e.sh("podman start one")
    e.until("podman logs one", "on")
    first, where = e.pid("one"), e.cgroup("one")
    like(where, "/machine.slice/libpod-[0-9a-f]{64}.scope" if e.manager == "systemd"
         else "/libpod_parent/libpod-[0-9a-f]{64}$")
    e.sh("podman restart one")
    need(e.pid("one") != first, "the same process")
    e.until("podman logs one", "on\non")
    e.sh("podman stop one")
    same(e.sh("podman wait one"), "4")
    e.sh("podman rm one")
    need(not os.path.exists(where), where + " is left")


@test("kill, wait", quick=True)
def _(e):
    e.sh("podman run -d --name one bb sh -c 'trap \"echo usr1\" USR1; echo on; while :; do sleep 0.1; done'")
    e.until("podman logs one", "on")
    e.sh("podman kill -s USR1 one")
    e.until("podman logs one", "usr1")
    e.sh("podman kill one")
    same(e.sh("podman wait one"), "137")


@test("exec", quick=True)
def _(e):
    e.sh("podman run -d --name one -e BASE=1 bb sleep 1000")
    e.sh("podman exec one sh -c 'exit 9'", status=9)
    same(e.sh("podman exec -u 1000 -w /etc -e MORE=2 one sh -c 'id -u; pwd; echo $BASE$MORE'"),
         "1000\n/etc\n12")
    same(e.sh("podman exec -i one wc -c", stdin="x" * 70000), "70000")
    same(e.run("podman exec one no-such-command").returncode, 127)
    same(e.run("podman exec one /etc/not-executable").returncode, 126)
    same(e.run("podman exec -w /nowhere one true").returncode, 127)  # toolbox tries another one then
    e.sh("podman exec one sh -c 'kill -9 $$'", status=137)
    e.sh("podman exec -d one sleep 4321")
    pid = e.until("pgrep -f '^sleep 4321'", "[0-9]")
    same(e.sh(f"cat /proc/{pid}/cgroup"), e.sh(f"cat /proc/{e.pid('one')}/cgroup"))


@test("--preserve-fds, --preserve-fd", quick=True)
def _(e):
    same(e.sh("podman run --rm --preserve-fds 2 bb sh -c 'cat <&3; cat <&4' 3<<<three 4<<<four"), "three\nfour")
    if e.name == "runc":
        return  # it wants 3 to 5, and podman hands on 5 only
    same(e.sh("podman run --rm --preserve-fd 5 bb sh -c 'cat <&5' 5<<<five"), "five")
    e.sh("podman run -d --name one bb sleep 1000")
    same(e.sh("podman exec --preserve-fd 4,6 one sh -c 'cat <&4; cat <&6' 4<<<four 6<<<six"), "four\nsix")


@test("attach, logs", quick=True)
def _(e):
    e.sh("podman run -d -i --name one bb sh -c 'read l; echo got $l; sleep 1; exit 3'")
    done = e.run("(echo a line; sleep 4) | podman attach one")
    same(done.out, "got a line")
    same(e.sh("podman wait one; podman logs one"), "3\ngot a line")


@test("-it: a real terminal", quick=True)
def _(e):
    with open("/var/tmp/dialogue.exp", "w", encoding="ascii") as f:
        f.write(r'''set timeout 60
proc no {what} {puts "no $what"; exit 1}
spawn podman run -it --rm bb sh
stty rows 33 columns 101 < $spawn_out(slave,name)
expect "# " {} timeout {no prompt}
send "tty\r"
expect "/dev/pts/0" {} timeout {no tty}
sleep 1
send "stty size\r"
expect "33 101" {} timeout {no size}
send "exit 6\r"
expect eof
lassign [wait] a b c status
if {$status != 6} {no "status 6 but $status"}
''')
    e.sh("expect -f /var/tmp/dialogue.exp")


@test("pause, unpause", quick=True)
def _(e):
    e.sh("podman run -d --name one bb sleep 1000; podman pause one")
    like(e.value("one", "cgroup.events"), "frozen 1")
    same(e.sh("podman ps -a --format '{{.State}}'"), "paused")
    e.sh("podman unpause one")
    like(e.value("one", "cgroup.events"), "frozen 0")
    e.sh("podman pause one; podman rm -f -t 0 one")


@test("stats, top", quick=True)
def _(e):
    e.sh("podman run -d --name one bb sleep 1234")
    like(e.sh("podman top one"), "sleep 1234")
    frame.needs_controller("memory")
    e.sh("podman run -d --name two -m 64m bb sleep 1234")
    like(e.sh("podman stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' two"), "/ 67.*MB 1")


@test("update and limits", quick=True)
def _(e):
    frame.needs_controller("memory")
    e.sh("podman run -d --name one -m 64m --cpus 0.5 --pids-limit 20 bb sleep 1000")
    same([e.value("one", f) for f in ("memory.max", "cpu.max", "pids.max")],
         [str(64 << 20), "50000 100000", "20"])
    e.sh("podman update -m 96m --cpus 0.25 --pids-limit 30 one")
    same([e.value("one", f) for f in ("memory.max", "cpu.max", "pids.max")],
         [str(96 << 20), "25000 100000", "30"])
    # Not OOMKilled of podman's state: conmon stops looking after an event that is not yet the kill.
    e.sh("podman run -d --name two -m 16m bb sh -c 'head -c 80000000 /dev/zero | tail; echo over; sleep 1000'")
    e.until("podman logs two", "over")
    like(e.value("two", "memory.events"), "oom_kill [1-9]")


@test("health checks", quick=True)
def _(e):
    e.sh("podman run -d --name one --health-cmd 'test -e /tmp/well' --health-interval disable "
         "--health-retries 1 bb sleep 1000")
    need(e.run("podman healthcheck run one").returncode == 1, "it is well")
    e.sh("podman exec one touch /tmp/well; podman healthcheck run one")
    same(e.sh("podman inspect -f '{{.State.Health.Status}}' one"), "healthy")


@test("pods", quick=True)
def _(e):
    e.sh("podman pod create --name p --share net,ipc,uts,pid")
    e.sh("podman run -d --pod p --name web bb httpd -f -h /www")
    same(e.sh("podman run --rm --pod p bb wget -qO- http://127.0.0.1/"), "hello from the container")
    like(e.sh("podman run --rm --pod p bb ps -o args"), "httpd -f")
    e.sh("podman pod stop -t 1 p; podman pod rm p")


@test("kube play: limits, probes, volumes")
def _(e):
    frame.needs_controller("memory")
    e.sh("mkdir -p /tmp/kube; cat >/tmp/kube/pod.yaml", stdin="""
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: main
    image: localhost/bb
    imagePullPolicy: Never
    command: [httpd, -f, -h, /data]
    resources: {limits: {memory: 48Mi, cpu: 250m}}
    livenessProbe: {exec: {command: [test, -d, /data]}, periodSeconds: 60, timeoutSeconds: 60}
    securityContext: {capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}, readOnlyRootFilesystem: true}
    volumeMounts: [{name: data, mountPath: /data}, {name: empty, mountPath: /e}]
  volumes:
  - {name: data, hostPath: {path: /tmp/kube, type: Directory}}
  - {name: empty, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
""")
    e.sh("podman kube play /tmp/kube/pod.yaml")
    same((e.value("web-main", "memory.max"), e.value("web-main", "cpu.max")),
         (str(48 << 20), "25000 100000"))
    same(e.sh("podman exec web-main ls /data"), "pod.yaml")
    e.sh("podman healthcheck run web-main")
    like(e.sh("podman exec web-main grep CapEff /proc/self/status"), "0000000000000400")
    like(e.sh("podman exec web-main grep ' /e ' /proc/mounts"), "^tmpfs")
    need(e.run("podman exec web-main touch /root/x").returncode != 0, "it is writable")
    e.sh("podman kube down /tmp/kube/pod.yaml")


@test("networks, published ports", quick=True)
def _(e):
    e.sh("podman run -d --name one -p 127.0.0.1:8081:80 bb httpd -f -h /www")
    e.until("curl -s http://127.0.0.1:8081/", "hello from the container")
    same(e.sh("podman port one"), "80/tcp -> 127.0.0.1:8081")


@test("--userns=auto, keep-id, idmapped volumes", quick=True)
def _(e):
    e.run("grep -q ^containers: /etc/subuid || { echo containers:2000000:1000000 >>/etc/subuid; "
          "echo containers:2000000:1000000 >>/etc/subgid; }")
    like(e.sh("podman run --rm --userns=auto bb cat /proc/self/uid_map"), "^ *0 +2000000")
    e.sh("mkdir -p /tmp/idmap; touch /tmp/idmap/f; chown 0:0 /tmp/idmap/f")
    same(e.sh("podman run --rm --uidmap 0:100000:65536 -v /tmp/idmap:/v:idmap bb stat -c %u /v/f"), "0")


@test("secrets, --read-only, --tmpfs, volumes", quick=True)
def _(e):
    e.sh("printf hidden | podman secret create s -")
    same(e.sh("podman run --rm --secret s bb cat /run/secrets/s"), "hidden")
    e.sh("podman secret rm s")
    need(e.run("podman run --rm --read-only bb touch /root/x").returncode != 0, "it is writable")
    same(e.sh("podman run --rm --tmpfs /etc bb cat /etc/group"), e.sh(f"cat {TREE}/etc/group"))
    e.sh("podman run --rm -v data:/d bb sh -c 'echo kept >/d/f'")
    same(e.sh("podman run --rm -v data:/d:ro bb cat /d/f"), "kept")
    same(e.sh("podman run --rm -v plain:/www:nocopy bb ls /www"), "")
    same(e.sh("podman run --rm -v plain:/www:copy bb ls /www; podman volume rm plain >/dev/null"), "index.html")


@test("capabilities, seccomp, privileged, devices", quick=True)
def _(e):
    like(e.sh("podman run --rm bb grep CapEff /proc/self/status"), "00000000800405fb")
    like(e.sh("podman run --rm --cap-drop all --cap-add net_admin bb grep CapEff /proc/self/status"),
         "0000000000001000")
    like(e.sh("podman run --rm bb grep Seccomp: /proc/self/status"), "2")
    e.sh("podman run --rm --privileged bb sh -c 'mount -t tmpfs none /tmp && test -b /dev/vda'")
    same(e.sh("podman run --rm --device /dev/vda:/dev/disk:r bb sh -c 'head -c 9 /dev/disk | wc -c'"), "9")
    e.sh("podman run --rm --sysctl net.ipv4.ip_forward=0 --ulimit nofile=11:12 --init --init-path /usr/bin/tini-static bb true")


@test("--cgroups=split")
def _(e):
    e.sh("systemd-run --quiet --collect --unit=split -p Delegate=yes -p Type=notify -p NotifyAccess=all "
         "podman run --cgroups=split --sdnotify=conmon --name one bb sleep 1000")
    try:
        full = e.sh("podman inspect -f '{{.Id}}' one")
        same(e.cgroup("one"), f"/sys/fs/cgroup/system.slice/split.service/libpod-payload-{full}")
        same(e.sh("podman exec one echo in"), "in")
        e.sh("podman stop -t 1 one")
        e.until("systemctl is-active split", "inactive|failed")
    finally:
        e.run("systemctl stop split")


@test("--sdnotify=container")
def _(e):
    e.sh("systemd-run --quiet --collect --unit=ready -p Type=notify -p NotifyAccess=all "
         "podman run --sdnotify=container --network none --name one -v /usr:/usr:ro -v /usr/lib:/lib:ro "
         "-v /usr/lib64:/lib64:ro bb sh -c 'echo $$NOTIFY_SOCKET; systemd-notify --ready --status=up; "
         "exec sleep 1000'")
    try:
        same(e.sh("systemctl show -P ActiveState ready; systemctl show -P StatusText ready"), "active\nup")
        same(e.sh("systemctl show -P MainPID ready"), e.sh("podman inspect -f '{{.State.ConmonPid}}' one"))
        like(e.sh("podman logs one"), "/notify")
    finally:
        e.run("podman rm -f -t 0 one; systemctl stop ready")


@test("--cgroups=disabled")
def _(e):
    if e.name == "runc":
        raise frame.Skip("podman refuses it with runc, which knows no --cgroup-manager=disabled")
    e.sh("podman run -d --name one --cgroups=disabled bb sleep 1000")
    need("libpod" not in e.cgroup("one"), "it has a cgroup")
    same(e.sh("podman exec one echo in"), "in")
    e.sh("podman kill one")
    same(e.sh("podman wait one"), "137")


@test("set up by cleat-setup")
def _(e):
    if e.name != "cleat":
        raise frame.Skip("it is cleat's")
    with open(CONF, "w", encoding="ascii") as f:
        f.write(frame.containers_conf())
    show = "podman info --format '{{.Host.OCIRuntime.Name}}'"
    try:
        e.sh(f"{frame.SETUP} --cleat {e.path} podman")
        need(e.sh(show) != "cleat", "it is the default")
        same(e.sh("podman run --rm --network none --runtime cleat bb echo in"), "in")
        e.sh(f"{frame.SETUP} --cleat {e.path} --default podman")
        same(e.sh(show), "cleat")
        same(e.sh("podman run --rm --network none --cgroups=disabled bb echo in"), "in")
        e.sh(f"{frame.SETUP} --remove podman")
        need(e.run("podman run --rm --network none --runtime cleat bb true").returncode != 0, "it is still there")
    finally:
        e.run(f"{frame.SETUP} --remove podman")
        e.configure()


@test("cgroupfs as cgroup manager", quick=True)
def _(e):
    e.configure("cgroupfs")
    try:
        e.sh("podman run -d --name one bb sleep 1000")
        where = e.cgroup("one")
        like(where, "/libpod_parent/libpod-")
        e.sh("podman exec one true; podman pause one; podman unpause one; podman rm -f -t 0 one")
        need(not os.path.exists(where), where + " is left")
        frame.needs_controller("memory")
        e.sh("podman run -d --name two -m 64m bb sleep 1000")
        same(e.value("two", "memory.max"), str(64 << 20))
    finally:
        e.configure()


@test("quadlet: a unit that is started, restarted and stopped")
def _(e):
    os.makedirs("/etc/containers/systemd", exist_ok=True)
    with open("/etc/containers/systemd/quad.container", "w", encoding="ascii") as f:
        f.write("[Container]\nImage=localhost/bb\nPull=never\nContainerName=quad\nNetwork=none\nPodmanArgs=--stop-timeout=1\n"
                "Exec=sleep 1000\n[Service]\nRestart=always\n")
    try:
        e.sh("systemctl daemon-reload; systemctl start quad.service")
        same(e.sh("podman exec quad echo in"), "in")
        like(e.cgroup("quad"), "/system.slice/quad.service/libpod-payload-")
        main = e.sh("systemctl show -P MainPID quad.service")
        same(e.sh(f"cat /proc/{main}/comm"), "conmon")
        first = e.pid("quad")
        e.sh(f"kill -9 {first}")
        e.until("podman inspect -f '{{.State.Running}} {{.State.Pid}}' quad", f"true (?!{first}$)[1-9]")
        e.sh("systemctl stop quad.service")
        same(e.sh("podman ps -aq"), "")
    finally:
        e.run("systemctl stop quad.service; rm /etc/containers/systemd/quad.container; systemctl daemon-reload")


@test("restart policies")
def _(e):
    e.sh("podman run -d --network none --name one --restart on-failure:2 bb sh -c 'exit 3'")
    e.until("podman inspect -f '{{.State.Status}} {{.RestartCount}}' one", "exited 2")
    e.sh("podman run -d --network none --name two --restart always bb sleep 1000")
    first = e.pid("two")
    e.sh(f"kill -9 {first}")
    e.until("podman inspect -f '{{.State.Running}} {{.State.Pid}}' two", f"true (?!{first}$)[1-9]")


@test("cp, diff, commit, export")
def _(e):
    e.sh("podman run -d --network none --name one bb sleep 1000; echo text >/tmp/there; podman cp /tmp/there one:/root/x")
    same(e.sh("podman exec one cat /root/x"), "text")
    like(e.sh("podman diff one"), "A /root/x")
    same(e.sh("podman export one | tar -xO root/x"), "text")
    e.sh("podman commit -q one copy")
    same(e.sh("podman run --network none --rm copy cat /root/x; podman rmi -f copy >/dev/null"), "text")


@test("build", quick=True)
def _(e):
    e.sh("mkdir -p /tmp/pb; printf 'FROM bb\\nRUN echo made >/root/made\\nCMD cat /root/made\\n' "
         ">/tmp/pb/Containerfile; podman build -q -t built /tmp/pb", timeout=300)
    same(e.sh("podman run --rm built"), "made")


@test("checkpoint, restore")
def _(e):
    if e.run(f"{e.path} checkpoint --help").returncode != 0:
        raise frame.Skip("the runtime says that it cannot")
    e.sh("podman run -d --name one bb sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done'")
    e.until("podman logs one", "3")
    e.sh("podman container checkpoint one")
    count = int(e.sh("podman logs one | tail -n 1"))
    e.sh("podman container restore one")
    e.until("podman logs one", f"^{count + 1}$|\n{count + 1}\n")


@test("200 containers under load: created, started, removed")
def _(e):
    frame.many(e, "podman create --name many$n bb echo $n >/dev/null && podman start many$n >/dev/null && "
                  "podman wait many$n >/dev/null && podman logs many$n && podman rm many$n >/dev/null")
    same(e.sh("podman ps -aq"), "")


# --- rootless --------------------------------------------------------------------------------

@test("rootless: run, exec, logs, exit codes", quick=True)
def _(e):
    e.user_image()
    same(e.user("podman run --network none --rm bb echo hello"), "hello")
    e.user("podman run --network none -d --name one bb sleep 1000")
    same(e.user("podman exec one id -u"), "0")
    e.user("podman run --network none --rm bb no-such-command; test $? = 127")
    like(e.user("podman run --network none --rm bb cat /proc/self/uid_map"), "0 +1000 +1\n +1 +")
    e.user("podman stop -t 1 one; podman rm one")


@test("rootless: limits, pause, stats", quick=True)
def _(e):
    e.user_image()
    frame.needs_controller("memory")
    e.user("podman run --network none -d --name one -m 64m --cpus 0.5 --pids-limit 20 bb sleep 1000")
    same(e.user("podman exec one cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max"),
         f"{64 << 20}\n20")
    e.user("podman pause one; podman unpause one; podman stats --no-stream one")
    e.user("podman rm -f -t 0 one")


@test("rootless: keep-id, network, pods")
def _(e):
    e.user_image()
    same(e.user("podman run --network none --rm --userns=keep-id bb id -u"), "1000")
    e.user("podman run -d --name one --network slirp4netns -p 8082:80 bb httpd -f -h /www")
    e.until("curl -s http://127.0.0.1:8082/", "hello from the container")
    e.user("podman rm -f -t 0 one")


@test("rootless: cgroupfs, and no cgroups at all", quick=True)
def _(e):
    e.user_image()
    same(e.user("podman --cgroup-manager cgroupfs run --network none --rm bb echo in"), "in")
    if e.name != "runc":
        same(e.user("podman run --network none --cgroups=disabled --rm bb echo in"), "in")
