# SPDX-License-Identifier: Apache-2.0
"""CLEAT_TRACE: every word that cleat(1) has prints what it says, and nothing else."""
import fcntl
import os
import re
import subprocess

from frame import cgroups
from frame.case import case
from frame.config import namespaces
from frame.phases import started
from frame.trial import TIMEOUT, Output

MAN = os.path.join(os.path.dirname(__file__), "../../../man/cleat.1")
# what a run of the container below prints among the lines of the word
LINES = {
    "step": r"STEP mounts \d+ us",
    "mount": r"MOUNT tmpfs 'scratch' on '/mnt': nosuid,nodev,size=64k",
    "cgroup": r"CGROUP make \S+: new",
    "plan": r"PLAN namespaces:.* new mount,.* cgroup \S+, [1-9]\d* mounts",
    "msg": r"MSG receive init \d+",
    "exec": r"EXEC createRuntime hook #0 '/bin/true'",
}


def traced(word):
    return {**os.environ, "CLEAT_TRACE": word}


def lines_of(t, word):
    r = t.run(env=traced(word))
    t.equal(r.rc, 0, f"the status with {word}")
    lines = r.err.splitlines()
    t.check(all(x.startswith("cleat: trace: ") for x in lines), f"more than traces: {r.err}")
    return [x.removeprefix("cleat: trace: ") for x in lines]


@case("each word of the manual prints its lines and no others")
def _(t):
    with open(MAN, encoding="utf-8") as f:
        text = re.search(r"\.It Ev CLEAT_TRACE\n(.*?)\nWith\n", f.read(), re.S)[1]
    words = re.findall(r"^\.Cm (\w+)", text, re.M)
    t.equal(sorted(words), sorted([*LINES, "all", "ignore"]), "the words of cleat(1)")
    t.probe("exit", "0")
    t.edit({"+mounts": [{"destination": "/mnt", "type": "tmpfs", "source": "scratch",
                         "options": ["nosuid", "nodev", "size=64k"]}],
            "hooks.createRuntime": [{"path": "/bin/true"}]})
    every = lines_of(t, "all")
    for word, pattern in LINES.items():
        lines = lines_of(t, word)
        t.check(any(re.fullmatch(pattern + ".*", x) for x in lines), f"{word}: {lines}")
        t.check(all(x.startswith(word.upper() + " ") for x in lines), f"{word}: {lines}")
        t.check(any(re.fullmatch(pattern + ".*", x) for x in every), f"all lacks {word}: {every}")
    t.equal(lines_of(t, "fd,bogus"), [], "the lines of words that there are not")


@case("ignore: what hinders the first of two attempts to kill", needs="program:strace cgroup2")
def _(t):
    """delete --force kills before it waits for whoever is at work on the container, and after."""
    started(t, edits={"linux.namespaces": namespaces("network", "ipc", "uts", "mount")})
    lock = os.open(f"{t.root}/{t.id}", os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    said = Output()
    p = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=write:error=EIO:when=1", "-P",
         cgroups.directory("", f"/{t.id}/cgroup.kill"), *t.command("delete", "--force", t.id)],
        stdin=subprocess.DEVNULL, stdout=said.writer, stderr=said.writer, env=traced("ignore"))
    try:
        said.wait_for("\n", TIMEOUT)
    finally:
        os.close(lock)  # and the lock with it
        status = p.wait(TIMEOUT)
        text = said.available()
        said.close()
    t.check(re.fullmatch(r"cleat: trace: IGNORE kill everything in cgroup \S+ input/output error "
                         r"\(whoever removes the cgroup will report it\)\n", text), text)
    t.equal(status, 0, f"the status of delete: {text}")
