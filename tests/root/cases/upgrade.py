# SPDX-License-Identifier: Apache-2.0
"""Containers of the oldest release (tests/data/releases) under the newest, and of a later one.

contrib/dev/release builds the old executable. The other half, each form of the record that
a release has written, is in tests/unit/container/released.c.
"""
import contextlib
import json
import os
import socket
import subprocess

from frame.case import case
from frame.config import user_namespace
from frame.needs import RELEASE
from frame.phases import created, started
from cases.lifecycle import STATES
from cases.hooks import add, saw, seeing
from cases.seccomp import profile, rule


@contextlib.contextmanager
def oldest(t):
    """In this block the commands are those of the oldest release."""
    new = t.cleat_path
    t.cleat_path = subprocess.run([RELEASE], check=True, capture_output=True,
                                  encoding="utf-8").stdout.strip()
    yield
    t.cleat_path = new


def end(t):
    """A running container: what else there is to do with it, then its end."""
    pid = t.state()["pid"]
    r = t.ok("exec", t.id, "/probe", "say", "hello")
    t.equal(r.out, "hello\n", "what exec printed")
    t.check(str(pid) in t.ok("ps", t.id).out, "ps does not name init")
    t.ok("pause", t.id)
    t.equal(t.state()["status"], "paused", "the status")
    t.ok("resume", t.id)
    t.decode(t.ok("events", "--stats", t.id).out)
    t.ok("kill", t.id, "TERM")
    t.equal(t.wait_for_end(pid), 128 + 15, "the status of init")
    t.equal(t.state()["status"], "stopped", "the status")
    t.delete()


@case("created by the oldest release, all else by the newest", needs="oldest")
def _(t):
    t.edit({"annotations": {"a": "b"}})
    with oldest(t):
        pid = created(t)
        before = t.state()
    t.equal(t.state(), before, "the state")
    t.expect(before, {"status": "created", "pid": pid, "annotations": {"a": "b"}})
    t.ok("start", t.id)
    t.wait_for_line("ready")
    end(t)


@case("started by the oldest release, all else by the newest", needs="oldest")
def _(t):
    with oldest(t):
        started(t)
        before = t.state()
    t.equal(t.state(), before, "the state")
    end(t)


@case("update of a container of the oldest release, and again", needs="oldest cgroup:pids")
def _(t):
    t.edit({"linux.resources.pids.limit": 50})
    with oldest(t):
        started(t)
        t.ok("update", "--pids-limit", "40", t.id)
    t.ok("update", "--pids-limit", "30", t.id)
    stats = t.decode(t.ok("events", "--stats", t.id).out)
    t.equal(stats["data"]["pids"]["limit"], 30, "the limit")
    end(t)


for _name, _bring in STATES.items():
    def _delete(t, bring=_bring):
        with oldest(t):
            bring(t)
        t.delete("--force")
    case(f"delete --force of one that the oldest release left {_name}", needs="oldest")(_delete)


@case("in a user namespace, by the oldest release", needs="oldest")
def _(t):
    t.edit(user_namespace())
    with oldest(t):
        created(t)
    t.ok("start", t.id)
    t.wait_for_line("ready")
    report = t.decode(t.ok("exec", t.id, "/probe").out.strip().splitlines()[-1])
    t.expect(report, {"uids": [0] * 4, "hostname": "inside"})
    end(t)


@case("a program that is missing: the oldest release's init tells the newest start",
      needs="oldest")
def _(t):
    with oldest(t):
        created(t, "sleep")
    os.unlink(f"{t.rootfs}/probe")
    r = t.fails("/probe.*no such file", "start", t.id)
    t.check(r.rc == 1, f"the status: {r}")
    t.delete("--force")


@case("a seccomp listener: the oldest release's init hands it to the newest start",
      needs="oldest")
def _(t):
    path, listener = t.listen("seccomp.sock")
    t.edit(profile(rule("chroot", "SCMP_ACT_NOTIFY"), listenerPath=path))
    with oldest(t):
        created(t)
    t.ok("start", t.id)
    peer, _ = listener.accept()
    data, fds, _, _ = socket.recv_fds(peer, 65536, 4)
    for fd in fds:
        os.close(fd)
    peer.close()
    listener.close()
    t.delete("--force")
    t.equal((len(fds), t.decode(data)["state"]["id"]), (1, t.id), "descriptors and id")


@case("poststop hooks of a container of the oldest release", needs="oldest")
def _(t):
    out = seeing(t, "poststop")
    with oldest(t):
        created(t)
    t.delete("--force")
    t.expect(json.loads(saw(t, out)["state"]), {"id": t.id, "status": "stopped"})


@case("a creation of the oldest release that was killed", needs="oldest")
def _(t):
    add(t, "createRuntime", t.script("killer", "kill -9 $PPID\n"))
    with oldest(t):
        t.probe("sleep")
        t.write_config()
        r = t.start_command("create", "--bundle", t.bundle, t.id, expect=None)
    t.equal(r.rc, -9, "the status of create")
    t.delete("--force")


# --- the way back: a later release's container --------------------------------------------------

def everything(t):
    """Each file of the container's directory with all that could be changed of it."""
    found = {}
    top = f"{t.root}/{t.id}"
    for name in sorted(os.listdir(top)):
        st = os.lstat(f"{top}/{name}")
        text = t.read(f"{top}/{name}") if name.endswith(".json") else None
        found[name] = (st.st_ino, st.st_mode, st.st_mtime_ns, text)
    return found


VERBS = [["state"], ["start"], ["kill", "--all"], ["kill"], ["delete"], ["delete", "--force"],
         ["exec", "+", "/probe"], ["pause"], ["resume"], ["ps"], ["events", "--stats"],
         ["update", "--pids-limit", "5"], ["wait"], ["stop"], ["mounts", "list"], ["stats"]]


@case("a container of a later release: one clear error, and nothing is touched")
def _(t):
    pid = started(t)
    path = f"{t.root}/{t.id}/state.json"
    record = t.read(path)
    later = {**json.loads(record), "version": 4711, "phase": {"not": "a word"}}
    t.write(path, json.dumps(later), 0o600)
    before = everything(t)
    try:
        for words in VERBS:
            words = [t.id if w == "+" else w for w in words]
            t.fails("belongs to a newer release: its state has version 4711",
                    *(words if t.id in words else [*words, t.id]))
        t.fails("already exists|newer release", "create", "--bundle", t.bundle, t.id)
        t.equal(everything(t), before, "the directory")
        t.check(os.path.exists(f"/proc/{pid}/exe"), "the container was killed")
        row = [c for c in json.loads(t.ok("list", "-f", "json").out) if c["id"] == t.id]
        t.equal([c["status"] for c in row], ["unknown"], "the status in the list")
    finally:
        t.write(path, record, 0o600)
    end(t)
