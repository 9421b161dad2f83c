# SPDX-License-Identifier: Apache-2.0
"""What options do that no other topic tells: each has its effect, not only a place.

tests/cli/options_test.py has every option of runc and crun in every spelling; terminal, exec,
watching, resources and tests/contract have the effects of most.
"""
import json
import os
import subprocess

from cases.exec import report
from frame import cgroups
from frame.case import Skip, case
from frame.config import namespaces, remove_mount
from frame.host import left_processes
from frame.phases import started
from frame.trial import TIMEOUT


# --- create and run ---------------------------------------------------------------------------

for _words in (["--config"], ["-f"]):
    @case("another configuration by " + _words[0])
    def _(t, words=_words):
        t.probe("say", "the other")
        t.write(f"{t.dir}/other.json", json.dumps(t.config))
        t.probe("say", "the usual")
        r = t.run(*words, f"{t.dir}/other.json")
        t.equal((r.rc, r.out), (0, "the other\n"), "status and output")
        r = t.run(*words, "other.json", cwd=t.dir)
        t.equal((r.rc, r.out), (0, "the other\n"), "from where it is")


# --- empty values -----------------------------------------------------------------------------

@case("an empty value is none, as wrappers write it")
def _(t):
    t.edit({"process.cwd": "/work"})
    t.probe("sleep")
    t.write_config()
    before = t.globals
    t.globals = [*before, "--log", "", "--systemd-timeout="]
    t.start_command("create", "--bundle", "", "--config=", "--pid-file", "", "--console-socket",
                    "", "--pidfd-socket=", t.id, cwd=t.bundle)
    t.ok("start", t.id)
    t.wait_for_line("ready")
    t.expect(report(t, "--process", "", "--cwd=", "--user", "", "--apparmor", "",
                    "--process-label", "", "--cgroup", "", "--pid-file", ""),
             {"cwd": "/work", "uids": [0] * 4})
    t.ok("update", "--memory=", "--cpuset-cpus", "", "--resources", "", t.id)
    for option in ("--create", "--start", "--user-name"):
        t.fails("''", "exec", option, "", t.id, *([] if option == "--start" else ["/probe"]))
    t.globals = before
    t.fails("'' cannot be the state root", "--root", "", "state", t.id)
    t.delete("--force")


# --- run ---------------------------------------------------------------------------------------

def _strays(t, *options):
    """How many processes of a container without a pid namespace come to its caller."""
    t.edit({"linux.namespaces": namespaces("network", "ipc", "uts", "mount", "cgroup")})
    t.probe("children", "3")
    with t.foreground(*options) as p:
        t.wait_for_line("ready")
        t.ok("kill", t.id, "KILL")
        p.wait(TIMEOUT)
        p.stderr.close()
    came = 0
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            came += 1
    except ChildProcessError:
        pass
    t.equal(left_processes(), [], "processes that live on")
    return came


@case("run adopts what a container without a pid namespace leaves", needs="cgroup2")
def _(t):
    t.equal(_strays(t), 0, "how many its caller had to reap")


@case("run --no-subreaper leaves it to the caller", needs="cgroup2")
def _(t):
    t.equal(_strays(t, "--no-subreaper"), 3, "how many its caller had to reap")


# --- exec -------------------------------------------------------------------------------------

@case("exec --no-new-privs")
def _(t):
    started(t)
    plain, with_it = report(t), report(t, "--no-new-privs")
    t.delete("--force")
    t.equal((plain["no_new_privs"], with_it["no_new_privs"]), (0, 1), "no_new_privs")


