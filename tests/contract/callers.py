# SPDX-License-Identifier: Apache-2.0
"""Callers as the runtime sees them: what they write on its command line, hand it and read.

Each is told from that engine's own sources. The worker of the test frame is the subreaper that
a shim, conmon and buildah are.
"""
import json
import os
import signal
import socket
import subprocess

from contract import background, outcome
from frame.kernel import PR_SET_PDEATHSIG, prctl
from frame.trial import TIMEOUT, Result


def environment(**more):
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": "/root", **more}


class Caller:
    """A command line, an environment, descriptors: the rest is in what derives from this."""

    def __init__(self, t):
        self.t = t
        self.log = f"{t.dir}/log.json"
        self.pid_file = f"{t.dir}/init.pid"
        self.env = environment()

    def globals(self):
        return ["--root", self.t.root]

    def argv(self, *words):
        return [self.t.cleat_path, *self.globals(), *words]

    def call(self, *words, **more):
        return outcome(self.t, self.argv(*words), **{"env": self.env, **more})

    def ok(self, *words, **more):
        r = self.call(*words, **more)
        self.t.check(r.rc == 0, f"failed: {r}")
        return r

    def pid(self):
        """As strconv.Atoi and Rust's parse take it: digits and nothing else."""
        text = self.t.read(self.pid_file)
        self.t.check(text.isascii() and text.isdigit(), f"the pid file holds {text!r}")
        return int(text)


class Shim(Caller):
    """containerd-shim-runc-v2 through go-runc, which dockerd and Kubernetes use too."""

    def __init__(self, t):
        super().__init__(t)
        self.env = environment(TTRPC_ADDRESS="/run/containerd/containerd.sock.ttrpc",
                               GRPC_ADDRESS="/run/containerd/containerd.sock",
                               NAMESPACE="default", GOMAXPROCS="2", MAX_SHIM_VERSION="2")

    def globals(self):
        return ["--root", self.t.root, "--log", self.log, "--log-format", "json"]

    @staticmethod
    def birth():
        """What the shim's children are born with."""
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.umask(0o022)

    def null_io(self):
        """NullIO of go-runc: two of the three streams are open for reading only."""
        null = os.open("/dev/null", os.O_RDONLY)
        return {"stdin": null, "stdout": null, "stderr": null}

    def call(self, *words, **more):
        return super().call(*words, **{"preexec_fn": self.birth, "cwd": self.t.bundle, **more})

    def create(self, *options, leak=()):
        """The first create had a socket of the shim's at 3 and more of the shell's."""
        self.t.write_config()
        streams = self.null_io()
        try:
            return self.call("create", "--bundle", self.t.bundle, "--pid-file", self.pid_file,
                             *options, self.t.id, pass_fds=leak, **streams)
        finally:
            os.close(streams["stdin"])

    def exec(self, process, *options):
        """The specification goes as soon as the call is back."""
        path, pid_file = f"{self.t.dir}/runc-process", f"{self.t.bundle}/exec.pid"
        self.t.write(path, json.dumps(process))
        streams = self.null_io()
        try:
            r = self.call("exec", "--process", path, "--detach", "--pid-file", pid_file, *options,
                          self.t.id, **streams)
        finally:
            os.close(streams["stdin"])
            os.unlink(path)
        return r, int(self.t.read(pid_file)) if os.path.exists(pid_file) else 0

    def last_error(self):
        """The last entry of level error: what the user is shown."""
        decoder, found, text = json.JSONDecoder(), None, self.t.read(self.log)
        while text := text.lstrip():
            entry, end = decoder.raw_decode(text)
            text = text[end:]
            if entry["level"] == "error":
                found = entry["msg"]
        return found


