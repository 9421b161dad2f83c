# SPDX-License-Identifier: Apache-2.0
"""hooks: each kind at its moment, the state on standard input, failures, the deadline."""
import contextlib
import json
import os
import select
import signal
import time

from frame.case import Skip, case
from frame.config import namespaces, user_namespace
from frame.phases import lived
from frame.trial import TIMEOUT

HOST_KINDS = ("prestart", "createRuntime", "poststart", "poststop")
KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
STATUS = {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
          "startContainer": "created", "poststart": "running", "poststop": "stopped"}

# keeps what it is given and what it sees, in one file a hook
SEEING = """out=$1; shift
{ echo "args $0 $*"; echo "cwd $PWD"; echo "mnt $(readlink /proc/self/ns/mnt)"
echo "net $(readlink /proc/self/ns/net)"; echo "pidns $(readlink /proc/self/ns/pid)"
echo "env $(env | sort | grep -v -e '^_=' -e '^PWD=' -e '^OLDPWD=' -e '^SHLVL=' | tr '\\n' ' ')"
echo "fds $(ls /proc/self/fd | tr '\\n' ' ')"
echo "state $(tr '\\n' ' ')"; } >"$out.new" && mv "$out.new" "$out"
"""


def add(t, kind, path, *args, **more):
    t.config.setdefault("hooks", {}).setdefault(kind, []).append(
        {"path": path, "args": [os.path.basename(path), *args], **more})


def seeing(t, kind, name=None, **more):
    """A hook that writes what it sees into a file; returns the file's path."""
    out = f"{t.dir}/saw-{name or kind}"
    add(t, kind, t.script("seeing", SEEING), out, env=["PATH=/bin:/usr/bin"], **more)
    return out


def saw(t, path):
    t.check(os.path.exists(path), f"the hook did not run: no {os.path.basename(path)}")
    return dict(line.partition(" ")[::2] for line in t.read(path).splitlines())


def own(kind):
    return os.readlink(f"/proc/self/ns/{kind}")


def _state(kind):
    def check(t):
        out = seeing(t, kind)
        t.edit({"annotations": {"org.example.key": "value"}})
        t.run_probe()
        state = json.loads(saw(t, out)["state"])
        t.expect(state, {"id": t.id, "bundle": t.bundle, "annotations": {"org.example.key": "value"},
                         "ociVersion": lambda v: v.startswith("1."),
                         "status": STATUS[kind]})
        if kind != "poststop":
            t.check(state.get("pid", 0) > 0, f"the pid is {state.get('pid')}")
    return check


for _kind in HOST_KINDS + ("createContainer",):
    case(f"{_kind} gets the state")(_state(_kind))


@case("startContainer gets the state")
def _(t):
    add(t, "startContainer", "/probe", "save", "/tmp/saw", "a line")
    t.run_probe()
    state, line = t.read(f"{t.rootfs}/tmp/saw").splitlines()
    t.expect(json.loads(state), {"id": t.id, "pid": 1, "status": "created", "bundle": t.bundle})
    t.equal(line, "a line", "the argument")


for _kind in HOST_KINDS:
    def _where(t, kind=_kind):
        out = seeing(t, kind)
        t.run_probe()
        found = saw(t, out)
        for name in ("mnt", "net"):
            t.equal(found[name], own(name), f"the {name} namespace")
        t.equal(found["cwd"], t.bundle, "the directory")
    case(f"{_kind} runs on the host, in the bundle")(_where)


@case("createContainer runs in the container's namespaces, before the root changes")
def _(t):
    out = seeing(t, "createContainer")
    report = t.run_probe()
    found = saw(t, out)
    for name in ("mnt", "net"):
        t.equal(found[name], f"{name}:[{report['namespaces'][name]}]", f"the {name} namespace")


@case("startContainer runs in the container's root")
def _(t):
    add(t, "startContainer", "/probe", "save", "/tmp/saw")
    t.run_probe()
    t.check(os.path.exists(f"{t.rootfs}/tmp/saw"), "it did not run there")


