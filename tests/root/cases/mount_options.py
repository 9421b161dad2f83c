# SPDX-License-Identifier: Apache-2.0
"""Every word of a mount's options, on new file systems, on binds and on trees of mounts."""
import os
import re

from frame import kernel
from frame.case import Skip, case, failure_rows, has, report_rows
from frame.config import remove_mount, user_namespace


def mount(destination, kind, source, *options, **more):
    return {"+mounts": [{"destination": destination, "type": kind, "source": source,
                         "options": list(options), **more}]}


SUPER = {"sync": "sync", "dirsync": "dirsync", "lazytime": "lazytime"}
report_rows([
    (f"super block: {word}", mount("/mnt", "tmpfs", "x", word), {"mounts./mnt.super": has(said)})
    for word, said in SUPER.items()
] + [
    (f"super block: {said} taken back by {word}", mount("/mnt", "tmpfs", "x", said, word),
     {"mounts./mnt.super": lambda s, said=said: said not in s})
    for word, said in (("async", "sync"), ("nolazytime", "lazytime"))
] + [
    (f"{word} is understood", mount("/mnt", "tmpfs", "x", word), {"mounts./mnt.type": "tmpfs"})
    for word in ("defaults", "silent", "loud", "mand", "nomand", "iversion", "noiversion",
                 "norelatime", "nostrictatime", "strictatime", "rasync")
] + [
    # iversion is for mount(2) only; all that goes with other mounts goes with it
    ("iversion with ro and noexec", mount("/mnt", "tmpfs", "x", "iversion", "ro", "noexec"),
     {"mounts./mnt.options": lambda o: "ro" in o and "noexec" in o}),
    ("iversion with shared", mount("/mnt", "tmpfs", "x", "iversion", "shared"),
     {"mounts./mnt.tags": lambda tags: any(x.startswith("shared") for x in tags)}),
] + [
    (f"{word} on a new file system", mount("/mnt", "tmpfs", "x", word),
     {"mounts./mnt.options": has(said)})
    for word, said in (("rro", "ro"), ("rnosuid", "nosuid"), ("rnodev", "nodev"),
                       ("rnoexec", "noexec"), ("rnoatime", "noatime"),
                       ("rnodiratime", "nodiratime"), ("rnosymfollow", "nosymfollow"),
                       ("rrelatime", "relatime"))
] + [
    (f"{word} on a new file system", mount("/mnt", "tmpfs", "x", said, word),
     {"mounts./mnt.options": lambda o, said=said: said not in o})
    for word, said in (("rrw", "ro"), ("rsuid", "nosuid"), ("rdev", "nodev"), ("rexec", "noexec"),
                       ("ratime", "noatime"), ("rdiratime", "nodiratime"),
                       ("rsymfollow", "nosymfollow"), ("rstrictatime", "relatime"),
                       ("strictatime", "relatime"))
])


def tree(t):
    """A directory with a mount below it, and one below that."""
    top = f"{t.dir}/top"
    os.makedirs(f"{top}/sub")
    kernel.mount("first", f"{top}/sub", "tmpfs", 0, "size=64k")
    os.makedirs(f"{top}/sub/deep")
    kernel.mount("second", f"{top}/sub/deep", "tmpfs", 0, "size=64k")
    return top


def of_tree(name, words, said, there=True, edits=None):
    @case(name)
    def _(t):
        top = tree(t)
        try:
            t.edit({**(edits or {}), **mount("/mnt", "bind", top, *words)})
            mounts = t.run_probe()["mounts"]
            for at in ("/mnt", "/mnt/sub", "/mnt/sub/deep"):
                t.check(at in mounts, f"no mount at {at}")
                t.equal(said in mounts[at]["options"], there, f"whether {at} has {said}")
        finally:
            kernel.umount(top + "/sub")


for _word, _said in (("rro", "ro"), ("rnosuid", "nosuid"), ("rnodev", "nodev"),
                     ("rnoexec", "noexec"), ("rnoatime", "noatime"),
                     ("rnodiratime", "nodiratime"), ("rnosymfollow", "nosymfollow")):
    of_tree(f"{_word} on a tree", ["rbind", _word], _said)
