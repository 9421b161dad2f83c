# SPDX-License-Identifier: Apache-2.0
"""Root file systems in which the program cannot be executed: the whole message of each."""
import os

from frame.broken import BROKEN
from frame.case import case


def write(t, path, content, mode=0o755):
    t.write(t.rootfs + path, content, mode)


for _broken in BROKEN:
    def _explained(t, broken=_broken):
        broken.make(t.rootfs)
        t.edit({"+mounts": broken.mounts})
        t.args("/bin/app")
        r = t.run()
        t.equal((r.rc, r.out, r.err), (1, "", f"cleat: {broken.says}\n"), "status and output")
    case(_broken.name)(_explained)


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


@case("a bare name in a root that is closed to the user")
def _(t):
    os.chmod(t.rootfs, 0o700)
    t.edit({"process.user": {"uid": 5, "gid": 6}, "process.capabilities": {}})
    t.args("probe")
    t.expect_failure(r'^cleat: exec: "probe": executable file not found in \$PATH: .* lies in '
                     r"'/' \(mode 0700, owner 0:0\), which user 5:6 may not search$")


@case("a filter that kills whoever looks further")
def _(t):
    write(t, "/bin/app", "#!/bin/bash\n")
    t.edit({"linux.seccomp": {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["newfstatat", "openat2", "getcwd"],
                      "action": "SCMP_ACT_KILL_PROCESS"}]}})
    t.args("/bin/app")
    t.expect_failure(r"exec /bin/app: no such file or directory$")


@case("start says it as well")
def _(t):
    write(t, "/bin/app", "#!/bin/bash\n")
    t.args("/bin/app")
    t.create()
    t.fails("its interpreter '/bin/bash' does not exist in the container", "start", t.id)
    t.delete("--force")
