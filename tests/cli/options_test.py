#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every option of runc and of crun is accepted by every command that has it there.

A row of OPTIONS: command, words that come after the options, then the options of runc and crun
with a value where they take one. Each is given in every spelling: --x v, --x=v, -x v, -x=v, a
switch also as --x=true; what goes wrong then must be something else than the option. What the
options do is tests/root.

environment: CLEAT (the program, default ./cleat)
"""
import os
import re
import subprocess
import sys
import tempfile

CLEAT = os.path.abspath(os.environ.get("CLEAT", "./cleat"))
NONE = ["no-such-container"]

CREATE = """bundle=/nowhere b=/nowhere f=other.json config=other.json console-socket=/nowhere pid-file=/nowhere/pid
no-pivot no-new-keyring preserve-fds=0 pidfd-socket=/nowhere no-subreaper"""
IMAGES = """image-path=/nowhere work-path=/nowhere tcp-established ext-unix-sk shell-job file-locks
manage-cgroups-mode=soft manage-cgroups-mode=full manage-cgroups-mode=strict
manage-cgroups-mode=ignore network-lock=iptables network-lock=nftables network-lock=skip lazy-pages
auto-dedup empty-ns=network"""

OPTIONS = [
    ("create", NONE, CREATE + " detach"),
    ("run", NONE, CREATE + " detach d keep"),
    ("start", NONE, ""),
    ("state", NONE, ""),
    ("kill", NONE, "all a regex r"),
    ("delete", NONE, "force f regex r"),
    ("list", [], "format=json format=table f=json f=table quiet q"),
    ("exec", [*NONE, "true"], """process=/nowhere p=/nowhere cwd=/ env=A=1 e=A=1 tty t detach d user=1
     u=1:2 console-socket=/nowhere pidfd-socket=/nowhere pid-file=/nowhere/pid preserve-fds=0
     no-new-privs additional-gids=5 g=5 cap=CAP_KILL c=CAP_KILL process-label=x apparmor=x cgroup=x
     ignore-paused no-subreaper"""),
    ("ps", NONE, "format=json f=table"),
    ("pause", NONE, ""),
    ("resume", NONE, ""),
    ("spec", [], "bundle=/nowhere b=/nowhere rootless file=/nowhere/x f=/nowhere/x"),
    ("events", NONE, "interval=5s interval=500ms stats"),
    ("update", NONE, """resources=/dev/null r=/dev/null blkio-weight=100 cpu-burst=1 cpu-idle=1
     cpu-period=1000 cpu-quota=-1 cpu-rt-period=1 cpu-rt-runtime=1 cpu-share=2 cpuset-cpus=0
     cpuset-mems=0 kernel-memory=1 kernel-memory-tcp=1 memory=512m memory-reservation=1
     memory-swap=-1 pids-limit=5 l3-cache-schema=L3:0=f mem-bw-schema=MB:0=10"""),
    ("checkpoint", NONE, IMAGES + """ leave-running parent-path=../x pre-dump page-server=1.2.3.4:5
     status-fd=2 tcp-skip-in-flight link-remap"""),
    ("restore", NONE, IMAGES + """ bundle=/nowhere b=/nowhere detach d pid-file=/nowhere/pid
     console-socket=/nowhere no-pivot no-subreaper lsm-profile=selinux:x lsm-mount-context=x
     tcp-close"""),
    ("features", [], ""),
]
GLOBALS = """debug log=/dev/null log=file:/dev/null log-format=text log-format=json log-level=error
log-level=warning log-level=debug rootless=true rootless=false rootless=auto systemd-cgroup
cgroup-manager=cgroupfs cgroup-manager=systemd cgroup-manager=disabled criu=/nowhere"""

OF_OPTIONS = re.compile("unknown option|requires an argument|is true or false|needs a|unknown value|"
                        "unexpected argument|requires: ")


def spellings(option):
    """Every way to write one; a single letter is short only with one dash."""
    name, equals, value = option.partition("=")
    dashes = ("--", "-") if len(name) > 1 else ("-",)
    for dash in dashes:
        if equals:
            yield [f"{dash}{name}", value]
            yield [f"{dash}{name}={value}"]
        else:
            yield [f"{dash}{name}"]
            yield [f"{dash}{name}=true"]
            yield [f"{dash}{name}=false"]


def run(root, words):
    return subprocess.run([CLEAT, "--root", root, *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False, cwd=root)


def wrong_of(root, command, operands, options):
    wrong = []
    for option in options.split():
        for words in spellings(option):
            r = run(root, [command, *words, *operands])
            if OF_OPTIONS.search(r.stderr):
                wrong.append(f"{' '.join(words)}: {r.stderr.strip()}")
            for name in ("config.json", "x"):
                if os.path.exists(f"{root}/{name}"):
                    os.unlink(f"{root}/{name}")
    for word in ("--help", "-h", "--usage"):
        r = run(root, [command, word])
        if command not in ("checkpoint", "restore") and (r.returncode or "Usage:" not in r.stdout):
            wrong.append(f"{word}: status {r.returncode}: {r.stderr}")
    return wrong


def wrong_globals(root):
    wrong = []
    for option in GLOBALS.split():
        for words in spellings(option):
            r = run(root, [*words, "list", "-q"])
            if r.returncode or r.stdout:
                wrong.append(f"{' '.join(words)}: status {r.returncode}: {r.stderr.strip()}")
    return wrong


def main():
    tests = [(f"options of {command}", lambda root, row=(command, operands, options):
              wrong_of(root, *row)) for command, operands, options in OPTIONS]
    tests.append(("global options", wrong_globals))
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory() as root:
            wrong = test(root)
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}", flush=True)
        for line in wrong:
            print("# " + line.replace("\n", " "))
    return 0


if __name__ == "__main__":
    sys.exit(main())
