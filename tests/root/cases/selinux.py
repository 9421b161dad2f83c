# SPDX-License-Identifier: Apache-2.0
"""SELinux labels, where a policy is loaded (tests/vm/run --selinux)."""
import json
import os

from frame.case import case, failure_rows

# What the policies of Debian and of Fedora both know.
LABEL = "system_u:system_r:container_t:s0:c1,c2"
FILES = "system_u:object_r:container_file_t:s0:c1,c2"


def label_of(pid):
    with open(f"/proc/{pid}/attr/current", encoding="ascii") as f:
        return f.read().rstrip("\n\0")


def label_of_file(path):
    return os.getxattr(path, "security.selinux").decode().rstrip("\0")


@case("the process has its label, also for exec", needs="selinux busybox")
def _(t):
    t.busybox()
    t.edit({"process.selinuxLabel": LABEL})
    t.args("/bin/sh", "-c", "echo ready; exec sleep 1000")
    t.create()
    t.ok("start", t.id)
    pid = t.state()["pid"]
    t.wait_for_line("ready")
    t.equal(label_of(pid), LABEL, "the label")
    t.equal(t.ok("exec", t.id, "/bin/cat", "/proc/self/attr/current").out.strip("\n\0"), LABEL,
            "the label of exec")
    silent = {"args": ["/bin/cat", "/proc/self/attr/current"], "cwd": "/",
              "user": {"uid": 0, "gid": 0}}
    done = t.ok("exec", "--process", "-", t.id, text=json.dumps(silent))
    t.equal(done.out.strip("\n\0"), LABEL, "the label of exec whose file has none")
    other = LABEL.replace("c1,c2", "c3,c4")
    done = t.ok("exec", "--process-label", other, t.id, "/bin/cat", "/proc/self/attr/current")
    t.equal(done.out.strip("\n\0"), other, "the label of exec that was asked for")
    t.delete("--force")


@case("new file systems have the label of mounts", needs="selinux")
def _(t):
    paths = ("/dev", "/dev/shm", "/dev/null", "/dev/pts/ptmx", "/dev/mqueue", "/proc/acpi")
    t.edit({"linux.mountLabel": FILES, "linux.maskedPaths": ["/proc/acpi"]})
    t.probe("sleep")
    t.create()
    root = f"/proc/{t.state()['pid']}/root"
    found = {path: label_of_file(root + path) for path in paths}
    proc = label_of_file(root + "/proc/1")
    t.delete("--force")
    t.equal(found, {path: FILES for path in paths}, "the labels")
    t.check(proc != FILES, "procfs keeps its own")


@case("queues that are read-only have the label, the host's keep theirs", needs="selinux")
def _(t):
    queues = label_of_file("/dev/mqueue")
    t.edit({"linux.mountLabel": FILES, "mounts": [
        {**m, "options": ["ro", "nosuid"]} if m["type"] == "mqueue" else m
        for m in t.config["mounts"]]})
    t.probe("sleep")
    t.create()
    found = label_of_file(f"/proc/{t.state()['pid']}/root/dev/mqueue")
    t.delete("--force")
    t.equal(found, FILES, "the label")
    t.edit({"linux.namespaces": [n for n in t.config["linux"]["namespaces"] if n["type"] != "ipc"]})
    t.create()
    found = label_of_file(f"/proc/{t.state()['pid']}/root/dev/mqueue")
    t.delete("--force")
    t.equal((found, label_of_file("/dev/mqueue")), (queues, queues), "the label")


failure_rows([
    ("a label that the policy does not know",
     {"process.selinuxLabel": "nobody_u:nothing_r:none_t:s0"},
     "process.selinuxLabel: the SELinux policy does not know", "selinux"),
    ("a mount label that the policy does not know",
     {"linux.mountLabel": "nobody_u:nothing_r:none_t:s0"},
     "linux.mountLabel: the SELinux policy does not know", "selinux"),
])
