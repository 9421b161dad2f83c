# SPDX-License-Identifier: Apache-2.0
"""linux.seccomp: actions, arguments, architectures, flags."""
import base64
import errno
import os
import struct

from frame.agent import received
from frame.case import case, failure_rows, report_rows
from frame.phases import further, started

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
for _number in ("511", "512", "548", "1000", str(0x3fffffff)):
    call(f"call {_number}, which is newer than all that the profile names", profile(
        rule(_NEEDED, ALLOW), default="SCMP_ACT_ERRNO"), (_number,), "ENOSYS")
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


def exec_asks_too(t, listener, **expected):
    """A process of exec has a listener of its own, at the same receiver; then all ends."""
    t.ok("exec", t.id, "/probe", "exit", "0")
    t.expect(received(t, listener), {**expected, "state.id": t.id})
    listener.close()
    t.delete("--force")


@case("NOTIFY sends the listener and the state")
def _(t):
    path, listener = t.listen("seccomp.sock")
    started(t, edits=profile(rule("chroot", "SCMP_ACT_NOTIFY"), listenerPath=path,
                             listenerMetadata="meta data"))
    state = received(t, listener)
    listener.close()
    t.delete("--force")
    t.expect(state, {"metadata": "meta data", "fds": ["seccompFd"], "state.id": t.id,
                     "pid": lambda p: isinstance(p, int) and p > 0})


def _hand_over(name, *calls, prefix=(), **edits):
    """Whatever the filter says of the calls by which a runtime might pass the listener on."""
    @case(f"the listener of {name}")
    def _(t):
        path, listener = t.listen("seccomp.sock")
        t.prefix = prefix
        started(t, edits={**profile(rule("chroot", "SCMP_ACT_NOTIFY"), *calls, listenerPath=path),
                          **{f"process.{key}": value for key, value in edits.items()}})
        received(t, listener)
        exec_asks_too(t, listener)


_PASSING_ON = ["sendmsg", "sendmmsg", "recvmsg", "clone", "clone3", "futex"]
for _with, _edits in (("", {}), (" with no_new_privs", {"noNewPrivileges": True})):
    _hand_over(f"a caller without SYS_PTRACE{_with}", **_edits,
               prefix=["setpriv", "--bounding-set=-sys_ptrace"])
    _hand_over(f"a profile that forbids to pass it on{_with}", rule(_PASSING_ON), **_edits)
_hand_over("a profile that notifies of passing it on", rule(_PASSING_ON, "SCMP_ACT_NOTIFY"),
           noNewPrivileges=True)


# --- who gets the listener ------------------------------------------------------------------

RECEIVER, RAW, KNOWN_ONLY = ("run.oci.seccomp.receiver", "run.oci.seccomp_bpf_data",
                             "run.oci.seccomp_fail_unknown_syscall")


def noted(key, value):
    return {"annotations": {key: value}}


_ASKS = profile(rule("chroot", "SCMP_ACT_NOTIFY"))


def environment(path):
    return {**os.environ, "RUN_OCI_SECCOMP_RECEIVER": path}


@case("an annotation names the receiver, before the environment")
def _(t):
    path, listener = t.listen("seccomp.sock")
    t.edit({**_ASKS, **noted(RECEIVER, path), "linux.seccomp.listenerMetadata": "m"})
    t.probe("sleep")
    t.create(env=environment("/nowhere/socket"))
    t.ok("start", t.id, env=environment("nothing"))
    t.expect(received(t, listener), {"metadata": "m", "pid": t.state()["pid"]})
    exec_asks_too(t, listener, metadata="m")


@case("listenerPath comes before the annotation")
def _(t):
    path, listener = t.listen("seccomp.sock")
    started(t, edits={**_ASKS, **noted(RECEIVER, "/nowhere/socket"),
                      "linux.seccomp.listenerPath": path})
    received(t, listener)
    listener.close()
    t.delete("--force")


@case("the environment of create names the receiver")
def _(t):
    """That of start does not matter, nor does that of exec have to be the same."""
    path, listener = t.listen("seccomp.sock")
    t.edit(_ASKS)
    t.probe("sleep")
    t.create(env=environment(path))
    t.ok("start", t.id)
    t.expect(received(t, listener), {"pid": t.state()["pid"]})
    exec_asks_too(t, listener)


@case("the environment of exec names the receiver of its own process")
def _(t):
    (path, listener), (own, mine) = t.listen("seccomp.sock"), t.listen("mine.sock")
    t.edit(_ASKS)
    t.probe("sleep")
    t.create(env=environment(path))
    t.ok("start", t.id)
    received(t, listener)
    t.ok("exec", t.id, "/probe", "exit", "0", env=environment(own))
    t.expect(received(t, mine), {"state.id": t.id})
    t.start_command("exec", "--create", "p", t.id, "/probe", "exit", "0", env=environment(own))
    t.ok("exec", "--start", "p", t.id)
    t.expect(received(t, mine), {"state.id": t.id})
    t.fails("'mine.sock' in the variable RUN_OCI_SECCOMP_RECEIVER is not an absolute path",
            "exec", t.id, "/probe", env=environment("mine.sock"))
    listener.close()
    mine.close()
    t.delete("--force")


