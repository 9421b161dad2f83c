# SPDX-License-Identifier: Apache-2.0
"""86 to 95: hooks, namespaces, mounts, checkpoint, load, names of the binary."""
import contextlib
import json
import os
import re
import shutil
import subprocess
import time

from callers import Conmon, Shim, environment
from contract import (background, created, ended, gone, kill_and_wait, outcome, refused, requirement, started)
from frame import cgroups, kernel, needs
from frame.config import NAMESPACES, default, namespaces, user_namespace

KEEP = """out=$1; shift
{ echo "name $0"; echo "args $*"; echo "env $(tr '\\0' ' ' </proc/$$/environ)"
echo "mnt $(readlink /proc/self/ns/mnt)"; echo "root $(readlink /proc/$$/root)"
echo "state $(tr '\\n' ' ')"; } >"$out"
"""


def _hook(t, kind, path, *args, **more):
    t.config.setdefault("hooks", {}).setdefault(kind, []).append(
        {"path": path, "args": [os.path.basename(path), *args], **more})


def _keeping(t, kind, **more):
    out = f"{t.dir}/saw-{kind}"
    _hook(t, kind, "/bin/sh", "-c", KEEP, "the-name", out, "a b",
          env=["PATH=/usr/bin:/bin", "ONE=1"], **more)
    return out


def _saw(t, path):
    t.check(os.path.exists(path), f"no hook has written {os.path.basename(path)}")
    return dict(line.partition(" ")[::2] for line in t.read(path).splitlines())


@requirement(86, "a hook's path and args[0] are two things, its env is as given, its timeout kills; "
             "the state on stdin has id, pid, status, bundle, annotations, and may stay unread",
             "dockerd, nerdctl, NVIDIA")
def _(t):
    notes = {f"nerdctl/{i}": "x" * 1000 for i in range(100)}
    t.edit({"annotations": notes})
    out = _keeping(t, "createRuntime")
    _hook(t, "createRuntime", "/bin/true")  # it reads nothing
    _hook(t, "prestart", "/bin/sh")  # its args[0] is another word: /proc/N/exe, libnetwork-setkey
    t.config["hooks"]["prestart"][0] = {"path": "/bin/sh", "args": [
        "libnetwork-setkey", "-c", f"tr '\\0' ' ' </proc/$$/cmdline >{t.dir}/cmdline"],
        "env": ["PATH=/usr/bin:/bin"]}
    r = Shim(t)
    r.env["SECRET"] = "x"
    t.probe("sleep")
    done = r.create()
    t.check(done.rc == 0, f"create: {done.rc}")
    saw = _saw(t, out)
    state = json.loads(saw["state"])
    t.expect(state, {"id": t.id, "bundle": t.bundle, "pid": t.state()["pid"],
                     "annotations": notes, "status": lambda s: s in ("creating", "created")})
    t.delete("--force")
    t.equal((saw["name"], saw["args"]), ("the-name", "a b"), "name and arguments")
    t.check(t.read(f"{t.dir}/cmdline").startswith("libnetwork-setkey "), t.read(f"{t.dir}/cmdline"))
    names = {x.partition("=")[0] for x in saw["env"].split()}
    t.check({"PATH", "ONE"} <= names <= {"PATH", "ONE", "PWD", "_", "SHLVL"}, saw["env"])
    t.config["hooks"] = {}
    _hook(t, "createRuntime", t.script("late", "exec sleep 100\n"), timeout=1)
    t.write_config()
    began = time.monotonic()
    refused(t, r"\S", "create", "--bundle", t.bundle, t.id)
    t.check(time.monotonic() - began < 20, "the timeout did not count")
    t.cleat("delete", "--force", t.id)


@requirement(87, "prestart and createRuntime run when the namespaces exist, createContainer in the "
             "container's mount namespace with its mounts, before the root changes; a failure fails "
             "create with the hook's stderr", "dockerd, nerdctl, NVIDIA")
