# SPDX-License-Identifier: Apache-2.0
"""78 to 85: where the cgroup is, update, pause and resume, start."""
import json
import os
import subprocess

from callers import Shim, environment
from contract import (created, ended, kill_and_wait, outcome, refused, remove_cgroups, requirement,
                      started, stopped)
from frame import cgroups
from frame.case import DELETE, Skip
from frame.config import remove_mount
from frame.trial import TIMEOUT
from frame.user import open_to_users


def _v2_place(pid):
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as f:
        return next((line[3:].rstrip("\n") for line in f if line.startswith("0::")), None)


@requirement(78, "cgroupsPath /a/b is that very directory, with memory.events in it",
             "BuildKit, shim, conmon", needs="cgroup2")
def _(t):
    t.edit({"linux.cgroupsPath": f"/{t.id}/buildkit/step"})
    pid = started(t)
    place = _v2_place(pid)
    path = f"{cgroups.v2_root()}/{t.id}/buildkit/step"
    events = os.path.exists(f"{path}/memory.events")
    t.delete("--force")
    remove_cgroups(t.id)
    t.equal(place, f"/{t.id}/buildkit/step", "the cgroup")
    if "memory" not in cgroups.v2_controllers():
        raise Skip("the path is right; memory is no controller of v2 here")
    t.check(events, "there is no memory.events")


@requirement(79, "slice:prefix:name with --systemd-cgroup is prefix-name.scope below the slice; an "
             "empty slice is system.slice, an empty prefix keeps its dash, NAME.slice makes a slice",
             "all with systemd", needs="systemd")
def _(t):
    t.globals = ["--systemd-cgroup"]
    rows = [(f"contract.slice:pre:{t.id}", f"/contract.slice/pre-{t.id}.scope"),
            (f"contract-a-b.slice:pre:{t.id}",
             f"/contract.slice/contract-a.slice/contract-a-b.slice/pre-{t.id}.scope"),
            (f":pre:{t.id}", f"/system.slice/pre-{t.id}.scope"),
            (f"system.slice::{t.id}", f"/system.slice/-{t.id}.scope"),
            (f"contract.slice::contract-{t.id.replace('-', '_')}.slice",
             f"/contract.slice/contract-{t.id.replace('-', '_')}.slice")]
    wrong = []
    for path, want in rows:
        t.edit({"linux.cgroupsPath": path})
        place = _v2_place(created(t))
        t.cleat("delete", "--force", t.id)
        if place != want:
            wrong.append(f"{path} became {place}")
    subprocess.run(["systemctl", "stop", "contract.slice"], check=False, timeout=TIMEOUT)
    t.check(not wrong, "\n".join(wrong))


def _as_user(t, *words):
    """A user with one id and nothing delegated."""
    open_to_users(t)
    return outcome(t, [t.cleat_path, "--root", t.root, *words], user=54321, group=54321,
                   extra_groups=[], env=environment(XDG_RUNTIME_DIR=f"{t.dir}/xdg"))


@requirement(80, "without cgroupsPath the id gives the path; without root, with no cgroup delegated, "
             "it runs all the same, and limits that cannot be had are told", "buildah, podman")
def _(t):
    t.edit({"linux.cgroupsPath": DELETE})
    place = _v2_place(started(t))
    t.delete("--force")
    if cgroups.v2_root():
        t.check(t.id in place, f"the cgroup is {place}")
    for path in (t.dir, t.bundle, t.rootfs):
        os.chown(path, 54321, 54321)
    os.mkdir(f"{t.dir}/xdg", 0o700)
    os.chown(f"{t.dir}/xdg", 54321, 54321)
    t.root = f"{t.dir}/xdg/root"
    t.edit({"linux.namespaces": [{"type": n} for n in ("user", "mount", "pid", "ipc", "uts")],
            "linux.uidMappings": [{"containerID": 0, "hostID": 54321, "size": 1}],
            "linux.gidMappings": [{"containerID": 0, "hostID": 54321, "size": 1}],
            "linux.resources": DELETE})
    for place in ("/dev/pts", "/dev/mqueue", "/sys", "/sys/fs/cgroup"):
        remove_mount(t.config, place)
    t.probe("say", "ran")
    t.write_config()
    r = _as_user(t, "run", "--bundle", t.bundle, t.id)
    t.check((r.rc, r.out) == (0, "ran\n"), f"as a user: {r}")
    t.edit({"linux.resources": {"pids": {"limit": 9}}})
    t.write_config()
    r = _as_user(t, "run", "--bundle", t.bundle, t.id)
    t.check("cgroup" in r.err or "limit" in r.err, f"with a limit: {r}")


