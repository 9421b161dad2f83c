# SPDX-License-Identifier: Apache-2.0
"""Root file systems in which /bin/app cannot be executed, and what is said of each.

The cases are explain.py's; tests/root/messages shows runc and crun the same ones.
"""
import os
import platform
import struct

MISSING = "no such file or directory"
DENIED = "permission denied"
FORMAT = "exec format error"
HOST = platform.machine()
MACHINES = {"x86_64": 62, "aarch64": 183}
OTHER = {"x86_64": "aarch64", "aarch64": "x86_64"}


def binary(loader, machine=None, kind=3):
    """The smallest program that asks for @loader."""
    name = loader.encode() + b"\0"
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", kind, machine or MACHINES[HOST], 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    interp = struct.pack("<IIQQQQQQ", 3, 4, 176, 176, 176, len(name), len(name), 1)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 4096, 4096, 4096)
    return header + interp + load + name


class Broken:
    """@content of /bin/app, or where it is a link to; @more: other files, by path.

    What is wrong with the file itself is found @early, when the program is looked for; the rest is
    said by execve(2) when it is run, and then its words go first, as with runc.
    """

    def __init__(self, name, content, says, mode=0o755, link=None, more=None, mounts=None,
                 early=False):
        self.name, self.mounts = name, mounts or []
        why, _, errno = says.rpartition(": ")
        self.says = f'exec: "/bin/app": {says}' if early else f"exec /bin/app: {errno}: {why}"
        self.files = {"/bin/app": (content, mode), **(more or {})}
        self.link = link

    def make(self, rootfs):
        for path, (content, mode) in self.files.items():
            if path == "/bin/app" and self.link:
                os.symlink(self.link, rootfs + path)
            elif content is None:
                os.mkdir(rootfs + path, mode)
            else:
                with open(rootfs + path, "wb") as f:
                    f.write(content if isinstance(content, bytes) else content.encode())
                os.chmod(rootfs + path, mode)


NOEXEC = {"destination": "/bin", "type": "bind", "source": "rootfs/bin",
          "options": ["rbind", "noexec"]}

BROKEN = [
    Broken("a loader of another libc", binary("/lib/ld-musl-x86_64.so.1"),
           "its loader '/lib/ld-musl-x86_64.so.1' (musl) lies in '/lib', which does not exist: "
           + MISSING),
    Broken("a loader that is missing", binary("/bin/ld-linux-x86-64.so.2"),
           "its loader '/bin/ld-linux-x86-64.so.2' (glibc) does not exist in the container: "
           + MISSING),
    Broken("a loader that is no program", binary("/etc"),
           "its loader '/etc' is a directory: " + DENIED),
    Broken("a loader of another machine", binary("/bin/loader"),
           f"its loader '/bin/loader' is built for {OTHER[HOST]}, not {HOST}: accessing a "
           "corrupted shared library",
           more={"/bin/loader": (binary("/x", MACHINES[OTHER[HOST]]), 0o755)}),
    Broken("a program of another machine", binary("/x", 8),
           f"the file is built for mips64el, this host is {HOST}, and no entry of binfmt_misc "
           "runs it: " + FORMAT),
    Broken("an object file", binary("/x", kind=1), "the file is an ELF file, but not a program: "
           + FORMAT),
    Broken("a program that is cut off", b"\x7fELF\x02\x01\x01",
           "the file is cut off: its ELF header is not whole: " + FORMAT),
    Broken("an interpreter that is missing", "#!/bin/bash\n",
           "its interpreter '/bin/bash' does not exist in the container: " + MISSING),
    Broken("an interpreter that is no program", "#!/dev/null\n",
           "its interpreter '/dev/null' is a device: " + DENIED),
    Broken("an interpreter without an x bit", "#!/bin/sh\n",
           "its interpreter '/bin/sh' has no x bit (mode 0644): " + DENIED,
           more={"/bin/sh": (b"\x7fELF", 0o644)}),
    Broken("the loader of an interpreter", "#!/bin/sh\n",
           "the loader '/lib64/ld-linux-x86-64.so.2' (glibc) of its interpreter '/bin/sh' lies in "
           "'/lib64', which does not exist: " + MISSING,
           more={"/bin/sh": (binary("/lib64/ld-linux-x86-64.so.2"), 0o755)}),
    Broken("a line end of Windows", "#!/bin/sh\r\n",
           "the file begins with '#!/bin/sh' and a carriage return, the line end of Windows: "
           + MISSING),
    Broken("a byte order mark", b"\xef\xbb\xbf#!/bin/sh\n",
           "the file has a byte order mark before '#!': " + FORMAT),
    Broken("a link that leads nowhere", "", "the file is a link to 'busybox', and '/bin/busybox' "
           "does not exist: " + MISSING, link="busybox", early=True),
    Broken("a link to itself", "", "the file leads through more than 40 links, '/bin/app' among "
           "them: too many levels of symbolic links", link="app", early=True),
    Broken("no x bit", "#!/bin/sh\n", "the file has no x bit (mode 0644): " + DENIED, 0o644,
           early=True),
    Broken("an empty file", "", "the file is empty: " + FORMAT),
    Broken("a script without a first line", "echo hello\n",
           "the file is neither an ELF program nor a script that begins with '#!': " + FORMAT),
    Broken("a program for Windows", b"MZ" + bytes(62), "the file is a program for Windows: "
           + FORMAT),
    Broken("a mount with noexec", "#!/bin/sh\n",
           "the file is on '/bin', which is mounted noexec: " + DENIED, mounts=[NOEXEC],
           early=True),
    Broken("a directory", None, "is a directory: " + DENIED, early=True),
]
