# SPDX-License-Identifier: Apache-2.0
"""CRI-O, which Debian has no package of: its calls, made here as it makes them.

Containers are created, and commands executed in them, by Debian's conmon with the arguments,
descriptors and environment that CRI-O gives it; all else is CRI-O's own call of the runtime.
The last test speaks as conmon-rs does.
"""
import json
import os
import pty
import shutil
import subprocess
import tempfile
import threading

import frame
from frame import Failed, like, need, same, test

TOP = "/var/tmp/crio"
RUN = "/run/crio-test"
NAMESPACES = ("pid", "network", "ipc", "uts", "mount", "cgroup")


class Crio(frame.Engine):
    """A bundle a container below TOP; the runtime's state below RUN, as crio.conf's runtime_root says."""

    def start(self):
        self.remove_all()
        for name in ("exits", "attach", "root"):
            os.makedirs(f"{RUN}/{name}", exist_ok=True)
        frame.busybox_tree(f"{TOP}/rootfs")
        self.flag = ["--systemd-cgroup"] if self.manager == "systemd" else []
        self.systemd = self.manager == "systemd"

    def remove_all(self):
        for name in os.listdir(f"{RUN}/root") if os.path.isdir(f"{RUN}/root") else ():
            if not name.startswith("."):
                self.runtime("delete", "--force", name)
        self.until("pgrep -x conmon || echo gone", "gone")  # it writes beside the bundle to its end
        for name in os.listdir(TOP) if os.path.isdir(TOP) else ():
            if name != "rootfs":
                shutil.rmtree(f"{TOP}/{name}")
        self.run(f"systemctl stop crio-test.slice; rmdir {frame.TOP}/kube-test; rm -f {RUN}/exits/*")

    def stop(self):
        shutil.rmtree(TOP, ignore_errors=True)
        shutil.rmtree(RUN, ignore_errors=True)

    def pid(self, name):
        with open(f"{TOP}/{name}/pidfile", encoding="ascii") as f:
            return f.read()

    def bundle(self, name, args, namespaces=NAMESPACES, terminal=False, **linux):
        """A container's bundle with the parts of config.json that CRI-O always writes."""
        where = f"{TOP}/{name}"
        os.makedirs(where)
        parent = "crio-test.slice:crio:" if self.systemd else "/kube-test/crio-"
        mounts = [{"destination": d, "type": t, "source": t, "options": o} for d, t, o in (
            ("/proc", "proc", ["nosuid", "noexec", "nodev"]), ("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755"]),
            ("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666"]),
            ("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
            ("/sys/fs/cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"]))]
        config = {
            "ociVersion": "1.0.2", "hostname": name, "mounts": mounts,
            "root": {"path": f"{TOP}/rootfs", "readonly": True},
            "process": {"args": args, "cwd": "/", "env": ["PATH=/bin", "TERM=xterm"], "terminal": terminal,
                        "user": {"uid": 0, "gid": 0}, "capabilities": {}},
            "annotations": {"io.kubernetes.cri-o.Name": name, "org.systemd.property.After": "['basic.target']",
                            "org.systemd.property.DefaultDependencies": "true",
                            "org.systemd.property.TimeoutStopUSec": "uint64 7000000",
                            "org.systemd.property.CollectMode": "'inactive-or-failed'"},
            "linux": {"cgroupsPath": parent + name, "namespaces": [{"type": n} for n in namespaces], **linux}}
        with open(f"{where}/config.json", "w", encoding="ascii") as f:
            json.dump(config, f)
        return where

    def conmon(self, name, *more):
        """Start conmon; what it says on the sync pipe, as a dict."""
        sync, theirs = os.pipe()
        begin, ours = os.pipe()
        words = ["conmon", "-c", name, "-n", name, "-u", name, "-r", self.path, "--runtime-arg",
                 f"--root={RUN}/root", "--socket-dir-path", f"{RUN}/attach", "--log-level", "warning", *more]
        child = subprocess.Popen(
            words, cwd=f"{TOP}/{name}", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            pass_fds=(theirs, begin), env={"_OCI_SYNCPIPE": str(theirs), "_OCI_STARTPIPE": str(begin),
                                           "XDG_RUNTIME_DIR": "/run", "PATH": os.environ["PATH"]})
        os.close(theirs)
        os.close(begin)
        os.write(ours, b"\0")
        os.close(ours)
        with os.fdopen(sync, encoding="utf-8") as f:
            said = f.readline()
        err = child.communicate(timeout=self.seconds)[1].decode()
        self.trace.append(f"$ {' '.join(words)}\n{said}{err}")
        if not said:
            raise Failed("conmon said nothing: " + err)
        return json.loads(said)

    def create(self, name, args, **more):
        where = self.bundle(name, args, **more)
        words = ["-s"] if self.systemd else []
        return self.conmon(name, "-b", where, "--exit-dir", f"{RUN}/exits", "-l", f"{where}/log", "-P",
                           f"{where}/conmon-pidfile", "-p", f"{where}/pidfile", "--persist-dir", where,
                           "--syslog", *words)

    def runtime(self, *words, stdin=None):
        """CRI-O's own call: nothing but XDG_RUNTIME_DIR in the environment."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:  # containers keep a pipe open
            done = subprocess.run([self.path, "--root", f"{RUN}/root", *words], input=stdin, text=True, stdout=out,
                                  stderr=err, env={"XDG_RUNTIME_DIR": "/run"}, timeout=self.seconds, check=False)
            for f in (out, err):
                f.seek(0)
            done.stdout, done.stderr = out.read(), err.read()
        self.trace.append(f"$ {' '.join([self.path, *words])}\n{done.stdout}{done.stderr}(status {done.returncode})")
        return done

    def ok(self, *words, **more):
        done = self.runtime(*words, **more)
        same((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def state(self, name):
        return json.loads(self.ok("state", name))

    def started(self, name, args, **more):
        need(self.create(name, args, **more)["pid"] > 0, "it was not created")
        same(self.ok(*self.flag, "start", name), "")

    def exit_code(self, name):
        return self.until(f"cat {RUN}/exits/{name}", "[0-9]")


def make(*args):
    return Crio(*args)


@test("create by conmon, start, state, exit file, log", quick=True)
def _(e):
    made = e.create("one", ["sh", "-c", "echo logged; exit 5"])
    same(str(made["pid"]), e.pid("one"))
    found = e.state("one")
    same((found["status"], found["pid"], found["bundle"]), ("created", made["pid"], f"{TOP}/one"))
    same(found["annotations"]["io.kubernetes.cri-o.Name"], "one")
    e.ok(*e.flag, "start", "one")
    same(e.exit_code("one"), "5")
    e.until(f"cat {TOP}/one/log", "stdout F logged")
    found = e.state("one")
    same((found["status"], found["pid"]), ("stopped", 0))
    like(found["created"], r"^20\d\d-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$")
    same(e.ok("delete", "--force", "one"), "")
    need(e.runtime("state", "one").returncode != 0, "it is there")


@test("a create that fails: its words by conmon, nothing left", quick=True)
def _(e):
    for command, words in (("no-such-command", "executable file.*not found in \\$PATH"),
                           ("/etc/not-executable", "(?i)permission denied|not permitted")):
        said = e.create("bad", [command])
        need(said["pid"] < 0, "it was made")
        like(said["message"], words)
        same(os.path.exists(f"{TOP}/bad/pidfile"), False)
        e.ok("delete", "--force", "bad")
        shutil.rmtree(f"{TOP}/bad")


@test("exec-sync by conmon", quick=True)
def _(e):
    e.started("one", ["sleep", "1000"])
    for number, (command, code) in enumerate(((["sh", "-c", "echo out; exit 4"], 4), (["sh", "-c", "kill -9 $$"], 137))):
        with open(f"{TOP}/one/process{number}", "w", encoding="ascii") as f:
            json.dump({"args": command, "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}, f)
        said = e.conmon("one", "-e", "-p", f"{TOP}/one/exec{number}.pid", "-l", f"{TOP}/one/exec{number}.log",
                        "--exec-process-spec", f"{TOP}/one/process{number}")
        same(said.get("exit_code", said.get("data")), code)
    like(e.sh(f"cat {TOP}/one/exec0.log"), "stdout F out")


@test("stop: the words of a container that is gone", quick=True)
def _(e):
    e.started("one", ["sleep", "1000"])
    e.ok(*e.flag, "kill", "one", "15")  # no handler as process 1: nothing happens
    same(e.state("one")["status"], "running")
    e.ok(*e.flag, "kill", "one", "KILL")
    same(e.exit_code("one"), "137")
    like(e.runtime(*e.flag, "kill", "one", "KILL").stderr, "no such process|container not running|invalid process")
    e.ok("delete", "--force", "one")
    need(e.runtime(*e.flag, "kill", "one", "15").returncode != 0, "it was killed")


@test("pause, resume, update from standard input", quick=True)
def _(e):
    e.started("one", ["sleep", "1000"])
    e.ok(*e.flag, "pause", "one")
    same(e.state("one")["status"], "paused")
    like(e.value("one", "cgroup.events"), "frozen 1")
    e.ok(*e.flag, "resume", "one")
    same(e.state("one")["status"], "running")
    frame.needs_controller("memory")
    e.ok("update", "--resources", "-", "one", stdin=json.dumps({"memory": {"limit": 64 << 20}, "cpu": {"quota": 50000}}))
    same((e.value("one", "memory.max"), e.value("one", "cpu.max")), (str(64 << 20), "50000 100000"))


@test("the cgroup is where CRI-O looks; annotations are the unit's properties", quick=True)
def _(e):
    e.started("one", ["sleep", "1000"])
    name = os.path.basename(e.path)
    below = "/container" if name == "crun" and e.systemd else ""  # CRI-O knows
    where = "/crio.slice/crio-test.slice/crio-one.scope" if e.systemd else "/kube-test/crio-one"
    same(e.cgroup("one"), frame.TOP + where + below)
    if e.systemd:
        same(e.sh("systemctl show -P TimeoutStopUSec -P CollectMode crio-one.scope").split(),
             ["7s", "inactive-or-failed"])
        like(e.sh("systemctl show -P After crio-one.scope"), "basic.target")
    os.mkdir(f"{e.cgroup('one')}/exec")  # CRI-O's own, for the affinity of commands
    e.ok("delete", "--force", "one")
    need(not os.path.exists(frame.TOP + where), where + " is left")


@test("the node's pid namespace: kill -a after the end of init", quick=True)
def _(e):
    e.started("one", ["sh", "-c", "sleep 4321 & sleep 5432"], namespaces=("ipc", "uts", "mount", "cgroup"))
    left = e.until("pgrep -f '^sleep 4321$'", "[0-9]")
    os.kill(int(e.pid("one")), 9)
    e.exit_code("one")
    e.ok(*e.flag, "kill", "-a", "one", "9")
    e.until(f"test -e /proc/{left} || echo gone", "gone")


@test("streaming exec in the foreground, also at a terminal", quick=True)
def _(e):
    e.started("one", ["sleep", "1000"])
    process = {"args": ["sh", "-c", "echo out; tty; exit 6"], "cwd": "/", "env": ["PATH=/bin"],
               "user": {"uid": 0, "gid": 0}}
    for terminal in (False, True):
        with open(f"{TOP}/one/process", "w", encoding="ascii") as f:
            json.dump({**process, "terminal": terminal}, f)
        words = [e.path, "--root", f"{RUN}/root", *e.flag, "exec", "--process", f"{TOP}/one/process", "one"]
        if not terminal:
            same(e.sh(" ".join(words), status=6), "out\nnot a tty")
            continue
        master, slave = pty.openpty()
        child = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        said = []

        def read(master=master, said=said):
            try:
                while data := os.read(master, 4096):
                    said.append(data)
            except OSError:
                pass  # the last user of the terminal is gone

        reader = threading.Thread(target=read)
        reader.start()
        same(child.wait(timeout=e.seconds), 6)
        reader.join(timeout=e.seconds)
        os.close(master)
        like(b"".join(said).decode(), "out\r+\n/dev/pts/0")


@test("as conmon-rs calls: global options twice, exec -d with a command line", quick=True)
def _(e):
    where = e.bundle("one", ["sleep", "1000"])
    twice = [*e.flag, f"--root={RUN}/root", *e.flag]
    e.ok(*twice, "create", "--bundle", where, "--pid-file", f"{where}/pidfile", "one")
    e.ok(*twice, "start", "one")
    e.ok(*twice, "exec", "-d", f"--pid-file={where}/exec.pid", "one", "sleep", "4321")
    pid = e.sh(f"cat {where}/exec.pid")
    same(e.sh(f"tr '\\0' ' ' </proc/{pid}/cmdline"), "sleep 4321")
    same(e.sh(f"grep ^0:: /proc/{pid}/cgroup"), e.sh(f"grep ^0:: /proc/{e.pid('one')}/cgroup"))