@case("run takes the receiver from the environment")
def _(t):
    path, listener = t.listen("seccomp.sock")
    t.edit(_ASKS)
    t.probe("exit", "0")
    r = t.run(env=environment(path))
    t.equal((r.rc, r.err), (0, ""), f"the status of {r}, and what is said")
    t.expect(received(t, listener), {"state.id": t.id})
    listener.close()


@case("a receiver in the environment that nobody asks for")
def _(t):
    t.edit(profile(rule("chroot")))
    t.expect(t.probe_result("syscall", *CHROOT, env=environment("")), {"error": "EPERM"})


@case("a receiver in the environment that is no path")
def _(t):
    t.edit(_ASKS)
    t.write_config()
    for value in ("", "agent.sock"):
        words = f"'{value}' in the variable RUN_OCI_SECCOMP_RECEIVER is not an absolute path"
        t.fails(words, "run", "--bundle", t.bundle, t.id, env=environment(value))
        r = t.cleat("check", t.bundle, env=environment(value))
        t.check(r.rc == 1 and words in r.out, f"check does not tell: {r}")


# --- a filter that is a program already ------------------------------------------------------

_LOAD_NR = (0x20, 0, 0, 0)
_RETURN, _ALLOWED, _NOTIFY = 0x06, 0x7fff0000, 0x7fc00000


def answer(code):
    return (_RETURN, 0, 0, code)


def raw(*insns):
    return base64.b64encode(b"".join(struct.pack("=HBBI", *i) for i in insns)).decode()


def raw_for(number, code):
    """Of call @number alone, on whatever architecture."""
    return raw(_LOAD_NR, (0x15, 0, 1, number), answer(code), answer(_ALLOWED))


_RAW_NUMBER = {"x86_64": 161, "aarch64": 51}.get(os.uname().machine, 51)
_RAW_EXDEV = noted(RAW, raw_for(_RAW_NUMBER, 0x50000 | errno.EXDEV))

call("a raw filter", _RAW_EXDEV, CHROOT, "EXDEV")
call("a raw filter with no_new_privs", {**_RAW_EXDEV, "process.noNewPrivileges": True}, CHROOT,
     "EXDEV")
call("a raw filter takes the place of the rules",
     {**profile(rule("chroot", "SCMP_ACT_KILL"), default="SCMP_ACT_KILL"), **_RAW_EXDEV}, CHROOT,
     "EXDEV")


@case("a raw filter is that of exec as well")
def _(t):
    started(t, edits=_RAW_EXDEV)
    t.expect(further(t, t.id, "/probe", "syscall", *CHROOT), {"error": "EXDEV"})
    t.delete("--force")


@case("a raw filter that notifies")
def _(t):
    path, listener = t.listen("seccomp.sock")
    started(t, edits={"annotations": {RAW: raw_for(_RAW_NUMBER, _NOTIFY), RECEIVER: path}})
    t.expect(received(t, listener), {"pid": t.state()["pid"], "metadata": None})
    exec_asks_too(t, listener)


@case("a raw filter that kills execve")
def _(t):
    number = {"x86_64": 59}.get(os.uname().machine, 221)
    t.edit(noted(RAW, raw_for(number, 0)))
    r = t.run()
    t.equal(r.rc, 159, f"the status of {r}")
    t.check_message(r, "was not run: .*bpf_data.* ends whoever calls execve")


@case("check tells of a raw filter")
def _(t):
    t.edit(_RAW_EXDEV)
    t.write_config()
    r = t.ok("check", "--plan", t.bundle)
    t.check("seccomp raw filter of 4 instructions\n" in r.out, f"{r}")


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
    ("a receiver that nobody holds", {**_ASKS, **noted(RECEIVER, "/nowhere/socket")},
     "/nowhere"),
    ("a receiver that is no path", {**_ASKS, **noted(RECEIVER, "agent")},
     "'agent' is not an absolute path"),
    ("a call that libseccomp does not know, where all must be known",
     {**profile(rule("chroot"), rule(["mount", "no_such_call"])), **noted(KNOWN_ONLY, "1")},
     r"linux.seccomp.syscalls\[1\].names\[1\]: .* 'no_such_call'"),
    ("a raw filter that is no base64", noted(RAW, raw(answer(_ALLOWED)) + "\n"),
     "bpf_data.*base64"),
    ("a raw filter that notifies nobody", noted(RAW, raw(answer(_NOTIFY))), "bpf_data.*USER_NOTIF"),
    # a word of memory that was never written: only the kernel sees that
    ("a raw filter that the kernel does not take", noted(RAW, raw((0x60, 0, 0, 3), answer(_ALLOWED))),
     "load the seccomp filter of .*bpf_data.*: invalid argument"),
])


@case("a filter that forbids what the runtime must still do is an error that is told")
def _(t):
    t.edit({**profile(rule(["capset", "sendmsg"])), "process.capabilities": {}})
    t.expect_failure("(?i)capabilit")
