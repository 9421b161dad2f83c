# SPDX-License-Identifier: Apache-2.0
"""No command sleeps, and none waits again and again: what happens wakes it.

Every command is traced in all its processes. A sleep is a failure wherever it is, and so is
a wait that ends by its time-out, as one that polls has them. A host without any v2 tree,
where nothing tells of the end of a cgroup, is not asked.
"""
import json
import subprocess

from frame import cgroups, traces
from frame.case import Skip, case
from frame.config import namespaces
from frame.trial import TIMEOUT

NEEDS = "program:strace cgroup2"


class Traces:
    def __init__(self, t):
        self.t, self.files = t, {}

    def run(self, *words):
        """A command under strace, which goes on as long as the container does."""
        t, path = self.t, f"{self.t.dir}/trace-{len(self.files)}"
        self.files[" ".join(w for w in words if w not in (t.id, t.bundle))] = path
        with open(f"{t.dir}/trace-err", "w+", encoding="utf-8", errors="replace") as err:
            p = subprocess.run(traces.command(path, *t.command(*words)),
                               stdin=subprocess.DEVNULL, stdout=t.output.writer, stderr=err,
                               timeout=TIMEOUT, check=False)
            err.seek(0)
            said = err.read()
        if "ptrace" in said:
            raise Skip("strace cannot trace here: " + said.strip()[-200:])
        t.check(p.returncode == 0, f"{words}: status {p.returncode}: {said}")

    def check(self):
        """When all containers have gone, and their tracers with them."""
        wrong = []
        for name, path in self.files.items():
            wrong += traces.complaints(name, self.t.read(path))
        self.t.check(not wrong, "\n".join(wrong))


@case("no command sleeps or polls", needs=NEEDS)
def _(t):
    seen = Traces(t)
    t.probe("sleep")
    t.write_config()
    seen.run("create", "--bundle", t.bundle, t.id)
    pid = t.state()["pid"]
    for words in (("state",), ("start",), ("ps", "--format", "json"), ("events", "--stats"),
                  ("stats",), ("pause",), ("resume",)):
        seen.run(*words, t.id)
        if words == ("start",):
            t.wait_for_line("ready")
    seen.run("list")
    seen.run("exec", t.id, "/probe", "exit", "0")
    if cgroups.has("pids"):
        seen.run("update", "--pids-limit", "50", t.id)
    more = f"{t.dir}/more.json"
    t.write(more, json.dumps([{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}]))
    for words in (("add", t.id, more), ("list", t.id), ("remove", t.id, more)):
        seen.run("mounts", *words)
    seen.run("kill", t.id, "TERM")
    t.wait_for_end(pid)
    seen.run("wait", t.id)
    seen.run("delete", t.id)
    t.probe("exit", "0")
    t.write_config()
    seen.run("run", "--bundle", t.bundle, t.id)
    seen.check()


@case("neither does the end of a running container", needs=NEEDS)
def _(t):
    seen = Traces(t)
    for words, payload in ((("stop",), "sleep"), (("delete", "--force"), "ignore-term")):
        t.probe(payload)
        t.write_config()
        seen.run("run", "--detach", "--record-exit", "--bundle", t.bundle, t.id)
        t.wait_for_line("ready")
        t.output.text = ""
        seen.run(*words, t.id)
        t.ok("delete", "--force", t.id)
    seen.check()


@case("nor that of one whose processes others see", needs=NEEDS)
def _(t):
    """Many processes, which do not die with init: the cgroup has to become empty."""
    seen = Traces(t)
    t.edit({"linux.namespaces": namespaces("network", "ipc", "uts", "mount", "cgroup")})
    t.probe("children", "20")
    t.write_config()
    for paused in (False, True):
        seen.run("run", "--detach", "--bundle", t.bundle, t.id)
        t.wait_for_line("ready")
        if paused:
            t.ok("pause", t.id)
        t.output.text = ""
        seen.run("delete", "--force", t.id)
    seen.check()
