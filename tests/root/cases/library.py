# SPDX-License-Identifier: Apache-2.0
"""Containers by way of libcleat: contrib/examples/containers.c, on the library of the build."""
import json
import os
import re
import subprocess

from frame.case import Skip, case
from frame.phases import started


def containers(t, *words, expect=0, prefix=()):
    """The example with the case's state root; what it printed. @prefix: a command that runs it."""
    program = f"{os.path.dirname(t.cleat_path)}/tests/libcleat/containers"
    if not os.path.exists(program):
        raise Skip("the example of libcleat is not built")
    with open(f"{t.dir}/said", "w+", encoding="utf-8") as out, \
            open(f"{t.dir}/err", "w", encoding="utf-8") as err:
        p = subprocess.run([*prefix, program, "-r", t.root, "-p", t.cleat_path, *words], check=False,
                           stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=60)
        out.seek(0)
        said = out.read()
    lacks = re.search(r"libraries: (\S+): cannot open", t.read(f"{t.dir}/err"))
    if lacks and not lacks[1].startswith("libcleat"):
        raise Skip(f"libcleat needs {lacks[1]}, which is not installed here")
    t.check(p.returncode == expect, f"{words}: status {p.returncode}: {said} {t.err()}")
    return said


@case("create, start, state, pids, kill, delete")
def _(t):
    t.probe("sleep")
    t.write_config()
    containers(t, "run", t.bundle, t.id)
    state = json.loads(containers(t, "state", t.id))
    t.expect(state, {"id": t.id, "status": "running", "bundle": t.bundle})
    t.equal(state, t.state(), "the state")
    t.equal(containers(t, "pids", t.id), f"{state['pid']}\n", "the processes")
    t.equal([c["id"] for c in json.loads(containers(t, "list"))], [t.id], "the list")
    t.equal(containers(t, "call", "exec", t.id, "/probe", "exit", "9"), "status 9\n",
            "the status of exec")
    containers(t, "stop", t.id)
    t.equal(containers(t, "list"), "[]\n", "the list")


@case("a start that fails leaves nothing and says why")
def _(t):
    t.args("/nowhere")
    t.write_config()
    containers(t, "run", t.bundle, t.id, expect=1)
    t.check("/nowhere" in t.err() and "no such file" in t.err(), f"stderr: {t.err()}")
    t.equal(containers(t, "list"), "[]\n", "the list")


@case("descriptors that are passed on are the caller's, none is the library's")
def _(t):
    started(t)

    def call(n, opened, **more):
        return containers(t, "call", "exec", n, t.id, "/probe", "report", "descriptors",
                          prefix=["sh", "-c", f'exec "$0" "$@" {opened}'], **more)

    for n, opened in (("--preserve-fds=0", ()), ("--preserve-fds=1", (3, 4)),
                      ("--preserve-fds=2", (3, 4)), ("--preserve-fds=5", (5, 7)),
                      ("--preserve-fds=6", (3,))):
        said = call(n, " ".join(f"{fd}>{t.dir}/fd{fd}" for fd in opened))
        report = t.decode(said.splitlines()[0])["descriptors"]
        t.equal({int(fd): d["target"] for fd, d in report.items() if int(fd) > 2},
                {fd: f"{t.dir}/fd{fd}" for fd in opened if fd < 3 + int(n[-1])}, n)
    call("--preserve-fds=2", "", expect=1)
    t.check("descriptor 3 is to be passed on but not open" in t.err(), f"stderr: {t.err()}")
    t.delete("--force")


@case("the status of a payload that was killed for memory", needs="cgroup:memory")
def _(t):
    t.edit({"linux.resources.memory": {"limit": 16 << 20, "swap": 16 << 20}})
    t.probe("alloc", "64")
    t.write_config()
    said = containers(t, "call", "run", "--bundle", t.bundle, t.id)
    t.equal(said.splitlines()[-1], "status 137", "what it says")