@requirement(81, "--cgroup-manager disabled touches no cgroup; kill and delete still work", "podman")
def _(t):
    t.globals = ["--cgroup-manager", "disabled"]
    pid = started(t)
    t.equal(cgroups.named(t.id), [], "cgroups that were made")
    t.globals = []
    t.equal(t.state()["status"], "running", "the status")
    kill_and_wait(t, pid)
    t.delete()
    t.globals = ["--cgroup-manager=disabled"]
    started(t)
    t.delete("--force")


def _property(unit, name):
    p = subprocess.run(["systemctl", "show", "-p", name, "--value", unit], capture_output=True,
                       text=True, check=True, timeout=TIMEOUT)
    return p.stdout.strip()


@requirement(82, "annotations org.systemd.property.NAME are properties of the unit, in the text of "
             "GVariant; unknown annotations are ignored", "podman, CRI-O", needs="systemd")
def _(t):
    t.globals = ["--systemd-cgroup"]
    t.edit({"linux.cgroupsPath": f"system.slice:contract:{t.id}", "annotations": {
        "org.systemd.property.TimeoutStopUSec": "uint64 7000000",
        "org.systemd.property.DefaultDependencies": "false",
        "org.systemd.property.CollectMode": "'inactive-or-failed'",
        "org.systemd.property.After": "['basic.target', 'sysinit.target']",
        "io.example.nobody-knows": "x", "run.oci.nothing": "x"}})
    created(t)
    unit = f"contract-{t.id}.scope"
    found = [_property(unit, n) for n in ("TimeoutStopUSec", "CollectMode", "After")]
    t.delete("--force")
    t.equal(found[:2], ["7s", "inactive-or-failed"], "the properties")
    t.check("basic.target" in found[2] and "sysinit.target" in found[2], found[2])


def _pids_max(t):
    return cgroups.read("pids", "/" + t.id, "pids.max")


@requirement(83, "update takes --resources=-, --resources -, --resources FILE and -r FILE; 0 and what "
             "is absent stay as they were; in created, running and paused",
             "shim, CRI-O, podman, dockerd", needs="cgroup:pids")
def _(t):
    shim = Shim(t)
    t.edit({"linux.resources.pids": {"limit": 90}})
    created(t)
    path = f"{t.dir}/resources"
    limit = 10
    for change in ("start", "pause", "resume"):
        for words, text in ((["--resources=-"], True), (["--resources", "-"], True),
                            (["--resources", path], False), (["-r", path], False)):
            limit += 1
            t.write(path, json.dumps({"pids": {"limit": limit}}))
            with open(path if text else "/dev/null", "rb") as stdin:
                shim.ok("update", *words, t.id, stdin=stdin)
            t.equal(_pids_max(t), str(limit), f"pids.max after {words} before {change}")
        t.ok(change, t.id)
    # what older docker sends for what was not given
    t.write(path, json.dumps({"pids": {"limit": 0}, "memory": {"limit": 0, "swap": 0,
                                                               "reservation": 0},
                              "cpu": {"shares": 0, "quota": 0, "period": 0, "cpus": "", "mems": ""},
                              "blockIO": {"weight": 0}}))
    shim.ok("update", "--resources", path, t.id)
    kept = _pids_max(t)
    t.delete("--force")
    t.equal(kept, str(limit), "pids.max after zeros")


@requirement(84, "pause and resume in the wrong state fail at once: 'container not running', "
             "'container not paused'; also when init died while frozen", "shim, CRI-O")
def _(t):
    pid = started(t)
    refused(t, "container not paused", "resume", t.id)
    t.ok("pause", t.id)
    refused(t, r"paused|not running", "pause", t.id)
    t.ok("kill", t.id, "9")
    ended(t, pid)
    r = outcome(t, ["timeout", "5", *t.command("resume", t.id)])
    t.check(r.rc != 124, "resume of a container that died frozen hangs")
    refused(t, "container not running", "pause", t.id)
    refused(t, "container not paused|container not running", "resume", t.id)
    t.delete()
    stopped(t)
    refused(t, "container not running", "pause", t.id)
    t.delete()


@requirement(85, "start of a running or stopped container fails; a start that succeeds has let the "
             "command go", "all")
def _(t):
    pid = started(t)
    refused(t, r"\S", "start", t.id)
    t.equal(t.state()["status"], "running", "the status")
    kill_and_wait(t, pid)
    refused(t, r"\S", "start", t.id)
    t.delete()
    pid = created(t)
    t.check(not os.readlink(f"/proc/{pid}/exe").endswith("/probe"), "it runs before start")
    t.ok("start", t.id)
    t.wait_for_line("ready")
    t.check(os.readlink(f"/proc/{pid}/exe").endswith("/probe"), "it does not run after start")
    t.delete("--force")
