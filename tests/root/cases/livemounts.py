# SPDX-License-Identifier: Apache-2.0
"""mounts add, remove and list on a container that runs."""
import json
import os

from frame.case import case
from frame.config import caps, user_namespace
from frame.phases import further, started

SCRIPT = "echo ready; while read line; do sh -c \"$line\" 2>&1; echo; echo end; done"


class Inside:
    """A shell in the container that is told what to do."""

    def __init__(self, t, edits=None):
        self.t = t
        self.reader, self.writer = os.pipe()
        t.busybox()
        t.edit(edits or {})
        t.args("/bin/sh", "-c", SCRIPT)
        t.write_config()
        t.start_command("run", "--detach", "--bundle", t.bundle, t.id, stdin=self.reader)
        t.wait_for_line("ready")
        self.turns = 0

    def says(self, command):
        before = len(self.t.out())
        os.write(self.writer, command.encode() + b"\n")
        text = self.t.out()[before:]
        while "\nend\n" not in text:
            self.t.check(self.t.output._more(20), f"no answer to '{command}': {text}")
            text = self.t.out()[before:]
        return text[:text.index("\nend\n")].strip()

    def end(self):
        os.close(self.reader)
        os.close(self.writer)
        self.t.delete("--force")


def mounts(t, *ends):
    listed = json.loads(t.ok("mounts", "--format", "json", "list", t.id).out)
    return sorted(m["destination"] for m in listed if m["destination"].startswith("/mnt"))


def bind(t, place, **more):
    return {"destination": place, "source": t.beside, "options": ["rbind"], **more}


def cases(title, edits):
    @case(title + ": add and remove", needs="busybox")
    def _(t):
        inside = Inside(t, edits)
        t.ok("mounts", "add", t.id, json.dumps([
            bind(t, "/mnt"), {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
                              "options": ["ro", "size=64k"]},
            {"destination": "/etc", "source": t.beside, "options": ["bind", "ro"]}]))
        t.equal(inside.says("cat /mnt/passwd /etc/passwd"), "beside passwd\nbeside passwd",
                "the files")
        t.check("Read-only" in inside.says("touch /etc/new"), "the read-only bind is writable")
        t.check("Read-only" in inside.says("touch /tmp/new"), "the read-only tmpfs is writable")
        t.equal(mounts(t), ["/mnt"], "the mounts listed")
        with open(f"{t.dir}/list", "w", encoding="utf-8") as f:
            json.dump([{"destination": "/mnt"}, {"destination": "/etc"}], f)
        t.ok("mounts", "remove", t.id, f"{t.dir}/list")
        t.equal(mounts(t), [], "the mounts listed")
        t.equal(inside.says("ls /mnt; cat /etc/passwd | head -c 0"),
                "cat: can't open '/etc/passwd': No such file or directory", "what is left")
        inside.end()

    @case(title + ": all or nothing", needs="busybox")
    def _(t):
        inside = Inside(t, edits)
        t.fails(r"mounts\[1\].*nofs", "mounts", "add", t.id, json.dumps([
            bind(t, "/mnt"), {"destination": "/tmp", "type": "nofs", "source": "x"}]))
        t.equal(mounts(t), [], "the mounts after a failure")
        t.ok("mounts", "add", t.id, "-", text=json.dumps([bind(t, "/mnt")]))
        t.fails("nothing is mounted on '/etc'", "mounts", "remove", t.id, json.dumps(
            [{"destination": "/mnt"}, {"destination": "/etc"}]))
        t.equal(inside.says("cat /mnt/passwd"), "beside passwd", "what was put back")
        inside.end()


cases("live", {})
cases("live in a user namespace", user_namespace())


@case("what cannot be added or removed", needs="busybox")
def _(t):
    inside = Inside(t)
    for pattern, *words in [
            ("type 'proc' cannot be added", "add",
             '[{"destination": "/mnt", "type": "proc", "source": "proc"}]'),
            ("'/' is the root", "remove", '[{"destination": "/"}]'),
            ("'/..' is the root", "remove", '[{"destination": "/.."}]'),
            ("destination", "add", '[{"source": "/tmp"}]'),
            ("needs a source", "add", '[{"destination": "/mnt", "options": ["bind"]}]'),
            ("/no/such", "add",
             '[{"destination": "/mnt", "source": "/no/such", "options": ["bind"]}]'),
            ("no such file", "add", "/no/such/file"),
            ("unknown action 'move'", "move", "[]")]:
        t.fails(pattern, "mounts", words[0], t.id, words[1])
    t.equal(mounts(t), [], "the mounts")
    inside.end()


@case("a container that does not run")
def _(t):
    t.probe()
    t.create()
    t.ok("kill", t.id, "KILL")
    t.fails("not running|does not exist", "mounts", "add", "nobody", "[]")
    t.delete("--force")


@case("list of names that somebody chose to be trouble")
def _(t):
    """Blanks and the like, which mountinfo has in octal; bytes that are no text; a terminal's."""
    names = {"/a b": "c d", "/tab\there": "\\040", "/x": "\udcff\udcfe", "/y": "\033[2J"}
    for name in names:
        os.mkdir(t.rootfs + name)
    started(t, edits={"process.capabilities": caps("SYS_ADMIN")})
    for name, source in names.items():
        further(t, t.id, "/probe", "syscall", "mount", source, name, "tmpfs")
    listed = json.loads(t.ok("mounts", "list", "--format", "json", t.id).out)
    table = t.ok("mounts", "list", t.id).out
    t.delete("--force")
    t.equal({m["destination"]: m["source"] for m in listed if m["destination"] in names},
            {**names, "/x": "\ufffd\ufffd"}, "the mounts")
    t.check("/a\\040b" in table and "\033" not in table, table)