@case("exec --preserve-fds")
def _(t):
    started(t)

    def found(n, opened):
        p = subprocess.run(["sh", "-c", f'exec "$@" {opened}', "sh", *t.command(
            "exec", "--preserve-fds", n, t.id, "/probe", "report", "descriptors")],
                           capture_output=True, text=True, timeout=TIMEOUT, check=False)
        t.check(p.returncode == 0, p.stderr)
        return sorted(t.decode(p.stdout)["descriptors"])

    t.equal(found("1", f"3>{t.dir}/a 4>{t.dir}/b"), ["0", "1", "2", "3"], "the descriptors")
    t.equal(found("4", f"4>{t.dir}/a 6>{t.dir}/b"), ["0", "1", "2", "4", "6"], "with gaps")
    t.delete("--force")


@case("exec --cgroup", needs="cgroup2")
def _(t):
    started(t)
    path = cgroups.directory("", "/" + t.id)
    os.mkdir(f"{path}/part")
    place = report(t, "--cgroup", "part")["cgroup"]
    t.fails(r"\.\.", "exec", "--cgroup", "../..", t.id, "/probe")
    t.fails("nowhere", "exec", "--cgroup", "nowhere", t.id, "/probe")
    t.delete("--force")
    t.check("0::/part" in place, f"it was in {place}")


@case("exec --ignore-paused")
def _(t):
    started(t)
    t.ok("pause", t.id)
    t.fails("paused", "exec", t.id, "/probe", "exit", "0")
    with subprocess.Popen(t.command("exec", "--ignore-paused", t.id, "/probe", "exit", "6"),
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as p:
        try:
            p.wait(0.3)
            t.check(False, "it did not wait for the end of the pause")
        except subprocess.TimeoutExpired:
            pass
        t.ok("resume", t.id)
        t.equal(p.wait(TIMEOUT), 6, "the status")
    t.delete("--force")


for _word, _want in (("--tty=yes", 1), ("--tty=no", 0), ("-t", 1), ("--tty=false", 0)):
    @case(f"exec {_word}")
    def _(t, word=_word, want=_want):
        import pty
        started(t)
        master, slave = pty.openpty()
        with open(f"{t.dir}/out", "w+b") as out:
            subprocess.run(t.command("exec", word, t.id, "/probe", "report", "terminal"),
                           stdin=slave, stdout=slave if want else out, stderr=slave, check=True,
                           timeout=TIMEOUT)
            out.seek(0)
            text = os.read(master, 65536) if want else out.read()
        os.close(master)
        os.close(slave)
        t.delete("--force")
        found = t.decode(text.decode().strip().splitlines()[-1])
        t.equal(found["tty"][1], want, "whether its output is a terminal")


# --- update -----------------------------------------------------------------------------------

UPDATES = [  # option, value, what the record has afterwards
    ("blkio-weight", "300", {"blockIO": {"weight": 300}}),
    ("cpu-period", "40000", {"cpu": {"period": 40000}}),
    ("cpu-quota", "30000", {"cpu": {"quota": 30000}}),
    ("cpu-burst", "10000", {"cpu": {"burst": 10000}}),
    ("cpu-share", "512", {"cpu": {"shares": 512}}),
    ("cpu-idle", "1", {"cpu": {"idle": 1}}),
    ("cpu-rt-period", "900000", {"cpu": {"realtimePeriod": 900000}}),
    ("cpu-rt-runtime", "1000", {"cpu": {"realtimeRuntime": 1000}}),
    ("cpuset-cpus", "0", {"cpu": {"cpus": "0"}}),
    ("cpuset-mems", "0", {"cpu": {"mems": "0"}}),
    ("kernel-memory", "64m", {"memory": {"kernel": 64 << 20}}),
    ("kernel-memory-tcp", "64m", {"memory": {"kernelTCP": 64 << 20}}),
    ("memory", "512M", {"memory": {"limit": 512 << 20}}),
    ("memory-reservation", "1g", {"memory": {"reservation": 1 << 30}}),
    ("memory-swap", "-1", {"memory": {"swap": -1}}),
    ("pids-limit", "77", {"pids": {"limit": 77}}),
]

for _option, _value, _record in UPDATES:
    # a burst cannot be beyond the quota, which is set at create
    @case(f"update --{_option} {_value}", needs="cgroup:cpu" if _option == "cpu-burst" else "")
    def _(t, option=_option, value=_value, record=_record):
        if option == "cpu-burst":
            t.edit({"linux.resources.cpu": {"quota": 20000, "period": 50000}})
        started(t)
        r = t.cleat("update", f"--{option}", value, t.id)
        resources = json.loads(t.read(f"{t.root}/{t.id}/state.json")).get("resources", {})
        t.delete("--force")
        kind, want = next(iter(record.items()))
        if r.rc and any(w in r.err for w in ("no controller", "is not there", "not available",
                                             "no such file", "does not have")):
            raise Skip(r.err.strip())
        t.check(r.rc == 0, f"{r}")
        t.check(want.items() <= resources.get(kind, {}).items(), f"the record: {resources}")


# --- global options ---------------------------------------------------------------------------

def _without_cgroups(t, word):
    """As root where the cgroup file systems cannot be written."""
    t.config["linux"].pop("resources")
    remove_mount(t.config, "/sys/fs/cgroup")
    t.probe("say", "ran")
    t.write_config()
    t.globals = [f"--rootless={word}"]
    script = 'for m in $(awk \'$2 ~ "^/sys/fs/cgroup" { print $2 }\' /proc/mounts); do ' \
             'mount -o remount,bind,ro "$m"; done; exec "$@"'
    return subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
                           *t.command("run", "--bundle", t.bundle, t.id)], text=True,
                          capture_output=True, timeout=TIMEOUT, check=False)


