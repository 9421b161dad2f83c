# SPDX-License-Identifier: Apache-2.0
"""Published flaws of runtimes, each tried again: what an image or a neighbour can plant.

The files beside the bundle are what must not change; the worker compares them, with the
host's mounts and devices, after each case. tests/conformance/flaws.txt says which flaw is
tried where; security.py has the older half of these.
"""
import os
import shutil
import stat
import subprocess

from frame import cgroups
from frame.case import case, failure_rows, has
from frame.config import remove_mount, user_namespace
from frame.racer import exchanging
from frame.trial import TIMEOUT

WAYS = {"": {}, " in a user namespace": user_namespace(), " in a read-only root":
        {"root.readonly": True}}
ROUNDS = 40


def contained(t, r):
    """The two outcomes there may be: a refusal in one line, or a container that ran."""
    if r.rc != 0:
        t.check_message(r, "^cleat: .")
        t.equal(r.out, "", f"stdout of {r}")
    else:
        t.equal((r.out, r.err), ("ran\n", ""), "the output of the container")
    return r.rc == 0


def without_dev(t):
    for at in ("/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"):
        remove_mount(t.config, at)


def each_way(name, needs=""):
    """A case for each of WAYS; the function makes the image."""
    def register(function):
        for way, edits in WAYS.items():
            def run(t, edits=edits):
                t.edit(edits)
                t.probe("say", "ran")
                function(t)
            case(name + way, needs=needs)(run)
        return function
    return register


# --- links in the image ------------------------------------------------------------------------

@each_way("a root that was used before, with links at every place of a mount")
def _(t):
    for name in ("proc", "sys", "dev"):
        os.rmdir(f"{t.rootfs}/{name}")
        os.symlink(t.beside, f"{t.rootfs}/{name}")
    for _ in range(2):
        contained(t, t.run())


@each_way("/dev is a link to a directory with a file ptmx")
def _(t):
    without_dev(t)
    os.rmdir(f"{t.rootfs}/dev")
    os.symlink(t.beside, f"{t.rootfs}/dev")
    contained(t, t.run())


for _place in ("/dev/pts", "/dev/shm", "/dev/mqueue", "/sys/fs", "/sys/fs/cgroup"):
    def _parent(t, place=_place):
        """The directory that the last part is made in is the image's."""
        top = "/" + place.split("/")[1]
        t.config["mounts"] = [m for m in t.config["mounts"] if m["destination"] != top]
        os.makedirs(os.path.dirname(t.rootfs + place), exist_ok=True)
        os.symlink(t.beside, t.rootfs + place)
        contained(t, t.run())
    each_way(f"{_place} is a link out of the root")(_parent)

_LAST = {"a link to nothing": "{beside}/new", "a link to a directory": "{beside}",
         "a link to a file": "{beside}/passwd", "a link to dots": "../../../../../..{beside}"}
for _what, _to in _LAST.items():
    def _last(t, to=_to):
        for name in ("bound", "empty", "copied"):
            os.symlink(to.format(beside=t.beside), f"{t.rootfs}/{name}")
        os.symlink(to.format(beside=t.beside), f"{t.rootfs}/node")
        os.makedirs(f"{t.dir}/source")
        for extra in ({"+mounts": [{"destination": "/bound", "type": "bind", "options": ["bind"],
                                    "source": f"{t.dir}/source"}]},
                      {"+mounts": [{"destination": "/empty", "type": "tmpfs",
                                    "source": "x-marks-it"}]},
                      {"+mounts": [{"destination": "/copied", "type": "tmpfs", "source": "x",
                                    "options": ["tmpcopyup"]}]},
                      {"linux.devices": [{"path": "/node", "type": "c", "major": 1, "minor": 3}]},
                      {"linux.devices": [{"path": "/node/below", "type": "p"}]},
                      {"process.cwd": "/bound/cwd"}):
            before = [list(t.config["mounts"]), t.config["linux"].pop("devices", [])]
            t.edit(extra)
            t.probe("say", "ran")
            if contained(t, t.run()) and "/empty" in str(extra):
                t.equal(t.probe_result("report", "mounts")["mountinfo"], has("x-marks-it"),
                        "the mounts of the container")
            t.config["mounts"], t.config["linux"]["devices"] = before
            t.edit({"process.cwd": "/"})
    each_way(f"{_what} where something is put")(_last)