for _word, _said in (("rrw", "ro"), ("rexec", "noexec"), ("rsuid", "nosuid")):
    of_tree(f"{_word} takes back what a tree got", ["rbind", "r" + ("ro" if _said == "ro" else
                                                                   _said), _word], _said, False)
of_tree("a later word for all takes back one for the top", ["rbind", "ro", "rrw"], "ro", False)


@case("a later word for the top takes back one for all")
def _(t):
    top = tree(t)
    try:
        t.edit(mount("/mnt", "bind", top, "rbind", "rro", "rw"))
        mounts = t.run_probe()["mounts"]
        t.equal(["ro" in mounts[at]["options"] for at in ("/mnt", "/mnt/sub", "/mnt/sub/deep")],
                [False, True, True], "which are read-only")
    finally:
        kernel.umount(top + "/sub")


@case("without rbind the two kinds of words are one")
def _(t):
    t.edit(mount("/mnt", "bind", t.beside, "bind", "rnosuid", "suid", "nodev", "rdev", "rro"))
    t.expect(t.run_probe(), {"mounts./mnt.options": lambda o: "ro" in o and "nosuid" not in o and
                             "nodev" not in o})


of_tree("rro on a tree in a user namespace", ["rbind", "rro"], "ro", True, user_namespace())


@case("a propagation of the whole tree")
def _(t):
    top = tree(t)
    try:
        t.edit(mount("/mnt", "bind", top, "rbind", "rshared"))
        mounts = t.run_probe()["mounts"]
        for at in ("/mnt", "/mnt/sub", "/mnt/sub/deep"):
            t.check(any(x.startswith("shared:") for x in mounts[at]["tags"]),
                    f"{at} is {mounts[at]['tags']}")
    finally:
        kernel.umount(top + "/sub")


# the words for the top alone beside it leave the mounts below what they are without them
for _word, _tag in (("private", None), ("unbindable", "unbindable"), ("slave", "master:"),
                    ("shared", "shared:")):
    for _more in ("", "ro", "rro"):
        @case(f"rbind with {_word} for the top" + (f" and {_more}" if _more else ""))
        def _(t, word=_word, tag=_tag, more=_more):
            top = tree(t)
            kernel.mount(None, f"{top}/sub", None, kernel.MS_SHARED | kernel.MS_REC)
            try:
                t.edit(mount("/mnt", "bind", top, "rbind", word, *filter(None, [more])))
                mounts = t.run_probe()["mounts"]
                got = mounts["/mnt"]["tags"]
                t.check(any(x.startswith(tag) for x in got) if tag else not got,
                        f"/mnt is {got}")
                for at in ("/mnt/sub", "/mnt/sub/deep"):
                    got = [x.split(":")[0] for x in mounts[at]["tags"]]
                    t.equal(got, ["master"], f"the propagation of {at}")
                    t.equal("ro" in mounts[at]["options"], more == "rro", f"whether {at} is ro")
            finally:
                kernel.umount(top + "/sub")


@case("rslave gets what the host mounts later")
def _(t):
    top = f"{t.dir}/top"
    os.makedirs(f"{top}/later")
    kernel.mount("top", top, "tmpfs", 0, "size=64k")
    os.makedirs(f"{top}/later")
    try:
        t.edit(mount("/mnt", "bind", top, "rbind", "rslave"))
        t.probe("sleep", )
        t.create()
        t.ok("start", t.id)
        t.wait_for_line("ready")
        pid = t.state()["pid"]
        kernel.mount("later", f"{top}/later", "tmpfs", 0, "size=64k")
        text = t.read(f"/proc/{pid}/mountinfo")
        t.delete("--force")
        t.check(" /mnt/later " in text, "it is not there")
    finally:
        kernel.umount(top)


@case("rprivate does not get what the host mounts later")
def _(t):
    top = f"{t.dir}/top"
    os.makedirs(top)
    kernel.mount("top", top, "tmpfs", 0, "size=64k")
    os.makedirs(f"{top}/later")
    try:
        t.edit(mount("/mnt", "bind", top, "rbind", "rprivate"))
        t.probe("sleep")
        t.create()
        pid = t.state()["pid"]
        kernel.mount("later", f"{top}/later", "tmpfs", 0, "size=64k")
        text = t.read(f"/proc/{pid}/mountinfo")
        t.delete("--force")
        t.check(" /mnt/later " not in text, "it is there")
    finally:
        kernel.umount(top)


