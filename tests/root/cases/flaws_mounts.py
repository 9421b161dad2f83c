# SPDX-License-Identifier: Apache-2.0
"""Published flaws of runtimes, each tried again: mounts that are steered by who is inside."""
import contextlib
import json
import os
import re
import subprocess
import time

from cases.livemounts import Inside, mounts
from frame import kernel
from frame.case import case
from frame.config import user_namespace
from frame.trial import TIMEOUT, parse_mounts

WAYS = {"": {}, " in a user namespace": user_namespace()}
MASKED = "/proc/timer_list"


def attacker(t, edits, *masked):
    """A shell of the root that owns the image."""
    for name in (".", "mnt", "etc"):
        os.chown(f"{t.rootfs}/{name}", 100000 if edits else 0, 100000 if edits else 0)
    return Inside(t, {**edits, "linux.maskedPaths": [MASKED, *masked]})


def protected(t, inside):
    """The mask and the read-only cover of the default configuration, as processes see them."""
    t.check("Read-only" in inside.says("echo x >/proc/sys/kernel/core_pattern"),
            "/proc/sys is writable")
    t.equal(inside.says(f"cat {MASKED} | wc -c"), "0", "what the mask shows")


for _way, _edits in WAYS.items():
    for _what, _to in (("the cover of /proc/sys", "/proc/sys"), ("a mask", MASKED)):
        def _remove(t, edits=_edits, to=_to):
            """What `mounts add` made is moved away, and its name leads somewhere else."""
            inside = attacker(t, edits)
            t.ok("mounts", "add", t.id, '[{"destination": "/mnt/m", "type": "tmpfs"}]')
            inside.says(f"mv /mnt /mnt2; mkdir /mnt; ln -s {to} /mnt/m")
            t.fails("'/mnt/m' was not mounted by 'mounts add'", "mounts", "remove", t.id,
                    '[{"destination": "/mnt/m"}]')
            protected(t, inside)
            inside.says("rm /mnt/m; rmdir /mnt; mv /mnt2 /mnt")
            t.ok("mounts", "remove", t.id, '[{"destination": "/mnt/m"}]')
            t.equal(mounts(t), [], "the mounts")
            inside.end()
        case(f"mounts remove is led to {_what}{_way}", needs="busybox")(_remove)

    def _renamed(t, edits=_edits):
        """No link is needed where a parent of the mask can be renamed."""
        t.write(f"{t.rootfs}/etc/secret", "secret", 0o644)
        inside = attacker(t, edits, "/etc/secret")
        t.ok("mounts", "add", t.id, '[{"destination": "/mnt/secret", "type": "tmpfs"}]')
        inside.says("mv /mnt /mnt2; mv /etc /mnt")
        t.fails("'/mnt/secret' was not mounted", "mounts", "remove", t.id,
                '[{"destination": "/mnt/secret"}]')
        t.equal(inside.says("cat /mnt/secret | wc -c"), "0", "what the mask shows")
        inside.end()
    case("mounts remove finds a mask under another name" + _way, needs="busybox")(_renamed)

    def _remount(t, edits=_edits):
        inside = attacker(t, edits)
        inside.says("ln -s /proc/sys /mnt/m")
        for at in ("/mnt/m", "/proc/sys/", "/mnt/../proc/sys/."):
            t.fails("was not mounted by 'mounts add'|inside /proc", "mounts", "add", t.id,
                    json.dumps([{"destination": at, "options": ["remount", "rw"]}]))
        protected(t, inside)
        # its own it may change
        t.ok("mounts", "add", t.id, '[{"destination": "/tmp", "type": "tmpfs"}]')
        t.ok("mounts", "add", t.id, '[{"destination": "/tmp", "options": ["remount", "ro"]}]')
        t.check("Read-only" in inside.says("touch /tmp/x"), "the remount was in vain")
        inside.end()
    case("mounts add with a remount is led to the cover of /proc/sys" + _way,
         needs="busybox")(_remount)

    def _again(t, edits=_edits):
        """The name of the first is a link to the mask when the second fails."""
        inside = attacker(t, edits)
        inside.says(f"touch /mnt/m; ln -s {MASKED} /mnt/other")
        t.prefix = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=move_mount,statx",
                    "-e", "inject=move_mount:delay_exit=400000"]
        with subprocess.Popen(t.command("mounts", "add", t.id, json.dumps([
                {"destination": "/mnt/m", "type": "bind", "source": f"{t.beside}/passwd",
                 "options": ["bind"]}, {"destination": "/tmp", "type": "nofs", "source": "x"}])),
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
            t.prefix = []
            inside.says("while ! grep -q ' /mnt/m ' /proc/self/mountinfo; do :; done; "
                        "mv /mnt /mnt2; mkdir /mnt; ln -s /mnt2/other /mnt/m")
        t.check(p.returncode not in (0, None), f"the command: {p.returncode}")
        protected(t, inside)
        t.equal(mounts(t), [], "what stayed")
        inside.end()
    case("mounts add that fails is led to a mask" + _way,
         needs="busybox program:strace")(_again)


@case("mounts remove takes nothing of the configuration", needs="busybox")
def _(t):
    inside = attacker(t, {})
    for at in ("/proc", "/proc/sys", MASKED, "/sys", "/dev", "/dev/pts"):
        t.fails(f"'{at}' was not mounted by 'mounts add'", "mounts", "remove", t.id,
                json.dumps([{"destination": at}]))
    protected(t, inside)
    inside.end()


@case("mounts add on a link of the image, and off again", needs="busybox")
def _(t):
    inside = Inside(t)
    inside.says("ln -s /tmp /mnt/run")
    for _ in range(2):
        t.ok("mounts", "add", t.id, json.dumps([
            {"destination": "/mnt/run/x", "type": "tmpfs"}, {"destination": "/mnt/run/x/",
                                                             "type": "tmpfs"}]))
    t.fails("'/tmp/x' was not mounted", "mounts", "remove", t.id, '[{"destination": "/tmp/x"}]')
    t.fails("nothing is mounted", "mounts", "remove", t.id,
            json.dumps([{"destination": "/mnt/run/x"}] * 4 + [{"destination": "/mnt"}]))
    t.ok("mounts", "remove", t.id, json.dumps([{"destination": "/mnt/run/./x"}] * 4))
    t.fails("nothing is mounted", "mounts", "remove", t.id, '[{"destination": "/mnt/run/x"}]')
    inside.end()


def until(t, pattern, action, at="/data", call="openat2:delay_enter", options=(), **hook):
    """Run with a delay before each look-up, and with an @action after the one of @pattern."""
    t.edit({"+mounts": [{"destination": at, "type": "tmpfs", "source": "x-marks-it",
                         "options": [*options]}], **hook})
    t.probe("report", "mounts")
    t.write_config()
    log = f"{t.dir}/log"
    t.write(log, "")
    t.prefix = ["strace", "-D", "-f", "-qq", "-o", log, "-e",
                f"trace={call.split(':', maxsplit=1)[0]}", "-e", f"inject={call}=40000"]
    with subprocess.Popen(t.command("run", "--bundle", t.bundle, t.id), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        while p.poll() is None and not re.search(pattern, t.read(log)):
            time.sleep(0.002)
        if p.poll() is None:
            action()
        try:
            out, err = p.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
    t.prefix = []
    t.check(re.search(pattern, t.read(log)), "nobody looked for it")
    return p.returncode, out, err


def at_path(kind):
    """What has the root at its path while it is filled: a directory of the host is above it."""
    return {f"hooks.{kind}": [{"path": "/bin/true"}]}


for _to, _kind in (("x/../../evil/sub", "createContainer"), ("x/../../../evil/sub", "prestart")):
    def _upwards(t, to=_to, kind=_kind):
        """CVE-2024-45310: a directory is gone after it was found, and what is left is '..'."""
        os.symlink(to, f"{t.rootfs}/data")
        os.mkdir(f"{t.rootfs}/x")
        t.write_config()
        before = sorted(os.listdir(t.bundle))
        rc, out, err = until(t, '"/x", .* = [0-9]', lambda: os.rmdir(f"{t.rootfs}/x"),
                             **at_path(kind))
        t.equal(sorted(os.listdir(t.bundle)), before, "the bundle")
        t.check("x-marks-it" in out if rc == 0 else "'..'" in err, f"{rc}: {out}{err}")
    case(f"a link to {_to} whose x is removed meanwhile", needs="program:strace")(_upwards)


@case("a link to x/.. whose x becomes a link to the root meanwhile", needs="program:strace")
def _(t):
    os.symlink("x/..", f"{t.rootfs}/data")
    rc, out, err = until(t, '"/data", .* = -1 ENOENT',
                         lambda: os.symlink("/", f"{t.rootfs}/x"), **at_path("createContainer"))
    t.check("x-marks-it" in out if rc == 0 else "'/x/..'" in err, f"{rc}: {out}{err}")


BIND = {"type": "bind", "options": ["rbind"]}

for _kind, _more in (("procfs", {}), ("procfs of the host", BIND)):
    for _hook in ("prestart", "createContainer"):
        def _moved(t, more=_more, hook=_hook):
            """CVE-2019-19921's family: who has the image moves the mount, and masks fail open."""
            for m in t.config["mounts"]:
                if m["destination"] in ("/proc", "/sys"):
                    m.update(more, **({"source": m["destination"]} if more else {}))
            if more:
                t.config["linux"]["namespaces"] = [n for n in t.config["linux"]["namespaces"]
                                                   if n["type"] != "pid"]
            t.edit({f"hooks.{hook}": [{"path": t.script(
                "move", f"cd {t.rootfs}; nsenter -t {os.getpid()} -m sh -c '"
                        f"cd {t.rootfs} && mv proc proc2 && mkdir proc && mv sys sys2 && "
                        "mkdir sys'\n")}]})
            t.probe("read", "/proc2/timer_list", ",", "write", "/proc2/sys/kernel/domainname",
                    "x", ",", "list", "/sys2/firmware", ",", "list", "/proc")
            r = t.run()
            t.check(r.rc == 0, f"{r}")
            masked, written, firmware, proc = map(t.decode, r.out.splitlines())
            t.equal((len(masked["/proc2/timer_list"]), written, firmware, proc),
                    (0, {"error": "EROFS"}, [], []), "what is there")
        case(f"the mount point of the {_kind} is renamed by a {_hook} hook")(_moved)


@case("what is masked in a procfs that is read-only as a whole, and in one that is covered")
def _(t):
    t.edit({"linux.readonlyPaths": ["/proc", "/sys"], "linux.maskedPaths":
            [MASKED, "/sys/firmware"], "+mounts": [
                {"destination": "/sys", "type": "tmpfs", "source": "tmpfs"},
                {"destination": "/sys/firmware", "type": "bind", "source": t.beside,
                 "options": ["bind"]}]})
    t.probe("read", MASKED, ",", "write", "/proc/sys/kernel/domainname", "x", ",", "list",
            "/sys/firmware", ",", "write", "/sys/x", "x")
    r = t.run()
    t.check(r.rc == 0, f"{r}")
    t.equal([*map(t.decode, r.out.splitlines())],
            [{MASKED: ""}, {"error": "EROFS"}, [], {"error": "EROFS"}], "what is there")


# --- what is mounted in the container shows on the host --------------------------------------------

@contextlib.contextmanager
def shared_source(t):
    """A shared tmpfs of the host with another below it; yields its place and what it has below."""
    top = f"{t.dir}/top"
    os.mkdir(top)
    kernel.mount("top", top, "tmpfs", 0, "size=64k,mode=777")
    for name in ("sub", "ro", "deep"):
        os.mkdir(f"{top}/{name}")
    kernel.mount("deep", f"{top}/deep", "tmpfs", 0, "size=64k,mode=777")
    for name in ("sub", "ro"):
        os.mkdir(f"{top}/deep/{name}")

    def shown():
        return sorted(line.split()[4][len(top):] for line in
                      t.read("/proc/self/mountinfo").splitlines()
                      if line.split()[4].startswith(top + "/"))
    try:
        yield top, shown
    finally:
        subprocess.run(["umount", "-R", top], check=True)


for _way, _edits in WAYS.items():
    for _words in (["rbind", "rshared"], ["rbind", "shared"], ["rbind", "slave"],
                   ["rbind", "private"], ["rbind", "rslave"], ["rbind"], ["bind", "shared"]):
        for _root in ("", "rprivate"):
            def _peers(t, edits=_edits, words=tuple(_words), root=_root):
                """Without a root that is shared nothing is asked to be seen on the host."""
                os.mkdir(f"{t.rootfs}/vol")
                with shared_source(t) as (top, shown):
                    deep = ["/vol/deep"] if words[0] == "rbind" else []
                    t.edit({**edits, "linux.rootfsPropagation": root or None, "+mounts": [
                        {"destination": "/vol", "type": "bind", "source": top,
                         "options": [*words]},
                        *({"destination": f"{d}/sub", "type": "tmpfs", "source": "x"}
                          for d in ["/vol", *deep])],
                        "linux.maskedPaths": [f"{d}/ro" for d in ["/vol", *deep]],
                        "linux.readonlyPaths": [f"{d}/sub" for d in ["/vol", *deep]]})
                    if not root:
                        t.config["linux"].pop("rootfsPropagation")
                    t.probe("sleep")
                    t.create()
                    during = shown()
                    t.ok("start", t.id)
                    t.ok("mounts", "add", t.id, json.dumps([
                        {"destination": "/tmp", "type": "bind", "source": top,
                         "options": [*words]},
                        *({"destination": f"/tmp{d[4:]}/sub", "type": "tmpfs"}
                          for d in ["/vol", *deep])]))
                    added = shown()
                    t.delete("--force")
                    t.equal([during, added, shown()], [["/deep"]] * 3, "what the host sees")
            case(f"mounts below a bind with {','.join(_words)}, the root {_root or 'as it is'}"
                 f"{_way}")(_peers)


@case("masks below a bind that is shared with the host")
def _(t):
    """runc puts them on the host, for ever."""
    with shared_source(t) as (top, shown):
        t.edit({"linux.rootfsPropagation": "rshared", "+mounts": [
            {"destination": "/vol", "type": "bind", "source": top,
             "options": ["rbind", "rshared"]}]})
        for field in ("linux.maskedPaths", "linux.readonlyPaths"):
            for at in ("/vol/ro", "/vol/./deep//ro", "/vol"):
                t.edit({"linux.maskedPaths": [], "linux.readonlyPaths": [], field: [at]})
                t.expect_failure(field + r"\[0\] '/vol.*' is in mounts\[\d\], which is shared")
        t.edit({"linux.readonlyPaths": ["/volume", "/proc/sys"]})
        t.edit({"linux.maskedPaths": ["/volume", "/proc/kcore"]})
        t.probe("say", "ran")
        t.equal(t.run().out, "ran\n", "the output")
        t.equal(shown(), ["/deep"], "what the host sees")


# --- names that are looked up in the container -------------------------------------------------

@case("the place of mount(2) becomes a link to /proc meanwhile", needs="program:strace")
def _(t):
    def move():
        os.rename(f"{t.rootfs}/mnt", f"{t.rootfs}/mnt2")
        os.mkdir(f"{t.rootfs}/mnt")
        os.symlink("/proc", f"{t.rootfs}/mnt/m")
    os.mkdir(f"{t.rootfs}/mnt/m")
    rc, out, err = until(t, 'mount\\("x-marks-it", .* = 0', move, at="/mnt/m",
                         call="mount:delay_exit", options=["iversion"])
    t.equal((rc, err), (0, ""), "status and messages")
    mounts_there = parse_mounts(t.decode(out)["mountinfo"])
    t.equal((mounts_there["/proc"]["type"], mounts_there["/mnt2/m"]["type"]), ("proc", "tmpfs"),
            "what is mounted")


for _way, _edits in WAYS.items():
    def _from_host(t, edits=_edits):
        """A link, layers of an overlay and what takes mount(2), below paths the container has."""
        os.symlink("/some/where", f"{t.dir}/link")
        os.makedirs(f"{t.rootfs}{t.dir}")
        os.symlink("/proc", f"{t.rootfs}{t.beside}")
        inside = attacker(t, edits)
        overlay = {"type": "overlay", "options": [f"lowerdir={t.beside}:{t.dir}/layer"]}
        os.mkdir(f"{t.dir}/layer")
        t.ok("mounts", "add", t.id, json.dumps([
            {"destination": "/mnt/link", "type": "bind", "source": f"{t.dir}/link",
             "options": ["bind", "copy-symlink"]},
            {"destination": "/mnt/passwd", "type": "bind", "source": f"{t.beside}/passwd",
             "options": ["bind", "copy-symlink"]},
            {"destination": "/mnt/layers", **overlay},
            {"destination": "/mnt/old", "type": "tmpfs", "options": ["iversion", "noexec"]}]))
        t.equal(inside.says("readlink /mnt/link; cat /mnt/passwd /mnt/layers/passwd; "
                            "grep ' /mnt/old ' /proc/self/mounts | grep -c noexec"),
                "/some/where\nbeside passwd\nbeside passwd\n1", "what is there")
        t.fails("only mount.2. can carry", "mounts", "add", t.id, json.dumps([
            {"destination": "/mnt/x", **overlay, "options": [*overlay["options"], "iversion"]}]))
        t.ok("mounts", "remove", t.id, json.dumps([
            {"destination": f"/mnt/{n}"} for n in ("passwd", "layers", "old")]))
        t.equal(mounts(t), [], "the mounts")
        inside.end()
    case("mounts add takes from the host what is the host's" + _way,
         needs="busybox")(_from_host)


@case("a file becomes a fifo while it is copied into a tmpfs", needs="program:strace")
def _(t):
    def swap():
        os.mkfifo(f"{t.rootfs}/fifo")
        os.rename(f"{t.rootfs}/fifo", f"{t.rootfs}/etc/file")
    t.write(f"{t.rootfs}/etc/file", "x")
    rc, _, err = until(t, 'fstatat\\(.*"file", .* = 0', swap, at="/etc",
                       call="newfstatat:delay_exit", options=["tmpcopyup"])
    t.check(rc == 1 and "'file' is no regular file any more" in err, f"{rc}: {err}")
