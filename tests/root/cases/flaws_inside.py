# SPDX-License-Identifier: Apache-2.0
"""Published flaws of runtimes, each tried again: what a process inside is, holds and reaches."""
import os
import re
import socket
import stat
import subprocess

from frame import cgroups
from frame.case import Skip, case, failure_rows, report_rows
from frame.config import CAPABILITIES, caps, mask, namespaces, user_namespace
from frame.phases import further, started
from frame.trial import TIMEOUT
from frame.user import open_to_users

EVERYTHING = caps(*CAPABILITIES)


# --- who comes in is attacked ------------------------------------------------------------------

for _name, _words, _edits in (
        ("", (), {}),
        (" by root with every capability", ("directories",),
         {"process.capabilities": EVERYTHING}),
        (" by root of a user namespace", (), {
            **user_namespace(), "process.capabilities": EVERYTHING})):
    def _attack(t, words=_words, edits=_edits):
        """CVE-2016-9962, CVE-2016-8649: nobody in there may get hold of the runtime."""
        t.edit(edits)
        started(t, "intrude", *words)
        for _ in range(60):
            t.ok("exec", "--cwd", "/tmp", t.id, "/probe", "exit", "0")
        t.delete("--force")
        t.equal(t.out(), "ready\n", "what the intruder got")
    case("exec is attacked from inside" + _name)(_attack)


@case("exec without what closes the way to the host's cgroups", needs="program:strace cgroup2")
def _(t):
    """Where the clone of the directory is refused there is no process rather than a way out."""
    t.edit({"process.capabilities": EVERYTHING})
    started(t)
    t.prefix = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=open_tree",
                "-e", "inject=open_tree:error=EPERM"]
    t.fails("clone the cgroup's directory, read-only: operation not permitted", "exec", t.id,
            "/probe", "exit", "0")
    t.prefix = []
    t.ok("exec", t.id, "/probe", "exit", "0")
    t.delete("--force")


@case("create into a pid namespace is attacked by those who are there")
def _(t):
    pid = started(t, "intrude", "directories")
    second = t.id + "b"
    for ns in t.config["linux"]["namespaces"]:
        if ns["type"] == "pid":
            ns["path"] = f"/proc/{pid}/ns/pid"
    t.edit({"linux.cgroupsPath": "/" + second})
    t.probe("exit", "0")
    t.write_config()
    for _ in range(20):
        t.ok("run", "--bundle", t.bundle, second)
    t.delete("--force")
    t.equal(t.out(), "ready\n", "what the intruder got")


for _when in ("created", "running"):
    for _way, _edits in (("", {}), (" in a user namespace", user_namespace())):
        def _dumpable(t, when=_when, edits=_edits):
            """CVE-2016-8659, CVE-2026-41163: nobody of its user looks into it, or leads it."""
            t.edit({**edits, "process.user": {"uid": 1000, "gid": 1000}})
            t.probe("sleep")
            t.create()
            if when == "running":
                t.ok("start", t.id)
                t.wait_for_line("ready")
            pid = t.state()["pid"]
            outside = 101000 if edits else 1000
            owner = os.stat(f"/proc/{pid}/fd").st_uid
            look = subprocess.run(["ls", f"/proc/{pid}/fd"], user=outside, group=outside,
                                  extra_groups=[], capture_output=True, check=False)
            t.delete("--force")
            # the program that runs is anybody's again
            t.equal((owner, look.returncode), (outside, 0) if when == "running" else (0, 2),
                    "the owner of /proc/PID/fd, and whether its user may look")
        case(f"a container that is {_when} to others of its user{_way}")(_dumpable)


# --- descriptors, sockets ------------------------------------------------------------------------

for _kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop"):
    def _hook(t, kind=_kind):
        """CVE-2015-3627: a hook has its three, whatever we and our caller have."""
        leaked = os.open(t.beside, os.O_RDONLY | os.O_DIRECTORY)
        t.edit({f"hooks.{kind}": [{"path": t.script(
            "look", "PATH=/bin:/usr/bin\n"
                    f"ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> /\\1 /p' >{t.dir}/fds\n")}]})
        t.run_probe(pass_fds=[leaked])
        os.close(leaked)
        found = dict(line.split(" ", 1) for line in t.read(f"{t.dir}/fds").splitlines())
        found = {n: to for n, to in found.items() if "/proc/" not in to}  # what ls has open
        t.equal(sorted(found), ["0", "1", "2"], f"the descriptors {found}")
    case(f"a {_kind} hook has no descriptor of anybody's")(_hook)


