# SPDX-License-Identifier: Apache-2.0
"""No command sleeps, and none waits again and again: what happens wakes it.

Every command is traced in all its processes. A sleep is a failure wherever it is, and so is
a wait that ends by its time-out, as one that polls has them. A host without any v2 tree,
where nothing tells of the end of a cgroup, is not asked.
"""
import re
import subprocess

from frame import cgroups
from frame.case import Skip, case
from frame.config import namespaces
from frame.trial import TIMEOUT

WAITS = ("poll,ppoll,select,pselect6,epoll_wait,epoll_pwait,epoll_pwait2,futex,rt_sigtimedwait,"
         "semtimedop,mq_timedreceive,io_getevents")
SLEEPS = "nanosleep,clock_nanosleep,alarm,setitimer,timer_settime"
SLEEP = re.compile(r"^\d+ +(nanosleep|clock_nanosleep|alarm|setitimer|timer_settime)\(", re.M)
# one with no time to wait for is a question
TIMED_OUT = re.compile(r"^(?!.*(\bpoll\(.*, 0\)|tv_sec=0, tv_nsec=0}.*\)) = 0)"
                       r".*(= 0 \(Timeout\)|= -1 ETIMEDOUT).*$", re.M)
NEEDS = "program:strace cgroup2"


class Traces:
    def __init__(self, t):
        self.t, self.files = t, {}

    def run(self, *words):
        """A command under strace, which goes on as long as the container does."""
        t, path = self.t, f"{self.t.dir}/trace-{len(self.files)}"
        self.files[" ".join(w for w in words if w not in (t.id, t.bundle))] = path
        with open(f"{t.dir}/trace-err", "w+", encoding="utf-8", errors="replace") as err:
            p = subprocess.run(["strace", "-D", "-f", "-qq", "-o", path, "-e",
                                f"trace={WAITS},{SLEEPS},execve", *t.command(*words)],
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
            text = self.t.read(path)
            self.t.check("execve(" in text, f"{name}: nothing was traced: '{text}'")
            for pattern, what in ((SLEEP, "sleeps"), (TIMED_OUT, "waits in vain")):
                found = pattern.search(text)
                if found:
                    wrong.append(f"{name} {what}: {found.group(0)}")
        self.t.check(not wrong, "\n".join(wrong))


@case("no command sleeps or polls", needs=NEEDS)
def _(t):
    traces = Traces(t)
    t.probe("sleep")
    t.write_config()
    traces.run("create", "--bundle", t.bundle, t.id)
    pid = t.state()["pid"]
    for words in (("state",), ("start",), ("ps", "--format", "json"), ("events", "--stats"),
                  ("stats",), ("pause",), ("resume",)):
        traces.run(*words, t.id)
        if words == ("start",):
            t.wait_for_line("ready")
    traces.run("list")
    traces.run("exec", t.id, "/probe", "exit", "0")
    if cgroups.has("pids"):
        traces.run("update", "--pids-limit", "50", t.id)
    traces.run("kill", t.id, "TERM")
    t.wait_for_end(pid)
    traces.run("wait", t.id)
    traces.run("delete", t.id)
    t.probe("exit", "0")
    t.write_config()
    traces.run("run", "--bundle", t.bundle, t.id)
    traces.check()


@case("neither does the end of a running container", needs=NEEDS)
def _(t):
    traces = Traces(t)
    for words, payload in ((("stop",), "sleep"), (("delete", "--force"), "ignore-term")):
        t.probe(payload)
        t.write_config()
        traces.run("run", "--detach", "--bundle", t.bundle, t.id)
        t.wait_for_line("ready")
        t.output.text = ""
        traces.run(*words, t.id)
        t.ok("delete", "--force", t.id)
    traces.check()


@case("nor that of one whose processes others see", needs=NEEDS)
def _(t):
    """Many processes, which do not die with init: the cgroup has to become empty."""
    traces = Traces(t)
    t.edit({"linux.namespaces": namespaces("network", "ipc", "uts", "mount", "cgroup")})
    t.probe("children", "20")
    t.write_config()
    for paused in (False, True):
        traces.run("run", "--detach", "--bundle", t.bundle, t.id)
        t.wait_for_line("ready")
        if paused:
            t.ok("pause", t.id)
        t.output.text = ""
        traces.run("delete", "--force", t.id)
    traces.check()
