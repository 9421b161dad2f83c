# SPDX-License-Identifier: Apache-2.0
"""1 to 7: options in every spelling, the environment, the working directory."""
import os

from callers import Conmon, ConmonRs, environment
from contract import attempts, created, outcome, quiet, refused, requirement, started


def _run(t, *words):
    t.probe("say", "ran")
    t.write_config()
    r = t.cleat(*words)
    t.check((r.rc, r.out) == (0, "ran\n"), f"it did not run: {r}")


@requirement(1, "an option is --x v, --x=v, -x v or -x=v, a switch also --x=true and --x=false; "
             "options may follow the operands, but what follows the id of exec and ps is not "
             "looked at", "go-runc, podman, conmon-rs, scripts")
def _(t):
    b = t.bundle
    attempts(t, [(" ".join(form), lambda form=form: _run(t, "run", *form, t.id))
                 for form in (["--bundle", b], [f"--bundle={b}"], ["-bundle", b],
                              [f"-bundle={b}"], ["-b", b], [f"-b={b}"], ["--no-pivot=false", "-b", b],
                              ["--bundle", "/nowhere", "--bundle", b], ["--no-pivot=true", "--bundle", b], ["-no-new-keyring", "-b", b])])
    _run(t, "run", t.id, "--bundle", b, "--no-pivot")
    quiet(t, "delete", t.id, "--force")
    quiet(t, "delete", "--force=true", t.id)
    refused(t, "does not exist", "delete", "--force=false", t.id)
    started(t)
    r = t.ok("exec", t.id, "/probe", "say", "--tty", "-x=1", "--", "--help")
    t.equal(r.out, "--tty -x=1 -- --help\n", "the arguments of exec's command")
    t.delete("--force")


@requirement(2, "global options may come twice, the last one counts", "conmon-rs")
def _(t):
    caller = ConmonRs(t)
    t.probe("sleep")
    r = caller.create()
    t.check(r.rc == 0, f"create: {r}")
    caller.ok("start", t.id)
    t.wait_for_line("ready")
    r, pid = caller.exec("/probe", "sleep")
    t.check(r.rc == 0, f"exec: {r}")
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    t.globals = ["--root", "/nowhere", "--log-format=text", "--log", f"{t.dir}/first",
                 "--log-format=json", "--log", f"{t.dir}/second"]
    t.equal(t.state()["status"], "running", "the status, with the second --root")
    refused(t, "does not exist", "start", t.id + "-none")
    t.check(t.read(f"{t.dir}/second").startswith("{"), "the second log has no JSON")
    t.delete("--force")


@requirement(3, "--root, --debug, --log, --log-format, --systemd-cgroup, --rootless, --criu and "
             "--cgroup-manager before every command", "all")
def _(t):
    created(t)
    log = f"{t.dir}/log"
    for words in (["--root", t.root], ["--debug=false"], ["--log", log, "--log-format", "json"],
                  ["--log-format=text"], ["--rootless=true"], ["--rootless=false"],
                  ["--rootless=auto"], ["--criu", "/usr/sbin/criu"],
                  ["--cgroup-manager=cgroupfs"], ["--cgroup-manager", "systemd"],
                  ["--systemd-cgroup"], ["--systemd-cgroup=false"]):
        t.globals = words
        for command in (["features"], ["--version"], ["state", t.id], ["kill", t.id, "0"],
                        ["list", "-q"], ["delete", "--force", t.id + "-none"]):
            r = t.cleat(*command)
            t.check(r.rc == 0, f"with {words}: {r}")
    t.globals = ["--debug", "--log", log]
    t.ok("state", t.id)
    t.delete("--force")


def _elsewhere(t, argv, env):
    """A command for which /run is a directory of the test's own."""
    where = f"{t.dir}/run"
    os.makedirs(where, exist_ok=True)
    return outcome(t, ["unshare", "-m", "--propagation", "private", "sh", "-c",
                       f'mount --bind {where} /run && exec env -i {env} "$@"', "sh",
                       t.cleat_path, *argv], stdout=t.output.writer)


