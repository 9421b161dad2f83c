# SPDX-License-Identifier: Apache-2.0
"""A user without privilege, who has ids of his own to give away.

Each worker has one. He is not in the host's files: copies of /etc/passwd, /etc/subuid and
/etc/subgid that name him lie over the worker's, where newuidmap(1) finds them.
"""
import contextlib
import os
import shutil

from frame import cgroups, kernel

FIRST_ID = 61000
FIRST_SUB_ID = 0x30000000
SUB_IDS = 65536


class User:
    def __init__(self, number, where):
        self.uid = self.gid = FIRST_ID + number
        self.sub_id = FIRST_SUB_ID + number * SUB_IDS
        self.name = f"cleat-test-{number}"
        sub_ids = f"{self.name}:{self.sub_id}:{SUB_IDS}\n"
        self.files = {
            "/etc/passwd": f"{self.name}:x:{self.uid}:{self.gid}::/nowhere:/bin/sh\n",
            "/etc/group": f"{self.name}:x:{self.gid}:\n",
            "/etc/subuid": sub_ids, "/etc/subgid": sub_ids}
        for path, line in self.files.items():
            if os.path.exists(path):
                self._cover(path, line, f"{where}/{os.path.basename(path)}")

    @staticmethod
    def _cover(path, line, copy):
        shutil.copy(path, copy)
        with open(copy, "a", encoding="utf-8") as f:
            f.write(line)
        kernel.mount(copy, path, None, kernel.MS_BIND)

    def become(self, *words):
        """A command line as this user."""
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups",
                "--", *words]


def open_to_users(t):
    """The program where every user may execute it: where the build lies may be closed to him."""
    copy = f"{t.dir}/cleat"
    if t.cleat_path != copy:
        shutil.copy(t.cleat_path, copy)
        os.chmod(copy, 0o755)
        t.cleat_path = copy


def take_over(t, prefix=(), inside=()):
    """What the case does from here on it does as the user of its worker.

    @prefix is a command line that runs the rest as root, @inside one that runs it as the user.
    """
    user = t.user
    open_to_users(t)
    for path, names, files in os.walk(t.dir):
        if path == t.dir:
            names.remove("beside")
        for name in [""] + names + files:
            if name not in ("probe", "cleat"):
                os.chown(os.path.join(path, name), user.uid, user.gid, follow_symlinks=False)
    t.prefix = [*prefix, *user.become(*inside)]
    return user


@contextlib.contextmanager
def delegated(t):
    """A cgroup of the user's own, as systemd delegates one; yields a prefix that is in it."""
    top = f"{cgroups.v2_root()}/{t.id}-user"
    os.makedirs(f"{top}/shell")
    try:
        for controller in cgroups.v2_controllers():
            cgroups.enable(top, controller)
        for path in (top, f"{top}/shell"):
            for name in ("", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"):
                os.chown(f"{path}/{name}", t.user.uid, t.user.gid)
        yield ["sh", "-c", 'echo 0 >"$0" && exec "$@"', f"{top}/shell/cgroup.procs"]
    finally:
        for path, _, _ in os.walk(top, topdown=False):
            os.rmdir(path)
