# SPDX-License-Identifier: Apache-2.0
"""Very many containers at once: each command that looks at all of them does so in one process."""
import concurrent.futures
import json
import os
import subprocess
import time

from frame import cgroups
from frame.case import DELETE, case

# what one command may take for a thousand, on a machine that does other things as well
SECONDS = 60


def timed(figures, name, function):
    began = time.monotonic()
    result = function()
    figures.append(f"{name} {time.monotonic() - began:.2f} s")
    return result


def start(t, name):
    """Output to nowhere: what a thousand print would fill a pipe."""
    with open(f"{t.dir}/err", "a", encoding="utf-8") as err:
        r = subprocess.run(t.command("run", "--detach", "--bundle", t.bundle, name), stderr=err,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=SECONDS,
                           check=False)
    t.check(r.returncode == 0 and not t.err(), f"run {name}: {r.returncode}: {t.err()}")


def end_all(t):
    names = t.ok("list", "--quiet").out.split()
    if names:
        t.cleat("delete", "--force", *names)


def many(t, n):
    names = [f"{t.id}-{i:04}" for i in range(n)]
    try:
        look_at_all(t, names)
    finally:
        end_all(t)


def look_at_all(t, names):
    n, figures = len(names), []
    t.edit({"linux.cgroupsPath": DELETE})
    t.probe("sleep")
    t.write_config()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        timed(figures, f"run of {n}, four at a time",
              lambda: list(pool.map(lambda name: start(t, name), names)))

    lines = timed(figures, "list", lambda: t.ok("list").out).splitlines()
    t.equal([line.split()[0] for line in lines[1:]], names, "list")
    t.equal({line.split()[2] for line in lines[1:]}, {"running"}, "their states")
    lines = timed(figures, "stats", lambda: t.ok("stats").out).splitlines()
    t.equal([line.split()[0] for line in lines[1:]], names, "stats")
    rows = timed(figures, "stats as JSON", lambda: t.ok("stats", "--format", "json").out)
    rows = [json.loads(line) for line in rows.splitlines()]
    t.equal([row["id"] for row in rows], names, "stats as JSON")
    text = timed(figures, "stats for Prometheus", lambda: t.ok("stats", "-f", "prometheus").out)
    t.equal(text.count("\ncleat_pids{"), n, "lines of cleat_pids")
    some = names[::2]
    lines = timed(figures, f"stats of {len(some)} by name",
                  lambda: t.ok("stats", *some).out).splitlines()
    t.equal([line.split()[0] for line in lines[1:]], some, "stats of some")

    pids = [json.loads(x)["pid"] for x in
            json_objects(timed(figures, "state of all", lambda: t.ok("state", *names).out))]
    timed(figures, "delete --force of all", lambda: t.ok("delete", "--force", *names))
    for pid in pids:
        t.wait_for_end(pid)
    t.equal(t.ok("list", "--quiet").out, "", "what is left")
    t.equal(cgroups.named(t.id), [], "cgroups")
    t.equal([x for x in os.listdir(t.root) if not x.startswith(".")], [], "the state root")
    print("# " + ", ".join(figures), flush=True)


def json_objects(text):
    """state prints one object after the other."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        _, end = decoder.raw_decode(text, at)
        yield text[at:end]
        at = end + len(text[end:]) - len(text[end:].lstrip())


@case("fifty at once: stats, list, delete of all")
def _(t):
    many(t, 50)


@case("a thousand at once: stats, list, delete of all", needs="cgroup2 long")
def _(t):
    many(t, 1000)