@requirement(4, "without --root the state is found again, with a full environment or with "
             "XDG_RUNTIME_DIR alone", "podman, BuildKit, buildah")
def _(t):
    t.probe("sleep")
    t.write_config()
    os.mkdir(f"{t.dir}/xdg", 0o700)
    few = f"XDG_RUNTIME_DIR={t.dir}/xdg"
    full = f"{few} HOME=/root USER=root LOGNAME=root TMPDIR=/tmp PATH={os.environ['PATH']}"
    pid_file = f"{t.dir}/pid"
    for first, second in ((full, few), (few, full)):
        r = _elsewhere(t, ["create", "--bundle", t.bundle, "--pid-file", pid_file, t.id], first)
        t.check(r.rc == 0, f"create: {r}")
        for words in (["state", t.id], ["start", t.id], ["kill", t.id, "9"]):
            r = _elsewhere(t, words, second)
            if r.rc:
                os.kill(int(t.read(pid_file)), 9)
                _elsewhere(t, ["delete", "--force", t.id], first)
            t.check(r.rc == 0, f"create with '{first}', then with '{second}': {r}")
        os.waitpid(int(t.read(pid_file)), 0)
        r = _elsewhere(t, ["delete", t.id], second)
        t.check(r.rc == 0, f"{r}")


@requirement(5, "kill, delete, pause and resume without PATH, HOME or a bus", "podman")
def _(t):
    caller = Conmon(t)
    for env in ({}, {"XDG_RUNTIME_DIR": f"{t.dir}/xdg"}):
        pid = started(t)
        caller.env = env
        for words in (["pause", t.id], ["resume", t.id], ["kill", t.id, "9"]):
            caller.ok(*words)
        t.wait_for_end(pid)
        caller.ok("delete", "--force", t.id)


@requirement(6, "from any working directory, also one that is gone; without --bundle the working "
             "directory is the bundle", "podman, CRI-O")
def _(t):
    os.mkdir(f"{t.dir}/gone")
    t.probe("say", "ran")
    t.write_config()
    r = outcome(t, ["sh", "-c", f'cd {t.dir}/gone && rmdir ../gone && exec "$@"', "sh",
                    *t.command("run", "--bundle", t.bundle, t.id)])
    t.check((r.rc, r.out) == (0, "ran\n"), f"from a directory that is gone: {r}")
    t.equal(t.cleat("run", t.id, cwd=t.bundle).out, "ran\n", "the output without --bundle")
    t.equal(t.cleat("run", "--bundle", "bundle", t.id, cwd=t.dir).out, "ran\n",
            "the output with a relative one")
    t.probe("sleep")
    t.write_config()
    t.start_command("create", "--bundle", "bundle", t.id, cwd=t.dir)
    bundle = t.state()["bundle"]
    t.delete("--force")
    t.equal(bundle, t.bundle, "the bundle in the state")


@requirement(7, "create and run take --bundle, -b, --pid-file, --no-pivot, --no-new-keyring, "
             "--preserve-fds; --detach does no harm at create", "go-runc, conmon, buildah")
def _(t):
    t.probe("sleep")
    t.write_config()

    def one(command, options):
        t.start_command(command, *options, "--bundle", t.bundle, t.id, env=environment())
        t.equal(t.state()["status"], "created" if command == "create" else "running", "the status")
        t.delete("--force")
    forms = [["--pid-file", f"{t.dir}/pid"], ["--no-new-keyring"], ["--no-pivot"],
             ["--preserve-fds", "0"], ["--preserve-fds=0", "--no-pivot", "--no-new-keyring"]]
    attempts(t, [(f"create {' '.join(o)}", lambda o=o: one("create", o))
                 for o in forms + [["--detach"]]])
    attempts(t, [(f"run {' '.join(o)}", lambda o=o: one("run", o + ["--detach"])) for o in forms])
    t.check(os.path.exists(f"{t.dir}/pid"), "there is no pid file")
