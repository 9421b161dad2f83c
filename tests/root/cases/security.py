# SPDX-License-Identifier: Apache-2.0
"""Hostile images: published flaws of runtimes, each tried again (see also devices, mounts)."""
import os
import stat
import subprocess
import threading

from frame import kernel
from frame.case import case
from frame.config import remove_mount, user_namespace
from frame.trial import TIMEOUT


def contained(t, r):
    """Either refused with one line, or run; what is beside the bundle is compared later."""
    if r.rc != 0:
        t.equal(len(r.err.strip().splitlines()), 1, f"lines of {r}")



# CVE-2019-18837, CVE-2021-30465: the last component and every one before it
for _depth, _dest in enumerate(("/mnt", "/mnt/a", "/mnt/a/b", "/mnt/a/b/c")):
    for _target in ("{beside}", "../../../../../../../..{beside}", "/", "/..", "nowhere", "mnt",
                    "/proc/self/root{beside}", "/proc/1/root{beside}"):
        def _destination(t, dest=_dest, target=_target):
            os.rmdir(f"{t.rootfs}/mnt")
            os.symlink(target.format(beside=t.beside), f"{t.rootfs}/mnt")
            t.edit({"+mounts": [{"destination": dest, "type": "tmpfs", "source": "x-marks-it",
                                 "options": ["size=16k"]}]})
            t.probe("report", "mounts")
            r = t.run()
            contained(t, r)
            # what was mounted is in the container, and not where only its maker sees it
            t.check(r.rc != 0 or "x-marks-it" in r.out, f"the mount is nowhere: {r}")
        case(f"destination {_dest} through a link to {_target.format(beside='beside')}")(
            _destination)


# CVE-2025-31133, CVE-2025-62161: what masks must be the real null device
for _what in ("link", "fifo", "file", "zero", "directory"):
    def _null(t, what=_what):
        for at in ("/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"):
            remove_mount(t.config, at)
        path = f"{t.rootfs}/dev/null"
        if what == "link":
            os.symlink(f"{t.beside}/null", path)
        elif what == "fifo":
            os.mkfifo(path)
        elif what == "file":
            t.write(path, "not null")
        elif what == "zero":
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
        else:
            os.mkdir(path)
        t.write(f"{t.rootfs}/etc/secret", "secret")
        t.edit({"+linux.maskedPaths": ["/etc/secret"]})
        t.probe("read", "/etc/secret")
        r = t.run()
        contained(t, r)
        if r.rc == 0:
            t.equal(t.decode(r.out), {"/etc/secret": ""}, "the masked file")
    case(f"/dev/null of the image is a {_what}")(_null)


# CVE-2025-52881 and its ancestors: what looks like /proc must be /proc
@case("/proc is a tmpfs of the configuration, with a sysctl")
def _(t):
    t.config["mounts"][0] = {"destination": "/proc", "type": "tmpfs", "source": "x"}
    t.edit({"linux.sysctl": {"net.ipv4.ip_forward": "1"}, "linux.maskedPaths": [],
            "linux.readonlyPaths": []})
    contained(t, t.run())


@case("a directory of the host in a bind over what is written")
def _(t):
    t.edit({"+mounts": [{"destination": "/proc/self/attr", "type": "bind", "source": t.beside,
                         "options": ["bind"]}]})
    t.expect_failure("inside /proc")


# CVE-2019-5736: the program is the runtime itself
@case("/proc/self/exe as the program")
def _(t):
    os.symlink("/proc/self/exe", f"{t.rootfs}/bin/self")
    before = os.stat(t.cleat_path)
    t.args("/bin/self", "--version")
    r = t.run()
    after = os.stat(t.cleat_path)
    t.check("version" not in r.out, f"the runtime ran inside: {r}")
    t.equal((after.st_ino, after.st_size, after.st_mtime_ns),
            (before.st_ino, before.st_size, before.st_mtime_ns), "the binary")


@case("/proc/self/exe as the interpreter of a script")
def _(t):
    t.write(f"{t.rootfs}/script", "#!/proc/self/exe\n", 0o755)
    t.args("/script")
    t.check("version" not in t.run().out, "the runtime ran inside")


# CVE-2024-21626: a directory that is a descriptor of the runtime
for _fd in range(3, 12):
    def _cwd(t, fd=_fd):
        t.edit({"process.cwd": f"/proc/self/fd/{fd}"})
        t.probe("list", "../../../..")
        r = t.run()
        if r.rc == 0:
            t.check("probe" in r.out, f"it is outside: {r}")
    case(f"cwd is /proc/self/fd/{_fd}")(_cwd)


# CVE-2022-29162: nothing is inheritable that was not asked for
@case("nothing is inheritable by default")
def _(t):
    t.expect(t.run_probe(), {"capabilities.inheritable": 0, "capabilities.ambient": 0})


# CVE-2022-24769, CVE-2026-*: files of the image that look like configuration
@case("configuration in the image has no effect")
def _(t):
    for name in ("config.json", ".krun_vm.json", "mtab"):
        t.write(f"{t.rootfs}/{name}", '{"process": {"args": ["/bin/false"]}}')
    t.probe("say", "ran")
    t.equal(t.run().out, "ran\n", "the output")