# --- id mappings of mounts -------------------------------------------------------------------

MAPS = {"uidMappings": [{"containerID": 0, "hostID": 5000, "size": 100}],
        "gidMappings": [{"containerID": 0, "hostID": 6000, "size": 100}]}


def idmap(name, kind, words, edits, want, maps=None):
    @case(name)
    def _(t):
        source = f"{t.dir}/owned"
        os.mkdir(source)
        t.write(f"{source}/x", "text")
        os.chown(f"{source}/x", 3, 4)
        t.edit({**edits, **mount("/mnt", kind, source, *words, **(MAPS if maps is None else maps))})
        t.expect(t.probe_result("file", "/mnt/x"), {"/mnt/x.uid": want[0], "/mnt/x.gid": want[1]})


idmap("idmap with mappings of its own", "bind", ["bind", "idmap"], {}, (5003, 6004))
idmap("ridmap with mappings of its own", "bind", ["rbind", "ridmap"], {}, (5003, 6004))
idmap("mappings without the word", "bind", ["bind"], {}, (5003, 6004))
idmap("idmap with those of the user namespace", "bind", ["bind", "idmap"], user_namespace(), (3, 4),
      {})
idmap("mappings of its own in a user namespace", "bind", ["bind", "idmap"], user_namespace(),
      (3, 4), {"uidMappings": [{"containerID": 0, "hostID": 100000, "size": 100}],
               "gidMappings": [{"containerID": 0, "hostID": 100000, "size": 100}]})


@case("an idmapped tmpfs")
def _(t):
    t.edit(mount("/mnt", "tmpfs", "x", "idmap", "mode=1777", **MAPS))
    t.expect(t.probe_result("file", "/mnt"), {"/mnt.uid": 5000, "/mnt.gid": 6000})


# --- sources and destinations that are links --------------------------------------------------

@case("a source through a link")
def _(t):
    os.symlink(t.beside, f"{t.dir}/link")
    t.edit(mount("/mnt", "bind", f"{t.dir}/link", "bind"))
    t.expect(t.probe_result("read", "/mnt/null"), {"/mnt/null": "beside null"})


@case("src-nofollow binds the link itself")
def _(t):
    os.symlink("/nowhere", f"{t.dir}/link")
    t.edit(mount("/mnt/x", "bind", f"{t.dir}/link", "bind", "src-nofollow"))
    t.expect(t.probe_result("file", "/mnt/x"), {"/mnt/x.target": "/nowhere"})


@case("copy-symlink makes the link")
def _(t):
    os.symlink("/some/where", f"{t.dir}/link")
    t.edit(mount("/etc/link", "bind", f"{t.dir}/link", "bind", "copy-symlink"))
    t.expect(t.probe_result("file", "/etc/link"), {"/etc/link.target": "/some/where"})


@case("copy-symlink of a source that is no link is a bind")
def _(t):
    t.edit(mount("/mnt", "bind", t.beside, "bind", "copy-symlink"))
    t.expect(t.probe_result("read", "/mnt/null"), {"/mnt/null": "beside null"})


@case("dest-nofollow refuses a link")
def _(t):
    os.mkdir(f"{t.rootfs}/target")
    os.symlink("/target", f"{t.rootfs}/link")
    t.edit(mount("/link", "tmpfs", "x", "dest-nofollow"))
    t.expect_failure("/link")


# --- other file systems ----------------------------------------------------------------------

@case("overlay", needs="file:/proc/self")
def _(t):
    for name in ("lower", "upper", "work"):
        os.mkdir(f"{t.dir}/{name}")
    t.write(f"{t.dir}/lower/x", "below")
    t.edit(mount("/mnt", "overlay", "overlay", f"lowerdir={t.dir}/lower",
                 f"upperdir={t.dir}/upper", f"workdir={t.dir}/work"))
    t.probe("read", "/mnt/x", ",", "write", "/mnt/new", "up")
    r = t.run()
    t.check(r.rc == 0, f"{r}")
    t.equal(t.decode(r.out.splitlines()[0]), {"/mnt/x": "below"}, "the file below")
    t.equal(t.read(f"{t.dir}/upper/new"), "up", "the file above")


