# SPDX-License-Identifier: Apache-2.0
"""linux.seccomp: actions, arguments, architectures, flags."""
import errno
import os
import socket

from frame.case import case, failure_rows, report_rows
from frame.phases import started

ALLOW = "SCMP_ACT_ALLOW"


def profile(*calls, default=ALLOW, **more):
    return {"linux.seccomp": {"defaultAction": default, "syscalls": list(calls), **more}}


def rule(name, action="SCMP_ACT_ERRNO", args=None, **more):
    return {"names": [name] if isinstance(name, str) else name, "action": action,
            **({"args": args} if args else {}), **more}


def arg(index, value, op, two=None):
    return {"index": index, "value": value, "op": op, **({"valueTwo": two} if two is not None
                                                         else {})}


def call(name, edits, words, error):
    @case(name)
    def _(t):
        t.edit(edits)
        t.expect(t.probe_result("syscall", *words), {"error": error})


report_rows([
    ("a filter is in force", profile(rule("chroot")), {"seccomp": 2}),
    ("a filter with no_new_privs", {**profile(rule("chroot")), "process.noNewPrivileges": True},
     {"seccomp": 2, "no_new_privs": 1}),
    ("a filter for a user", {**profile(rule("chroot")), "process.user": {"uid": 3, "gid": 3}},
     {"seccomp": 2, "no_new_privs": 0}),
    ("an empty profile that allows", profile(), {"uids": [0] * 4}),
    ("calls of no kernel are passed over", profile(rule("no_such_call")), {"uids": [0] * 4}),
    ("LOG is allowed", profile(rule("umask", "SCMP_ACT_LOG")), {"umask": 0o22}),
])

CHROOT = ("chroot", "/nowhere")
call("allowed", profile(rule("mount")), CHROOT, "ENOENT")
call("ERRNO is EPERM", profile(rule("chroot")), CHROOT, "EPERM")
call("ERRNO with a number", profile(rule("chroot", errnoRet=errno.ENOSYS)), CHROOT, "ENOSYS")
call("ERRNO 0 looks like success", profile(rule("chroot", errnoRet=0)), CHROOT, None)
call("the first of two names", profile(rule(["chroot", "mount"])), CHROOT, "EPERM")
call("the second of two names", profile(rule(["mount", "chroot"])), CHROOT, "EPERM")
_OF_THE_RUNTIME = [
    "mount", "umount2", "pivot_root", "setresuid", "setgroups", "sethostname", "fsopen",
    "move_mount", "open_tree", "mount_setattr", "openat2", "unshare", "setns", "keyctl",
    "mknodat", "setsid", "chroot", "socketpair", "recvmsg", "prctl", "close_range"]
call("a filter does not bind the runtime", profile(rule(_OF_THE_RUNTIME)), ("unshare", "0"),
     "EPERM")
# with no_new_privs it is the very last thing: all that follows is execve
call("a filter with no_new_privs binds it even less",
     {**profile(rule(_OF_THE_RUNTIME + ["capset", "sendmsg", "seccomp", "fcntl", "openat"])),
      "process.noNewPrivileges": True}, ("unshare", "0"), "EPERM")


@case("x32 calls are not a way around")
def _(t):
    t.edit(profile(rule("chroot")))
    t.probe("syscall", str(0x40000000 + 161), "/nowhere")
    r = t.run()
    t.check(r.rc == 159 or t.decode(r.out)["error"] in ("ENOSYS", "EPERM"), f"it was let in: {r}")



for _op, _value, _two, _given, _hit in (
        ("SCMP_CMP_EQ", 5, None, 5, True), ("SCMP_CMP_EQ", 5, None, 6, False),
        ("SCMP_CMP_NE", 5, None, 5, False), ("SCMP_CMP_NE", 5, None, 6, True),
        ("SCMP_CMP_LT", 5, None, 4, True), ("SCMP_CMP_LT", 5, None, 5, False),
        ("SCMP_CMP_LE", 5, None, 5, True), ("SCMP_CMP_LE", 5, None, 6, False),
        ("SCMP_CMP_GE", 5, None, 5, True), ("SCMP_CMP_GE", 5, None, 4, False),
        ("SCMP_CMP_GT", 5, None, 6, True), ("SCMP_CMP_GT", 5, None, 5, False),
        ("SCMP_CMP_MASKED_EQ", 0xf0, 0x50, 0x5a, True),
        ("SCMP_CMP_MASKED_EQ", 0xf0, 0x50, 0x6a, False),
        ("SCMP_CMP_EQ", 1 << 40, None, 1 << 40, True),
        ("SCMP_CMP_EQ", 1 << 40, None, (1 << 40) + 1, False),
        ("SCMP_CMP_GT", 1 << 40, None, (1 << 40) + 1, True),
        ("SCMP_CMP_LT", 1 << 40, None, 5, True)):
    # mount(2) looks at its arguments as little as it can before it fails with EFAULT or so
    call(f"{_op} {_value:#x} with {_given:#x} is {'met' if _hit else 'not met'}",
         profile(rule("keyctl", errnoRet=errno.EXDEV, args=[arg(1, _value, _op, _two)])),
         ("keyctl", "999", str(_given)), "EXDEV" if _hit else "EOPNOTSUPP")

_BOTH = profile(rule("keyctl", errnoRet=errno.EXDEV,
                     args=[arg(1, 1, "SCMP_CMP_EQ"), arg(2, 2, "SCMP_CMP_EQ")]))
