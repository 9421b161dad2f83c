# SPDX-License-Identifier: Apache-2.0
"""Every system call of a command fails once: the command must say so and leave nothing.

strace(1) makes the N-th call of one kind fail in each process that gets there. What a
command then does is its own affair, as long as it ends, crashes nowhere, either succeeds
or says in one line what failed, and `delete --force` finds and removes what there is.

The program in the container is traced as well; once it has said that it runs, or where
its C library may have given up before it could, its status is its own.
"""
import collections
import os
import re
import subprocess

from frame import host
from frame.case import Skip, case
from frame.config import caps, user_namespace
from frame.trial import TIMEOUT

NEEDS = "program:strace"
ERRNOS = ("EPERM", "ENOMEM")
# every call with either error takes minutes a command: CLEAT_LONG asks for that
STEP = 1 if os.environ.get("CLEAT_LONG") else 4
# what may not fail, or of which nothing can be learned: glibc crashes when brk fails, and a
# close that fails here leaves the descriptor open, which the kernel never does
EXCEPT = {"brk", "close", "exit", "exit_group", "rt_sigreturn", "restart_syscall", "execve",
          "execveat", "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "umask", "ppoll",
          "poll", "wait4", "waitid", "vfork", "getpgid", "clock_gettime", "sched_yield"}
# what a static program of the C library needs before main()
OF_LIBC = {"mmap", "mprotect", "arch_prctl", "set_tid_address", "set_robust_list", "rseq",
           "prlimit64", "readlinkat", "readlink", "getrandom", "newfstatat", "fstat", "write",
           "munmap", "rt_sigprocmask", "rt_sigaction", "ioctl"}
CRASHES = (128 + 11, 128 + 6, 128 + 4, 128 + 7, -11, -6, -4, -7)


def counts(t, words):
    """How often each kind of call is made by the process that makes it most often."""
    where = f"{t.dir}/trace"
    os.mkdir(where)
    with open(f"{t.dir}/trace-err", "w+", encoding="utf-8", errors="replace") as err:
        subprocess.run(["strace", "-D", "-ff", "-qq", "-o", f"{where}/t", *t.command(*words)],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                       timeout=TIMEOUT, check=False)
        err.seek(0)
        said = err.read()
    if "ptrace" in said or not os.listdir(where):
        raise Skip("strace cannot trace here: " + said.strip()[-200:])
    problems = clean(t)  # now the tracer, which is not our child, has written it all
    t.check(not problems, "\n".join(problems))
    most = collections.Counter()
    for name in os.listdir(where):
        calls = collections.Counter(re.findall(r"^(\w+)\(", t.read(f"{where}/{name}"), re.M))
        for call, n in calls.items():
            most[call] = max(most[call], n)
    return {call: n for call, n in most.items() if call not in EXCEPT}


def inject(t, call, n, errno, words):
    command = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
               f"inject={call}:error={errno}:when={n}", *t.command(*words)]
    with open(f"{t.dir}/fault-out", "w+", encoding="utf-8", errors="replace") as out, \
            open(f"{t.dir}/fault-err", "w+", encoding="utf-8", errors="replace") as err:
        try:
            p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                               timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            return None, "", ""
        out.seek(0)
        err.seek(0)
        return p.returncode, out.read(), err.read()


def verdict(call, rc, out, err, status):
    """What is wrong with how a command ended; None: nothing."""
    lines = [x for x in err.splitlines() if x.strip()]
    if rc is None:
        return "does not end"
    if rc in CRASHES:
        return f"crashes: status {rc}, {err.strip()[-300:]}"
    if rc == status:
        return None
    if "started" in out:
        return None  # the program's own affair
    if not lines:
        return None if call in OF_LIBC else f"status {rc}, and says nothing"
    if len(lines) > 1 and "warning" not in err:
        return f"says {len(lines)} lines: {err.strip()[-400:]}"
    return None


def clean(t):
    """What delete --force leaves."""
    host.reap()
    r = t.cleat("delete", "--force", t.id)
    if "has not ended" in r.err:
        # what ended meanwhile in the pid namespace of init and is ours to reap held it up
        host.reap()
        r = t.cleat("delete", "--force", t.id)
    if r.rc:
        return [f"then {r}"]
    found = host.left_processes()
    found += host.left_cgroups(t.id)
    if os.path.isdir(t.root):
        found += [f"'{n}' is left in the state root" for n in os.listdir(t.root)
                  if not n.startswith(".")]
    return found


def faults(t, words, calls, status=0, before=None):
    found = []
    todo = [(call, number, errno) for call, n in sorted(calls.items())
            for number in range(1, n + 1) for errno in ERRNOS]
    for call, number, errno in todo[hash_of(t.id) % STEP::STEP]:
        if before:
            before(t)
        rc, out, err = inject(t, call, number, errno, words)
        problem = verdict(call, rc, out, err, status)
        left = clean(t)
        problems = ([problem] if problem else []) + left
        if os.environ.get("CLEAT_VERBOSE"):
            print(f"# {call} {number} {errno}: {rc} {problems} {err.strip()[-200:]}", flush=True)
        found += [f"{call} number {number} fails with {errno}: {p}" for p in problems]
        if left or len(found) > 20:  # what is left stands in the way of the next
            break
    return found


def hash_of(text):
    """Other faults each time, so that many runs find what one does not."""
    return sum(text.encode())


def parts(calls, n):
    """The calls in n portions of about the same number of faults."""
    portions = [[{}, 0] for _ in range(n)]
    for call, count in sorted(calls.items(), key=lambda x: -x[1]):
        least = min(portions, key=lambda x: x[1])
        least[0][call] = count
        least[1] += count
    return [p[0] for p in portions]


PORTIONS = 12 if STEP == 1 else 2


def configure(t, edits):
    t.probe("say", "started")
    t.edit({"process.capabilities": caps("KILL"), **edits})
    t.write_config()


def register(name, make_words, edits, before=None):
    for portion in range(PORTIONS):
        def run(t, portion=portion):
            configure(t, edits)
            words = make_words(t)
            if before:
                before(t)
            calls = parts(counts(t, words), PORTIONS)[portion]
            problems = faults(t, words, calls, 0, before)
            t.check(not problems, "\n".join(problems))
        case(f"{name}: every call fails once, part {portion + 1}", needs=NEEDS)(run)


def _create(t):
    t.write_config()
    t.start_command("create", "--bundle", t.bundle, t.id)


def _start(t):
    _create(t)
    t.ok("start", t.id)


register("run", lambda t: ("run", "--bundle", t.bundle, t.id), {})
register("run in a user namespace", lambda t: ("run", "--bundle", t.bundle, t.id),
         user_namespace())
register("create", lambda t: ("create", "--bundle", t.bundle, t.id),
         {"process.args": ["/probe", "sleep"]})
register("start", lambda t: ("start", t.id), {}, _create)
register("exec", lambda t: ("exec", t.id, "/probe", "say", "started"),
         {"process.args": ["/probe", "sleep"]}, _start)
register("delete", lambda t: ("delete", "--force", t.id), {}, _create)


@case("exec: a process that the middle could not report is reaped", needs=NEEDS)
def _(t):
    """Nobody else would before delete has ended, whose init waits for the zombie to go."""
    configure(t, {"process.args": ["/probe", "sleep"]})
    _start(t)
    rc, _, err = inject(t, "sendmsg", 1, "ENOMEM", ("exec", t.id, "/probe", "say", "started"))
    t.check(rc == 255 and "report init" in err, f"status {rc}: {err}")
    t.ok("delete", "--force", t.id)