@case("overlay with many layers")
def _(t):
    layers = []
    for i in range(100):
        layers.append(f"{t.dir}/layer{i}")
        os.mkdir(layers[-1])
        t.write(f"{layers[-1]}/f{i}", str(i))
    t.edit(mount("/mnt", "overlay", "overlay", "lowerdir=" + ":".join(layers)))
    t.expect(t.probe_result("read", "/mnt/f0", "/mnt/f99"), {"/mnt/f0": "0", "/mnt/f99": "99"})


def overlay(t, *lower, data=(), edits=None, more=()):
    """An overlay on /mnt of new directories, each with a file of its own name."""
    for path in (*lower, *data):
        os.makedirs(path)
        t.write(f"{path}/{os.path.basename(path)}", "x")
    t.edit({**(edits or {}), **mount("/mnt", "overlay", "overlay", "lowerdir=" + "::".join(
        [":".join(lower), *data]), *more)})
    t.probe("list", "/mnt")
    t.write_config()


def refused(t, *patterns):
    """Run on a kernel that says EINVAL to the fsconfig(2) call which the last pattern is of."""
    log = f"{t.dir}/log"
    trace = ["strace", "-f", "-qq", "-o", log, "-e", "trace=fsconfig"]

    def run(*inject):
        t.prefix = [*trace, *inject]
        r = t.cleat("run", "--bundle", t.bundle, t.id)
        t.prefix = []
        return r, [line.split(maxsplit=1) for line in t.read(log).splitlines()]
    first, calls = run()
    at = -1
    for p in patterns:
        at = next((i for i in range(at + 1, len(calls)) if re.search(p, calls[i][1])), None)
        t.check(at is not None, f"no call of {p}: {first}")
    n = sum(pid == calls[at][0] for pid, _ in calls[:at + 1])
    r, calls = run("-e", f"inject=fsconfig:error=EINVAL:when={n}")
    t.check(any(re.search(patterns[-1] + ".*INJECTED", call) for _, call in calls),
            f"it was not refused: {calls}")
    return r


LAYERS = [f"layer-{i:060}" for i in range(20)]
LONG = f"{'a' * 200}/{'b' * 200}"
FD, LAYER, CREATE = "FSCONFIG_SET_FD, ", r'"lowerdir\+"', "FSCONFIG_CMD_CREATE"

for _what, _lower, _patterns, _edits in (
        ("lowerdir+, as before Linux 6.7", LAYERS, [LAYER], {}),
        ("lowerdir+, as before Linux 6.7, in a user namespace", LAYERS, [LAYER], user_namespace()),
        ("any of it in the end, as before Linux 6.5", LAYERS, [LAYER, CREATE], {}),
        ("a descriptor, as before Linux 6.13", ["first", LONG], [FD + LAYER], {})):
    @case(f"overlay with long values on a kernel that does not take {_what}",
          needs="program:strace")
    def _(t, lower=tuple(_lower), patterns=tuple(_patterns), edits=_edits):
        overlay(t, *(f"{t.dir}/{name}" for name in lower), edits=edits)
        r = refused(t, *patterns)
        t.equal((r.rc, r.err), (0, ""), f"the status and messages of {r}")
        t.equal(sorted(t.decode(r.out)), sorted(os.path.basename(x) for x in lower), "the files")


@case("overlay for writing with long paths on a kernel that takes no descriptors",
      needs="program:strace")
def _(t):
    top = f"{t.dir}/{LONG}"
    os.makedirs(f"{top}/upper")
    os.makedirs(f"{top}/work")
    overlay(t, f"{t.dir}/lower", more=(f"upperdir={top}/upper", f"workdir={top}/work"))
    t.probe("write", "/mnt/new", "up")
    t.write_config()
    r = refused(t, FD + '"upperdir"')
    t.equal((r.rc, r.err), (0, ""), f"the status and messages of {r}")
    t.equal(t.read(f"{top}/upper/new"), "up", "the file above")


@case("overlay with long values: what the kernel says of another option stays")
def _(t):
    overlay(t, *(f"{t.dir}/{name}" for name in LAYERS), more=("nonsense=1",))
    t.fails(r"option nonsense \(overlay: Unknown parameter 'nonsense'\)", "run", "--bundle",
            t.bundle, t.id)