call("two arguments must both match", _BOTH, ("keyctl", "999", "1", "3"), "EOPNOTSUPP")
call("two arguments that both match", _BOTH, ("keyctl", "999", "1", "2"), "EXDEV")
_EITHER = profile(rule("keyctl", errnoRet=errno.EXDEV, args=[arg(1, 1, "SCMP_CMP_EQ")]),
                  rule("keyctl", errnoRet=errno.EXDEV, args=[arg(1, 2, "SCMP_CMP_EQ")]))
call("the first of two rules for a call", _EITHER, ("keyctl", "999", "1"), "EXDEV")
call("the second of two rules for a call", _EITHER, ("keyctl", "999", "2"), "EXDEV")
call("neither of two rules for a call", _EITHER, ("keyctl", "999", "3"), "EOPNOTSUPP")

# what the probe needs to print its answer
_NEEDED = ["write", "writev", "exit", "exit_group", "fstat", "newfstatat", "execve", "brk", "mmap",
           "munmap", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64",
           "readlink", "readlinkat", "getrandom", "mprotect", "close", "read", "futex", "ioctl",
           "capset", "capget", "prctl", "sendmsg", "sendto", "uname", "fcntl"]
call("a default of ERRNO", profile(rule(_NEEDED, ALLOW), default="SCMP_ACT_ERRNO"), CHROOT, "EPERM")
call("a default of ERRNO with a number", profile(
    rule(_NEEDED, ALLOW), default="SCMP_ACT_ERRNO", defaultErrnoRet=errno.ENOSYS), CHROOT,
     "ENOSYS")
call("architectures", profile(rule("chroot"), architectures=[
    "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]), CHROOT, "EPERM")
call("flags", profile(rule("chroot"), flags=["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]), CHROOT, "EPERM")


def _deadly(name, action, status):
    @case(name)
    def _(t):
        t.edit(profile(rule("chroot", action)))
        t.probe("syscall", *CHROOT)
        r = t.run()
        t.equal((r.rc, r.out, r.err), (status, "", ""), f"the status of {r}, and what is said")


_deadly("KILL_PROCESS", "SCMP_ACT_KILL_PROCESS", 159)
_deadly("KILL", "SCMP_ACT_KILL", 159)
_deadly("KILL_THREAD", "SCMP_ACT_KILL_THREAD", 159)
_deadly("TRAP", "SCMP_ACT_TRAP", 159)


@case("a filter that kills execve")
def _(t):
    t.edit(profile(rule("execve", "SCMP_ACT_KILL_PROCESS")))
    r = t.run()
    t.equal(r.rc, 159, f"the status of {r}")
    t.check_message(r, "the program was not run: linux.seccomp ends whoever calls execve")


@case("a profile that knows execve and not execveat")
def _(t):
    """Profiles are recorded from runtimes that call execve(2)."""
    started(t, edits=profile(rule("execveat")))
    t.ok("exec", t.id, "/probe", "exit", "0")
    t.delete("--force")


@case("TRACE without a tracer")
def _(t):
    t.edit(profile(rule("chroot", "SCMP_ACT_TRACE")))
    t.expect(t.probe_result("syscall", *CHROOT), {"error": "ENOSYS"})


@case("NOTIFY sends the listener and the state")
def _(t):
    path, listener = t.listen("seccomp.sock")
    t.edit(profile(rule("chroot", "SCMP_ACT_NOTIFY"), listenerPath=path,
                   listenerMetadata="meta data"))
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    peer, _ = listener.accept()
    data, fds, _, _ = socket.recv_fds(peer, 65536, 4)
    state = t.decode(data)
    for fd in fds:
        os.close(fd)
    peer.close()
    listener.close()
    t.delete("--force")
    t.equal(len(fds), 1, "the number of descriptors")
    t.expect(state, {"metadata": "meta data", "fds": ["seccompFd"], "state.id": t.id,
                     "pid": lambda p: isinstance(p, int) and p > 0})


failure_rows([
    ("an unknown action", profile(rule("chroot", "SCMP_ACT_DANCE")), "SCMP_ACT_DANCE"),
    ("an unknown operator", profile(rule("chroot", args=[arg(0, 1, "SCMP_CMP_LIKE")])),
     "SCMP_CMP_LIKE"),
    ("an unknown architecture", profile(architectures=["SCMP_ARCH_PDP11"]), "SCMP_ARCH_PDP11"),
    ("a seventh argument", profile(rule("chroot", args=[arg(6, 1, "SCMP_CMP_EQ")])), "args|index"),
    ("an unknown flag", profile(flags=["SECCOMP_FILTER_FLAG_MAGIC"]), "SECCOMP_FILTER_FLAG_MAGIC"),
    ("a listener that nobody holds", profile(rule("chroot", "SCMP_ACT_NOTIFY"),
                                             listenerPath="/nowhere/socket"), "/nowhere"),
    ("NOTIFY without a listener", profile(rule("chroot", "SCMP_ACT_NOTIFY")),
     "listenerPath|SCMP_ACT_NOTIFY"),
])


@case("a filter that forbids what the runtime must still do is an error that is told")
def _(t):
    t.edit({**profile(rule(["capset", "sendmsg"])), "process.capabilities": {}})
    t.expect_failure("(?i)capabilit")
