# SPDX-License-Identifier: Apache-2.0
"""Run the cases on all processors and print TAP.

A worker is a process with a mount namespace of its own, private to the host and shared
within, a network of its own, and a tmpfs for the bundles. It takes the number of the next case from a
pipe and answers with one line of JSON.
"""
import json
import os
import shutil
import signal
import stat
import sys
import tempfile
import time
import traceback

from frame import host, kernel, needs
from frame.case import Failed, Skip
from frame.trial import Trial
from frame.user import User

CASE_SECONDS = 600 if os.environ.get("CLEAT_LONG") else 180


class Interrupted(BaseException):
    """We are to end: after the case has been cleaned up."""


class Worker:
    def __init__(self, number, cleat, probe, where):
        self.cleat, self.probe = cleat, probe
        self.number = number
        self.dir = f"{where}/{number}"
        os.mkdir(self.dir, 0o755)
        # the network too: what one worker makes is no difference to another
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWNET)
        kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.mount("cleat-test", self.dir, "tmpfs", 0, "mode=755")
        self.user = User(number, self.dir)
        kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_SHARED)
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        self.probe_copy = f"{self.dir}/probe"
        shutil.copy(probe, self.probe_copy)
        os.chmod(self.probe_copy, 0o755)
        self.interrupted = False
        signal.signal(signal.SIGALRM, _too_long)
        signal.signal(signal.SIGTERM, _interrupt)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def run(self, index, case):
        """What came of a case: ok, skip or the text of the failure."""
        name = f"ct{os.getppid()}-{index}"
        began = time.monotonic()
        lacking = [text for text in map(needs.missing, case.needs) if text]
        if lacking:
            return {"skip": "; ".join(lacking)}
        trial = Trial(self, name)
        before = host.snapshot(trial.beside)
        problems, answer = [], {}
        signal.alarm(CASE_SECONDS)
        try:
            case.function(trial)
        except Skip as e:
            answer["skip"] = str(e)
        except Failed as e:
            problems.append(str(e))
        except Interrupted:
            self.interrupted = True
            problems.append("interrupted")
        except Exception:  # pylint: disable=broad-except
            problems.append(traceback.format_exc())
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.alarm(0)
        problems += self.end(trial, before, bool(problems) or "skip" in answer)
        if problems:
            answer = {"failed": "\n".join(problems)}
        answer["seconds"] = time.monotonic() - began
        return answer

    def end(self, trial, before, gave_up):
        """Clean up where the case did not come to its end; name what is left otherwise."""
        if gave_up:
            trial.cleat("delete", "--force", trial.id)
        problems = host.left_processes()
        problems += host.left_cgroups(trial.id)
        problems += host.left_keyrings(trial.id)
        problems += host.differences(before, host.snapshot(trial.beside))
        if os.path.isdir(trial.root):
            names = [n for n in os.listdir(trial.root) if not n.startswith(".")]
            problems += [f"the state root still has '{n}'" for n in names]
        if os.path.isdir(trial.root) and stat.S_IMODE(os.stat(trial.root).st_mode) & 0o077:
            problems.append("the state root is open to others")
        trial.output.close()
        shutil.rmtree(trial.dir, ignore_errors=True)
        return problems


def _interrupt(*_):
    raise Interrupted


def _too_long(*_):
    raise Failed(f"not done after {CASE_SECONDS} s")


def _work(worker_args, cases, numbers, answers):
    os.umask(0o022)
    worker = Worker(*worker_args)
    while not worker.interrupted:
        signal.signal(signal.SIGTERM, _interrupt)
        data = os.read(numbers, 4)
        if len(data) < 4:
            break
        index = int.from_bytes(data, "little")
        answer = worker.run(index, cases[index])
        answer["index"] = index
        line = json.dumps(answer).encode() + b"\n"
        while line:
            line = line[os.write(answers, line):]


def _print(number, case, answer):
    if "failed" in answer:
        print(f"not ok {number} - {case.title}")
        for line in answer["failed"].splitlines():
            print(f"# {line}")
    elif "skip" in answer:
        print(f"ok {number} - {case.title} # SKIP {answer['skip']}")
    else:
        print(f"ok {number} - {case.title}")
    sys.stdout.flush()


def run_all(cases, cleat, probe, jobs):
    where = tempfile.mkdtemp(prefix="cleat-root-", dir="/tmp")
    os.chmod(where, 0o755)
    numbers, feed = os.pipe()
    os.write(feed, b"".join(i.to_bytes(4, "little") for i in range(len(cases))))
    os.close(feed)
    print(f"1..{len(cases) + 1}", flush=True)
    options = host.cgroup_options()
    pids, streams = [], []
    for n in range(jobs):
        answers, end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(answers)
            try:
                _work((n, cleat, probe, where), cases, numbers, end)
            except BaseException:  # pylint: disable=broad-except
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(end)
        pids.append(pid)
        streams.append(os.fdopen(answers, encoding="utf-8"))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: [os.kill(pid, signal.SIGTERM) for pid in pids])
    failed = _collect(cases, streams)
    for pid in pids:
        os.waitpid(pid, 0)
    shutil.rmtree(where, ignore_errors=True)
    failed += not _same_options(len(cases) + 1, options, host.cgroup_options())
    return 1 if failed else 0


def _same_options(number, before, after):
    """What cases that run side by side may see changed must be as it was when all are done."""
    print(f"{'ok' if before == after else 'not ok'} {number} - host: the cgroup tree has the options it had")
    if before != after:
        print(f"# before: {before}\n# after: {after}")
    return before == after


def _collect(cases, streams):
    import selectors
    wait = selectors.DefaultSelector()
    for s in streams:
        wait.register(s, selectors.EVENT_READ)
    answered, number, failed = set(), 0, 0
    while wait.get_map():
        for key, _ in wait.select():
            line = key.fileobj.readline()
            if not line:
                wait.unregister(key.fileobj)
                continue
            answer = json.loads(line)
            number += 1
            answered.add(answer["index"])
            failed += "failed" in answer
            _print(number, cases[answer["index"]], answer)
    for index, case in enumerate(cases):
        if index not in answered:
            number += 1
            failed += 1
            _print(number, case, {"failed": "the worker ended before it"})
    return failed