@case("startContainer in a container without /dev/null")
def _(t):
    """Its output is dropped all the same, and it has no more than its streams."""
    os.mkdir(f"{t.dir}/dev")
    t.config["mounts"] = [m for m in t.config["mounts"] if not m["destination"].startswith("/dev")]
    t.config["mounts"].append({"destination": "/dev", "type": "bind", "source": f"{t.dir}/dev",
                               "options": ["bind", "ro"]})
    add(t, "startContainer", "/probe", "say", "dropped", ",", "report", "descriptors", ",",
        "save", "/tmp/saw")
    t.probe("say", "hello")
    t.equal(t.run().out, "hello\n", "what came out")
    t.check(os.path.exists(f"{t.rootfs}/tmp/saw"), "it did not run")


@case("all kinds in their order")
def _(t):
    log = f"{t.dir}/log"
    path = t.script("write-log", f"cat >/dev/null; echo $1 >>{log}\n")
    for kind in reversed(KINDS):
        if kind == "startContainer":
            continue
        add(t, kind, path, kind + "-1")
        add(t, kind, path, kind + "-2")
    t.run_probe()
    want = [f"{k}-{n}" for k in KINDS if k != "startContainer" for n in (1, 2)]
    t.equal(t.read(log).split(), want, "the order")


@case("create, start and delete run theirs")
def _(t):
    log = f"{t.dir}/log"
    path = t.script("write-log", f"cat >/dev/null; echo $1 >>{log}\n")
    for kind in KINDS:
        if kind != "startContainer":
            add(t, kind, path, kind)
    add(t, "startContainer", "/probe", "save", "/tmp/saw")
    t.probe("sleep")
    t.create()
    t.equal(t.read(log).split(), ["prestart", "createRuntime", "createContainer"], "after create")
    t.check(not os.path.exists(f"{t.rootfs}/tmp/saw"), "startContainer ran in create")
    t.ok("start", t.id)
    t.equal(t.read(log).split()[3:], ["poststart"], "after start")
    t.check(os.path.exists(f"{t.rootfs}/tmp/saw"), "startContainer did not run")
    t.delete("--force")
    t.equal(t.read(log).split()[4:], ["poststop"], "after delete")


@case("arguments as given, the first is the name")
def _(t):
    out = seeing(t, "createRuntime")
    t.config["hooks"]["createRuntime"][0]["args"] = ["name", out, "a b", "c"]
    t.run_probe()
    t.check(saw(t, out)["args"].endswith("a b c"), saw(t, out)["args"])


@case("environment as given, nothing else")
def _(t):
    out = seeing(t, "createRuntime")
    t.config["hooks"]["createRuntime"][0]["env"] = ["PATH=/bin:/usr/bin", "ONE=1"]
    t.run_probe(env={**os.environ, "SECRET": "x"})
    t.equal(saw(t, out)["env"].split(), ["ONE=1", "PATH=/bin:/usr/bin"], "the environment")


@case("no environment when none is given")
def _(t):
    out = seeing(t, "createRuntime")
    del t.config["hooks"]["createRuntime"][0]["env"]
    t.config["hooks"]["createRuntime"][0]["path"] = t.script(
        "seeing", "export PATH=/bin:/usr/bin\n" + SEEING)
    t.run_probe(env={**os.environ, "SECRET": "x"})
    t.equal(saw(t, out)["env"].split(), ["PATH=/bin:/usr/bin"], "the environment")


@case("a hook has three descriptors")
def _(t):
    out = seeing(t, "createRuntime")
    t.run_probe()
    # ls has opened the directory itself
    t.equal(saw(t, out)["fds"].split(), ["0", "1", "2", "3"], "the descriptors")


for _kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop"):
    @case(f"what a {_kind} hook makes is not for everybody to write")
    def _(t, kind=_kind):
        add(t, kind, t.script("make", f"cat >/dev/null; echo >{t.dir}/made\n"))
        t.run_probe()
        t.equal(oct(os.stat(f"{t.dir}/made").st_mode & 0o777), "0o644", "the mode of a file")


@case("a startContainer hook has the umask of the process")
def _(t):
    add(t, "startContainer", "/probe", "write", "/tmp/made", "x")
    t.edit({"process.user.umask": 0o77})
    t.run_probe()
    t.equal(oct(os.stat(f"{t.rootfs}/tmp/made").st_mode & 0o777), "0o600", "the mode of a file")


@case("a hook that does not read the state")
def _(t):
    add(t, "createRuntime", "/bin/true")
    t.edit({"annotations": {f"key{i}": "x" * 1000 for i in range(100)}})
    t.run_probe()


