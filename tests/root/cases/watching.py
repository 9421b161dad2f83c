# SPDX-License-Identifier: Apache-2.0
"""pause, resume, ps: what changes or shows a living container."""
import json

from cases.lifecycle import created, started, stopped
from frame.case import case


@case("pause and resume")
def _(t):
    started(t)
    t.ok("pause", t.id)
    t.equal(t.state()["status"], "paused", "the status")
    t.fails("container paused", "pause", t.id)
    t.fails("that is not stopped: paused", "delete", t.id)
    t.ok("resume", t.id)
    t.equal(t.state()["status"], "running", "the status")
    t.fails("container not paused", "resume", t.id)
    t.delete("--force")


@case("pause before start")
def _(t):
    created(t)
    t.ok("pause", t.id)
    t.equal(t.state()["status"], "paused", "the status")
    t.ok("resume", t.id)
    t.equal(t.state()["status"], "created", "the status")
    t.delete("--force")


@case("pause of a stopped container")
def _(t):
    stopped(t)
    t.fails("container not running", "pause", t.id)
    t.fails("container not paused", "resume", t.id)
    t.delete()


@case("SIGKILL ends a paused container")
def _(t):
    pid = started(t)
    t.ok("pause", t.id)
    t.ok("kill", t.id, "KILL")
    t.equal(t.wait_for_end(pid), -9, "the status")
    t.delete()


@case("delete --force of a paused container")
def _(t):
    started(t)
    t.ok("pause", t.id)
    t.delete("--force")


@case("ps as JSON, in every state")
def _(t):
    pid = created(t)
    for change in ("start", "pause", "resume"):
        t.equal(json.loads(t.ok("ps", "--format", "json", t.id).out), [pid], "before " + change)
        t.ok(change, t.id)
    t.ok("kill", t.id, "KILL")
    t.wait_for_end(pid)
    t.equal(t.ok("ps", "-f", "json", t.id).out, "null\n", "of a stopped container")
    t.delete()
    t.fails("does not exist", "ps", t.id)


@case("ps as a table", needs="file:/usr/bin/ps")
def _(t):
    pid = started(t)
    lines = t.ok("ps", t.id).out.splitlines()
    t.equal(lines[0].split()[:3], ["UID", "PID", "PPID"], "the heading")
    t.equal([line.split()[1] for line in lines[1:]], [str(pid)], "the processes")
    lines = t.ok("ps", t.id, "-e", "-o", "stat,pid,comm").out.splitlines()
    t.equal(lines[0].split(), ["STAT", "PID", "COMMAND"], "the heading")
    t.equal([line.split()[1:] for line in lines[1:]], [[str(pid), "probe"]], "the processes")
    t.fails("has no column PID", "ps", t.id, "-e", "-o", "comm")
    t.fails("ps: exited with status 1", "ps", t.id, "--no-such-word")
    t.delete("--force")