for _count in (30, 45):
    def _chain(t, count=_count):
        """Each fits into a path, all together do not; beyond forty the kernel gives up."""
        for i in range(count):
            os.symlink("./" * 2000 + f"c{i + 1}", f"{t.rootfs}/c{i}")
        os.makedirs(f"{t.rootfs}/c{count}/x")
        t.edit({"+mounts": [{"destination": "/c0/x", "type": "tmpfs", "source": "x"}]})
        t.equal(contained(t, t.run()), count <= 40, "whether it ran")
    each_way(f"a chain of {_count} links that is longer than a path may be")(_chain)


for _how, _hooks in {"": {}, ", with a hook that looks for it there": {
        "hooks.prestart": [{"path": "/bin/true"}]}}.items():
    @case("root.path is exchanged for another root" + _how)
    def _(t, hooks=_hooks):
        """What was opened first is the root to the end: nobody is in two of them."""
        os.rename(t.rootfs, f"{t.bundle}/one")
        shutil.copytree(f"{t.bundle}/one", f"{t.bundle}/two")
        for name in ("one", "two"):
            t.write(f"{t.bundle}/{name}/which", name)
        os.symlink("one", t.rootfs)
        os.symlink("two", f"{t.bundle}/other")
        t.edit({"process.cwd": "/made", **hooks})
        t.probe("read", "/which", ",", "write", "written", "x")
        t.write_config()
        with exchanging(t.rootfs, f"{t.bundle}/other"):
            for _ in range(ROUNDS):
                r = t.cleat("run", "--bundle", t.bundle, t.id)
                t.check(r.rc == 0, f"{r}")
                which = t.decode(r.out.splitlines()[0])["/which"]
                found = [n for n in ("one", "two") if os.path.exists(f"{t.bundle}/{n}/made")]
                t.equal(found, [which], "where the directory was made")
                shutil.rmtree(f"{t.bundle}/{which}/made")


@case("files of the bundle that look like settings have no effect")
def _(t):
    for name in ("config-other.json", "runtime.json", "process.json", "rootfs.nspawn",
                 "config.json.d", ".krun_vm.json", "state.json"):
        t.write(f"{t.bundle}/{name}", '{"process": {"args": ["/bin/false"]}}')
    t.probe("say", "ran")
    t.check(contained(t, t.run()), "it did not run")


# --- process.cwd -------------------------------------------------------------------------------

_CWD = {"a link": {"in": "/tmp"}, "a chain of links": {"in": "two", "two": "three", "three": "/tmp"},
        "a link to a directory of the host": {"in": "{beside}"},
        "a link with dots to it": {"in": "../../../../..{beside}"},
        "a link to what is missing": {"in": "{beside}/new"}}
for _what, _links in _CWD.items():
    for _below in ("", "/made"):
        def _cwd(t, links=_links, below=_below):
            for name, to in links.items():
                os.symlink(to.format(beside=t.beside), f"{t.rootfs}/{name}")
            t.edit({"process.cwd": "/in" + below, "process.user": {"uid": 7, "gid": 7}})
            contained(t, t.run())
        each_way(f"cwd {'below ' if _below else 'is '}{_what}")(_cwd)

for _path in ("/proc/thread-self/fd/{fd}", "/proc/1/fd/{fd}", "/link/{fd}"):
    def _descriptor(t, path=_path):
        """CVE-2024-21626, with a caller that leaks a directory of the host as well."""
        os.symlink("/proc/self/fd", f"{t.rootfs}/link")
        leaked = os.open(t.beside, os.O_RDONLY | os.O_DIRECTORY)
        t.probe("list", "../../../../..")
        for fd in [*range(3, 12), leaked]:
            t.edit({"process.cwd": path.format(fd=fd)})
            r = t.run(pass_fds=[leaked])
            t.check(r.rc != 0 or "probe" in r.out, f"it is outside: {r}")
        os.close(leaked)
    case("cwd is " + _path.format(fd="N"))(_descriptor)

for _path in ("/proc/self/fd/{fd}/probe", "/proc/self/fd/{fd}", "/proc/thread-self/fd/{fd}/sh"):
    def _program(t, path=_path):
        """Not the host's program by way of a descriptor that is still open."""
        leaked = os.open("/bin", os.O_RDONLY | os.O_DIRECTORY)
        for fd in [*range(3, 12), leaked]:
            t.args(path.format(fd=fd), "-c", "echo escaped")
            r = t.run(pass_fds=[leaked])
            t.check(r.rc != 0 and not r.out, f"it ran: {r}")
        os.close(leaked)
    case("the program is " + _path.format(fd="N"))(_program)