@case("a hook sees the mounts of the container")
def _(t):
    add(t, "createRuntime", t.script(
        "look", f"pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' | tr -d '\\n'); "
                f"grep -q /dev/shm /proc/$pid/mountinfo && echo yes >{t.dir}/seen\n"))
    t.run_probe()
    t.check(os.path.exists(f"{t.dir}/seen"), "it did not see /dev/shm")


@case("a device of the network moved by createRuntime", needs="ip")
def _(t):
    name = f"ct{os.getpid() % 100000}"
    add(t, "createRuntime", t.script(
        "move", "export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
                "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' | tr -d '\\n')\n"
                f"ip link add {name} type ifb && ip link set {name} netns $pid\n"))
    r = t.run()
    if r.rc and ("Operation not supported" in r.err or "Unknown device" in r.err):
        raise Skip("no ifb network devices")
    t.equal(sorted(t.decode(r.out)["network"]), [name, "lo"], "the network devices")


for _kind in ("prestart", "createRuntime", "createContainer"):
    @case(f"a sysctl is written after the {_kind} hooks, which make the network")
    def _(t, kind=_kind):
        # two existing values tell the same as a device that the hook makes
        inside = "" if kind == "createContainer" else "nsenter --net=/proc/$pid/ns/net "
        add(t, kind, t.script(
            "write", "export PATH=/usr/bin:/bin\n"
                     "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' | tr -d '\\n')\n"
                     f"exec {inside}sh -c 'cd /proc/sys/net/ipv4 && cat ip_default_ttl "
                     f">{t.dir}/found && echo 7 >ip_default_ttl && echo 0 >ip_forward'\n"))
        t.edit({"linux.sysctl": {"net.ipv4.ip_default_ttl": "33", "net.ipv4.ip_forward": "1"}})
        files = {"/proc/sys/net/ipv4/ip_default_ttl": "33", "/proc/sys/net/ipv4/ip_forward": "1"}
        t.expect(t.probe_result("read", *files), files)
        t.equal(t.read(f"{t.dir}/found").strip(), "64", "the value that the hook found")


@case("a sysctl of a device of the network that createRuntime makes", needs="ip")
def _(t):
    add(t, "createRuntime", t.script(
        "make", "export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
                "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' | tr -d '\\n')\n"
                "exec nsenter --net=/proc/$pid/ns/net ip link add eth0 type ifb\n"))
    t.edit({"linux.sysctl": {"net.ipv4.conf.eth0.rp_filter": "2"}})
    t.probe("read", "/proc/sys/net/ipv4/conf/eth0/rp_filter")
    r = t.run()
    if r.rc and ("Operation not supported" in r.err or "Unknown device" in r.err):
        raise Skip("no ifb network devices")
    t.expect(t.decode(r.out, r), {"/proc/sys/net/ipv4/conf/eth0/rp_filter": "2"})


@case("hooks with a user namespace")
def _(t):
    outs = [seeing(t, k) for k in HOST_KINDS]
    t.edit(user_namespace())
    t.run_probe()
    for out in outs:
        t.equal(saw(t, out)["mnt"], own("mnt"), "the mount namespace")


# --- in the container's mount namespace -----------------------------------------------------------