# CVE-2026-47262 and others: what is read of the image is bounded
for _name in ("passwd", "group"):
    def _passwd_fifo(t, name=_name):
        os.mkfifo(f"{t.rootfs}/etc/{name}")
        t.edit({"process.env": ["A=1"], "process.user": {"uid": 5, "gid": 5}})
        contained(t, t.run())

    def _passwd_link(t, name=_name):
        os.symlink(f"{t.beside}/passwd", f"{t.rootfs}/etc/{name}")
        t.edit({"process.env": ["A=1"], "process.user": {"uid": 5, "gid": 5}})
        contained(t, t.run())

    def _passwd_big(t, name=_name):
        with open(f"{t.rootfs}/etc/{name}", "wb") as f:
            f.truncate(1 << 40)
        t.edit({"process.env": ["A=1"], "process.user": {"uid": 5, "gid": 5}})
        contained(t, t.run())
    case(f"/etc/{_name} is a fifo")(_passwd_fifo)
    case(f"/etc/{_name} is a link out of the root")(_passwd_link)
    case(f"/etc/{_name} is a terabyte of nothing")(_passwd_big)


@case("/etc/passwd is a device that gives without end")
def _(t):
    os.mknod(f"{t.rootfs}/etc/passwd", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    t.edit({"process.env": ["A=1"]})
    contained(t, t.run())


# CVE-2016-9962: nobody may look into init before it runs the program
@case("a created container cannot be traced from inside another of the same user namespace")
def _(t):
    t.edit(user_namespace())
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    # the files of a process that is not dumpable belong to root
    owner = os.stat(f"/proc/{pid}/fd").st_uid
    t.delete("--force")
    t.equal(owner, 0, "the owner of /proc/PID/fd")


@case("a shared volume in which directories become links all the time")
def _(t):
    """CVE-2021-30465 and GHSA-3q8j: mounts, masks and devices below what another one changes."""
    volume = f"{t.dir}/volume"
    os.makedirs(f"{volume}/a/b")
    os.symlink(t.beside, f"{volume}/link")
    t.edit({"+mounts": [
        {"destination": "/mnt", "type": "bind", "source": volume, "options": ["rbind"]},
        {"destination": "/mnt/a/b", "type": "tmpfs", "source": "x", "options": ["size=16k"]},
        {"destination": "/mnt/a/new/c", "type": "tmpfs", "source": "x", "options": ["size=16k"]}],
        "+linux.maskedPaths": ["/mnt/a/null"], "+linux.readonlyPaths": ["/mnt/a"],
        "linux.devices": [{"path": "/mnt/a/dev/x", "type": "c", "major": 1, "minor": 3}],
        "process.cwd": "/mnt/a/cwd"})
    t.probe("exit", "0")
    t.write_config()
    # RENAME_EXCHANGE of the directory and the link, as fast as it goes
    racer = subprocess.Popen(
        ["python3", "-c",
         "import ctypes, sys\nlibc = ctypes.CDLL(None)\na, b = (x.encode() for x in sys.argv[1:])\n"
         "print('on', flush=True)\n"
         "while True: libc.renameat2(-100, a, -100, b, 2)", f"{volume}/a", f"{volume}/link"],
        stdout=subprocess.PIPE)
    racer.stdout.readline()
    try:
        for _ in range(150):
            contained(t, t.cleat("run", "--bundle", t.bundle, t.id))
    finally:
        racer.kill()
        racer.communicate(timeout=TIMEOUT)


@case("a volume shared with the host, mounted and unmounted all the time")
def _(t):
    volume = f"{t.dir}/volume"
    os.makedirs(f"{volume}/a")
    stop = threading.Event()

    def remount():
        while not stop.is_set():
            kernel.mount("flicker", f"{volume}/a", "tmpfs", 0, "size=16k")
            kernel.umount(f"{volume}/a")

    t.edit({"+mounts": [
        {"destination": "/mnt", "type": "bind", "source": volume, "options": ["rbind", "rslave"]},
        {"destination": "/mnt/a/b", "type": "tmpfs", "source": "x", "options": ["size=16k"]}]})
    t.probe("exit", "0")
    t.write_config()
    racer = threading.Thread(target=remount)
    racer.start()
    try:
        for _ in range(60):
            contained(t, t.cleat("run", "--bundle", t.bundle, t.id))
    finally:
        stop.set()
        racer.join()


for _name in ("proc", "sys"):
    def _link(t, name=_name):
        """Masks go by path: what they are for may not lie behind a link of the image."""
        os.rmdir(f"{t.rootfs}/{name}")
        os.mkdir(f"{t.rootfs}/elsewhere")
        os.symlink("/elsewhere", f"{t.rootfs}/{name}")
        t.write_config()
        t.fails("must be mounted on ordinary directory, not on a link or a file: "
                f"'/{name}'", "run", "--bundle", t.bundle, t.id)
        t.equal(os.listdir(f"{t.rootfs}/elsewhere"), [], "the directory behind the link")
    case(f"/{_name} is a link")(_link)