@case("no socket with an abstract name")
def _(t):
    """CVE-2020-15257: such a name is reached by whoever shares the network."""
    t.edit({"linux.namespaces": [n for n in t.config["linux"]["namespaces"]
                                 if n["type"] != "network"]})
    before = [x for x in t.read("/proc/net/unix").split() if x.startswith("@")]
    pid = started(t)
    text = t.read(f"/proc/{pid}/net/unix")
    t.delete("--force")
    t.equal([x for x in text.split() if x.startswith("@")], before, "the names")


@case("the gate of a created container is not to be reached from inside another")
def _(t):
    t.probe("sleep")
    t.create()
    path = next(os.path.join(t.root, t.id, n) for n in os.listdir(f"{t.root}/{t.id}")
                if stat.S_ISSOCK(os.lstat(f"{t.root}/{t.id}/{n}").st_mode))
    modes = [stat.S_IMODE(os.stat(p).st_mode) & 0o077 for p in (t.root, f"{t.root}/{t.id}")]

    def nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(path)
    pid = os.fork()
    if pid == 0:
        try:
            nobody()
        except PermissionError:
            os._exit(0)
        except BaseException:  # pylint: disable=broad-except
            os._exit(2)
        os._exit(1)
    status = t.wait_for_end(pid)
    t.delete("--force")
    t.equal((status, modes), (0, [0, 0]), "whether another user was let in")


# --- our own binary ------------------------------------------------------------------------------



@case("the binary of exec cannot be written from inside, nor its mount changed", needs="busybox")
def _(t):
    """CVE-2019-5736: by a root with every capability, as long as it runs and afterwards."""
    t.busybox()
    before = os.stat(t.cleat_path)
    with open(t.cleat_path, "rb") as f:
        contents = f.read()
    t.edit({"process.capabilities": EVERYTHING, "linux.maskedPaths": [],
            "linux.readonlyPaths": []})
    # keeps a descriptor of each program that is not ours, and tries to write through it
    t.args("/bin/sh", "-c", """
echo ready
n=0
while :; do
  for p in /proc/[0-9]*; do
    case $p in /proc/1|/proc/$$|/proc/self) continue;; esac
    command exec 9<$p/exe || continue
    if ! cmp -s /proc/self/fd/9 /bin/busybox && ! cmp -s /proc/self/fd/9 /probe; then
      n=$((n+1))
      (echo overwritten >$p/exe) && echo written while running
      mount -o remount,rw,bind $p/exe && echo remounted
      # unless it has become the program meanwhile
      mount -o bind $p/exe /tmp/x && { cmp -s /tmp/x /probe || echo bound; umount /tmp/x; }
      (echo overwritten >/proc/self/fd/9) && echo written afterwards
      echo seen $n
    fi
    exec 9<&-
  done
done 2>/dev/null""")
    for name in ("cmp", "umount"):
        os.symlink("busybox", f"{t.rootfs}/bin/{name}")
    t.write(f"{t.rootfs}/tmp/x", "")
    t.create()
    t.ok("start", t.id)
    t.wait_for_line("ready")
    for _ in range(60):
        t.ok("exec", t.id, "/probe", "exit", "0")
    t.delete("--force")
    after = os.stat(t.cleat_path)
    with open(t.cleat_path, "rb") as f:
        t.check(f.read() == contents, "the binary has changed")
    t.equal((after.st_ino, after.st_mtime_ns, after.st_nlink),
            (before.st_ino, before.st_mtime_ns, before.st_nlink), "the binary")
    t.check(not re.search("written|remounted|bound", t.out()), t.out())


