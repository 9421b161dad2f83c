# SPDX-License-Identifier: Apache-2.0
"""What a trace of a command's system calls must not show: a sleep, or a wait in vain."""
import re

WAITS = ("poll,ppoll,select,pselect6,epoll_wait,epoll_pwait,epoll_pwait2,futex,rt_sigtimedwait,"
         "semtimedop,mq_timedreceive,io_getevents")
# setitimer is none of them: it bounds flock, which has no time of its own
SLEEPS = "nanosleep,clock_nanosleep,alarm,timer_settime"
SLEEP = re.compile(rf"^\d+ +({SLEEPS.replace(',', '|')})\(", re.M)
# one with no time to wait for is a question
TIMED_OUT = re.compile(r"^(?!.*(\bpoll\(.*, 0\)|tv_sec=0, tv_nsec=0}.*\)) = 0)"
                       r".*(= 0 \(Timeout\)|= -1 ETIMEDOUT).*$", re.M)


def command(path, *words):
    """The words of a command under strace, whose trace, in @path, goes on as long as it does."""
    return ["strace", "-D", "-f", "-qq", "-s", "200", "-o", path, "-e",
            f"trace={WAITS},{SLEEPS},execve,connect", *words]


def complaints(name, text):
    """What is wrong with the command @name, whose trace is @text."""
    if "execve(" not in text:
        return [f"{name}: nothing was traced: '{text}'"]
    found = ((what, pattern.search(text)) for pattern, what in
             ((SLEEP, "sleeps"), (TIMED_OUT, "waits in vain")))
    return [f"{name} {what}: {line.group(0)}" for what, line in found if line]