def mounts_inside(t, kind):
    """A hook that enters the mount namespace and mounts below the root's path, as NVIDIA's does."""
    add(t, kind, t.script(
        "mount-inside", "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' | tr -d '\\n')\n"
                        f"exec nsenter -t $pid -m mount -t tmpfs from-{kind} {t.rootfs}/mnt\n"))
    t.edit({f"hooks.{kind}": [dict(h, env=["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
                              for h in t.config["hooks"][kind]]})


def only_for(t, uid):
    """All that leads to the bundle is for @uid alone."""
    os.chown(t.dir, uid, uid)
    os.chmod(t.dir, 0o700)


def through_link(t):
    os.rename(t.rootfs, f"{t.bundle}/elsewhere")
    os.symlink("elsewhere", t.rootfs)


WAYS = {
    "": lambda t: None,
    ", root.path is a link": through_link,
    ", without pivot_root": lambda t: None,
    ", in a user namespace": lambda t: t.edit(user_namespace()),
    ", in a user namespace, in a bundle for root alone":
        lambda t: (t.edit(user_namespace()), only_for(t, 0)),
}
for _kind in ("prestart", "createRuntime"):
    for _way, _prepare in WAYS.items():
        def _inside(t, kind=_kind, prepare=_prepare, way=_way):
            prepare(t)
            mounts_inside(t, kind)
            report = t.run_probe(*(["--no-pivot"] if "pivot" in way else []))
            t.expect(report, {"mounts./mnt.source": f"from-{kind}", "root": "/"})
        case(f"a {_kind} hook mounts below the root's path{_way}", needs="program:nsenter")(_inside)


# nobody in the user namespace may enter such a directory
for _kind in ("prestart", "createRuntime"):
    for _word in ("--no-pivot", None):
        def _far(t, kind=_kind, word=_word):
            t.edit(user_namespace())
            only_for(t, 4711)
            out = seeing(t, kind)
            t.run_probe(*[word] * bool(word))
            t.check(os.path.exists(out), "the hook did not run")
        case(f"a {_kind} hook, where the root's path is out of reach of the user namespace"
             + (", without pivot_root" if _word else ""))(_far)


@case("a createContainer hook, in a user namespace, in a bundle for root alone")
def _(t):
    t.edit(user_namespace())
    only_for(t, 0)
    add(t, "createContainer", "/bin/true")
    t.expect(t.run_probe(), {"root": "/"})


@case("a createContainer hook must have the root at its path")
def _(t):
    t.edit(user_namespace())
    only_for(t, 4711)
    add(t, "createContainer", "/bin/true")
    t.expect_failure("attach the rootfs '.*/rootfs'")


# --- what they write --------------------------------------------------------------------------

def heard(t):
    """Annotations: hooks write to these two files."""
    out, err = f"{t.dir}/hooks.out", f"{t.dir}/hooks.err"
    t.edit({"annotations": {"run.oci.hooks.stdout": out, "run.oci.hooks.stderr": err}})
    return out, err


def hears(t):
    out, err = heard(t)
    t.write(out, "before\n")
    for kind in KINDS:
        if kind == "startContainer":
            add(t, kind, "/probe", "say", kind)
        else:
            add(t, kind, t.script("talk", "echo $1; echo oh $1 >&2\n"), kind)
    t.probe("say", "ran")
    lived(t)
    t.equal(t.out(), "ran\n", "the output of the program")
    t.equal(t.read(out).split(), ["before", *KINDS], "what the hooks said")
    t.equal(t.read(err).splitlines(), [f"oh {k}" for k in KINDS if k != "startContainer"],
            "what the hooks said of errors")
    t.equal(os.stat(err).st_mode & 0o7777, 0o600, "the mode of the new file")


@case("their output is added to files, by annotations")
def _(t):
    hears(t)


@case("their output is added to files, in a user namespace")
def _(t):
    t.edit(user_namespace())
    hears(t)


@case("the reason of a failure is told if a hook says it on stdout alone")
def _(t):
    for kind in KINDS[:-1]:
        t.config["hooks"] = {}
        if kind == "startContainer":
            add(t, kind, "/probe", "say", "the reason", ",", "exit", "3")
        else:
            add(t, kind, t.script("fail", "echo the reason; exit 3\n"))
        t.expect_failure(f"{kind} hook.*3.*the reason")


@case("the reason of a failure is in the file and in the message")
def _(t):
    add(t, "createContainer", t.script("fail", "echo the reason >&2; exit 3\n"))
    _, err = heard(t)
    t.expect_failure("createContainer hook.*3.*the reason")
    t.equal(t.read(err), "the reason\n", "what the hook said")


for _name, _spoil, _kind in (("there is no directory", lambda path: None, "createRuntime"),
                             ("nobody reads the FIFO", os.mkfifo, "createRuntime"),
                             ("only the last of hooks would write", os.mkfifo, "poststop")):
    def _deaf(t, spoil=_spoil, kind=_kind):
        ran = seeing(t, kind)
        out = f"{t.dir}/{'fifo' if spoil is os.mkfifo else 'missing/file'}"
        spoil(out)
        t.edit({"annotations": {"run.oci.hooks.stdout": out}})
        t.expect_failure("run.oci.hooks.stdout: open '.*(fifo|missing/file)")
        t.check(not os.path.exists(ran), "the hook ran")
    case(f"a file for their output that cannot be opened: {_name}")(_deaf)


# --- failures ------------------------------------------------------------------------------

for _kind in ("prestart", "createRuntime", "createContainer"):
    def _fails(t, kind=_kind):
        add(t, kind, t.script("fail", "echo the reason >&2; exit 3\n"))
        stop = seeing(t, "poststop")
        t.probe("say", "ran")
        t.write_config()
        r = t.cleat("create", "--bundle", t.bundle, t.id)
        t.check(r.rc != 0, f"create went well: {r}")
        t.check_message(r, r"(?i)hook.*(3|the reason)")
        t.check(t.cleat("state", t.id).rc != 0, "the container exists")
        del stop
    case(f"a {_kind} hook that fails ends create")(_fails)


@case("a startContainer hook that fails ends start")
def _(t):
    add(t, "startContainer", "/probe", "exit", "3")
    t.probe("say", "ran")
    r = t.run()
    t.check(r.rc != 0 and "ran" not in r.out, f"it ran: {r}")
    t.check_message(r, "(?i)hook.*3")


for _kind in ("prestart", "createRuntime", "createContainer"):
    def _late(t, kind=_kind):
        add(t, kind, t.script("late", "sleep 100 & sleep 100\n"), timeout=1)
        began = time.monotonic()
        t.write_config()
        r = t.cleat("create", "--bundle", t.bundle, t.id)
        t.check(r.rc != 0, f"create went well: {r}")
        t.check(time.monotonic() - began < 20, "it took too long")
        t.check_message(r, "(?i)hook.*(time|deadline)")
    case(f"a {_kind} hook is ended at its deadline, with its children")(_late)


@contextlib.contextmanager
def _while_it_runs(t, kind, path, *args):
    """run, in the foreground, while a hook that says something is not done."""
    fifo = f"{t.dir}/fifo"
    os.mkfifo(fifo)
    t.edit({"annotations": {"run.oci.hooks.stdout": fifo}})
    add(t, kind, path, *args)
    with open(os.open(fifo, os.O_RDWR), "rb", buffering=0) as reader, t.foreground() as p:
        try:
            t.check(select.select([reader], [], [], TIMEOUT)[0], "the hook does not run")
            yield p
        finally:
            p.kill()


for _kind in KINDS[:5]:
    def _interrupted(t, kind=_kind):
        slow = t.script("slow", "echo ready; exec sleep 1000\n")
        stop = seeing(t, "poststop")
        t.probe("sleep")
        with _while_it_runs(t, kind, *(("/probe", "sleep") if kind == "startContainer"
                                       else (slow,))) as p:
            p.send_signal(signal.SIGUSR1)
            p.terminate()
            t.equal(p.wait(TIMEOUT), 1, "the status")
            text = p.stderr.read().decode()
        t.check("interrupted by signal 15" in text and text.count("\n") == 1, text)
        t.check(os.path.exists(stop), "poststop hooks did not run")
    case(f"TERM ends run while a {_kind} hook takes its time")(_interrupted)


@case("what ends nothing while a hook runs is sent on later")
def _(t):
    # the init of a pid namespace could still be deaf to it
    t.edit({"linux.namespaces": namespaces("network", "ipc", "uts", "mount", "cgroup")})
    os.mkfifo(f"{t.dir}/go")
    t.probe("sleep")
    with _while_it_runs(t, "createRuntime",
                        t.script("slow", f"echo ready; read line <{t.dir}/go\n")) as p:
        p.send_signal(signal.SIGUSR2)
        t.write(f"{t.dir}/go", "on\n")
        t.equal(p.wait(TIMEOUT), 128 + signal.SIGUSR2, "the status of the probe")


@case("a hook that is missing")
def _(t):
    add(t, "createRuntime", "/no/such/hook")
    t.expect_failure("/no/such/hook")


@case("a hook without an absolute path")
def _(t):
    add(t, "createRuntime", "hook")
    t.expect_failure("hooks|absolute")


@case("the next hooks do not run after one has failed")
def _(t):
    add(t, "createRuntime", t.script("fail", "exit 1\n"))
    out = seeing(t, "createRuntime", "second")
    t.check(t.run().rc != 0, "it went well")
    t.check(not os.path.exists(out), "the second one ran")
