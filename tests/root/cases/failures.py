# SPDX-License-Identifier: Apache-2.0
"""What goes wrong: one line that names the object, a status, and nothing left behind."""
import json
import os

from frame.case import DELETE, case, failure_rows
from frame.config import namespaces

failure_rows([
    ("a program that is missing", {"process.args": ["/no/such/program"]},
     "/no/such/program.*no such file or directory"),
    ("a bare program that is missing", {"process.args": ["no-such-program"]},
     r"no-such-program.*executable file not found in \$PATH"),
    ("a program that is a directory", {"process.args": ["/etc"]}, "/etc.*permission denied"),
    ("no arguments", {"process.args": []}, "args"),
    ("no process", {"process": DELETE}, "process"),
    ("no arguments at all", {"process.args": DELETE}, "args"),
    ("an empty program", {"process.args": [""]}, "args|executable"),
    ("a relative cwd", {"process.cwd": "tmp"}, "cwd"),
    ("no cwd", {"process.cwd": DELETE}, "cwd"),
    ("a variable without a name", {"process.env": ["=x"]}, "env"),
    ("no ociVersion", {"ociVersion": DELETE}, "ociVersion"),
    ("an ociVersion of the future", {"ociVersion": "2.0.0"}, "ociVersion.*2.0.0"),
    ("an ociVersion that is none", {"ociVersion": "one"}, "ociVersion"),
    ("a number for a text", {"hostname": 5}, "hostname"),
    ("a text for a number", {"process.user.uid": "0"}, "uid"),
    ("an object for a list", {"mounts": {}}, "mounts"),
    ("a negative uid", {"process.user.uid": -1}, "uid"),
    ("a uid beyond 32 bits", {"process.user.uid": 1 << 32}, "uid"),
    ("an unknown rlimit", {"process.rlimits": [{"type": "RLIMIT_FUN", "soft": 1, "hard": 1}]},
     "RLIMIT_FUN"),
    ("a soft limit above the hard one",
     {"process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 2, "hard": 1}]},
     "rlimits|RLIMIT_NOFILE"),
    ("the same rlimit twice", {"process.rlimits": [
        {"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1},
        {"type": "RLIMIT_NOFILE", "soft": 2, "hard": 2}]}, "rlimits|RLIMIT_NOFILE"),
    ("an oom_score_adj out of range", {"process.oomScoreAdj": 1001}, "oomScoreAdj"),
    ("an unknown scheduler", {"process.scheduler": {"policy": "SCHED_MAGIC"}}, "SCHED_MAGIC"),
    ("an unknown ioPriority", {"process.ioPriority": {"class": "IOPRIO_CLASS_X", "priority": 1}},
     "IOPRIO_CLASS_X"),
    ("a mount without a destination", {"+mounts": [{"type": "tmpfs", "source": "x"}]},
     "destination"),
    ("a file system type with a path", {"+mounts": [
        {"destination": "/mnt", "type": "../x", "source": "x"}]}, r"\.\./x|type"),
    ("an unknown personality", {"linux.personality": {"domain": "LINUX64"}}, "LINUX64"),
    ("a hard limit above the caller's",
     {"process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1 << 40, "hard": 1 << 40}]},
     "RLIMIT_NOFILE"),
])


def _text(name, text, pattern):
    @case(name)
    def _(t):
        t.write_config(text)
        t.fails(pattern, "run", "--bundle", t.bundle, t.id)
        t.check(not os.path.isdir(t.root) or not os.listdir(t.root), "there is a record")


_text("an empty config.json", "\n", "config.json")
_text("no JSON", "{ this is none }", r"config.json:1:\d+")
_text("JSON that ends too early", '{"ociVersion": "1.0.2",\n "process": {', r"config.json:2:\d+")
_text("a list", "[]", "config.json")
_text("something after the end", '{"ociVersion": "1.0.2"} x', "config.json")
_text("a key twice", '{"ociVersion": "1.0.2", "ociVersion": "1.0.2"}', "ociVersion")
_text("too deep", "[" * 100000 + "]" * 100000, "config.json")
_text("a NUL in a text", '{"ociVersion": "1.0.2", "hostname": "a\\u0000b"}', "hostname|NUL|u0000")


@case("no config.json")
def _(t):
    t.fails("config.json.*no such file or directory", "run", "--bundle", t.bundle, t.id)


@case("a bundle that is missing")
def _(t):
    t.fails("/no/such/bundle", "run", "--bundle", "/no/such/bundle", t.id)


@case("a config.json that is a directory")
def _(t):
    os.mkdir(f"{t.bundle}/config.json")
    t.fails("config.json", "run", "--bundle", t.bundle, t.id)


@case("a config.json that is a fifo")
def _(t):
    os.mkfifo(f"{t.bundle}/config.json")
    t.fails("config.json", "run", "--bundle", t.bundle, t.id)


@case("a file that is not executable")
def _(t):
    t.write(f"{t.rootfs}/etc/file", "x", 0o644)
    t.args("/etc/file")
    t.expect_failure("/etc/file.*permission denied")


@case("a file of no format")
def _(t):
    t.write(f"{t.rootfs}/etc/file", "\0\1\2", 0o755)
    t.args("/etc/file")
    t.expect_failure("/etc/file.*exec format error")


@case("an interpreter that is missing")
def _(t):
    t.write(f"{t.rootfs}/script", "#!/no/such/interpreter\n", 0o755)
    t.args("/script")
    t.expect_failure("/script.*no such file or directory")


@case("a link that leads nowhere")
def _(t):
    os.symlink("/no/where", f"{t.rootfs}/link")
    t.args("/link")
    t.expect_failure("/link.*no such file or directory")


@case("create fails when the program is missing")
def _(t):
    t.args("/no/such/program")
    t.write_config()
    t.fails("no such file or directory", "create", "--bundle", t.bundle, t.id)
    t.fails("does not exist", "state", t.id)


@case("the status of a program that is missing")
def _(t):
    t.args("/no/such/program")
    t.check(t.run().rc in (1, 127), "another status")


@case("a program that is not the user's to execute")
def _(t):
    os.mkdir(f"{t.rootfs}/closed", 0o700)
    os.link(f"{t.rootfs}/probe", f"{t.rootfs}/closed/probe")
    t.args("/closed/probe")
    t.edit({"process.user": {"uid": 1000, "gid": 1000}, "process.capabilities": {}})
    t.expect_failure("/closed/probe.*permission denied")


@case("the log has the same error, in JSON")
def _(t):
    log = f"{t.dir}/log.json"
    t.globals = ["--log", log, "--log-format", "json"]
    t.args("/no/such/program")
    r = t.run()
    entries = [json.loads(x) for x in t.read(log).splitlines()]
    t.check(r.rc != 0, f"it went well: {r}")
    t.equal(len(entries), 1, f"entries: {entries}")
    t.expect(entries[0], {"level": "error", "msg": lambda m: m and m in r.err,
                          "time": lambda x: x[:2] == "20"})


@case("nothing is logged on success")
def _(t):
    log = f"{t.dir}/log.json"
    t.globals = ["--log", log, "--log-format", "json"]
    t.run_probe()
    t.equal(t.read(log), "", "the log")


@case("a log that cannot be opened")
def _(t):
    t.globals = ["--log", "/no/such/dir/log"]
    t.write_config()
    t.fails("/no/such/dir/log", "run", "--bundle", t.bundle, t.id)


@case("a state root that cannot be made")
def _(t):
    t.root = "/proc/nothing"
    t.write_config()
    t.fails("/proc/nothing", "run", "--bundle", t.bundle, t.id)


@case("a state root that is open to all")
def _(t):
    os.mkdir(t.root)
    os.chmod(t.root, 0o777)
    t.probe("say", "ran")
    r = t.run()
    if r.rc != 0:
        t.check_message(r, "state")
    os.chmod(t.root, 0o700)


@case("standard streams that are closed")
def _(t):
    import subprocess
    t.probe("exit", "7")
    t.write_config()
    p = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh",
                        *t.command("run", "--bundle", t.bundle, t.id)], check=False, timeout=60)
    t.equal(p.returncode, 7, "the status")


@case("output that cannot be written")
def _(t):
    import subprocess
    t.probe("exit", "7")
    t.write_config()
    with open("/dev/null", "rb") as null:
        p = subprocess.run(t.command("run", "--bundle", t.bundle, t.id), stdin=null, stdout=null,
                           stderr=null, check=False, timeout=60)
    t.equal(p.returncode, 7, "the status")


@case("a container after one that failed")
def _(t):
    t.edit({"linux.namespaces": namespaces("mount", "weather")})
    t.check(t.run().rc != 0, "it went well")
    t.edit({"linux.namespaces": namespaces("pid", "network", "ipc", "uts", "mount", "cgroup")})
    t.run_probe()
