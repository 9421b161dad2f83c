# SPDX-License-Identifier: Apache-2.0
"""checkpoint and restore, where CRIU works; what is said where it does not."""
import os
import subprocess

from frame.case import Skip, case
from frame.trial import TIMEOUT

COUNTER = "i=0; while :; do i=$((i+1)); echo count $i; /bin/busybox usleep 50000; done"
OPTIONS = ("--network-lock", "skip")


class Counting:
    def __init__(self, t):
        self.t = t
        t.busybox()
        t.edit({"+mounts": [{"destination": "/mnt", "source": t.beside, "options": ["rbind"]}],
                "root.readonly": False})
        t.args("/bin/sh", "-c", "echo kept >/tmp/file; exec 5</mnt/passwd; " + COUNTER)
        t.write_config()
        self.run("run")
        t.wait_for_line("count 3\n")

    def run(self, verb, *words):
        command = self.t.command(verb, "--detach", *words, "--bundle", self.t.bundle, self.t.id)
        r = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=self.t.output.writer,
                           stderr=self.t.output.writer, timeout=TIMEOUT, check=False)
        self.t.check(r.returncode == 0, f"{verb}: {self.t.out()}")

    def last(self):
        return max(int(x.split()[1]) for x in self.t.out().splitlines()
                   if x.startswith("count ") and x.split()[1:])


@case("a counter goes on where it was", needs="busybox criu")
def _(t):
    c = Counting(t)
    images = f"{t.dir}/images"
    t.ok("checkpoint", *OPTIONS, "--image-path", images, t.id)
    t.check(t.cleat("state", t.id).rc != 0, "the container still exists")
    before = c.last()
    c.run("restore", *OPTIONS, "--image-path", images)
    t.equal(t.state()["status"], "running", "the status")
    t.wait_for_line(f"count {before + 3}\n")
    t.check(f"count {before + 1}\ncount {before + 2}\n" in t.out(), f"a gap: {t.out()}")
    pid = t.state()["pid"]
    t.equal(os.readlink(f"/proc/{pid}/fd/5"), "/mnt/passwd", "the open file")
    with open(f"/proc/{pid}/root/mnt/passwd", encoding="utf-8") as f:
        t.equal(f.read(), "beside passwd\n", "the bind")
    t.delete("--force")


@case("leave-running and a second image", needs="busybox criu")
def _(t):
    c = Counting(t)
    t.ok("checkpoint", *OPTIONS, "--leave-running", "--image-path", f"{t.dir}/one", t.id)
    t.wait_for_line(f"count {c.last() + 3}\n")
    t.ok("checkpoint", *OPTIONS, "--image-path", f"{t.dir}/two", "--work-path", f"{t.dir}/logs",
         t.id)
    t.check(os.path.exists(f"{t.dir}/logs/dump.log"), "no log in the directory of logs")
    t.check(not os.path.exists(f"{t.dir}/two/dump.log"), "a log beside the images")


@case("pages that were dumped before", needs="busybox criu")
def _(t):
    c = Counting(t)
    r = t.cleat("checkpoint", *OPTIONS, "--pre-dump", "--image-path", f"{t.dir}/before", t.id)
    if "Tracking memory is not available" in r.err:
        t.delete("--force")
        raise Skip("this kernel does not track changes of memory")
    t.check(r.rc == 0, f"pre-dump: {r}")
    t.equal(t.state()["status"], "running", "the status after a pre-dump")
    images = f"{t.dir}/images"
    t.ok("checkpoint", *OPTIONS, "--image-path", images, "--parent-path", "../before", t.id)
    t.equal(os.readlink(f"{images}/parent"), "../before", "where the other pages are")
    before = c.last()
    c.run("restore", *OPTIONS, "--image-path", images)
    t.wait_for_line(f"count {before + 3}\n")
    t.delete("--force")


@case("images that are broken", needs="busybox criu")
def _(t):
    Counting(t)
    t.ok("checkpoint", *OPTIONS, "--image-path", f"{t.dir}/images", t.id)
    os.unlink(f"{t.dir}/images/inventory.img")
    t.fails(f"restore '{t.id}': criu restore failed: .*whole log is in", "restore", *OPTIONS,
            "--image-path", f"{t.dir}/images", "--bundle", t.bundle, t.id)
    t.equal([n for n in os.listdir(t.root) if n[0] != "."], [], "the records")


@case("a container that is not running", needs="criu")
def _(t):
    t.probe()
    t.create()
    t.fails("container not running", "checkpoint", "--image-path", f"{t.dir}/images", t.id)
    t.delete("--force")


@case("words that are wrong")
def _(t):
    for pattern, *words in [
            ("--manage-cgroups-mode.*'hard'", "--manage-cgroups-mode", "hard"),
            ("--network-lock.*'none'", "--network-lock", "none"),
            ("only 'network'", "--empty-ns", "pid"),
            ("requires an argument", "--image-path")]:
        t.fails(pattern, "checkpoint", *words, *(["x"] if len(words) > 1 else []))
    t.fails("'--status-fd'", "checkpoint", "--status-fd", "77", "x")
    t.fails("requires an argument", "restore", "--lsm-mount-context")


@case("help fails where there is no CRIU, or none that works")
def _(t):
    where = [f"{d}/criu" for d in
             ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")]
    criu = next((path for path in where if os.access(path, os.X_OK)), None)
    works = criu and subprocess.run([criu, "check"], capture_output=True, check=False).returncode == 0
    for verb in ("checkpoint", "restore"):
        r = t.cleat(verb, "--help", env={"PATH": "/nowhere"})
        t.equal(r.rc == 0, bool(works), f"whether {verb} --help succeeds")
        if not works:
            t.check_message(r, "criu check" if criu else "is not installed")
