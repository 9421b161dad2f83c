# SPDX-License-Identifier: Apache-2.0
"""Root file systems in which the program cannot be executed: the whole message of each."""
import os
import platform
import struct

from frame.case import case

MISSING = "no such file or directory"
DENIED = "permission denied"
MACHINES = {"x86_64": 62, "aarch64": 183}


def binary(loader, machine=None):
    """The smallest program that asks for @loader."""
    name = loader.encode() + b"\0"
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 3, machine or MACHINES[platform.machine()], 1, 0, 64, 0, 0, 64, 56, 2,
        0, 0, 0)
    interp = struct.pack("<IIQQQQQQ", 3, 4, 176, 176, 176, len(name), len(name), 1)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 4096, 4096, 4096)
    return header + interp + load + name


def write(t, path, content, mode=0o755):
    with open(t.rootfs + path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    os.chmod(t.rootfs + path, mode)


def explained(name, content, want, mode=0o755, link=None, edits=None, needs=""):
    @case(name, needs=needs)
    def _(t):
        if link:
            os.symlink(link, t.rootfs + "/bin/app")
        else:
            write(t, "/bin/app", content, mode)
        t.edit(edits or {})
        t.args("/bin/app")
        r = t.run()
        t.equal((r.rc, r.out, r.err), (1, "", f'cleat: exec: "/bin/app": {want}\n'),
                "status and output")


explained("a loader of another libc", binary("/lib/ld-musl-x86_64.so.1"),
          "its loader '/lib/ld-musl-x86_64.so.1' (musl) lies in '/lib', which does not exist: "
          + MISSING)
explained("a loader that is missing", binary("/bin/ld-linux-x86-64.so.2"),
          "its loader '/bin/ld-linux-x86-64.so.2' (glibc) does not exist in the container: "
          + MISSING)
explained("a loader that is no program", binary("/etc"),
          "its loader '/etc' is a directory: " + DENIED)
explained("another machine", binary("/x", 8), f"the file is built for mips64el, this host is "
          f"{platform.machine()}, and no entry of binfmt_misc runs it: exec format error")
explained("an interpreter that is missing", "#!/bin/bash\n",
          "its interpreter '/bin/bash' does not exist in the container: " + MISSING)
explained("an interpreter that may not be executed", "#!/dev/null\n",
          "its interpreter '/dev/null' is a device: " + DENIED)
explained("a line end of Windows", "#!/bin/sh\r\n",
          "the file begins with '#!/bin/sh' and a carriage return, the line end of Windows: "
          + MISSING)
explained("a link that leads nowhere", "", "the file is a link to 'busybox', and '/bin/busybox' "
          "does not exist: " + MISSING, link="busybox")
explained("no x bit", "#!/bin/sh\n", "the file has no x bit (mode 0644): " + DENIED, 0o644)
explained("an empty file", "", "the file is empty: exec format error")
explained("no program", "echo hello\n", "the file is neither an ELF program nor a script that "
          "begins with '#!': exec format error")
explained("a root that is mounted noexec", "#!/bin/sh\n",
          "the file is on '/bin', which is mounted noexec: " + DENIED, edits={
              "+mounts": [{"destination": "/bin", "type": "bind", "source": "rootfs/bin",
                           "options": ["rbind", "noexec"]}]})


@case("a program of somebody else")
def _(t):
    write(t, "/bin/app", "#!/bin/sh\n", 0o700)
    t.edit({"process.user": {"uid": 5, "gid": 6}, "process.capabilities": {}})
    t.args("app")
    t.expect_failure(r'^cleat: exec: "app": \'/bin/app\' \(mode 0700, owner 0:0\) may not be '
                     r"executed by user 5:6: permission denied$")


@case("a bare name that is a link to nothing")
def _(t):
    os.symlink("busybox", t.rootfs + "/bin/app")
    t.args("app")
    t.expect_failure(r'^cleat: exec: "app": executable file not found in \$PATH: \'/bin/app\' is '
                     r"a link to 'busybox', and '/bin/busybox' does not exist$")


@case("a filter that kills whoever looks further")
def _(t):
    write(t, "/bin/app", "#!/bin/bash\n")
    t.edit({"linux.seccomp": {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["newfstatat", "openat2", "getcwd"],
                      "action": "SCMP_ACT_KILL_PROCESS"}]}})
    t.args("/bin/app")
    t.expect_failure(r"exec '/bin/app': no such file or directory$")


@case("start says it as well")
def _(t):
    write(t, "/bin/app", "#!/bin/bash\n")
    t.args("/bin/app")
    t.create()
    t.fails("its interpreter '/bin/bash' does not exist in the container", "start", t.id)
    t.delete("--force")
