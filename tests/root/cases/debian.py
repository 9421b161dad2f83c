# SPDX-License-Identifier: Apache-2.0
"""A real distribution in the container: made by contrib/dev/debian-tree, kept in its cache."""
import os
import pathlib
import subprocess

from frame.case import Failed, Skip, case
from frame.config import user_namespace

TOP = pathlib.Path(__file__).resolve().parents[3]


def tree(t):
    """The tree unpacked into the case's root file system."""
    # made before the cases, which have no network
    p = subprocess.run([TOP / "contrib/dev/debian-tree", "-n", "bookworm"], capture_output=True,
                       encoding="utf-8", timeout=170, check=False)
    if p.returncode:
        raise Skip("no Debian tree: " + (p.stderr.strip().splitlines() or ["?"])[-1])
    for name in ("dev", "proc", "sys", "etc", "bin", "tmp", "mnt"):
        os.rmdir(f"{t.rootfs}/{name}")
    p = subprocess.run(["tar", "-C", t.rootfs, "--exclude=./dev/*", "--numeric-owner", "-xpf",
                        p.stdout.strip()], capture_output=True, check=False, timeout=120)
    if p.returncode:
        raise Failed(f"tar: {p.stderr}")


def output(t, *words):
    t.args(*words)
    r = t.run()
    t.check(r.rc == 0, f"failed: {r}")
    return r.out


@case("Debian: apt-get, a shell with pipes, users", needs="debian")
def _(t):
    tree(t)
    t.edit({"process.env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]})
    t.check(output(t, "apt-get", "--version").startswith("apt "), "not apt's version")
    t.equal(output(t, "sh", "-c", "printf '%s\\n' c a b | sort | head -n 2 | tr '\\n' ,"), "a,b,",
            "the pipe")
    t.equal(output(t, "bash", "-c", "cat <(echo one) <(echo two); echo $((6 * 7)) >>/dev/fd/1"),
            "one\ntwo\n42\n", "what bash does with /dev/fd")
    t.equal(output(t, "sh", "-c", "hostname; id -un; pwd; echo x >/tmp/f && cat /tmp/f"),
            "inside\nroot\n/\nx\n", "the output")
    t.check(int(output(t, "sh", "-c", "dpkg -l | grep -c ^ii").strip()) > 50, "few packages")
    t.edit({"process.user": {"uid": 65534, "gid": 65534}})
    t.equal(output(t, "sh", "-c", "id -un; cd; pwd"), "nobody\n/nonexistent\n".split("\n")[0] +
            "\n/\n", "the output of a user")


@case("Debian: in a user namespace, read-only", needs="debian")
def _(t):
    tree(t)
    t.edit({**user_namespace(((0, 0, 65536),)), "root.readonly": True,
            "process.env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]})
    t.equal(output(t, "sh", "-c", "id -u; touch /x 2>&1; echo y >/dev/shm/y; cat /dev/shm/y"),
            "0\ntouch: cannot touch '/x': Read-only file system\ny\n", "the output")