@case("the program is a library's user in whose image the library is a trap")
def _(t):
    """CVE-2019-14271: nothing of the image is read but what is to be executed."""
    for path in ("etc/nsswitch.conf", "etc/ld.so.preload", "etc/ld.so.cache", "etc/localtime",
                 "lib/libnss_files.so.2", "lib/x86_64-linux-gnu/libnss_files.so.2",
                 "usr/lib/locale/locale-archive", "usr/lib/x86_64-linux-gnu/gconv/gconv-modules",
                 "etc/gai.conf", "etc/group", "etc/hosts"):
        os.makedirs(os.path.dirname(f"{t.rootfs}/{path}"), exist_ok=True)
        os.mkfifo(f"{t.rootfs}/{path}")
    t.probe("say", "ran")
    t.edit({"process.env": ["LANG=de_DE.UTF-8", "HOME=/"]})
    t.equal(t.run().out, "ran\n", "the output")


@case("a set-id binary refuses to run")
def _(t):
    path = f"{t.dir}/setuid"
    subprocess.run(["cp", t.cleat_path, path], check=True)
    os.chown(path, 0, 0)
    os.chmod(path, 0o4755)
    os.chmod(t.dir, 0o755)
    p = subprocess.run([path, "--root", f"{t.dir}/other", "list"], user=65534, group=65534,
                       extra_groups=[], capture_output=True, text=True, check=False)
    t.check(p.returncode != 0 and "set-id" in p.stderr, f"{p}")


# --- ids -----------------------------------------------------------------------------------------

PASSWD = "root:x:0:0::/root:/bin/sh\n1000:x:0:0::/:/bin/sh\n7:x:0:0::/:/bin/sh\n0x7:x:0:0::/:/x\n"


@case("names in the image that are numbers mean nothing")
def _(t):
    """CVE-2016-3697, CVE-2024-40635."""
    t.write(f"{t.rootfs}/etc/passwd", PASSWD)
    t.write(f"{t.rootfs}/etc/group", "1000:x:0:\n7:x:0:\n")
    t.edit({"process.user": {"uid": 1000, "gid": 1000}})
    t.probe("report", "ids", ",", "sleep")
    t.create()
    t.ok("start", t.id)
    t.wait_for_line("ready")
    t.expect(t.decode(t.out().splitlines()[0]), {"uids": [1000] * 4, "gids": [1000] * 4})
    for words, uid, gid in (("1000", 1000, 0), ("7:7", 7, 7), ("0:7", 0, 7), ("7:0", 7, 0),
                            ("4294967294:4294967294", 4294967294, 4294967294)):
        found = further(t, "-u", words, t.id, "/probe", "report", "ids")
        gids = found["gids"] if ":" in words else [gid] * 4
        t.equal((found["uids"], gids), ([uid] * 4, [gid] * 4), f"the ids of {words}")
    t.delete("--force")


@case("exec --user takes nothing but decimal numbers")
def _(t):
    """CVE-2026-30892, CVE-2020-13776."""
    t.write(f"{t.rootfs}/etc/passwd", PASSWD)
    started(t)
    for text in (":", ":1", "1:", "-1", "+1", " 1", "1 ", "0x7", "1e3", "1.0", "4294967295",
                 "4294967296", "18446744073709551616", "1:4294967295", "root", "1:2:3", "0:x",
                 "٣", "1\n"):
        r = t.cleat("exec", "-u", text, t.id, "/probe", "report", "ids")
        t.check(r.rc == 255 and not r.out, f"{text!r}: {r}")
    t.delete("--force")


def _with_groups(t, words, groups=(4, 24, 27)):
    """As a caller that has groups of its own."""
    p = subprocess.run(t.command(*words), capture_output=True, text=True, timeout=TIMEOUT,
                       check=False, stdin=subprocess.DEVNULL, extra_groups=list(groups))
    t.check(p.returncode == 0, p.stderr)
    return t.decode(p.stdout.splitlines()[-1])


for _way, _edits in (("", {}), (" in a user namespace", user_namespace()),
                     (" for a user", {"process.user": {"uid": 5, "gid": 6}})):
    def _groups(t, edits=_edits):
        """CVE-2022-2989 and its family: no group comes in that was not given."""
        t.edit(edits)
        t.probe("report", "ids")
        t.write_config()
        t.equal(_with_groups(t, ["run", "--bundle", t.bundle, t.id])["groups"], [], "the groups")
        started(t)
        t.equal(_with_groups(t, ["exec", t.id, "/probe", "report", "ids"])["groups"], [],
                "the groups of exec")
        t.delete("--force")
    case("the caller's groups do not come in" + _way)(_groups)


