# SPDX-License-Identifier: Apache-2.0
"""The system calls that Python's library has no name for."""
import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_RDONLY = 1
MS_NOSUID = 2
MS_NOEXEC = 8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
MS_SHARED = 1 << 20
MNT_DETACH = 2
PR_SET_CHILD_SUBREAPER = 36
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def unshare(flags):
    _check(_libc.unshare(flags), "unshare")


def setns(fd, kind):
    _check(_libc.setns(fd, kind), "setns")


def mount(source, target, kind, flags=0, data=None):
    def text(value):
        return None if value is None else os.fsencode(value)
    _check(_libc.mount(text(source), text(target), text(kind), ctypes.c_ulong(flags), text(data)),
           f"mount on {target}")


def umount(target, flags=MNT_DETACH):
    _check(_libc.umount2(os.fsencode(target), flags), f"umount {target}")


def prctl(option, value):
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), "prctl")


def domainname():
    buf = ctypes.create_string_buffer(256)
    _check(_libc.getdomainname(buf, len(buf)), "getdomainname")
    return buf.value.decode()


def core_cookie(pid):
    """The cookie of core scheduling that a process has; None where there is no such thing."""
    cookie = ctypes.c_ulong()
    # prctl(2): PR_SCHED_CORE, PR_SCHED_CORE_GET, of one thread
    r = ctypes.CDLL(None).prctl(62, 0, ctypes.c_ulong(pid), ctypes.c_ulong(0), ctypes.byref(cookie))
    return cookie.value if r == 0 else None