@case("overlay with long values: layers that have only data")
def _(t):
    """Their names are not seen, but where something refers to them."""
    release = tuple(int(x) for x in os.uname().release.split(".")[:2])
    if release < (6, 5):
        raise Skip("the kernel has no such layers")
    overlay(t, *(f"{t.dir}/{name}" for name in LAYERS), data=[f"{t.dir}/data1", f"{t.dir}/data2"],
            more=("metacopy=on",))
    r = t.cleat("run", "--bundle", t.bundle, t.id)
    t.check(r.rc == 0, f"{r}")
    t.equal(sorted(t.decode(r.out)), LAYERS, "the files")


@case("a hundred mounts")
def _(t):
    for i in range(100):
        t.edit(mount(f"/mnt/m{i}", "tmpfs", f"number-{i}", "size=4k"))
    mounts = t.run_probe()["mounts"]
    t.equal([mounts.get(f"/mnt/m{i}", {}).get("source") for i in range(100)],
            [f"number-{i}" for i in range(100)], "the mounts")


@case("three hundred binds with few descriptors")
def _(t):
    for i in range(300):
        t.edit(mount(f"/mnt/m{i}", "bind", t.beside, "bind", "ro"))
    t.write_config()
    t.probe("report", "mounts")
    t.write_config()
    r = t.cleat("run", "--bundle", t.bundle, t.id,
                preexec_fn=lambda: __import__("resource").setrlimit(7, (128, 128)))
    t.check(r.rc == 0, f"{r}")
    t.equal(len([x for x in t.decode(r.out)["mounts"] if x.startswith("/mnt/m")]), 300, "mounts")


@case("a new sysfs in a user namespace with a network of its own")
def _(t):
    t.edit(user_namespace())
    t.expect(t.run_probe(), {"mounts./sys.type": "sysfs"})


@case("--no-pivot in a user namespace, where the host's procfs is locked")
def _(t):
    t.edit(user_namespace())
    t.expect(t.run_probe("--no-pivot"), {"root": "/", "mounts./proc.type": "proc"})


@case("sysfs bound in a user namespace without a network of its own")
def _(t):
    t.edit(user_namespace())
    t.config["linux"]["namespaces"] = [n for n in t.config["linux"]["namespaces"]
                                       if n["type"] != "network"]
    remove_mount(t.config, "/sys")
    remove_mount(t.config, "/sys/fs/cgroup")
    t.edit(mount("/sys", "bind", "/sys", "rbind", "nosuid", "nodev", "noexec", "ro"))
    t.expect(t.run_probe(), {"mounts./sys.options": has("ro", "nosuid")})


@case("a mount over the root itself")
def _(t):
    t.edit(mount("/", "tmpfs", "x"))
    r = t.run()
    t.check(r.rc != 0, f"it went well: {r}")
    t.equal(len(r.err.strip().splitlines()), 1, f"lines of {r}")


@case("/dev that is read-only still has its devices")
def _(t):
    t.config["mounts"][1]["options"].append("ro")
    report = t.run_probe()
    t.check("ro" in report["mounts"]["/dev"]["options"], "/dev is writable")
    t.check("null" in report["dev"], "no /dev/null")


@case("tmpfs takes the mode of what it covers")
def _(t):
    os.mkdir(f"{t.rootfs}/var")
    os.chmod(f"{t.rootfs}/var", 0o751)
    t.edit(mount("/var", "tmpfs", "x"))
    got = t.probe_result("file", "/var")["/var"]["mode"]
    t.check(got in (0o751, 0o1777), f"the mode is {got:o}")


failure_rows([
    ("nonsense on a bind", mount("/mnt", "bind", "/tmp", "bind", "nonsense=1"), "nonsense"),
    ("idmap without any mapping", mount("/mnt", "bind", "/tmp", "bind", "idmap"), "idmap|mapping"),
    ("only one of the mappings", mount("/mnt", "bind", "/tmp", "bind", "idmap",
                                       uidMappings=MAPS["uidMappings"]), "gidMappings|mapping"),
    ("a data option with a newline", mount("/mnt", "tmpfs", "x", "size=1k\nmode=777"), "size|mode"),
])
