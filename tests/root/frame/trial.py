# SPDX-License-Identifier: Apache-2.0
"""One case being run: its bundle, the commands that it gives, what it finds.

Everything is below `dir`: the bundle with its root file system (the probe at /probe),
the state root, and `beside` with files that nobody may touch.
"""
import json
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time

from frame import config as configs
from frame.case import Failed

TIMEOUT = 30
DIRECTORIES = ("proc", "sys", "dev", "tmp", "etc", "bin", "mnt")


class Result:
    def __init__(self, command, rc, out, err):
        self.command, self.rc, self.out, self.err = command, rc, out, err

    def __str__(self):
        text = f"{' '.join(self.command)}: status {self.rc}"
        for name, stream in (("stdout", self.out), ("stderr", self.err)):
            if stream.strip():
                text += f"\n{name}: {stream.strip()[-2000:]}"
        return text


def parse_mounts(text):
    """mountinfo as a dictionary by place; the last mount on a place counts."""
    mounts = {}
    for line in (text or "").splitlines():
        left, _, right = line.partition(" - ")
        words, fs = left.split(), right.split()
        mounts[words[4]] = {
            "root": words[3], "options": words[5].split(","), "tags": words[6:], "type": fs[0],
            "source": fs[1], "super": fs[2].split(",") if len(fs) > 2 else [],
        }
    return mounts


class Output:
    """A pipe that containers print to, so that what comes can be waited for."""

    def __init__(self):
        self.reader, self.writer = os.pipe()
        self.text = ""

    def _more(self, seconds):
        if not select.select([self.reader], [], [], max(0, seconds))[0]:
            return False
        self.text += os.read(self.reader, 65536).decode("utf-8", "replace")
        return True

    def available(self):
        while self._more(0):
            pass
        return self.text

    def wait_for(self, part, seconds):
        end = time.monotonic() + seconds
        while part not in self.text:
            if not self._more(end - time.monotonic()):
                return False
        return True

    def close(self):
        os.close(self.reader)
        os.close(self.writer)


