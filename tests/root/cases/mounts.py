# SPDX-License-Identifier: Apache-2.0
"""mounts, root, propagation, masked and read-only paths."""
import os

from frame import kernel
from frame.case import DELETE, case, failure_rows, has, lacks, report_rows
from frame.config import namespaces, remove_mount, user_namespace


def mount(destination, kind="tmpfs", source="tmpfs", *options):
    return {"+mounts": [{"destination": destination, "type": kind, "source": source,
                         "options": list(options)}]}


def options(at, *wanted, without=()):
    return {f"mounts.{at}.options": lambda o: o and all(w in o for w in wanted) and
            not any(w in o for w in without)}


FLAGS = {  # option: what mountinfo says
    "ro": "ro", "nosuid": "nosuid", "nodev": "nodev", "noexec": "noexec", "noatime": "noatime",
    "nodiratime": "nodiratime", "nosymfollow": "nosymfollow", "relatime": "relatime",
}
OPPOSITES = {"rw": "ro", "suid": "nosuid", "dev": "nodev", "exec": "noexec", "atime": "noatime",
             "diratime": "nodiratime", "symfollow": "nosymfollow"}

report_rows([
    ("the default ones", {}, {
        "mounts./proc.type": "proc", "mounts./dev.type": "tmpfs", "mounts./dev/pts.type": "devpts",
        "mounts./dev/shm.type": "tmpfs", "mounts./dev/mqueue.type": "mqueue",
        "mounts./sys.type": "sysfs", **options("/dev/shm", "nosuid", "nodev", "noexec"),
        "mounts./sys.options": has("ro", "nosuid"), "mounts./proc.options": lacks("nosuid"),
        "mounts./sys/fs/cgroup.options": has("ro"),
    }),
    ("tmpfs with a size", mount("/mnt", "tmpfs", "x", "size=1m", "mode=750"),
     {"mounts./mnt.type": "tmpfs", "mounts./mnt.source": "x",
      "mounts./mnt.super": has("size=1024k", "mode=750")}),
    ("nothing but a destination and a type", {"+mounts": [
        {"destination": "/mnt", "type": "tmpfs"}]}, {"mounts./mnt.type": "tmpfs"}),
    ("a relative destination, taken from the root", mount("mnt/inner"),
     {"mounts./mnt/inner.type": "tmpfs"}),
    ("one over another", {"+mounts": [
        {"destination": "/mnt", "type": "tmpfs", "source": "first"},
        {"destination": "/mnt", "type": "tmpfs", "source": "second"}]},
     {"mounts./mnt.source": "second"}),
    ("one below another", {"+mounts": [
        {"destination": "/mnt", "type": "tmpfs", "source": "first"},
        {"destination": "/mnt/a/b", "type": "tmpfs", "source": "second"}]},
     {"mounts./mnt/a/b.source": "second"}),
    ("proc with its options", {"+mounts": [{
        "destination": "/mnt", "type": "proc", "source": "proc",
        "options": ["hidepid=2", "subset=pid"]}]},
     {"mounts./mnt.super": lambda o: "subset=pid" in o}),
    ("a read-only root", {"root.readonly": True}, options("/", "ro")),
    ("a writable root", {}, options("/", "rw")),
    ("late options win", mount("/mnt", "tmpfs", "x", "ro", "rw", "noexec", "exec"),
     options("/mnt", "rw", without=("noexec",))),
] + [
    (f"option {word}", mount("/mnt", "tmpfs", "x", word), options("/mnt", said))
    for word, said in FLAGS.items()
] + [
    (f"option {word}", mount("/mnt", "tmpfs", "x", said, word), options("/mnt", without=(said,)))
    for word, said in OPPOSITES.items()
] + [
    (f"propagation {word}", mount("/mnt", "tmpfs", "x", word), {"mounts./mnt.tags": check})
    for word, check in (("shared", lambda t: t and t[0].startswith("shared:")),
                        ("private", []), ("unbindable", ["unbindable"]),
                        ("rprivate", []), ("slave", []))
])

# --- binds ---------------------------------------------------------------------------------