class Conmon(Caller):
    """conmon makes and executes for podman and CRI-O; podman itself does the rest."""

    def __init__(self, t):
        super().__init__(t)
        self.env = environment(XDG_RUNTIME_DIR=f"{t.dir}/xdg", _OCI_SYNCPIPE="3",
                               _OCI_STARTPIPE="4")

    def globals(self):
        return ["--root", self.t.root, "--log-format=json", "--log", self.log]

    @staticmethod
    def birth():
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        os.setsid()

    def _read_once(self, argv):
        """One read of at most 8191 bytes from a pipe is what conmon takes of stderr."""
        reader, writer = os.pipe()
        out = os.open(f"{self.t.dir}/conmon.out", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=writer,
                              env=self.env, cwd="/", preexec_fn=self.birth) as p:
            os.close(writer)
            os.close(out)
            rc = p.wait(TIMEOUT)
        os.set_blocking(reader, False)
        try:
            text = os.read(reader, 8191).decode("utf-8", "replace")
        except BlockingIOError:
            text = ""
        os.close(reader)
        return Result(argv[1:], rc, "", text)

    def create(self, *options):
        self.t.write_config()
        return self._read_once(self.argv("create", "--bundle", self.t.bundle, "--pid-file",
                                         self.pid_file, *options, self.t.id))

    def exec(self, process, *options):
        path = f"{self.t.dir}/process.json"
        self.t.write(path, json.dumps(process))
        return self._read_once(self.argv("exec", "--pid-file", f"{self.t.dir}/exec.pid",
                                         "--process", path, "--detach", *options, self.t.id))

    def podman(self, *words, path=False):
        """podman's own calls: no log, next to no environment."""
        env = {"XDG_RUNTIME_DIR": f"{self.t.dir}/xdg"}
        if path:
            env["PATH"] = os.environ["PATH"]
        return outcome(self.t, [self.t.cleat_path, "--root", self.t.root, *words], env=env)


class ConmonRs(Caller):
    """conmon-rs repeats the global options."""

    def globals(self):
        return [f"--root={self.t.root}", f"--root={self.t.root}"]

    def create(self):
        self.t.write_config()
        return self.call("create", "--bundle", self.t.bundle, "--pid-file", self.pid_file,
                         self.t.id, stdout=self.t.output.writer)

    def exec(self, *command):
        """A command line, not a specification; the short -d."""
        pid_file = f"{self.t.dir}/exec.pid"
        r = self.call("exec", "-d", f"--pid-file={pid_file}", self.t.id, *command,
                      stdout=self.t.output.writer)
        return r, int(self.t.read(pid_file)) if r.rc == 0 else 0


class BuildKit(Caller):
    """buildkitd runs in the foreground, with a log that concurrent steps share."""

    def globals(self):
        return ["--root", self.t.root, "--log", self.log, "--log-format", "json"]

    @staticmethod
    def birth():
        os.setpgid(0, 0)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def run(self, *options):
        self.t.write_config()
        return self._foreground(["run", "--bundle", self.t.bundle, *options, self.t.id])

    def _foreground(self, words):
        return background(self.t, self.argv(*words), stderr=subprocess.PIPE, env=self.env,
                          preexec_fn=self.birth)

    def exec(self, process, *options):
        """In the foreground; the pid file is polled for its existence meanwhile."""
        path = f"{self.t.dir}/process.json"
        self.t.write(path, json.dumps(process))
        return self._foreground(["exec", "--process", path, "--pid-file",
                                 f"{self.t.dir}/exec.pid", *options, self.t.id])


class Listener:
    """A console or pidfd socket: one connection, one message, never an answer."""

    def __init__(self, t, name="caller.sock"):
        self.t = t
        self.path = f"{t.dir}/{name}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.socket.bind(self.path)
        self.socket.listen(1)
        self.socket.settimeout(0)

    def receive(self):
        """The descriptor; the caller accepts only when the runtime has gone."""
        t = self.t
        try:
            peer, _ = self.socket.accept()
        except BlockingIOError:
            t.check(False, "nobody has connected to the socket")
        with peer:
            peer.settimeout(TIMEOUT)
            data, ancillary, flags, _ = peer.recvmsg(4096, socket.CMSG_SPACE(4))
            fds = [int.from_bytes(d[i:i + 4], "little") for _, _, d in ancillary
                   for i in range(0, len(d), 4)]
            t.check(not flags & socket.MSG_CTRUNC and len(fds) == 1,
                    f"{len(fds)} descriptors came, flags {flags:#x}")
            t.check(1 <= len(data) < 4096, f"the payload has {len(data)} bytes")
            t.equal(peer.recv(1), b"", "what came after the message")
        self.socket.close()
        return fds[0]


def process_of(*args, **more):
    """A process object for exec."""
    return {"user": {"uid": 0, "gid": 0}, "args": list(args), "cwd": "/",
            "env": ["PATH=/bin:/usr/bin:/", "HOME=/"], **more}