for _word, _rc in (("true", 0), ("false", 1), ("auto", 1)):
    @case(f"--rootless={_word} where root may make no cgroup")
    def _(t, word=_word, rc=_rc):
        p = _without_cgroups(t, word)
        t.equal((p.returncode, p.stdout), (rc, "" if rc else "ran\n"),
                f"status and output ({p.stderr.strip()})")
        t.check(not rc or "cgroup" in p.stderr, f"the message is {p.stderr!r}")


@case("--debug, and the last of several levels")
def _(t):
    t.probe("exit", "0")
    t.write_config()
    said = {}
    for words in (["--debug"], ["--debug=false"], ["--log-level=error", "--log-level", "debug"],
                  ["--log-level=debug", "--log-level=error"]):
        t.globals = words
        said[" ".join(words)] = bool(t.cleat("run", "--bundle", t.bundle, t.id).err)
    t.equal(list(said.values()), [True, False, True, False], f"whether something was said: {said}")


@case("--debug tells the steps, into the log if there is one")
def _(t):
    t.probe("exit", "0")
    t.write_config()
    r = t.cleat("--debug", "run", "--bundle", t.bundle, t.id)
    t.check("cleat: trace: STEP mounts" in r.err and "CGROUP make" in r.err, f"stderr: {r.err!r}")
    for form, want in (("text", "level=debug msg="), ("json", '"level":"debug"')):
        log = f"{t.dir}/{form}"
        r = t.ok("--debug", "--log", log, "--log-format", form, "run", "--bundle", t.bundle, t.id)
        with open(log, encoding="utf-8") as f:
            t.check(want in f.read(), f"no {want} in the log")
        t.equal(r.err, "", "stderr")


@case("ids as runc and crun have them")
def _(t):
    t.probe("sleep")
    t.write_config()
    for name in (f"{t.id}.A_b-c+9", f"{t.id}..x", f"_{t.id}", f"+{t.id}"):
        t.start_command("create", "--bundle", t.bundle, name)
        t.equal(t.decode(t.ok("state", name).out)["id"], name, "the id")
        t.ok("delete", "--force", name)


@case("help in every spelling")
def _(t):
    want = t.ok("run", "--help").out
    for word in ("-h", "-help", "--usage", "-usage", "-?"):
        t.equal(t.ok("run", word).out, want, f"what {word} says")