def bind(t, destination, *words, source=None):
    t.edit(mount(destination, "bind", source or t.beside, *words))


def _bind_case(name, words, wanted, without=()):
    @case(name)
    def _(t):
        bind(t, "/mnt", *words)
        t.expect(t.run_probe(), options("/mnt", *wanted, without=without))


_bind_case("bind", ["bind"], ["rw"])
_bind_case("rbind", ["rbind"], ["rw"])
_bind_case("bind read-only", ["bind", "ro"], ["ro"])
_bind_case("bind with all flags", ["bind", "ro", "nosuid", "nodev", "noexec", "noatime"],
           ["ro", "nosuid", "nodev", "noexec", "noatime"])
_bind_case("rbind read-only", ["rbind", "ro"], ["ro"])
_bind_case("bind with rro", ["rbind", "rro"], ["ro"])
_bind_case("bind with flags taken back", ["bind", "noexec", "exec"], ["rw"], ["noexec"])


@case("bind by the type alone")
def _(t):
    t.edit({"+mounts": [{"destination": "/mnt", "type": "bind", "source": t.beside}]})
    t.expect(t.probe_result("read", "/mnt/null"), {"/mnt/null": "beside null"})


@case("bind by the option alone")
def _(t):
    t.edit({"+mounts": [{"destination": "/mnt", "source": t.beside, "options": ["bind"]}]})
    t.expect(t.probe_result("read", "/mnt/null"), {"/mnt/null": "beside null"})


@case("bind of a file onto nothing")
def _(t):
    bind(t, "/etc/new/name", "bind", source=f"{t.beside}/mtab")
    t.expect(t.probe_result("read", "/etc/new/name"), {"/etc/new/name": "beside mtab"})


@case("bind of a source beside the configuration")
def _(t):
    os.mkdir(f"{t.bundle}/data")
    t.write(f"{t.bundle}/data/x", "from the bundle")
    bind(t, "/mnt", "bind", source="data")
    t.expect(t.probe_result("read", "/mnt/x"), {"/mnt/x": "from the bundle"})


@case("a bound directory cannot be written when read-only")
def _(t):
    bind(t, "/mnt", "rbind", "ro")
    t.expect(t.probe_result("write", "/mnt/new", "x"), {"error": "EROFS"})


@case("what is written to a bind is on the host")
def _(t):
    path = f"{t.dir}/shared"
    os.mkdir(path)
    bind(t, "/mnt", "bind", source=path)
    t.expect(t.probe_result("write", "/mnt/new", "x"), {"error": None})
    t.equal(t.read(f"{path}/new"), "x", "the file")


def _with_submount(t):
    top = f"{t.dir}/top"
    os.makedirs(f"{top}/sub")
    kernel.mount("below", f"{top}/sub", "tmpfs", 0, "size=64k")
    return top


def _submount_case(name, words, check):
    @case(name)
    def _(t):
        top = _with_submount(t)
        try:
            bind(t, "/mnt", *words, source=top)
            check(t, t.run_probe()["mounts"].get("/mnt/sub"))
        finally:
            kernel.umount(f"{top}/sub")


_submount_case("bind leaves mounts below out", ["bind"],
               lambda t, m: t.check(m is None, f"it is there: {m}"))
_submount_case("rbind takes mounts below", ["rbind"],
               lambda t, m: t.check(m and "rw" in m["options"], f"it is {m}"))
_submount_case("ro does not reach mounts below", ["rbind", "ro"],
               lambda t, m: t.check(m and "rw" in m["options"], f"it is {m}"))
_submount_case("rro reaches mounts below", ["rbind", "rro"],
               lambda t, m: t.check(m and "ro" in m["options"], f"it is {m}"))
_submount_case("rnosuid reaches mounts below", ["rbind", "rnosuid"],
               lambda t, m: t.check(m and "nosuid" in m["options"], f"it is {m}"))


@case("bind in a user namespace")
def _(t):
    t.edit(user_namespace())
    bind(t, "/mnt", "rbind", "ro", "nosuid", "nodev")
    t.expect(t.run_probe(), options("/mnt", "ro", "nosuid", "nodev"))