class Trial:
    def __init__(self, worker, name):
        self.cleat_path, self.probe_path = worker.cleat, worker.probe
        self.user = worker.user
        self.prefix = []  # a command line that runs ours; frame/user.py
        self.id = name
        self.dir = os.path.join(worker.dir, name)
        self.bundle = f"{self.dir}/bundle"
        self.rootfs = f"{self.bundle}/rootfs"
        self.root = f"{self.dir}/state"
        self.beside = f"{self.dir}/beside"
        self.globals = []
        self.output = Output()
        self.config = configs.default(name)
        for path in (self.dir, self.bundle, self.rootfs, self.beside):
            os.mkdir(path, 0o755)
        for name in DIRECTORIES:
            os.mkdir(f"{self.rootfs}/{name}", 0o1777 if name == "tmp" else 0o755)
            os.chmod(f"{self.rootfs}/{name}", 0o1777 if name == "tmp" else 0o755)
        self.write(f"{self.dir}/err", "")
        os.link(worker.probe_copy, f"{self.rootfs}/probe")
        for name in ("ptmx", "console", "null", "mtab", "passwd"):
            self.write(f"{self.beside}/{name}", f"beside {name}\n")

    # --- making the bundle ---------------------------------------------------------------

    def edit(self, changes=None, **more):
        """Change the configuration; keywords have "_" where paths have "."."""
        for path, value in (changes or {}).items():
            configs.change(self.config, path, value)
        for path, value in more.items():
            configs.change(self.config, path.replace("_", "."), value)

    def args(self, *words):
        self.config["process"]["args"] = list(words)

    def probe(self, *words):
        self.args("/probe", *words)

    def write_config(self, text=None):
        self.write(f"{self.bundle}/config.json", text or json.dumps(self.config, indent=1))

    @staticmethod
    def write(path, text, mode=0o644):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def script(self, name, text):
        """A program of the host beside the bundle; returns its path."""
        path = f"{self.dir}/{name}"
        self.write(path, "#!/bin/sh\n" + text, 0o755)
        return path

    def busybox(self):
        """A root file system with the usual small programs."""
        shutil.copy(shutil.which("busybox"), f"{self.rootfs}/bin/busybox")
        for name in ("sh", "cat", "echo", "ls", "sleep", "id", "true", "env", "mount", "hostname",
                     "ps", "head", "wc", "grep", "stty", "touch", "mkdir", "test"):
            os.symlink("busybox", f"{self.rootfs}/bin/{name}")

    # --- commands ------------------------------------------------------------------------

    def command(self, *words):
        return [*self.prefix, self.cleat_path, *self.globals, "--root", self.root, *words]

    def cleat(self, *words, text=None, env=None, cwd=None, **more):
        # into files: a container that was not to be started would keep a pipe open
        command = self.command(*words)
        with tempfile.TemporaryFile(dir=self.dir) as out, \
                tempfile.TemporaryFile(dir=self.dir) as err:
            try:
                p = subprocess.run(command, input=text and text.encode(), stdout=out, stderr=err,
                                   stdin=None if text else subprocess.DEVNULL, timeout=TIMEOUT,
                                   env=env, cwd=cwd, check=False, **more)
            except subprocess.TimeoutExpired as e:
                raise Failed(f"{' '.join(command[-len(words):])}: no end after {TIMEOUT} s") from e
            said = []
            for f in (out, err):
                f.seek(0)
                said.append(f.read().decode("utf-8", "replace"))
        return Result(command[-len(words):], p.returncode, *said)

    def ok(self, *words, **more):
        """A command that must succeed and, as callers want it, say nothing on stderr."""
        r = self.cleat(*words, **more)
        self.check(r.rc == 0 and not r.err, f"failed: {r}")
        return r

    def fails(self, pattern, *words, **more):
        """A command that must fail with one line that matches @pattern."""
        r = self.cleat(*words, **more)
        self.check(r.rc != 0, f"should have failed: {r}")
        self.check_message(r, pattern)
        return r

    def run(self, *options, **more):
        self.write_config()
        return self.cleat("run", *options, "--bundle", self.bundle, self.id, **more)

    def create(self, *options, **more):
        """Create with streams of the case's own: a pipe that is read would wait for the end."""
        self.write_config()
        return self.start_command("create", *options, "--bundle", self.bundle, self.id, **more)

    def start_command(self, *words, stdin=subprocess.DEVNULL, expect=0, **more):
        """A command whose container goes on: what both print is in out() and err()."""
        command = self.command(*words)
        with open(f"{self.dir}/err", "ab") as err:
            p = subprocess.run(command, stdin=stdin, stdout=self.output.writer, stderr=err,
                               timeout=TIMEOUT, check=False, **more)
        r = Result(command[-len(words):], p.returncode, self.out(), self.err())
        if expect is not None:
            self.check(r.rc == expect, f"should have status {expect}: {r}")
        return r

    def foreground(self, *options):
        """run in the background of ours; what the container prints is in out()."""
        self.write_config()
        return subprocess.Popen(self.command("run", *options, "--bundle", self.bundle, self.id),
                                stdin=subprocess.DEVNULL, stdout=self.output.writer,
                                stderr=subprocess.PIPE)

    def out(self):
        return self.output.available()

    def err(self):
        return self.read(f"{self.dir}/err")

    def wait_for_line(self, text):
        """Until the container has printed @text."""
        self.check(self.output.wait_for(text, TIMEOUT),
                   f"the container never said '{text}': {self.out()} {self.err()}")

    def run_probe(self, *options, **more):
        """Run the container; what the probe has printed last, decoded."""
        r = self.run(*options, **more)
        if r.rc != 0 or not r.out.strip():
            raise Failed(f"the probe did not report: {r}")
        self.check(not r.err, f"there is something on stderr: {r}")
        return self.decode(r.out.strip().splitlines()[-1], r)

    def probe_result(self, *words, **more):
        self.probe(*words)
        return self.run_probe(**more)

    @staticmethod
    def decode(text, result=""):
        try:
            report = json.loads(text)
        except ValueError as e:
            raise Failed(f"no JSON ({e}): {text[:2000]} {result}") from e
        if isinstance(report, dict) and "mountinfo" in report:
            report["mounts"] = parse_mounts(report["mountinfo"])
        return report

    def state(self):
        r = self.ok("state", self.id)
        return self.decode(r.out, r)

    def delete(self, *options):
        return self.ok("delete", *options, self.id)

    @staticmethod
    def wait_for_end(pid):
        """Until process @pid, a child of ours by then, has ended; its status."""
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)

    def listen(self, name):
        path = f"{self.dir}/{name}"
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        s.bind(path)
        s.listen(1)
        s.settimeout(TIMEOUT)
        return path, s

    # --- finding -------------------------------------------------------------------------

    def check(self, holds, text):
        if not holds:
            raise Failed(text)

    def equal(self, got, want, what):
        if callable(want):
            self.check(want(got), f"{what} is {got!r}, but {getattr(want, 'text', 'wrong')} "
                                  "was expected")
        else:
            self.check(got == want, f"{what} is {got!r}, not {want!r}")

    def expect(self, report, expected):
        """Every path of @expected in the report."""
        wrong = []
        for path, want in expected.items():
            value = report
            for name in path.split("."):
                if isinstance(value, dict):
                    value = value.get(name)
                elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
                    value = value[int(name)]
                else:
                    value = None
            try:
                self.equal(value, want(self) if getattr(want, "late", False) else want, path)
            except Failed as e:
                wrong.append(str(e))
        self.check(not wrong, "\n".join(wrong))

    def check_message(self, result, pattern):
        """One line, which names what could not be done."""
        lines = result.err.strip().splitlines()
        self.check(len(lines) == 1, f"{len(lines)} lines on stderr instead of one: {result}")
        self.check(re.search(pattern, lines[0]),
                   f"'{pattern}' does not match: {result}")

    def expect_failure(self, pattern, status=None):
        """A run that fails with a message, prints nothing else and leaves no record."""
        r = self.run()
        self.check(r.rc != 0, f"should have failed: {r}")
        if status is not None:
            self.equal(r.rc, status, f"the status of {r}")
        self.check(r.out == "", f"there is something on stdout: {r}")
        self.check_message(r, pattern)
        self.check(not self.cleat("state", self.id).rc == 0, "the container still exists")