def _(t):
    outs = {k: _keeping(t, k) for k in ("prestart", "createRuntime", "createContainer")}
    _hook(t, "createContainer", t.script("look", f"""cat >/dev/null
grep -q ' {t.rootfs}/dev/shm ' /proc/self/mountinfo && echo yes >{t.dir}/mounted\n"""))
    _hook(t, "createRuntime", t.script("netns", f"""
pid=$(tr -d '\\n' | sed 's/.*"pid": *\\([0-9]*\\).*/\\1/'); readlink /proc/$pid/ns/net >{t.dir}/net
"""))
    pid = created(t)
    mnt, net = (os.readlink(f"/proc/{pid}/ns/{n}") for n in ("mnt", "net"))
    saw = {k: _saw(t, path) for k, path in outs.items()}
    t.delete("--force")
    own = os.readlink("/proc/self/ns/mnt")
    t.equal({k: v["mnt"] for k, v in saw.items()},
            {"prestart": own, "createRuntime": own, "createContainer": mnt}, "mount namespaces")
    t.equal(t.read(f"{t.dir}/net").strip(), net, "the network namespace that the hook saw")
    t.check(os.path.exists(f"{t.dir}/mounted"), "createContainer did not see the mounts")
    for kind in outs:
        t.config["hooks"] = {}
        _hook(t, kind, t.script("fail", "cat >/dev/null; echo the reason of it >&2; exit 3\n"))
        t.write_config()
        r = refused(t, "the reason of it", "create", "--bundle", t.bundle, t.id)
        t.check("hook" in r.err, f"{kind}: {r}")
        gone(t)


@requirement(88, "poststop runs once when the container is deleted, also by force and after a failed "
             "create; its failure is no more than a warning", "nerdctl")
def _(t):
    count = f"{t.dir}/count"
    _hook(t, "poststop", t.script("stop", f"cat >/dev/null; echo x >>{count}; exit 3\n"))

    def ran():
        n = t.read(count).count("x") if os.path.exists(count) else 0
        t.write(count, "")
        return n
    pid = started(t)
    kill_and_wait(t, pid)
    r = t.cleat("delete", t.id)
    t.equal((r.rc, ran()), (0, 1), "status of delete, and runs")
    started(t)
    r = t.cleat("delete", "--force", t.id)
    t.equal((r.rc, ran()), (0, 1), "status of delete --force, and runs")
    t.cleat("delete", "--force", t.id)
    t.equal(ran(), 0, "runs of a second delete --force")
    t.probe("exit", "0")
    r = t.run()
    t.equal((r.rc, ran()), (0, 1), "status of run, and runs")
    _hook(t, "createRuntime", "/bin/false")
    t.write_config()
    refused(t, r"\S", "create", "--bundle", t.bundle, t.id)
    t.cleat("delete", "--force", t.id)
    t.equal(ran(), 1, "runs after a failed create, and delete --force")


@requirement(89, "namespaces by /proc/PID/ns and by pinned files; a user namespace with a path and "
             "mappings is the one of the path", "CRI, podman's pods")
def _(t):
    pid = started(t)
    pinned = f"{t.dir}/pinned"
    t.write(pinned, "")
    kernel.mount(f"/proc/{pid}/ns/ipc", pinned, None, kernel.MS_BIND)
    second = t.id + "-b"
    want = {n: os.readlink(f"/proc/{pid}/ns/{n}") for n in ("net", "ipc", "uts", "pid")}
    try:
        t.config["linux"]["namespaces"] = namespaces("mount", "cgroup") + [
            {"type": "network", "path": f"/proc/{pid}/ns/net"}, {"type": "ipc", "path": pinned},
            {"type": "uts", "path": f"/proc/{pid}/ns/uts"},
            {"type": "pid", "path": f"/proc/{pid}/ns/pid"}]
        t.config.pop("hostname")
        t.config["linux"]["cgroupsPath"] = "/" + second
        t.write_config()
        t.start_command("create", "--bundle", t.bundle, "--pid-file", f"{t.dir}/pid", second)
        other = int(t.read(f"{t.dir}/pid"))
        found = {n: os.readlink(f"/proc/{other}/ns/{n}") for n in want}
        t.ok("delete", "--force", second)
        ended(t, other)
    finally:
        kernel.umount(pinned)
        t.cleat("delete", "--force", t.id)
    t.equal(found, want, "the namespaces")
    ended(t, pid)
    _joined_user(t, second)


def _joined_user(t, second):
    t.config = default(t.id)
    t.probe("sleep")
    t.edit(user_namespace())
    t.output.text = ""
    pid = started(t)
    t.config["linux"]["namespaces"] = namespaces(*[n for n in NAMESPACES if n != "network"]) + [
        {"type": "user", "path": f"/proc/{pid}/ns/user"},
        {"type": "network", "path": f"/proc/{pid}/ns/net"}]
    t.config["linux"]["cgroupsPath"] = "/" + second
    t.write_config()
    r = t.start_command("create", "--bundle", t.bundle, "--pid-file", f"{t.dir}/pid", second,
                        expect=None)
    same = None
    if r.rc == 0:
        other = int(t.read(f"{t.dir}/pid"))
        same = os.readlink(f"/proc/{other}/ns/user") == os.readlink(f"/proc/{pid}/ns/user")
        t.cleat("delete", "--force", second)
        ended(t, other)
    t.delete("--force")
    t.check(r.rc == 0, f"a user namespace with path and mappings: {r}")
    t.check(same, "it is in a user namespace of its own")