@case("bind of a source that only root reaches, in a user namespace")
def _(t):
    os.makedirs(f"{t.dir}/closed/inner")
    t.write(f"{t.dir}/closed/inner/x", "seen")
    os.chmod(f"{t.dir}/closed", 0o700)
    t.edit(user_namespace())
    bind(t, "/mnt", "bind", source=f"{t.dir}/closed/inner")
    t.expect(t.probe_result("read", "/mnt/x"), {"/mnt/x": "seen"})


@case("an idmapped bind")
def _(t):
    path = f"{t.dir}/owned"
    os.mkdir(path)
    t.write(f"{path}/x", "text")
    t.edit({"+mounts": [{
        "destination": "/mnt", "type": "bind", "source": path, "options": ["bind", "idmap"],
        "uidMappings": [{"containerID": 0, "hostID": 5000, "size": 10}],
        "gidMappings": [{"containerID": 0, "hostID": 6000, "size": 10}]}]})
    t.expect(t.probe_result("file", "/mnt/x"), {"/mnt/x.uid": 5000, "/mnt/x.gid": 6000})


# --- binds of what is mounted already ------------------------------------------------------

IN_ROOT = {
    "": {},
    ", with a hook that looks for it": {"hooks.createContainer": [{"path": "/bin/true"}]},
    ", in a user namespace": user_namespace(),
    ", in a user namespace, with a hook that looks for it": {
        **user_namespace(), "hooks.createContainer": [{"path": "/bin/true"}]},
}


def mounted_first(t, edits):
    """A bind and, below it, a tmpfs: "/mnt" and "/mnt/below"."""
    os.chown(t.rootfs, *[100000 if "linux.uidMappings" in edits else 0] * 2)
    os.makedirs(f"{t.dir}/data/below")
    t.write(f"{t.dir}/data/x", "mounted first")
    t.edit(edits)
    bind(t, "/mnt", "bind", source=f"{t.dir}/data")
    t.edit(mount("/mnt/below", "tmpfs", "deep", "mode=755"))


for _way, _edits in IN_ROOT.items():
    @case("a bind of what an earlier one mounted" + _way)
    def _(t, edits=_edits):
        mounted_first(t, edits)
        bind(t, "/all", "rbind", "rro", source=f"{t.rootfs}/mnt")
        bind(t, "/one", "bind", "nosuid", source="rootfs/mnt/")
        bind(t, "/file", "bind", source=f"{t.rootfs}/./mnt/x")
        t.probe("read", "/all/x", "/one/x", "/file", ",", "report")
        r = t.run()
        t.check(r.rc == 0, f"{r}")
        texts, report = map(t.decode, r.out.splitlines())
        t.equal(set(texts.values()), {"mounted first"}, "the contents")
        t.expect(report, {"mounts./all/below.source": "deep", "mounts./one/below": None,
                          **options("/all", "ro"), **options("/all/below", "ro"),
                          "mounts./one.options": has("nosuid")})

    @case("an rbind of a directory in which something was mounted" + _way)
    def _(t, edits=_edits):
        os.makedirs(f"{t.rootfs}/top/mnt")
        os.mkdir(f"{t.rootfs}/all")
        t.edit({**edits, **mount("/top/mnt", "tmpfs", "deep")})
        bind(t, "/all", "rbind", source=f"{t.rootfs}/top")
        t.expect(t.run_probe(), {"mounts./all/mnt.source": "deep"})

    @case("an idmapped bind of what an earlier one mounted" + _way)
    def _(t, edits=_edits):
        mounted_first(t, edits)
        os.chown(f"{t.dir}/data/x", 3, 4)
        base = 100000 if "linux.uidMappings" in edits else 0
        t.edit({"+mounts": [{
            "destination": "/all", "type": "bind", "source": f"{t.rootfs}/mnt",
            "options": ["rbind", "idmap"],
            "uidMappings": [{"containerID": 0, "hostID": base + 50, "size": 10}],
            "gidMappings": [{"containerID": 0, "hostID": base + 60, "size": 10}]}]})
        t.expect(t.probe_result("file", "/all/x"), {"/all/x.uid": 53, "/all/x.gid": 64})


