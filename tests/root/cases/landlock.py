# SPDX-License-Identifier: Apache-2.0
"""Landlock, which an annotation asks for: what the program may still do."""
import json
import os

from frame.case import case, failure_rows
from frame.config import user_namespace

ALL = ["execute", "write_file", "read_file", "read_dir", "remove_dir", "remove_file", "make_char",
       "make_dir", "make_reg", "make_sock", "make_fifo", "make_block", "make_sym", "refer",
       "truncate", "ioctl_dev"]
PROGRAMS = {"allowedAccess": ["execute", "read_file", "read_dir"], "paths": ["/bin", "/proc", "/dev"]}


def landlock(handled, *beneath, network=(), ports=(), **more):
    return {
        "process.noNewPrivileges": True,
        "annotations": {"run.cleat.landlock": json.dumps({
            "ruleset": {"handledAccessFS": handled, "handledAccessNetwork": list(network)},
            "rules": {"pathBeneath": list(beneath), "networkPort": list(ports)}, **more})}}


def shell(t, script):
    t.busybox()
    t.args("/bin/sh", "-c", script)
    r = t.run()
    return r.out.split()


WRITE = {"allowedAccess": ["write_file", "make_reg", "truncate", "read_file"], "paths": ["/tmp", "/dev"]}
SCRIPT = ("(echo x >/tmp/a) 2>/dev/null && echo tmp; (echo x >/etc/b) 2>/dev/null && echo etc; "
          "echo end")


@case("what is not allowed is refused", needs="busybox landlock")
def _(t):
    t.edit(landlock(ALL, PROGRAMS, WRITE))
    t.equal(shell(t, SCRIPT), ["tmp", "end"], "what could be written")


@case("without the annotation all is allowed", needs="busybox landlock")
def _(t):
    t.edit({"process.noNewPrivileges": True})
    t.equal(shell(t, SCRIPT), ["tmp", "etc", "end"], "what could be written")


@case("what is not handled is not restricted", needs="busybox landlock")
def _(t):
    t.edit(landlock(["make_dir"], PROGRAMS))
    t.equal(shell(t, SCRIPT + "; mkdir /tmp/d 2>/dev/null && echo dir"), ["tmp", "etc", "end"],
            "what could be written")


@case("for a user, and a path that only root may enter", needs="busybox landlock")
def _(t):
    os.makedirs(f"{t.rootfs}/closed/x", 0o700)
    os.chmod(f"{t.rootfs}/closed", 0o700)
    os.chmod(f"{t.rootfs}/tmp", 0o1777)
    t.edit({**landlock(ALL, PROGRAMS, {**WRITE, "paths": ["/tmp", "/dev", "/closed/x"]}),
            "process.user": {"uid": 12, "gid": 12}})
    t.equal(shell(t, SCRIPT), ["tmp", "end"], "what could be written")


@case("in a user namespace", needs="busybox landlock")
def _(t):
    t.edit({**user_namespace(), **landlock(ALL, PROGRAMS, WRITE)})
    t.equal(shell(t, SCRIPT), ["tmp", "end"], "what could be written")


@case("with a filter that knows nothing of it", needs="busybox landlock")
def _(t):
    t.edit({**landlock(ALL, PROGRAMS, WRITE), "linux.seccomp": {
        "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{
            "names": ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"],
            "action": "SCMP_ACT_ERRNO"}]}})
    t.equal(shell(t, SCRIPT), ["tmp", "end"], "what could be written")


failure_rows([
    ("a program that may not be executed", landlock(["execute"]), "permission denied", "landlock"),
    ("a path that is missing", landlock(
        ["execute"], {"allowedAccess": ["execute"], "paths": ["/no/such"]}),
     "/no/such.*no such file", "landlock"),
    ("without no_new_privs", {"annotations": landlock(["execute"])["annotations"]},
     "noNewPrivileges"),
])
