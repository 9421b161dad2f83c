# SPDX-License-Identifier: Apache-2.0
"""A container of the trial, brought to where a case begins."""
import select
import time

from frame.trial import TIMEOUT


def created(t, *words, edits=None):
    """With the probe for a program, which waits unless @words say what else; its pid."""
    t.edit(edits or {})
    t.probe(*(words or ("sleep",)))
    t.create()
    return t.state()["pid"]


def started(t, *words, edits=None):
    pid = created(t, *words, edits=edits)
    t.ok("start", t.id)
    t.wait_for_line("ready")
    return pid


def stopped(t):
    pid = created(t, "exit", "3")
    t.ok("start", t.id)
    t.equal(t.wait_for_end(pid), 3, "the status of the process")
    return pid


def lived(t):
    """Step by step from create to delete, with the program that the case has."""
    t.create()
    pid = t.state()["pid"]
    t.ok("start", t.id)
    t.wait_for_end(pid)
    t.delete()


def paused(t):
    pid = started(t)
    t.ok("pause", t.id)
    return pid


def further(t, *words, **more):
    """What the probe reports as a further process; @words are those of exec."""
    r = t.ok("exec", *words, **more)
    return t.decode(r.out.strip().splitlines()[-1], r)


def until(t, what, holds):
    """Wait for something that nobody tells, not for ever; @what is said if it does not come."""
    end = time.monotonic() + TIMEOUT
    while not holds():
        t.check(time.monotonic() < end, f"{what}: not within {TIMEOUT} s")
        select.select([], [], [], 0.01)