@case("a bind of what an earlier one mounted stays inside the root")
def _(t):
    """What the image says of the way there is said of the container's root, not of the host's."""
    os.symlink(t.beside, f"{t.rootfs}/link")
    t.edit(mount("/link", "tmpfs", "x"))
    bind(t, "/all", "bind", source=f"{t.rootfs}/link/passwd")
    t.expect_failure("open the source '/link/passwd'.*no such file")


@case("a bind of what an earlier one mounted read-only")
def _(t):
    """The tmpfs itself is made read-only at the end."""
    t.edit(mount("/mnt", "tmpfs", "x", "ro"))
    t.edit(mount("/mnt/rw", "tmpfs", "x"))
    bind(t, "/one", "bind", source=f"{t.rootfs}/mnt")
    bind(t, "/two", "bind", "rw", source=f"{t.rootfs}/mnt")
    bind(t, "/three", "bind", source=f"{t.rootfs}/mnt/rw")
    t.expect(t.run_probe(), {**options("/mnt", "ro"), **options("/one", "ro"),
                             **options("/two", "rw"), **options("/three", "rw")})


@case("a bind of a link in what an earlier one mounted")
def _(t):
    mounted_first(t, {})
    os.symlink("x", f"{t.dir}/data/link")
    bind(t, "/one", "bind", "src-nofollow", source=f"{t.rootfs}/mnt/link")
    bind(t, "/two", "bind", source=f"{t.rootfs}/mnt/link")
    t.expect(t.probe_result("file", "/one", "/two"), {"/one.target": "x", "/two.type": "-"})


@case("a bind of a source below the root in which nothing was mounted")
def _(t):
    """The host's path, links and all."""
    os.symlink(t.beside, f"{t.rootfs}/link")
    t.edit(mount("/other", "tmpfs", "x"))
    bind(t, "/all", "bind", source=f"{t.rootfs}/link")
    t.expect(t.probe_result("read", "/all/passwd"), {"/all/passwd": "beside passwd"})


# --- links in the image --------------------------------------------------------------------

@case("a destination through a link stays inside")
def _(t):
    os.mkdir(f"{t.rootfs}/target")
    os.symlink("/target", f"{t.rootfs}/link")
    t.edit(mount("/link/x"))
    t.expect(t.run_probe(), {"mounts./target/x.type": "tmpfs"})
    t.check(not os.path.exists("/target"), "it was made on the host")


@case("a destination through a link with dots stays inside")
def _(t):
    os.symlink("../../../../.." + t.beside, f"{t.rootfs}/link")
    t.edit(mount("/link/x"))
    r = t.run()
    t.check(r.rc != 0 or t.beside in r.out, f"neither refused nor inside: {r}")


