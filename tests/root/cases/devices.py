# SPDX-License-Identifier: Apache-2.0
"""Default devices, linux.devices, default links, the device rules."""
import os
import stat

from frame.case import case, failure_rows, report_rows
from frame.config import caps, namespaces, remove_mount, user_namespace

DEFAULTS = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9),
            "tty": (5, 0)}
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
         "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}


def node(name, major, minor, mode=0o666, uid=0, gid=0, kind="c"):
    return {f"dev.{name}": {"type": kind, "mode": mode, "uid": uid, "gid": gid, "major": major,
                            "minor": minor}}


def device(path, kind, major=None, minor=None, **more):
    d = {"path": path, "type": kind, **more}
    if major is not None:
        d.update(major=major, minor=minor)
    return {"linux.devices": [d]}


report_rows([
    (f"/dev/{name}", {}, node(name, *numbers)) for name, numbers in DEFAULTS.items()
] + [
    (f"/dev/{name} is a link", {}, {f"dev.{name}.type": "l", f"dev.{name}.target": target})
    for name, target in LINKS.items()
] + [
    (f"/dev/{name} in a user namespace", user_namespace(),
     {f"dev.{name}.type": "c", f"dev.{name}.major": major, f"dev.{name}.minor": minor})
    for name, (major, minor) in DEFAULTS.items()
] + [
    ("a character device", device("/dev/x", "c", 10, 200), node("x", 10, 200)),
    ("an unbuffered one", device("/dev/x", "u", 10, 200), node("x", 10, 200)),
    ("a block device", device("/dev/x", "b", 7, 200), node("x", 7, 200, kind="b")),
    ("a fifo", device("/dev/x", "p"), node("x", 0, 0, kind="p")),
    ("mode, owner and group", device("/dev/x", "c", 1, 3, fileMode=0o640, uid=12, gid=34),
     node("x", 1, 3, 0o640, 12, 34)),
    ("mode with the bits of the type", device("/dev/x", "c", 1, 3, fileMode=0o20640),
     node("x", 1, 3, 0o640)),
    ("no right at all", device("/dev/x", "c", 1, 3, fileMode=0), node("x", 1, 3, 0)),
    ("another mode of a default", device("/dev/null", "c", 1, 3, fileMode=0o600, uid=3),
     node("null", 1, 3, 0o600, 3)),
    ("the same as a default", device("/dev/null", "c", 1, 3), node("null", 1, 3)),
    ("a device for /dev/ptmx", device("/dev/ptmx", "c", 5, 2), node("ptmx", 5, 2)),
    ("/dev itself", {}, {"mounts./dev.type": "tmpfs", "dev.pts.type": "d", "dev.shm.mode": 0o1777}),
])


@case("a device in a directory that is missing")
def _(t):
    t.edit(device("/dev/net/deep/tun", "c", 10, 200))
    t.expect(t.probe_result("file", "/dev/net/deep/tun", "/dev/net"), {
        "/dev/net/deep/tun.type": "c", "/dev/net/deep/tun.minor": 200, "/dev/net.mode": 0o755})


@case("a device outside of /dev")
def _(t):
    t.edit(device("/srv/null", "c", 1, 3))
    t.expect(t.probe_result("file", "/srv/null"),
             {"/srv/null.type": "c", "/srv/null.minor": 3, "/srv/null.write": None})


@case("default devices work")
def _(t):
    names = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"]
    t.equal(t.probe_result("open-dev", *names), dict.fromkeys(names), "what opening them gives")


@case("default devices work in a user namespace")
def _(t):
    t.edit(user_namespace())
    names = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"]
    t.equal(t.probe_result("open-dev", *names), dict.fromkeys(names), "what opening them gives")


def _hosts(t):
    return [line.split()[:6] for line in t.read("/proc/self/mountinfo").splitlines()]


