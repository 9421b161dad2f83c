# SPDX-License-Identifier: Apache-2.0
"""64 to 70: the log, and what is said on stderr."""
import datetime
import json
import os
import socket
import stat
import subprocess

from callers import Shim
from contract import gone, outcome, refused, requirement, started
from frame.case import Failed
from frame.trial import TIMEOUT


def _entries(t, path):
    text = t.read(path)
    t.check(text == "" or text.endswith("\n"), f"the log ends in the middle of a line: {text!r}")
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        try:
            entry, end = decoder.raw_decode(text)
        except ValueError as e:
            raise Failed(f"the log holds what is no JSON: {text[:200]!r}") from e
        found.append(entry)
        text = text[end:]
    return found


def _with_log(t, level=()):
    t.globals = [*level, "--log", f"{t.dir}/log", "--log-format", "json"]
    return f"{t.dir}/log"


@requirement(64, "the log is made with mode 0644 and added to; a failing command adds one line: "
             "level error, msg, time of RFC 3339", "shim, podman")
def _(t):
    log = _with_log(t)
    t.args("/nope")
    t.write_config()
    old = os.umask(0o022)
    try:
        refused(t, r"\S", "create", "--bundle", t.bundle, t.id)
        t.equal(oct(stat.S_IMODE(os.stat(log).st_mode)), "0o644", "the mode")
    finally:
        os.umask(old)
    refused(t, r"\S", "state", t.id)
    refused(t, r"\S", "kill", t.id, "9")
    entries = _entries(t, log)
    t.equal([e.get("level") for e in entries], ["error"] * 3, f"the levels of {entries}")
    for e in entries:
        t.check(e.get("msg"), f"no msg in {e}")
        datetime.datetime.fromisoformat(e["time"].replace("Z", "+00:00"))
    shim = Shim(t)
    r = shim.call("start", t.id)
    t.check(r.rc != 0 and t.id in shim.last_error(), "what a shim shows")


@requirement(65, "at the default level a success logs nothing and no warning precedes an error",
             "podman")
def _(t):
    log = _with_log(t)
    # what there is to warn of: a capability and a call that nobody knows
    t.edit({"process.capabilities.bounding": ["CAP_NET_RAW", "CAP_NO_SUCH_THING"],
            "linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"names": ["no_such_call"], "action": "SCMP_ACT_ERRNO"}]}})
    pid = started(t)
    for words in (["exec", t.id, "/probe", "exit", "0"], ["pause", t.id], ["resume", t.id],
                  ["kill", t.id, "9"]):
        t.ok(*words)
    t.wait_for_end(pid)
    t.ok("delete", t.id)
    t.equal(t.read(log), "", "what success has logged")
    t.args("/nope")
    t.write_config()
    refused(t, r"\S", "create", "--bundle", t.bundle, t.id)
    t.equal([e["level"] for e in _entries(t, log)], ["error"], "the levels of a failure")


@requirement(66, "the message is printed on stderr too, though there is a log", "go-runc, conmon")
def _(t):
    log = _with_log(t)
    t.args("/nope")
    t.write_config()
    for words in (["create", "--bundle", t.bundle, t.id], ["state", t.id], ["start", t.id]):
        r = refused(t, r"\S", *words)
        said = _entries(t, log)[-1]["msg"]
        t.check(said in r.err or said.replace('"', '\\"') in r.err, f"'{said}' is not in {r}")


@requirement(67, "a message is UTF-8, one line, under 8 KiB, written at once",
             "conmon, podman, shim")
def _(t):
    log = _with_log(t)
    rows = ["/no/\033[31m\n\u202esuch", "/" + "x" * 3000, "/\u00e9t\u00e9/\u20ac", '/"quo\\ted"']
    for name in rows:
        t.write(log, "")
        t.args(name)
        t.write_config()
        reader, writer = os.pipe()
        p = subprocess.run(t.command("create", "--bundle", t.bundle, t.id), timeout=TIMEOUT,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writer,
                           check=False)
        os.close(writer)
        data = os.read(reader, 8191)  # as conmon does: once
        rest = os.read(reader, 8191)
        os.close(reader)
        t.check(p.returncode != 0, f"{name!r} should have failed")
        t.check(data.strip() and not rest, f"{name!r}: {len(data)} bytes, then {len(rest)}")
        data.decode("utf-8")
        t.equal(len(data.decode("utf-8").strip().splitlines()), 1, f"lines of {data!r}")
        t.check(b"\033" not in data, f"control characters in {data!r}")
        entries = _entries(t, log)
        t.equal(len(entries), 1, f"lines of the log with {name!r}")
        t.check("\n" not in entries[0]["msg"].strip(), "a line break in the log's msg")
        gone(t)


@requirement(68, "the log is there although the bundle or the configuration is not; one that cannot "
             "be opened is an error on stderr", "shim")
def _(t):
    log = _with_log(t)
    refused(t, r"\S", "create", "--bundle", "/nowhere", t.id)
    t.write_config("{ no json")
    refused(t, r"\S", "create", "--bundle", t.bundle, t.id)
    t.write_config('{"ociVersion": 5}')
    refused(t, r"\S", "run", "--bundle", t.bundle, t.id)
    t.equal([e["level"] for e in _entries(t, log)], ["error"] * 3, "the levels")
    t.globals = ["--log", f"{t.dir}/no/such/directory/log", "--log-format", "json"]
    r = refused(t, r"\S", "state", t.id)
    t.check(r.rc > 0 and len(r.err.strip().splitlines()) == 1, f"not an error of one line: {r}")


@requirement(69, "commands that share a log do not mix their lines", "BuildKit")
def _(t):
    log = _with_log(t)
    running = [subprocess.Popen(t.command("state", f"none-{i}-" + "x" * 200),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
               for i in range(24)]
    for p in running:
        p.wait(TIMEOUT)
    t.equal(len(_entries(t, log)), 24, "entries")


def _datagrams(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    s.settimeout(5)
    return s


@requirement(70, "--log=journald:ID, syslog:ID and file:FILE, --log-level=debug, warning, error",
             "conmon-rs")
def _(t):
    run, dev = f"{t.dir}/run", f"{t.dir}/dev"
    os.makedirs(f"{run}/systemd/journal")
    os.mkdir(dev)
    journal, syslog = _datagrams(f"{run}/systemd/journal/socket"), _datagrams(f"{dev}/log")
    script = (f'mount --bind {run} /run; mount --bind {dev} /mnt; cp -a /dev/null /dev/urandom '
              f'/mnt; mount --move /mnt /dev; exec "$@"')

    def say(*words):
        return outcome(t, ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
                           t.cleat_path, *words, "--root", t.root, "state", t.id])
    for level in ("debug", "warning", "error"):
        r = say("--log=journald:conmon", f"--log-level={level}")
        t.check(r.rc == 1 and t.id in r.err, f"with journald, {level}: {r}")
        t.check(b"MESSAGE" in journal.recv(65536), "the journal got no message")
    journal.setblocking(False)
    try:
        while journal.recv(65536):
            pass
    except BlockingIOError:
        pass
    r = say("--log=syslog:conmon", "--log-level=error")
    t.check(r.rc == 1 and t.id in r.err, f"with syslog: {r}")
    t.check(t.id.encode() in syslog.recv(65536), "syslog got no message")
    t.globals = [f"--log=file:{t.dir}/the-log", "--log-level=error"]
    refused(t, r"\S", "state", t.id)
    t.check(t.id in t.read(f"{t.dir}/the-log"), "the file has no message")
    for s in (journal, syslog):
        s.close()
