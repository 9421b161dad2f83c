# SPDX-License-Identifier: Apache-2.0
"""51 to 63: what state, list, ps, events, features, --version and --help say."""
import json
import os
import re
import shutil
import subprocess

from callers import environment
from contract import background, created, ended, outcome, requirement, started
from frame import cgroups, needs
from frame.trial import TIMEOUT
from frame.user import open_to_users

RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"


def _state(t, **more):
    r = t.cleat("state", t.id, **more)
    t.check(r.rc == 0 and r.err == "", f"state: {r}")
    return json.loads(r.out)


@requirement(51, "state prints one JSON object and nothing on stderr: id, pid, status, bundle, "
             "rootfs, created, annotations, ociVersion", "go-runc, CRI-O, buildah, BuildKit")
def _(t):
    t.edit({"annotations": {"org.example.key": "value"}})
    pid = started(t)
    t.expect(_state(t), {
        "id": t.id, "pid": pid, "status": "running", "bundle": t.bundle, "rootfs": bool,
        "created": lambda text: re.fullmatch(RFC3339, text or ""),
        "annotations": {"org.example.key": "value"}, "ociVersion": lambda v: v.startswith("1.")})
    t.delete("--force")


@requirement(52, "pid is there and 0 when it has stopped; created is a time of RFC 3339 in every "
             "status", "CRI-O, go-runc")
def _(t):
    pid = created(t)
    states = [_state(t)]
    for change in ("start", "pause", "resume"):
        t.ok(change, t.id)
        states.append(_state(t))
    t.ok("kill", t.id, "9")
    ended(t, pid)
    states.append(_state(t))
    t.delete()
    t.equal([s.get("status") for s in states],
            ["created", "running", "paused", "running", "stopped"], "the statuses")
    t.equal([s.get("pid") for s in states], [pid] * 4 + [0], "the pids")
    t.equal(len({s.get("created") for s in states}), 1, "how many times it was created")
    t.check(re.fullmatch(RFC3339, states[0]["created"]), states[0]["created"])


@requirement(53, "a dead init, reaped or not, is stopped at once; what was created is never "
             "'creating'; state does without its stderr", "CRI-O, buildah, podman up to 5.2")
def _(t):
    for _ in range(3):
        pid = created(t)
        t.equal(_state(t)["status"], "created", "the status after create")
        os.kill(pid, 9)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        status = _state(t)["status"]
        ended(t, pid)
        t.equal((status, _state(t)["status"]), ("stopped", "stopped"), "of a zombie, then reaped")
        t.delete()
    started(t)
    r = outcome(t, ["sh", "-c", 'exec "$@" 2>&-', "sh", *t.command("state", t.id)],
                env={"XDG_RUNTIME_DIR": f"{t.dir}/xdg"})
    t.delete("--force")
    t.equal((r.rc, json.loads(r.out)["status"]), (0, "running"), "without stderr")


@requirement(54, "a frozen container is paused, a thawed one running", "CRI-O, buildah")
def _(t):
    started(t)
    for change, status in (("pause", "paused"), ("resume", "running")) * 2:
        t.ok(change, t.id)
        t.equal(_state(t)["status"], status, f"the status after {change}")
    if cgroups.is_v2():  # by somebody else
        path = cgroups.directory("", "/" + t.id)
        for frozen, status in ((1, "paused"), (0, "running")):
            t.write(f"{path}/cgroup.freeze", str(frozen))
            while f"frozen {frozen}" not in t.read(f"{path}/cgroup.events"):
                pass
            t.equal(_state(t)["status"], status, f"the status with cgroup.freeze {frozen}")
    t.delete("--force")


def _waiting(t, kind):
    """A hook that says when it runs, and goes on when it is told."""
    fifo = f"{t.dir}/fifo-{kind}"
    os.mkfifo(fifo)
    t.edit({f"hooks.{kind}": [{"path": t.script(
        f"wait-{kind}", f"cat >/dev/null; echo in >{fifo}; read x <{fifo}\n")}]})
    return fifo


@requirement(55, "state answers while another command is at work on the container",
             "BuildKit, buildah")
def _(t):
    fifo = _waiting(t, "createRuntime")
    t.probe("sleep")
    t.write_config()
    with background(t, t.command("create", "--bundle", t.bundle, t.id)) as p:
        with open(fifo, encoding="ascii") as f:
            f.readline()
        during_create = outcome(t, ["timeout", "5", *t.command("state", t.id)])
        with open(fifo, "w", encoding="ascii") as f:
            f.write("go on\n")
        t.equal(p.wait(TIMEOUT), 0, "the status of create")
    t.ok("start", t.id)
    with background(t, t.command("exec", t.id, "/probe", "sleep")) as p:
        t.wait_for_line("ready\nready")
        during_exec = outcome(t, ["timeout", "5", *t.command("state", t.id)])
        p.terminate()
    t.delete("--force")
    t.check(during_create.rc != 124, f"it waited for create: {during_create}")
    t.equal(during_exec.rc, 0, f"its status while exec goes on: {during_exec}")


@requirement(56, "list --format json prints an array or null; an entry that is broken does not "
             "spoil the rest", "go-runc")