@case("the caller's groups do not come in in a user's own namespace, which root joins")
def _(t):
    """setgroups is denied in there, and its owner may trace whoever comes in."""
    with subprocess.Popen(["unshare", "--user", "--map-root-user", "sh", "-c", "echo in; read x"],
                          user=1000, group=1000, extra_groups=[], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as owner:
        owner.stdout.readline()
        t.edit({"linux.namespaces": [*t.config["linux"]["namespaces"], {
            "type": "user", "path": f"/proc/{owner.pid}/ns/user"}], "linux.resources": {}})
        t.config["mounts"][2]["options"].remove("gid=5")
        os.chown(t.rootfs, 1000, 1000)
        open_to_users(t)
        t.probe("report", "ids", "namespaces")
        t.write_config()
        got = [_with_groups(t, ["run", "--bundle", t.bundle, t.id])]
        started(t)
        got.append(_with_groups(t, ["exec", t.id, "/probe", "report", "ids",
                                  "namespaces"]))
        t.delete("--force")
        owner.communicate()
    t.equal([(r["setgroups"], r["groups"]) for r in got], [("deny", [])] * 2, "the groups")


@case("a user's own namespace cannot drop groups")
def _(t):
    """CVE-2014-8989: denied before the group mapping was written."""
    t.edit({**user_namespace(((0, 1000, 1),)), "linux.resources": {}})
    t.config["mounts"][2]["options"].remove("gid=5")
    t.config["mounts"] = [m for m in t.config["mounts"] if m["type"] != "cgroup"]
    t.probe("report", "ids", "namespaces", ",", "syscall", "116", "0", "0")
    t.write_config()
    os.chown(t.rootfs, 1000, 1000)
    os.mkdir(t.root, 0o700)
    os.chown(t.root, 1000, 1000)
    t.globals = ["--cgroup-manager", "disabled"]
    open_to_users(t)
    p = subprocess.run(t.command("run", "--bundle", t.bundle, t.id), user=1000, group=1000,
                       extra_groups=[27], capture_output=True, text=True, timeout=TIMEOUT,
                       check=False, stdin=subprocess.DEVNULL, env={"PATH": "/bin:/usr/bin"})
    os.chown(t.root, 0, 0)
    t.check(p.returncode == 0, p.stderr)
    first, second = map(t.decode, p.stdout.splitlines())
    t.expect(first, {"setgroups": "deny", "gid_map": lambda m: m.split() == ["0", "1000", "1"]})
    t.equal(second["error"], "EPERM", "setgroups")


@case("a file that is denied to a group stays denied to a user with it")
def _(t):
    t.write(f"{t.rootfs}/etc/denied", "x", 0o604)
    os.chown(f"{t.rootfs}/etc/denied", 0, 77)
    t.edit({"process.user": {"uid": 5, "gid": 6, "additionalGids": [77]}})
    t.expect(t.probe_result("file", "/etc/denied"), {"/etc/denied.read": "EACCES"})


# --- capabilities --------------------------------------------------------------------------------

@case("exec --cap makes nothing inheritable or ambient")
def _(t):
    """CVE-2022-29162, CVE-2025-27612."""
    started(t)
    for words, more in (((), {}), (("-u", "9:9"), {"effective": 0, "permitted": 0})):
        found = further(t, "--cap", "CAP_SYS_TIME", *words, t.id, "/probe", "report", "privileges")
        t.expect(found["capabilities"], {"inheritable": 0, "ambient": 0, **more})
        t.check(found["capabilities"]["bounding"] & mask("SYS_TIME"), f"{found}")
    t.delete("--force")


report_rows([
    ("a user has nothing of a full bounding set", {
        "process.user": {"uid": 9, "gid": 9}, "process.capabilities": EVERYTHING},
     {"capabilities.effective": 0, "capabilities.permitted": 0, "capabilities.inheritable": 0,
      "capabilities.ambient": 0}, "cap:SYS_RESOURCE"),
    ("a user has nothing of the usual bounding set", {"process.user": {"uid": 9, "gid": 9}},
     {"capabilities.effective": 0, "capabilities.permitted": 0, "capabilities.inheritable": 0}),
    ("two hundred mappings, all of them", user_namespace(
        tuple((i * 10, 100000 + i * 100, 10) for i in range(200))),
     {"uid_map": lambda text: [tuple(map(int, x.split())) for x in text.splitlines()] ==
      [(i * 10, 100000 + i * 100, 10) for i in range(200)]}),
])
failure_rows([
    ("more mappings than the kernel takes", user_namespace(
        tuple((i * 10, 100000 + i * 100, 10) for i in range(341))), "(?i)mapping"),
])


# --- devices, cgroups ----------------------------------------------------------------------------

def _disk():
    for name in sorted(os.listdir("/sys/block")):
        with open(f"/sys/block/{name}/dev", encoding="ascii") as f:
            return os.makedev(*map(int, f.read().split(":")))
    raise Skip("no block device here")


for _what, _resources in (("no resources", None), ("no rules", {}), ("an empty list", {
        "devices": []}), ("only a rule that allows", {"devices": [
            {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rwm"}]})):
    def _denied(t, resources=_resources):
        """GHSA-g54h-m393-cpwq: what nobody allows is denied."""
        disk = _disk()
        if resources is None:
            t.config["linux"].pop("resources")
        else:
            t.edit({"linux.resources": resources})
        t.probe("syscall", "mknodat", "-100", "/tmp/disk", str(stat.S_IFBLK | 0o600), str(disk),
                ",", "open-dev", "/tmp/disk", "/dev/null")
        r = t.run()
        t.equal(t.decode(r.out.splitlines()[-1]), {"/tmp/disk": "EPERM", "/dev/null": None},
                f"opening them: {r}")
    case(f"a disk of the host with {_what}")(_denied)


@case("a disk of the host after an update", needs="cgroup:pids")
def _(t):
    started(t)
    t.ok("update", "--pids-limit", "50", t.id)
    r = t.ok("exec", t.id, "/probe", "syscall", "mknodat", "-100", "/tmp/disk",
             str(stat.S_IFBLK | 0o600), str(_disk()), ",", "open-dev", "/tmp/disk")
    t.delete("--force")
    t.equal(t.decode(r.out.splitlines()[-1]), {"/tmp/disk": "EPERM"}, "opening it")


for _way, _kinds in (("", ()), (" without a cgroup namespace", ("cgroup",))):
    def _cgroup_mount(t, kinds=_kinds):
        """CVE-2023-25809: of the host's tree nothing is shown, of its own nothing is written."""
        t.edit({**user_namespace()})
        t.config["linux"]["namespaces"] = [n for n in t.config["linux"]["namespaces"]
                                           if n["type"] not in kinds]
        report = t.run_probe()
        below = {at: m for at, m in report["mounts"].items() if at.startswith("/sys/fs/cgroup")}
        t.check(below, "no cgroup is mounted")
        for at, m in below.items():
            t.check("ro" in m["options"], f"{at} is {m['options']}")
            if m["type"].startswith("cgroup"):
                t.check(m["root"] in ("/", "/" + t.id), f"{at} shows {m['root']}")
    case("the cgroup mount of a user namespace" + _way)(_cgroup_mount)


@case("exec --cgroup does not climb")
def _(t):
    started(t)
    for path in ("..", "../", "a/../..", "/../x", "/a/../../.."):
        r = t.cleat("exec", "--cgroup", path, t.id, "/probe", "exit", "0")
        t.check(r.rc == 255, f"{path}: {r}")
        t.equal(len(r.err.strip().splitlines()), 1, f"lines of {r}")
    t.delete("--force")


@case("the cgroup is the one of the configuration, in every hierarchy")
def _(t):
    """CVE-2023-6476, CVE-2025-47291."""
    t.edit({"linux.cgroupsPath": f"/{t.id}/inner", "linux.namespaces":
            namespaces("pid", "network", "ipc", "uts", "mount")})
    pid = started(t)
    lines = [x.split(":", 2) for x in t.read(f"/proc/{pid}/cgroup").splitlines()]
    shown = cgroups.roots()
    t.delete("--force")
    for path in reversed(cgroups.named(t.id)):
        os.rmdir(path)
    t.check(shown and lines, "no cgroups")
    for _, controllers, path in lines:
        if controllers and controllers not in [c for c in cgroups.v1_roots()] and "," not in \
                controllers:
            continue  # a hierarchy that is mounted nowhere
        t.equal(path, f"/{t.id}/inner", f"the cgroup of '{controllers}'")