@requirement(90, "mount options rro, idmap, ridmap, tmpcopyup, copy-symlink and those of cgroup; "
             "unknown properties of the configuration are ignored", "containerd, podman")
def _(t):
    owned = f"{t.dir}/owned"
    os.mkdir(owned)
    t.write(f"{owned}/x", "text")
    os.symlink("/some/where", f"{t.dir}/link")
    t.write(f"{t.rootfs}/tmp/kept", "kept")
    mapped = {"uidMappings": [{"containerID": 0, "hostID": 5000, "size": 10}],
              "gidMappings": [{"containerID": 0, "hostID": 6000, "size": 10}]}

    def bind(destination, source, *options, **more):
        return {"destination": destination, "type": "bind", "source": source,
                "options": ["rbind", *options], **more}
    rows = [
        ("rro", [bind("/mnt/r", owned, "rro")], ["file", "/mnt/r/x"],
         {"/mnt/r/x.write": "EROFS"}),
        ("idmap", [bind("/mnt/i", owned, "idmap", **mapped)], ["file", "/mnt/i/x"],
         {"/mnt/i/x.uid": 5000, "/mnt/i/x.gid": 6000}),
        ("ridmap", [bind("/mnt/j", owned, "ridmap", **mapped)], ["file", "/mnt/j/x"],
         {"/mnt/j/x.uid": 5000}),
        ("tmpcopyup", [{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
                        "options": ["tmpcopyup"]}], ["read", "/tmp/kept"], {"/tmp/kept": "kept"}),
        ("copy-symlink", [bind("/etc/link", f"{t.dir}/link", "copy-symlink")],
         ["file", "/etc/link"], {"/etc/link.target": "/some/where"}),
    ]
    mounts, wrong = list(t.config["mounts"]), []
    t.edit({"nobodyKnows": {"a": 1}, "linux.nobodyKnows": [1], "process.nobodyKnows": True})
    for name, more, words, want in rows:
        t.config["mounts"] = mounts + more
        t.probe(*words)
        try:
            t.expect(t.run_probe(), want)
        except Exception as e:  # pylint: disable=broad-except
            wrong.append(f"{name}: {e}")
            t.cleat("delete", "--force", t.id)
    t.config["mounts"] = mounts
    if cgroups.is_v2():
        t.config["mounts"][-1]["options"] += ["nsdelegate", "memory_recursiveprot"]
    t.probe("exit", "0")
    r = t.run()
    if r.rc:
        wrong.append(f"options of cgroup: {r}")
    t.check(not wrong, "\n".join(wrong))


@requirement(91, "a bundle that only root can read works with a user namespace", "containerd")
def _(t):
    t.edit(user_namespace())
    os.chmod(t.rootfs, 0o711)
    os.chmod(t.bundle, 0o710)
    os.chown(t.bundle, 0, 100000)
    t.expect(t.probe_result("report", "ids"), {"uids": [0] * 4})
    os.chown(t.bundle, 0, 0)
    os.chmod(t.bundle, 0o700)
    t.expect(t.probe_result("report", "ids"), {"uids": [0] * 4})
    os.chmod(t.bundle, 0o755)


CHECKPOINT = """--image-path D --work-path D --parent-path ../pre --tcp-established --ext-unix-sk
--shell-job --page-server 127.0.0.1:1 --file-locks --manage-cgroups-mode soft --empty-ns network
--lazy-pages --status-fd 2 --leave-running --pre-dump --auto-dedup --tcp-skip-in-flight
--link-remap"""
RESTORE = """--image-path D --work-path D --tcp-established --tcp-close --ext-unix-sk --shell-job
--file-locks --manage-cgroups-mode=ignore --empty-ns network --lazy-pages --auto-dedup --detach
--no-pivot -no-subreaper --pid-file D/pid --console-socket D/none --lsm-profile selinux:x
--lsm-mount-context=x"""


def _takes(t, words, *end):
    """Does the command line parse? What is wrong is the container, or that there is no CRIU."""
    words = [w.replace("D", t.dir) if w.startswith("D") else w for w in words.split()]
    r = outcome(t, t.command(*words, *end))
    t.check(r.rc != 0, f"should have failed: {r}")
    t.check(not re.search("(?i)unknown option|unrecognized|not defined|requires an argument|invalid "
                          "option|unexpected argument|usage:", r.err + r.out), f"{r}")