def _(t):
    os.makedirs(t.root, 0o700)
    t.check(json.loads(t.ok("list", "--format", "json").out) in (None, []), "the empty list")
    pid = started(t)
    other = f"{t.root}/{t.id}-broken"
    shutil.copytree(f"{t.root}/{t.id}", other, ignore=lambda d, names: [
        n for n in names if not os.path.isfile(f"{d}/{n}")])
    for name in os.listdir(other):
        t.write(f"{other}/{name}", "{", 0o600)
    os.mkdir(f"{t.root}/{t.id}-empty")
    r = t.cleat("list", "--format=json")
    t.cleat("delete", "--force", t.id)
    for name in ("-broken", "-empty"):
        shutil.rmtree(f"{t.root}/{t.id}{name}", ignore_errors=True)
    t.check(r.rc == 0, f"list: {r}")
    found = {c["id"]: c for c in json.loads(r.out)}
    t.equal((found[t.id]["pid"], found[t.id]["status"]), (pid, "running"), "the healthy one")


@requirement(57, "ps --format json prints the container's processes with init as an array of "
             "numbers; of a stopped one null or []", "shim's restart, docker top")
def _(t):
    def pids():
        return json.loads(t.ok("ps", "--format", "json", t.id).out)
    pid = created(t, "children", "2")
    t.equal(pids(), [pid], "of a created one")
    t.ok("start", t.id)
    t.wait_for_line("ready")
    for change in ("pause", "resume"):
        found = pids()
        t.check(pid in found and len(found) == 3, f"before {change}: {found}")
        t.ok(change, t.id)
    t.ok("kill", t.id, "9")
    ended(t, pid)
    t.check(pids() in (None, []), "of a stopped one")
    t.delete()


@requirement(58, "ps --format table ID -ef prints a heading with PID and the container's processes "
             "only", "go-runc Top", needs="program:ps")
def _(t):
    pid = started(t, "children", "2")
    lines = t.ok("ps", "--format", "table", t.id, "-ef").out.splitlines()
    wide = t.ok("ps", t.id, "-e", "-o", "pid,comm").out.splitlines()
    t.delete("--force")
    column = lines[0].split().index("PID")
    found = [int(line.split()[column]) for line in lines[1:]]
    t.check(pid in found and len(found) == 3, f"{lines}")
    t.equal((wide[0].split()[0], len(wide)), ("PID", 4), "with other words of ps")


@requirement(59, "events --stats prints one JSON object as go-runc decodes it, and ends; a reader "
             "that leaves is no error", "users of go-runc", needs="cgroup:memory")
def _(t):
    started(t)
    event = json.loads(t.ok("events", "--stats", t.id).out)
    t.expect(event, {"type": "stats", "id": t.id, "data.cpu.usage.total": lambda n: n is not None,
                     "data.memory": lambda m: not cgroups.has("memory") or m["usage"]["usage"] >= 0,
                     "data.pids": lambda p: isinstance(p, dict),
                     "data.blkio": lambda b: isinstance(b, dict)})
    with background(t, t.command("events", "--interval=1s", t.id), stdout=subprocess.PIPE) as p:
        t.equal(json.loads(p.stdout.readline())["type"], "stats", "the first of the stream")
        p.terminate()
    reader, writer = os.pipe()
    os.close(reader)
    p = subprocess.run(t.command("events", "--stats", t.id), stdout=writer, timeout=TIMEOUT,
                       stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    t.delete("--force")
    t.equal((p.returncode, p.stderr), (0, ""), "without a reader")


@requirement(60, "features needs no option, no root, no bundle; JSON on stdout, nothing on stderr",
             "dockerd, shim, CRI-O")
def _(t):
    texts = []
    open_to_users(t)
    for env, more in (({}, {"user": 65534, "group": 65534, "extra_groups": []}),
                      (environment(), {})):
        r = outcome(t, [t.cleat_path, "features"], env=env, cwd="/", **more)
        t.check((r.rc, r.err) == (0, ""), f"features: {r}")
        texts.append(json.loads(r.out))
    t.equal(texts[0], texts[1], "the answers")


@requirement(61, "features has ociVersionMin and Max, hooks, mountOptions with rro, linux with "
             "namespaces and mountExtensions.idmap.enabled",
             "CRI-O, kubelet, containerd, which crashes otherwise")
def _(t):
    f = json.loads(outcome(t, [t.cleat_path, "features"]).out)
    t.expect(f, {"ociVersionMin": lambda v: bool(v), "ociVersionMax": lambda v: bool(v),
                 "hooks": lambda h: "createRuntime" in h and "poststop" in h,
                 "mountOptions": lambda o: "rro" in o and "rbind" in o,
                 "linux.namespaces": lambda n: {"user", "mount", "network"} <= set(n),
                 "linux.mountExtensions.idmap.enabled": True})


@requirement(62, "--version prints 'NAME version X' on stdout, then commit and spec",
             "dockerd, podman, CRI-O")
def _(t):
    r = outcome(t, [t.cleat_path, "--version"], env={})
    t.check((r.rc, r.err) == (0, ""), f"--version: {r}")
    lines = r.out.splitlines()
    t.check(re.match(r"\S+ version \S+", lines[0]), lines[0])
    for word in ("commit: ", "spec: "):
        t.check(any(x.startswith(word) for x in lines[1:]), f"no '{word}' in {r.out}")


@requirement(63, "checkpoint --help succeeds if and only if a checkpoint would; restore "
             "--lsm-mount-context without a value: 'requires an argument'", "podman")
def _(t):
    lacking = needs.missing("criu")
    r = outcome(t, [t.cleat_path, "checkpoint", "--help"])
    t.check((r.rc == 0) == (lacking is None), f"status {r.rc}, and {lacking or 'CRIU works'}")
    r = outcome(t, [t.cleat_path, "restore", "--lsm-mount-context"])
    t.check(r.rc != 0 and re.search("requires an argument|flag needs an argument", r.out + r.err),
            f"restore: {r}")