for _how in ([], ["--no-pivot"]):
    @case("devices of one's own in a user namespace" + " without pivot_root" * bool(_how))
    def _(t, how=_how):
        t.edit({**user_namespace(), "linux.devices": [
            {"path": "/dev/deep/down/zero", "type": "c", "major": 1, "minor": 5},
            {"path": "/dev/again", "type": "c", "major": 1, "minor": 5, "fileMode": 0o400},
            {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o604,
             "uid": 5},
            {"path": "/tmp/disk", "type": "b", "major": 7, "minor": 200, "fileMode": 0o157,
             "uid": 10, "gid": 11},
            {"path": "/dev/pipe", "type": "p", "uid": 1}]})
        paths = ["/dev/deep/down/zero", "/dev/again", "/dev/null", "/tmp/disk", "/dev/pipe"]
        before = _hosts(t)
        t.probe("file", *paths, ",", "report", "mounts", ",", "open-dev", "/dev/deep/down/zero",
                "/dev/null", "/tmp/disk")
        r = t.run(*how)
        t.check(r.rc == 0, f"{r}")
        made, report, opened = [t.decode(x) for x in r.out.splitlines()]
        mounts = report["mounts"]
        for path, *want in ((paths[0], "c", 0o666, 0, 0, 5), (paths[1], "c", 0o400, 0, 0, 5),
                            (paths[2], "c", 0o604, 5, 0, 3), (paths[3], "b", 0o157, 10, 11, 200),
                            (paths[4], "p", 0o666, 1, 0, 0)):
            t.equal([made[path][k] for k in ("type", "mode", "uid", "gid", "minor")], want, path)
        for path in paths[:4]:
            t.check({"nosuid", "noexec"} <= set(mounts[path]["options"]), str(mounts))
        t.check(mounts["/"]["source"] != "devices", f"something is left over the root: {mounts['/']}")
        t.equal(opened, {paths[0]: None, paths[2]: None, paths[3]: "EPERM"}, "opening them")
        t.equal(_hosts(t), before, "the host's mounts")
        t.equal(oct(os.stat("/dev/null").st_mode & 0o777), "0o666", "the host's /dev/null")


@case("where nobody may make them, a user namespace gets the host's devices")
def _(t):
    t.prefix = ["setpriv", "--bounding-set=-mknod"]
    t.edit({**user_namespace(), **device("/dev/zero", "c", 1, 5, fileMode=0o600, uid=5)})
    t.expect(t.probe_result("file", "/dev/zero"), {"/dev/zero.mode": 0o666, "/dev/zero.uid": 65534,
                                                   "/dev/zero.minor": 5})


@case("mounts where the links would be")
def _(t):
    """As with `-v FILE:/dev/stdout`: what is mounted stays."""
    t.write(f"{t.dir}/file", "of the host")
    t.write(f"{t.dir}/empty", "")
    t.edit({"mounts": t.config["mounts"] + [
        {"destination": f"/dev/{at}", "type": "bind", "source": f"{t.dir}/{name}", "options": ["bind"]}
        for at, name in (("stdout", "file"), ("/stderr", "empty"), ("fd/9", "file"), ("stdin/", "empty"))]})
    t.expect(t.probe_result("file", *(f"/dev/{name}" for name in ("stdout", "stderr", "fd/9", "stdin", "ptmx"))), {
        "/dev/stdout.type": "-", "/dev/stderr.type": "-", "/dev/fd/9.type": "-", "/dev/stdin.type": "-",
        "/dev/ptmx.type": "l"})


@case("/dev/ptmx gives a terminal")
def _(t):
    t.equal(t.probe_result("open-dev", "/dev/ptmx", "/dev/pts/ptmx"),
            {"/dev/ptmx": None, "/dev/pts/ptmx": None}, "what opening them gives")


@case("/dev/tty without a terminal")
def _(t):
    t.equal(t.probe_result("open-dev", "/dev/tty"), {"/dev/tty": "ENXIO"}, "what opening it gives")


# --- what the image has --------------------------------------------------------------------

def without_dev_mount(t):
    for at in ("/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"):
        remove_mount(t.config, at)


@case("devices in the image's own /dev")
def _(t):
    without_dev_mount(t)
    t.expect(t.run_probe(), {**node("null", 1, 3), **node("zero", 1, 5), "dev.fd.type": "l"})


