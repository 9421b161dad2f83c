#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line without root: help, version, mistakes, ids, the rules of the log.

Each case is a row. Whatever the command line is, a failure is exit status 1, one line on
stderr that begins with "cleat: ", nothing on stdout, and exactly one record in the log.

environment: CLEAT (the program, default ./cleat)
"""
import datetime
import json
import os
import stat
import subprocess
import sys
import tempfile

CLEAT = os.path.abspath(os.environ.get("CLEAT", "./cleat"))
COMMANDS = """check checkpoint create delete events exec features help kill list mounts pause
ps restore resume run spec start state stats stop update wait""".split()
# their --help fails where they would
CONDITIONAL = {"checkpoint", "restore"}

# arguments, words that the error must hold
MISTAKES = [
    ([], "no command given"),
    (["--root", "/nonexistent"], "no command given"),
    (["bogus"], "unknown command 'bogus'"),
    (["stae"], "did you mean 'state'?"),
    (["help", "bogus"], "unknown command 'bogus'; see 'cleat --help'"),
    (["help", "stae"], "did you mean 'state'?"),
    (["--bogus", "list"], "unknown option '--bogus' (see --help)"),
    (["-bogus=1", "list"], "unknown option '-bogus=1'"),
    (["--root"], "option '--root' requires an argument"),
    (["--log-format", "xml", "list"], "unknown value 'xml' (known: text, json)"),
    (["--debug=maybe", "list"], "option '--debug' is true or false, not 'maybe'"),
    (["create"], "create requires: ID"),
    (["create", "--bundle"], "create: option '--bundle' requires an argument"),
    (["create", "--preserve-fds", "x", "c1"], "option '--preserve-fds' needs a number"),
    (["create", "a", "b"], "create: unexpected argument 'b'"),
    (["delete", "c1", "--bogus"], "delete: unknown option '--bogus' (see --help)"),
    (["state"], "state requires: ID"),
    (["features", "x"], "features: unexpected argument 'x'"),
    (["list", "-f", "yaml"], "option '--format': unknown value 'yaml'"),
    (["kill", "c1", "NOSIG"], "unknown signal 'NOSIG'"),
    (["kill", "c1", "9", "x"], "unknown signal 'x'"),
    (["delete", "-r", "["], "regular expression '['"),
    (["stop", "--time", "x", "c1"], "option '--time' needs a number of seconds, not 'x'"),
    (["wait", "--time", "-1", "c1"], "option '--time' needs a number of seconds, not '-1'"),
    (["--root", "/", "state", "c1"], "'/' cannot be the state root"),
]

BAD_IDS = {"": "container id is empty", ".": "begins with a dot", "..": "begins with a dot",
           ".hidden": "container id '.hidden' begins with a dot",
           "a/b": "invalid character '/' in the container ID 'a/b'",
           "../no-cleat-here": "'../no-cleat-here'",
           "a b": "invalid character ' ' in the container ID 'a b'",
           "a\nb": "in the container ID 'a", "\u00e4": "in the container ID '\u00e4'",
           "x" * 256: "is longer than"}
ID_COMMANDS = ["create", "run", "start", "state", "kill", "delete", "wait", "stop"]

UNKNOWN_ID = [["state", "c1"], ["start", "c1"], ["kill", "c1"], ["kill", "-a", "c1", "9"],
              ["delete", "c1"], ["wait", "c1"], ["stop", "c1"]]

failures = []
count = 0


def check(condition, what):
    global count
    count += 1
    if not condition:
        failures.append(what)


def run(args, cwd=None, env=None, **kw):
    return subprocess.run([CLEAT] + args, capture_output=True, cwd=cwd, env=env, timeout=60,
                          check=False, **kw)


def check_failure(args, words, r):
    name = " ".join(args)
    err = r.stderr.decode()
    check(r.returncode == 1, f"{name!r}: exit status {r.returncode}")
    check(r.stdout == b"", f"{name!r}: stdout {r.stdout!r}")
    check(err.startswith("cleat: ") and err.endswith("\n") and err.count("\n") == 1,
          f"{name!r}: not one line: {err!r}")
    check(words in err, f"{name!r}: {err!r} lacks {words!r}")


def check_log(path, name, words):
    """Exactly one JSON object, with what the engines decode."""
    with open(path, "rb") as f:
        text = f.read()
    lines = text.decode("utf-8").splitlines()
    check(len(lines) == 1, f"{name}: {len(lines)} log lines: {text!r}")
    if len(lines) != 1:
        return
    record = json.loads(lines[0])
    check(record["level"] == "error", f"{name}: level {record['level']!r}")
    check(words in record["msg"] and "\n" not in record["msg"], f"{name}: {record['msg']!r}")
    try:
        datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00"))
    except ValueError:
        check(False, f"{name}: time {record['time']!r}")


def test_mistakes(tmp):
    for args, words in MISTAKES:
        check_failure(args, words, run(args))
        log = tmp + "/mistake.json"
        with_log = ["--log", log, "--log-format=json"] + args
        check_failure(with_log, words, run(with_log))
        check_log(log, " ".join(with_log), words)
        os.unlink(log)


def test_ids(tmp):
    for command in ID_COMMANDS:
        for bad, words in BAD_IDS.items():
            args = ["--root", tmp + "/root", command, bad]
            check_failure(args, words, run(args, cwd=tmp))
    check(not os.path.exists(tmp + "/root"), "a bad id made a state root")


def test_bundle_words(tmp):
    """Where the operand is no id: what names a bundle."""
    os.makedirs(tmp + "/words/web/rootfs")
    r = run(["spec", "-b", "web"], cwd=tmp + "/words")
    check(r.returncode == 0, f"spec -b: {r}")
    check_failure(["spec", "-b", "web"], "create 'web/config.json': file exists",
                  run(["spec", "-b", "web"], cwd=tmp + "/words"))
    check_failure(["spec", "-b", "web", "-f", tmp + "/no/x"], f"create '{tmp}/no/x': no such file",
                  run(["spec", "-b", "web", "-f", tmp + "/no/x"], cwd=tmp + "/words"))
    for command in ("create", "run"):
        for word, words in (("web", "no bundle in the working directory; is 'web/' meant?"),
                            ("none", "no configuration in the bundle '%s/words' ('cleat spec' "
                                     "writes one): open 'config.json': no such file" % tmp),
                            (".", "a bundle is named './'"),
                            ("..", "a bundle is named '../'"),
                            ("/none", "no directory is there that could be a bundle")):
            args = ["--root", tmp + "/root", command, word]
            check_failure(args, words, run(args, cwd=tmp + "/words"))


def test_unknown(tmp):
    for root in (tmp + "/none", tmp):
        for args in UNKNOWN_ID:
            args = ["--root", root] + args
            check_failure(args, "container 'c1' does not exist", run(args))
        for _ in range(2):
            r = run(["--root", root, "delete", "--force", "c1"])
            check((r.returncode, r.stdout, r.stderr) == (0, b"", b""), f"delete --force: {r}")
    check(not os.path.exists(tmp + "/none"), "a look made a state root")


def test_about(_tmp):
    r = run(["--version"])
    lines = r.stdout.decode().splitlines()
    check(r.returncode == 0 and r.stderr == b"", f"--version: {r}")
    for i, prefix in enumerate(["cleat version ", "commit: ", "spec: 1.3.0", "libseccomp: "]):
        check(i < len(lines) and lines[i].startswith(prefix), f"--version: {lines}")
    for args in (["-v"], ["-V"], ["--version", "list"], ["--root", "/x", "--version"]):
        check(run(args).stdout == r.stdout, f"{args}: not the version")
    for command in COMMANDS:
        asked = [["help", command]]
        if command not in CONDITIONAL:
            asked += [[command, "--help"], ["--debug", command, "-h"]]
        for args in asked:
            r = run(args)
            check(r.returncode == 0 and r.stderr == b"", f"{args}: {r}")
            check(f"Usage: cleat [OPTIONS] {command} " in r.stdout.decode(), f"{args}: {r.stdout}")
    r = run(["--help"])
    check(r.returncode == 0 and r.stderr == b"", f"--help: {r}")
    for command in COMMANDS:
        check(f"\n  {command} " in r.stdout.decode(), f"--help lacks {command}")


def option_words(rows):
    return {"--" + row["name"] for row in rows if row["help"] is not None}


def test_tables(_tmp):
    """What is dumped is what help shows; man/words makes pages and completions of it."""
    tables = json.loads(run(["--dump-options"]).stdout)
    check([c["name"] for c in tables["commands"]] == COMMANDS, "commands: not those of the test")
    texts = {"": (tables["options"], run(["--help"]).stdout.decode())}
    for c in tables["commands"]:
        if c["name"] not in CONDITIONAL:
            texts[c["name"]] = (c["options"], run(["help", c["name"]]).stdout.decode())
        names = [row["name"] for row in c["options"]]
        check(len(set(names)) == len(names), f"{c['name']}: one option twice")
    for name, (rows, text) in texts.items():
        for word in option_words(rows):
            check(word in text, f"help of {name!r} lacks {word}")


def test_features(_tmp):
    r = run(["features"], env={})
    check(r.returncode == 0 and r.stderr == b"", f"features: {r}")
    f = json.loads(r.stdout)
    check(f["ociVersionMin"] == "1.0.0" and f["ociVersionMax"] == "1.3.0", "features: versions")
    check("rro" in f["mountOptions"] and "idmap" in f["mountOptions"], "features: mountOptions")
    check("prestart" in f["hooks"] and len(f["hooks"]) == 6, "features: hooks")
    check(set(f["linux"]["namespaces"]) ==
          {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}, "features: namespaces")
    check(f["linux"]["mountExtensions"]["idmap"]["enabled"] is True, "features: idmap")
    check("SCMP_ACT_NOTIFY" in f["linux"]["seccomp"]["actions"], "features: seccomp")
    check(run(["--root", "/x", "--systemd-cgroup", "features"]).stdout == r.stdout,
          "features: globals change the answer")


def test_list(tmp):
    root = tmp + "/lists"
    env = {"XDG_RUNTIME_DIR": tmp}
    check_failure(["list"], "does not exist", run(["--root", root, "list"]))
    os.mkdir(root, 0o700)
    for args, want in ((["-f", "json"], b"null\n"), (["-q"], b""), ([], None)):
        r = run(["--root", root, "list"] + args)
        check(r.returncode == 0 and r.stderr == b"", f"list {args}: {r}")
        if want is not None:
            check(r.stdout == want, f"list {args}: {r.stdout!r}")
        else:
            check(r.stdout.split() == b"ID PID STATUS BUNDLE CREATED OWNER".split(),
                  f"list: {r.stdout!r}")
    r = run(["list", "--format=json"], env=env)
    check(r.returncode == 0 and json.loads(r.stdout) in (None, []) or os.geteuid() == 0,
          f"list of the default root: {r}")
    # the rest of a killed creation, and a record that cannot be read
    os.mkdir(root + "/left")
    os.mkdir(root + "/broken")
    with open(root + "/broken/state.json", "w", encoding="utf-8") as f:
        f.write("{")
    with open(root + "/stray", "w", encoding="utf-8"):
        pass
    r = run(["--root", root, "list", "-f", "json"])
    ids = [c["id"] for c in json.loads(r.stdout)]
    check(r.returncode == 0 and ids[:2] == ["broken", "left"], f"list of leftovers: {r}")
    for name in ("left", "broken"):
        args = ["--root", root, "state", name]
        check_failure(args, f"container '{name}' does not exist", run(args))
        r = run(["--root", root, "delete", "--force", name])
        check(r.returncode == 0 and not os.path.exists(f"{root}/{name}"), f"delete {name}: {r}")


def test_roots(tmp):
    root = tmp + "/open"
    os.mkdir(root)
    os.chmod(root, 0o777)
    args = ["--root", root, "state", "c1"]
    check_failure(args, "can be written by everybody", run(args))
    link = tmp + "/link"
    os.mkdir(tmp + "/real", 0o700)
    os.symlink("real", link)
    args = ["--root", link, "state", "c1"]
    check_failure(args, "does not exist", run(args))
    os.symlink("/etc", tmp + "/real/c1")
    r = run(["--root", link, "state", "c1"])
    check(r.returncode == 1, f"a linked container: {r}")


def test_log(tmp):
    log = tmp + "/log.json"
    base = ["--log", log, "--log-format", "json"]
    os.umask(0o077)
    r = run(base + ["list", "-q"], env={"XDG_RUNTIME_DIR": tmp})
    os.umask(0o022)
    check(os.path.exists(log) and os.path.getsize(log) == 0, f"a success was logged: {r}")
    check(stat.S_IMODE(os.stat(log).st_mode) == 0o644, "the mode of the log follows the umask")
    os.unlink(log)
    args = base + ["create", "--bundle", tmp + "/nowhere", "c1"]
    check_failure(args, "nowhere", run(args))
    check_log(log, "create", "nowhere")
    args = base + ["--root", tmp, "state", "c2"]
    run(args)
    with open(log, encoding="utf-8") as f:
        check(len(f.readlines()) == 2, "the log is appended to")
    args = ["--log", tmp + "/no/such/dir", "list"]
    check_failure(args, "/no/such/dir", run(args))
    args = ["--log", "file:" + tmp + "/other", "--root", tmp, "state", "c2"]
    check_failure(args, "does not exist", run(args))
    check(os.path.getsize(tmp + "/other") > 0, "file: was not understood")


def test_closed_descriptors(tmp):
    """With any of 0, 1 and 2 closed nothing of ours may land there."""
    for closed in range(3):
        log = f"{tmp}/closed{closed}"
        script = f'exec {closed}>&-; exec "$0" --log {log} --log-format json --root {tmp} state c9'
        r = subprocess.run(["/bin/sh", "-c", script, CLEAT], capture_output=True, timeout=60,
                           check=False)
        check(r.returncode == 1, f"{closed} closed: {r}")
        check_log(log, f"{closed} closed", "does not exist")


def test_spec(tmp):
    bundle = tmp + "/bundle"
    os.mkdir(bundle)
    for args in (["spec", "-b", bundle], ["spec", "--rootless", "--bundle", bundle, "-f", "r.json"]):
        r = run(args)
        check((r.returncode, r.stdout, r.stderr) == (0, b"", b""), f"{args}: {r}")
        check_failure(args, "file exists", run(args))
    for name in ("config.json", "r.json"):
        with open(f"{bundle}/{name}", encoding="utf-8") as f:
            config = json.load(f)
        check(config["ociVersion"].startswith("1."), f"{name}: ociVersion")
    check(any(n["type"] == "user" for n in config["linux"]["namespaces"]), "spec --rootless: no user")


def test_preserved(tmp):
    for n, words in (("2", "descriptor 3 is to be passed on but not open"),
                     ("2000000", "there is no descriptor 2000002")):
        args = ["--root", tmp + "/p", "create", "--preserve-fds", n, "--bundle", tmp, "c1"]
        check_failure(args, words, run(args))


TESTS = [test_mistakes, test_ids, test_bundle_words, test_unknown, test_about, test_tables,
         test_features, test_list, test_roots, test_log, test_closed_descriptors, test_spec, test_preserved]


def main():
    os.umask(0o022)
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        failures.clear()
        before = count
        with tempfile.TemporaryDirectory() as tmp:
            try:
                test(tmp)
            except (OSError, ValueError, KeyError, subprocess.SubprocessError) as e:
                failures.append(f"{type(e).__name__}: {e}")
        ok = not failures and count > before
        print(f"{'ok' if ok else 'not ok'} {number} - {test.__name__[5:]}", flush=True)
        for text in failures:
            print("# " + text.replace("\n", " "))
    return 0


if __name__ == "__main__":
    sys.exit(main())