# --- exchanged while we look -------------------------------------------------------------------

@case("/dev/null of the image is exchanged all the time")
def _(t):
    without_dev(t)
    os.mknod(f"{t.rootfs}/dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.symlink(f"{t.beside}/null", f"{t.rootfs}/dev/other")
    t.write(f"{t.rootfs}/etc/secret", "secret")
    t.edit({"+linux.maskedPaths": ["/etc/secret"]})
    t.probe("read", "/etc/secret", ",", "write", "/etc/secret", "x")
    t.write_config()
    with exchanging(f"{t.rootfs}/dev/null", f"{t.rootfs}/dev/other"):
        for _ in range(ROUNDS):
            r = t.cleat("run", "--bundle", t.bundle, t.id)
            t.check(r.rc != 0 or t.decode(r.out.splitlines()[0]) == {"/etc/secret": ""}, f"{r}")
    t.equal(t.read(f"{t.rootfs}/etc/secret"), "secret", "the file below the mask")


@case("masked and read-only paths of which a part is exchanged are all there")
def _(t):
    for name in ("a", "b"):
        os.makedirs(f"{t.rootfs}/srv/{name}/fixed")
        os.makedirs(f"{t.rootfs}/srv/{name}/hidden")
        t.write(f"{t.rootfs}/srv/{name}/secret", "secret")
    t.edit({"+linux.maskedPaths": ["/srv/a/secret", "/srv/a/hidden"],
            "+linux.readonlyPaths": ["/srv/a/fixed"]})
    t.probe("report", "mounts")
    t.write_config()
    with exchanging(f"{t.rootfs}/srv/a", f"{t.rootfs}/srv/b"):
        for _ in range(ROUNDS):
            r = t.cleat("run", "--bundle", t.bundle, t.id)
            if r.rc != 0:
                t.check_message(r, "^cleat: .")
                continue
            names = sorted(os.path.basename(at) for at in t.decode(r.out)["mounts"]
                           if at.startswith("/srv/"))
            t.equal(names, ["fixed", "hidden", "secret"], "what is protected")


@case("/proc is a directory and a link by turns")
def _(t):
    os.symlink("/etc", f"{t.rootfs}/link")
    t.edit({"linux.sysctl": {"net.ipv4.ip_forward": "1"}, "process.oomScoreAdj": 500})
    t.probe("say", "ran")
    t.write_config()
    with exchanging(f"{t.rootfs}/proc", f"{t.rootfs}/link"):
        for _ in range(ROUNDS):
            contained(t, t.cleat("run", "--bundle", t.bundle, t.id))
    t.equal(sorted(os.listdir(f"{t.rootfs}/etc")), [], "what was written into /etc")


@case("a directory of a running container is exchanged while exec goes into it")
def _(t):
    for name in ("one", "two"):
        os.makedirs(f"{t.rootfs}/srv/{name}")
    os.rmdir(f"{t.rootfs}/srv/two")
    os.symlink("../../../../../.." + t.beside, f"{t.rootfs}/srv/two")
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    with exchanging(f"{t.rootfs}/srv/one", f"{t.rootfs}/srv/two"):
        for _ in range(ROUNDS):
            r = t.cleat("exec", "--cwd", "/srv/one/new", t.id, "/probe", "list", "../../../..")
            t.check(r.rc != 0 or "probe" in r.out, f"it is outside: {r}")
    t.delete("--force")


# --- /proc that is none ------------------------------------------------------------------------

def fake_proc(t):
    """A directory that looks like procfs to whoever only looks at names."""
    where = f"{t.dir}/fake"
    for pid in ("self", "1", "thread-self"):
        os.makedirs(f"{where}/{pid}/attr/apparmor")
        for name in ("attr/exec", "attr/current", "attr/apparmor/exec", "oom_score_adj",
                     "setgroups", "uid_map", "gid_map"):
            t.write(f"{where}/{pid}/{name}", "fake\n")
    os.makedirs(f"{where}/sys/net/ipv4")
    t.write(f"{where}/sys/net/ipv4/ip_forward", "fake\n")
    return where


@case("/proc is a directory of somebody else's with the files that we write")
def _(t):
    where = fake_proc(t)
    remove_mount(t.config, "/proc")
    t.edit({"+mounts": [{"destination": "/proc", "type": "bind", "source": where,
                         "options": ["rbind"]}],
            "linux.sysctl": {"net.ipv4.ip_forward": "1"}, "process.oomScoreAdj": 500,
            "process.noNewPrivileges": True, "linux.maskedPaths": [], "linux.readonlyPaths": []})
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    t.ok("start", t.id)
    score, status = t.read(f"/proc/{pid}/oom_score_adj"), t.read(f"/proc/{pid}/status")
    with open(f"/proc/{pid}/ns/net", "rb") as net:
        forward = subprocess.run(["nsenter", f"--net=/proc/self/fd/{net.fileno()}", "cat",
                                  "/proc/sys/net/ipv4/ip_forward"], pass_fds=[net.fileno()],
                                 capture_output=True, text=True, check=True).stdout
    r = t.cleat("exec", t.id, "/probe", "report", "privileges")
    t.delete("--force")
    t.equal((score.strip(), forward.strip()), ("500", "1"), "what was to be written")
    t.check("NoNewPrivs:\t1" in status, status)
    t.check(r.rc == 0 and t.decode(r.out)["no_new_privs"] == 1, f"exec: {r}")
    for path, _, names in os.walk(where):
        for name in names:
            t.equal(t.read(f"{path}/{name}"), "fake\n", f"{path}/{name}")


def _below_proc(at, link=None):
    return lambda t: (link and os.symlink(link, f"{t.rootfs}/link"), t.edit({"+mounts": [
        {"destination": at, "type": "tmpfs", "source": "x"}]}))


for _at in ("/proc/self", "/proc/sys", "/proc/sys/kernel", "/proc/1/attr", "/proc/net/dev",
            "/proc/../proc/self/attr", "//proc///sys", "/proc/./sys/."):
    def _inside_proc(t, at=_at):
        _below_proc(at)(t)
        t.expect_failure("cannot be mounted because it is inside /proc")
    case(f"a mount on {_at}")(_inside_proc)


@case("a mount below /proc by way of a link of the image")
def _(t):
    _below_proc("/link/sys", "/proc")(t)
    t.expect_failure("inside /proc")


@case("a label in a user namespace where nobody can see whether there is an LSM")
def _(t):
    if os.path.exists("/sys/kernel/security/apparmor"):
        profile = "no-such-profile-of-cleat"
    else:
        profile = "unconfined_by_name_only"
    t.edit({**user_namespace(), "process.apparmorProfile": profile})
    t.expect_failure("(?i)apparmor")


# --- terminal, streams -------------------------------------------------------------------------

for _name in ("/dev/console", "/dev/ptmx", "/dev/pts/0"):
    for _to in ("{beside}/new", "{beside}/console", "/proc/self/root{beside}/console"):
        def _terminal(t, name=_name, to=_to):
            """Neither made, nor bound, nor given to the user behind a link."""
            if name == "/dev/pts/0":
                os.makedirs(f"{t.rootfs}/dev/pts", exist_ok=True)
            else:
                t.config["mounts"] = [m for m in t.config["mounts"] if m["destination"] not in
                                      ("/dev", "/dev/shm", "/dev/mqueue")]
            os.symlink(to.format(beside=t.beside), t.rootfs + name)
            path, listener = t.listen("console.sock")
            t.edit({"process.terminal": True, "process.user": {"uid": 9, "gid": 9}})
            t.write_config()
            t.start_command("create", "--console-socket", path, "--bundle", t.bundle, t.id,
                            expect=None)
            listener.close()
            t.cleat("delete", "--force", t.id)
        each_way(f"{_name} is a link to {_to.format(beside='beside')}, with a terminal")(_terminal)

for _kind in ("link", "file"):
    def _stdio(t, kind=_kind):
        """CVE-2026-88265: whoever takes it for the null device gives it to the user."""
        without_dev(t)
        t.probe("report", "descriptors")
        t.edit({"process.user": {"uid": 1000, "gid": 1000}})
        t.write_config()
        path = f"{t.rootfs}/dev/null"
        if kind == "link":
            os.symlink(f"{t.beside}/null", path)
        else:
            t.write(path, "")
        before = os.stat("/dev/null")
        with open("/dev/null", "r+b") as null:
            r = subprocess.run(t.command("run", "--bundle", t.bundle, t.id), stdin=null,
                               stdout=subprocess.PIPE, stderr=null, check=False,
                               timeout=TIMEOUT, text=True)
        after = os.stat("/dev/null")
        if kind == "link":
            t.check(r.returncode != 0, f"a device that is none was taken: {r}")
        else:
            # an empty file is what a bind leaves behind, and is covered like one
            fds = t.decode(r.stdout)["descriptors"]
            t.equal({fds[n]["rdev"] for n in "02"}, {os.makedev(1, 3)}, "the streams")
            st = os.lstat(path)
            t.equal((st.st_uid, st.st_size), (0, 0), "the file of the image")
        t.equal((after.st_uid, after.st_mode), (before.st_uid, before.st_mode), "the host's")
    case(f"/dev/null of the image is a {_kind}, and so are our streams")(_stdio)


@case("nothing that is typed into the caller's terminal comes from inside")
def _(t):
    """CVE-2016-10124, CVE-2017-5226: TIOCSTI on any descriptor, and the controlling terminal."""
    import pty
    outer, inner = pty.openpty()
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    program = ("/probe", "report", "terminal", "ids", ",", "syscall", "16", "0", "0x5412", "x")
    p = subprocess.run(["setsid", "--ctty", "--wait", *t.command("exec", t.id, *program)],
                       stdin=inner, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       timeout=TIMEOUT, check=False)
    os.set_blocking(outer, False)
    os.set_blocking(inner, False)
    try:
        typed = os.read(inner, 10)
    except BlockingIOError:
        typed = b""
    os.close(outer)
    os.close(inner)
    t.delete("--force")
    t.check(p.returncode == 0, p.stderr)
    report, pushed = map(t.decode, p.stdout.splitlines())
    t.expect(report, {"controlling_tty": 0, "sid": lambda sid: sid == report["pid"]})
    t.check(pushed["error"] is not None, f"TIOCSTI: {pushed}")
    t.equal(typed, b"", "what was typed")


# --- handles, identity: see flaws_inside.py ----------------------------------------------------

failure_rows([
    ("a page size that is a path", {"linux.resources.hugepageLimits": [
        {"pageSize": "../../../x", "limit": 1}]}, "pageSize"),
    ("a page size with a NUL's neighbour", {"linux.resources.hugepageLimits": [
        {"pageSize": "2MB/../../cgroup.procs", "limit": 1}]}, "pageSize"),
    ("a sysctl whose value is two lines", {"linux.sysctl": {
        "net.ipv4.ip_forward": "1\nkernel.core_pattern=|/x"}}, "net.ipv4.ip_forward|sysctl"),
    ("a sysctl that climbs", {"linux.sysctl": {"net/../kernel/core_pattern": "|/x"}}, "sysctl"),
    ("a sysctl with dots and slashes", {"linux.sysctl": {"net.ipv4/../../kernel/x": "1"}},
     "sysctl"),
    ("a unified name that climbs", {"linux.resources.unified": {"../../cgroup.procs": "1"}},
     "unified"),
    ("a unified name of two names", {"linux.resources.unified": {"a/cgroup.max.depth": "1"}},
     "unified"),
])


@case("a sysctl of the host's own network by its path")
def _(t):
    """GHSA-w2j5-3rcx-vx7x: compared by inode, whatever the path is called."""
    os.symlink(f"/proc/{os.getpid()}/ns/net", f"{t.dir}/a-network")
    for ns in t.config["linux"]["namespaces"]:
        if ns["type"] == "network":
            ns["path"] = f"{t.dir}/a-network"
    t.edit({"linux.sysctl": {"net.ipv4.ip_forward": "1"}})
    t.expect_failure(r"net\.ipv4\.ip_forward")


@case("no release_agent is in reach", needs="v1")
def _(t):
    """CVE-2022-0492: only the root of a v1 hierarchy has one, and that is not shown."""
    t.probe("file", *[f"/sys/fs/cgroup/{os.path.basename(r)}/release_agent"
                      for r in sorted(set(cgroups.v1_roots().values()))])
    found = t.run_probe()
    t.equal({v["error"] for v in found.values()}, {"ENOENT"}, f"the files: {found}")