@requirement(92, "checkpoint and restore take every option of go-runc, podman and CRI-O, "
             "-no-subreaper too; restore hands init to the subreaper as create does",
             "shim, podman, CRI-O")
def _(t):
    t.write_config()
    options = [re.sub(r"\s+", " ", o).strip() for o in re.split(r"\s(?=-)", CHECKPOINT)]
    wrong = []
    for command, rows, end in (("checkpoint", options, [t.id]),
                               ("restore", [re.sub(r"\s+", " ", o).strip() for o in
                                            re.split(r"\s(?=-)", RESTORE)],
                                ["--bundle", t.bundle, t.id])):
        for option in rows:
            try:
                _takes(t, f"{command} {option}", *end)
            except Exception as e:  # pylint: disable=broad-except
                wrong.append(f"{command} {option}: {e}")
            t.cleat("delete", "--force", t.id)
    t.check(not wrong, "\n".join(wrong))
    if needs.missing("criu") is None:
        _restored(t)


def _restored(t):
    pid = started(t)
    images = f"{t.dir}/images"
    os.mkdir(images)
    t.ok("checkpoint", "--image-path", images, "--work-path", t.dir, t.id)
    ended(t, pid)
    t.cleat("delete", "--force", t.id)
    t.start_command("restore", "--detach", "--image-path", images, "--work-path", t.dir,
                    "-no-subreaper", "--bundle", t.bundle, "--pid-file", f"{t.dir}/pid", t.id)
    pid = int(t.read(f"{t.dir}/pid"))
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        parent = int(f.read().rpartition(")")[2].split()[1])
    t.delete("--force")
    t.equal(parent, os.getpid(), "init's parent")


@requirement(93, "create, start and delete take less than 5 s on a loaded machine, and do not sleep",
             "Rust's client, BuildKit's polling")
def _(t):
    t.probe("sleep")
    load = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(4)]
    try:
        times = []
        for _ in range(5):
            began = time.monotonic()
            created(t)
            t.ok("start", t.id)
            t.delete("--force")
            times.append(time.monotonic() - began)
    finally:
        for p in load:
            p.kill()
            p.wait()
    t.check(max(times) < 5, f"seconds under load: {times}")


@requirement(94, "commands for different containers of one root do not disturb each other; for the "
             "same one they come one after the other", "BuildKit, kubelet")
def _(t):
    t.edit({"linux.cgroupsPath": ""})
    t.config["linux"].pop("cgroupsPath")
    t.probe("sleep")
    t.write_config()

    def all_at_once(commands):
        with contextlib.ExitStack() as stack:
            running = [stack.enter_context(background(t, t.command(*words))) for words in commands]
        return [p.returncode for p in running]
    ids = [f"{t.id}-{i}" for i in range(10)]
    t.equal(all_at_once([["create", "--bundle", t.bundle, i] for i in ids]), [0] * 10,
            "the statuses of create")
    t.equal(all_at_once([["start", i] for i in ids]), [0] * 10, "of start")
    t.equal(all_at_once([["delete", "--force", i] for i in ids]), [0] * 10, "of delete")
    got = all_at_once([["create", "--bundle", t.bundle, t.id]] * 6)
    t.equal(got.count(0), 1, f"how many creates of one id succeeded: {got}")
    t.equal(t.state()["status"], "created", "the status")
    t.equal(all_at_once([["start", t.id]] * 4).count(0), 1, "how many starts succeeded")
    t.equal(all_at_once([["delete", "--force", t.id]] * 6), [0] * 6, "of delete --force")


@requirement(95, "through a shell with words before the global options, and under the names crun, "
             "runc and buildkit-runc, it behaves the same", "dockerd's runtimeArgs, podman, BuildKit")
def _(t):
    own = t.cleat_path
    wrapper = t.script("wrapper", f'{own} --log-format=text "$@"\n')
    paths = [wrapper]
    for name in ("crun", "runc", "buildkit-runc"):
        link = f"{t.dir}/{name}"
        os.symlink(own, link)
        paths.append(link)
    copy = f"{t.dir}/runtime"
    shutil.copy(own, copy)
    paths.append(copy)
    try:
        for path in paths:
            t.cleat_path = path
            t.probe("exit", "5")
            t.equal(t.run().rc, 5, f"the status through {os.path.basename(path)}")
            r = Conmon(t).create()
            t.check(r.rc == 0, f"create through {os.path.basename(path)}: {r}")
            t.delete("--force")
            r = outcome(t, [path, "--version"], env=environment())
            t.equal(r.rc, 0, "the status of --version")
    finally:
        t.cleat_path = own