@case("devices that the image has already")
def _(t):
    without_dev_mount(t)
    os.mknod(f"{t.rootfs}/dev/null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    t.expect(t.run_probe(), {"dev.null.minor": 3, "dev.null.type": "c"})


@case("an image without /dev")
def _(t):
    without_dev_mount(t)
    os.rmdir(f"{t.rootfs}/dev")
    t.expect(t.run_probe(), node("null", 1, 3))


def _in_the_way(what):
    def check(t):
        without_dev_mount(t)
        path = f"{t.rootfs}/dev/null"
        if what == "another device":
            os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
        elif what == "a file":
            t.write(path, "text")
        elif what == "a directory":
            os.mkdir(path)
        else:
            os.symlink(what, path)
        t.expect_failure("/dev/null")
    return check


for _what in ("another device", "a file", "a directory"):
    case(f"{_what} in the way")(_in_the_way(_what))


@case("a link in the way stays inside")
def _(t):
    without_dev_mount(t)
    os.symlink(f"{t.beside}/null", f"{t.rootfs}/dev/null")
    t.expect_failure("/dev/null")


@case("/dev is a link out of the root")
def _(t):
    without_dev_mount(t)
    os.rmdir(f"{t.rootfs}/dev")
    os.symlink(t.beside, f"{t.rootfs}/dev")
    r = t.run()
    t.check(r.rc != 0 or "null" in os.listdir(t.beside), f"neither refused nor inside: {r}")


@case("/dev of the host, bound, is not filled")
def _(t):
    without_dev_mount(t)
    t.edit({"+mounts": [{"destination": "/dev", "type": "bind", "source": "/dev",
                         "options": ["rbind", "rslave"]}]})
    report = t.run_probe()
    t.check("loop0" in report["dev"] or len(report["dev"]) > 10, "it is not the host's /dev")


# --- the rules of the device cgroup --------------------------------------------------------

def rules(*rows):
    """deny all, then (allow, type, major, minor, access)"""
    keys = ("allow", "type", "major", "minor", "access")
    return {"linux.resources.devices": [{"allow": False, "access": "rwm"}] + [
        {k: v for k, v in zip(keys, row) if v is not None} for row in rows]}


# reading the kernel's log takes a capability as well
KMSG = {**device("/dev/kmsg", "c", 1, 11),
        "process.capabilities": caps("SYSLOG", "MKNOD")}


@case("a device without a rule cannot be opened")
def _(t):
    t.edit(KMSG)
    t.equal(t.probe_result("open-dev", "/dev/kmsg"), {"/dev/kmsg": "EPERM"}, "the result")


@case("a device with a rule can be")
def _(t):
    t.edit({**KMSG, **rules((True, "c", 1, 11, "rw"))})
    t.equal(t.probe_result("open-dev", "/dev/kmsg"), {"/dev/kmsg": None}, "the result")


@case("a rule for reading only")
def _(t):
    t.edit({**KMSG, **rules((True, "c", 1, 11, "r"))})
    t.expect(t.probe_result("file", "/dev/kmsg"),
             {"/dev/kmsg.read": None, "/dev/kmsg.write": "EPERM"})


@case("a rule for all minors")
def _(t):
    t.edit({**KMSG, **rules((True, "c", 1, -1, "rw"))})
    t.equal(t.probe_result("open-dev", "/dev/kmsg"), {"/dev/kmsg": None}, "the result")


@case("a later rule takes it back")
def _(t):
    t.edit({**KMSG, **rules((True, "c", 1, None, "rwm"), (False, "c", 1, 11, "rwm"))})
    t.equal(t.probe_result("open-dev", "/dev/kmsg", "/dev/zero"),
            {"/dev/kmsg": "EPERM", "/dev/zero": None}, "the result")


@case("everything is allowed")
def _(t):
    t.edit({**KMSG, "linux.resources.devices": [{"allow": True, "access": "rwm"}]})
    t.equal(t.probe_result("open-dev", "/dev/kmsg"), {"/dev/kmsg": None}, "the result")


@case("a block device is not readable by mknod")
def _(t):
    mode = str(stat.S_IFBLK | 0o600)
    t.probe("syscall", "mknodat", "-100", "/tmp/disk", mode, str(os.makedev(7, 0)), ",",
            "open-dev", "/tmp/disk")
    r = t.run()
    lines = r.out.splitlines()
    t.equal(t.decode(lines[0])["error"], None, f"mknod in {r}")
    t.equal(t.decode(lines[1]), {"/tmp/disk": "EPERM"}, "opening it")


failure_rows([
    ("a device without numbers", device("/dev/x", "c"), "linux.devices.*major"),
    ("a device of an unknown type", device("/dev/x", "z", 1, 1), "linux.devices"),
    ("a path with dots", device("/dev/../x", "c", 1, 1), "linux.devices"),
    ("a relative path", device("dev/x", "c", 1, 1), "linux.devices"),
    ("two devices of one name", {"linux.devices": [
        {"path": "/dev/x", "type": "c", "major": 1, "minor": 3},
        {"path": "/dev/x", "type": "c", "major": 1, "minor": 5}]}, "/dev/x"),
    ("a device that the host lacks, for an owner without an id there",
     {**user_namespace(), **device("/dev/nothing", "c", 240, 77, uid=99999)}, "/dev/nothing"),
])


@case("no mount namespace: no devices are made", needs="v1")
def _(t):
    t.edit({"mounts": [], "hostname": "", "linux.namespaces": namespaces("pid"),
            "linux.maskedPaths": [], "linux.readonlyPaths": []})
    t.config.pop("hostname")
    t.config["linux"].pop("maskedPaths")
    t.config["linux"].pop("readonlyPaths")
    r = t.run()
    if r.rc == 0:
        t.equal(os.listdir(f"{t.rootfs}/dev"), [], "the image's /dev")
    else:
        t.check_message(r, "mount")