for _place in ("/proc", "/sys", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys/fs/cgroup"):
    def _link(t, place=_place):
        path = t.rootfs + place
        if place.count("/") > 1:
            remove_mount(t.config, os.path.dirname(place) if place != "/sys/fs/cgroup" else "/sys")
            os.makedirs(os.path.dirname(path), exist_ok=True)
        else:
            os.rmdir(path)
        os.symlink(t.beside, path)
        t.probe("say", "ran")
        r = t.run()
        t.check(r.rc != 0 or r.out == "ran\n", f"neither refused nor run: {r}")
    case(f"{_place} is a link out of the root")(_link)


# --- root ----------------------------------------------------------------------------------

PROPAGATION = {"private": [], "slave": [], "shared": "shared:", "unbindable": ["unbindable"]}


@case("nothing of the host is seen")
def _(t):
    report = t.run_probe()
    t.check(not [m for m in report["mounts"].values() if "/dev/vda" in m["source"]], "a host mount")
    t.check(not [at for at in report["mounts"] if at.startswith("/tmp/cleat")], "a host path")


@case("the root's parent is out of reach")
def _(t):
    t.probe("list", "/..")
    names = t.run_probe()
    t.check("probe" in names and "home" not in names, f"/.. has {names}")


@case("the root with --no-pivot")
def _(t):
    report = t.run_probe("--no-pivot")
    t.expect(report, {"root": "/", "mounts./proc.type": "proc"})


@case("a read-only root cannot be written")
def _(t):
    t.edit({"root.readonly": True})
    t.expect(t.probe_result("write", "/new", "x"), {"error": "EROFS"})


@case("a mount in a read-only root can be")
def _(t):
    t.edit({"root.readonly": True, **mount("/mnt")})
    t.expect(t.probe_result("write", "/mnt/new", "x"), {"error": None})


@case("a root that is among linux.readonlyPaths")
def _(t):
    t.edit({"+linux.readonlyPaths": "/", **mount("/mnt")})
    t.probe("write", "/new", "x", ",", "write", "/mnt/new", "x")
    root, below = (t.decode(line)["error"] for line in t.run().out.splitlines())
    t.equal((root, below), ("EROFS", None), "what writing says")


@case("what is written to the root is in the bundle")
def _(t):
    t.expect(t.probe_result("write", "/new", "x"), {"error": None})
    t.equal(t.read(f"{t.rootfs}/new"), "x", "the file")


@case("an absolute root.path")
def _(t):
    t.edit({"root.path": t.rootfs})
    t.run_probe()


@case("root.path through a link")
def _(t):
    os.symlink("rootfs", f"{t.bundle}/link")
    t.edit({"root.path": "link"})
    t.run_probe()


for _word, _tags in (("shared", "shared:"), ("slave", None), ("private", None),
                     ("unbindable", "unbindable")):
    def _propagation(t, word=_word, tags=_tags):
        t.edit({"linux.rootfsPropagation": word})
        found = t.run_probe()["mounts"]["/"]["tags"]
        if tags:
            t.check(any(x.startswith(tags) for x in found), f"the root is {found}")
        else:
            t.check(not any(x.startswith("shared") for x in found), f"the root is {found}")
    case(f"rootfsPropagation {_word}")(_propagation)


@case("no mount of the container spreads to the host")
def _(t):
    t.edit({"linux.rootfsPropagation": "shared", **mount("/mnt", "tmpfs", "x", "shared")})
    t.probe("syscall", "mount", "new", "/tmp", "tmpfs", "0", "0")
    t.edit({"process.capabilities.bounding": ["CAP_SYS_ADMIN"],
            "process.capabilities.effective": ["CAP_SYS_ADMIN"],
            "process.capabilities.permitted": ["CAP_SYS_ADMIN"]})
    t.expect(t.run_probe(), {"error": None})  # the worker compares its mounts then


# --- masked and read-only paths --------------------------------------------------------------

@case("a masked file reads as nothing")
def _(t):
    t.write(f"{t.rootfs}/etc/secret", "secret")
    t.edit({"+linux.maskedPaths": ["/etc/secret"]})
    t.expect(t.probe_result("read", "/etc/secret"), {"/etc/secret": ""})


@case("a masked directory is empty and read-only")
def _(t):
    os.mkdir(f"{t.rootfs}/secret")
    t.write(f"{t.rootfs}/secret/x", "secret")
    t.edit({"+linux.maskedPaths": ["/secret"]})
    t.probe("list", "/secret")
    t.equal(t.run_probe(), [], "the list")
    t.expect(t.probe_result("write", "/secret/new", "x"), {"error": "EROFS"})


@case("the mount over a masked directory is as bare as can be")
def _(t):
    os.mkdir(f"{t.rootfs}/secret")
    t.edit({"+linux.maskedPaths": ["/secret"]})
    t.expect(t.run_probe(), options("/secret", "ro", "nosuid", "nodev", "noexec"))


@case("a masked file where the host's /dev/null is another device")
def _(t):
    """CVE-2025-31133: what covers a file must be the null device, and nothing that is called so."""
    t.write(f"{t.rootfs}/etc/secret", "secret")
    t.edit({"+linux.maskedPaths": ["/etc/secret"]})
    t.write_config()
    with open("/dev/null", "rb") as null:
        kernel.mount("/dev/zero", "/dev/null", None, kernel.MS_BIND)
        try:
            r = t.cleat("run", "--bundle", t.bundle, t.id, text="\n")
        finally:
            kernel.umount("/dev/null")
        t.check(os.fstat(null.fileno()).st_rdev == os.makedev(1, 3), "it was another before")
    t.check(r.rc == 1, f"{r}")
    t.check_message(r, "/dev/null.* 1:3")


@case("a masked path that is missing")
def _(t):
    t.edit({"+linux.maskedPaths": ["/nothing", "/proc/nothing", "/probe/nothing"],
            "+linux.readonlyPaths": ["/probe/nothing"]})
    t.run_probe()
    t.check(not os.path.exists(f"{t.rootfs}/nothing"), "it was made")


@case("the default masked paths")
def _(t):
    there = [p for p in ("/proc/kcore", "/proc/keys", "/proc/timer_list") if os.path.exists(p)]
    t.expect(t.probe_result("read", *there), dict.fromkeys(there, ""))


@case("a masked path in a user namespace")
def _(t):
    t.edit(user_namespace())
    t.expect(t.probe_result("read", "/proc/keys"), {"/proc/keys": ""})


@case("a masked path cannot be uncovered")
def _(t):
    t.expect(t.probe_result("syscall", "umount2", "/proc/keys", "2"), {"error": "EPERM"})


@case("a read-only path")
def _(t):
    os.mkdir(f"{t.rootfs}/fixed")
    t.edit({"+linux.readonlyPaths": ["/fixed"]})
    t.expect(t.probe_result("write", "/fixed/new", "x"), {"error": "EROFS"})


@case("a read-only path has what is mounted below it, read-only as well")
def _(t):
    t.edit(mount("/mnt/below", "tmpfs", "x", "nosuid"))
    t.edit({"+linux.readonlyPaths": ["/mnt"]})
    t.expect(t.run_probe(), {**options("/mnt", "ro"), "mounts./mnt/below.type": "tmpfs",
                             **options("/mnt/below", "ro", "nosuid")})


@case("a tmpfs that is read-only with all below it is so last")
def _(t):
    t.edit({"+mounts": [
        {"destination": "/mnt", "type": "tmpfs", "source": "x", "options": ["rro"]},
        {"destination": "/mnt/a/b", "type": "tmpfs", "source": "y"}]})
    t.expect(t.run_probe(), {**options("/mnt", "ro"), **options("/mnt/a/b", "rw")})


@case("a read-only path keeps the other flags")
def _(t):
    t.edit({**mount("/mnt", "tmpfs", "x", "nosuid", "nodev", "noexec"),
            "+linux.readonlyPaths": ["/mnt"]})
    t.expect(t.run_probe(), options("/mnt", "ro", "nosuid", "nodev", "noexec"))


@case("a read-only path that is missing")
def _(t):
    t.edit({"+linux.readonlyPaths": ["/nothing"]})
    t.run_probe()


@case("/proc/sys is read-only by default")
def _(t):
    t.expect(t.probe_result("write", "/proc/sys/kernel/hostname", "x"), {"error": "EROFS"})


# --- copies --------------------------------------------------------------------------------

@case("tmpcopyup brings the image's files")
def _(t):
    os.makedirs(f"{t.rootfs}/data/sub")
    t.write(f"{t.rootfs}/data/x", "from the image", 0o640)
    t.write(f"{t.rootfs}/data/sub/y", "below")
    os.symlink("x", f"{t.rootfs}/data/link")
    os.chown(f"{t.rootfs}/data/x", 12, 34)
    t.edit(mount("/data", "tmpfs", "x", "tmpcopyup"))
    t.probe("read", "/data/x", "/data/sub/y", ",", "file", "/data/x", "/data/link")
    r = t.run()
    first, second = map(t.decode, r.out.splitlines())
    t.equal(first, {"/data/x": "from the image", "/data/sub/y": "below"}, "the contents")
    t.expect(second, {"/data/x.mode": 0o640, "/data/x.uid": 12, "/data/x.gid": 34,
                      "/data/link.target": "x"})


@case("tmpcopyup of files into a tmpfs that is read-only")
def _(t):
    os.mkdir(f"{t.rootfs}/data")
    t.write(f"{t.rootfs}/data/x", "from the image")
    t.edit(mount("/data", "tmpfs", "x", "tmpcopyup", "ro"))
    t.probe("read", "/data/x", ",", "write", "/data/x", "y")
    read, write = map(t.decode, t.run().out.splitlines())
    t.equal((read, write.get("error")), ({"/data/x": "from the image"}, "EROFS"), "seen")


TOPS = {  # what is said of the tmpfs: mode, owner and group of it
    (): (0o751, 12, 34),
    ("mode=1777", "uid=33", "gid=44"): (0o1777, 33, 44),
    ("mode=1777",): (0o1777, 12, 34),
    ("uid=33",): (0o751, 33, 34),
    ("gid=44",): (0o751, 12, 44),
}
for _words, _top in TOPS.items():
    @case("tmpcopyup of a directory" + (" with " + ",".join(_words) if _words else ""))
    def _(t, words=_words, top=_top):
        os.mkdir(f"{t.rootfs}/data")
        os.chmod(f"{t.rootfs}/data", 0o751)
        os.chown(f"{t.rootfs}/data", 12, 34)
        t.write(f"{t.rootfs}/data/x", "from the image", 0o640)
        t.edit(mount("/data", "tmpfs", "x", "tmpcopyup", *words))
        got = t.probe_result("file", "/data", "/data/x")
        t.equal(tuple(got["/data"][k] for k in ("mode", "uid", "gid")), top, "of the directory")
        t.equal(got["/data/x"]["mode"], 0o640, "the mode of the file")


# host: what the container sees; 0 is mapped to nobody, and looks like 65534
for _owner, _seen in (((0, 0), (0, 0)), ((100012, 100034), (12, 34)),
                      ((165534, 165534), (65534, 65534)), ((0, 100034), (0, 34))):
    @case(f"tmpcopyup of a directory of {_owner[0]}:{_owner[1]} in a user namespace")
    def _(t, owner=_owner, seen=_seen):
        os.mkdir(f"{t.rootfs}/data")
        os.chmod(f"{t.rootfs}/data", 0o755)
        os.chown(f"{t.rootfs}/data", *owner)
        t.edit({**user_namespace(), **mount("/data", "tmpfs", "x", "tmpcopyup")})
        got = t.probe_result("file", "/data")["/data"]
        t.equal((got["mode"], got["uid"], got["gid"]), (0o755, *seen), "mode and owner")


failure_rows([
    ("a source that is missing", mount("/mnt", "bind", "/no/such/source", "bind"),
     "/no/such/source"),
    ("an unknown type", mount("/mnt", "no-such-fs", "x"), "no-such-fs"),
    ("an option that the file system does not know", mount("/mnt", "tmpfs", "x", "nonsense=1"),
     "nonsense"),
    ("a bad value of an option", mount("/mnt", "tmpfs", "x", "size=many"), "size"),
    ("a destination with dots, which stays inside", mount("/../mnt", "tmpfs", "x", "mode=bad"),
     r"mode.*'/mnt'|'/mnt'.*mode"),
    ("an unknown rootfsPropagation", {"linux.rootfsPropagation": "sideways"}, "sideways"),
    ("a root that is missing", {"root.path": "nowhere"}, "nowhere"),
    ("no root", {"root": DELETE}, "root"),
    ("masks without a mount namespace",
     {"hostname": DELETE, "linux.namespaces": namespaces("pid")}, "mount|maskedPaths"),
])


@case("a directory over a file")
def _(t):
    t.write(f"{t.rootfs}/file", "x")
    bind(t, "/file", "bind")
    t.expect_failure("/file")


@case("a root that is a file")
def _(t):
    t.write(f"{t.bundle}/file", "x")
    t.edit({"root.path": "file"})
    t.expect_failure("file.*not a directory")
