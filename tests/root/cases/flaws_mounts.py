# SPDX-License-Identifier: Apache-2.0
"""Published flaws of runtimes, each tried again: mounts that are steered by who is inside."""
import json
import os
import subprocess

from cases.livemounts import Inside, mounts
from frame.case import case
from frame.config import user_namespace

WAYS = {"": {}, " in a user namespace": user_namespace()}
MASKED = "/proc/timer_list"


def attacker(t, edits, *masked):
    """A shell of the root that owns the image."""
    for name in (".", "mnt", "etc"):
        os.chown(f"{t.rootfs}/{name}", 100000 if edits else 0, 100000 if edits else 0)
    return Inside(t, {**edits, "linux.maskedPaths": [MASKED, *masked]})


def protected(t, inside):
    """The mask and the read-only cover of the default configuration, as processes see them."""
    t.check("Read-only" in inside.says("echo x >/proc/sys/kernel/core_pattern"),
            "/proc/sys is writable")
    t.equal(inside.says(f"cat {MASKED} | wc -c"), "0", "what the mask shows")


for _way, _edits in WAYS.items():
    for _what, _to in (("the cover of /proc/sys", "/proc/sys"), ("a mask", MASKED)):
        def _remove(t, edits=_edits, to=_to):
            """What `mounts add` made is moved away, and its name leads somewhere else."""
            inside = attacker(t, edits)
            t.ok("mounts", "add", t.id, '[{"destination": "/mnt/m", "type": "tmpfs"}]')
            inside.says(f"mv /mnt /mnt2; mkdir /mnt; ln -s {to} /mnt/m")
            t.fails("'/mnt/m' was not mounted by 'mounts add'", "mounts", "remove", t.id,
                    '[{"destination": "/mnt/m"}]')
            protected(t, inside)
            inside.says("rm /mnt/m; rmdir /mnt; mv /mnt2 /mnt")
            t.ok("mounts", "remove", t.id, '[{"destination": "/mnt/m"}]')
            t.equal(mounts(t), [], "the mounts")
            inside.end()
        case(f"mounts remove is led to {_what}{_way}", needs="busybox")(_remove)

    def _renamed(t, edits=_edits):
        """No link is needed where a parent of the mask can be renamed."""
        t.write(f"{t.rootfs}/etc/secret", "secret", 0o644)
        inside = attacker(t, edits, "/etc/secret")
        t.ok("mounts", "add", t.id, '[{"destination": "/mnt/secret", "type": "tmpfs"}]')
        inside.says("mv /mnt /mnt2; mv /etc /mnt")
        t.fails("'/mnt/secret' was not mounted", "mounts", "remove", t.id,
                '[{"destination": "/mnt/secret"}]')
        t.equal(inside.says("cat /mnt/secret | wc -c"), "0", "what the mask shows")
        inside.end()
    case("mounts remove finds a mask under another name" + _way, needs="busybox")(_renamed)

    def _remount(t, edits=_edits):
        inside = attacker(t, edits)
        inside.says("ln -s /proc/sys /mnt/m")
        for at in ("/mnt/m", "/proc/sys/", "/mnt/../proc/sys/."):
            t.fails("was not mounted by 'mounts add'|inside /proc", "mounts", "add", t.id,
                    json.dumps([{"destination": at, "options": ["remount", "rw"]}]))
        protected(t, inside)
        # its own it may change
        t.ok("mounts", "add", t.id, '[{"destination": "/tmp", "type": "tmpfs"}]')
        t.ok("mounts", "add", t.id, '[{"destination": "/tmp", "options": ["remount", "ro"]}]')
        t.check("Read-only" in inside.says("touch /tmp/x"), "the remount was in vain")
        inside.end()
    case("mounts add with a remount is led to the cover of /proc/sys" + _way,
         needs="busybox")(_remount)

    def _again(t, edits=_edits):
        """The name of the first is a link to the mask when the second fails."""
        inside = attacker(t, edits)
        inside.says(f"touch /mnt/m; ln -s {MASKED} /mnt/other")
        t.prefix = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=move_mount,statx",
                    "-e", "inject=move_mount:delay_exit=400000"]
        with subprocess.Popen(t.command("mounts", "add", t.id, json.dumps([
                {"destination": "/mnt/m", "type": "bind", "source": f"{t.beside}/passwd",
                 "options": ["bind"]}, {"destination": "/tmp", "type": "nofs", "source": "x"}])),
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
            t.prefix = []
            inside.says("while ! grep -q ' /mnt/m ' /proc/self/mountinfo; do :; done; "
                        "mv /mnt /mnt2; mkdir /mnt; ln -s /mnt2/other /mnt/m")
        t.check(p.returncode not in (0, None), f"the command: {p.returncode}")
        protected(t, inside)
        t.equal(mounts(t), [], "what stayed")
        inside.end()
    case("mounts add that fails is led to a mask" + _way,
         needs="busybox program:strace")(_again)


@case("mounts remove takes nothing of the configuration", needs="busybox")
def _(t):
    inside = attacker(t, {})
    for at in ("/proc", "/proc/sys", MASKED, "/sys", "/dev", "/dev/pts"):
        t.fails(f"'{at}' was not mounted by 'mounts add'", "mounts", "remove", t.id,
                json.dumps([{"destination": at}]))
    protected(t, inside)
    inside.end()


@case("mounts add on a link of the image, and off again", needs="busybox")
def _(t):
    inside = Inside(t)
    inside.says("ln -s /tmp /mnt/run")
    for _ in range(2):
        t.ok("mounts", "add", t.id, json.dumps([
            {"destination": "/mnt/run/x", "type": "tmpfs"}, {"destination": "/mnt/run/x/",
                                                             "type": "tmpfs"}]))
    t.fails("'/tmp/x' was not mounted", "mounts", "remove", t.id, '[{"destination": "/tmp/x"}]')
    t.fails("nothing is mounted", "mounts", "remove", t.id,
            json.dumps([{"destination": "/mnt/run/x"}] * 4 + [{"destination": "/mnt"}]))
    t.ok("mounts", "remove", t.id, json.dumps([{"destination": "/mnt/run/./x"}] * 4))
    t.fails("nothing is mounted", "mounts", "remove", t.id, '[{"destination": "/mnt/run/x"}]')
    inside.end()
