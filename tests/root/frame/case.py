# SPDX-License-Identifier: Apache-2.0
"""How a case looks.

A row of report_rows() is: name, what is changed in the configuration, what the probe
must report, and what the machine must have (frame/needs.py):

    report_rows([
        ("umask", {"process.user.umask": 0o27}, {"umask": 0o27}),
        ("a limit", {"linux.resources.pids.limit": 9}, {}, "pids"),
    ])

A change sets the value at a dotted path; "+path" adds to a list, DELETE removes. What
is expected is found by a dotted path in the report too; a function is asked whether it
likes the value. failure_rows() has, instead of a report, a regular expression that the
one line of the error must match. All else is a function:

    @case("a container that is created only", needs="v2")
    def _(t):
        t.cleat("create", "--bundle", t.bundle, t.id)

`t` is a Trial (frame/trial.py). The topic is the name of the file.
"""
import os
import sys

CASES = []
_TITLES = set()
DELETE = object()


class Skip(Exception):
    """This machine cannot run the case; the text says why."""


class Failed(Exception):
    """What the case found."""


class Case:
    def __init__(self, topic, name, function, needs):
        self.title = f"{topic}: {name}"
        self.function = function
        self.needs = needs.split() if isinstance(needs, str) else list(needs)


def _caller_topic(depth):
    # not inspect.stack(), which reads the source of every caller: a minute of processor time
    return os.path.basename(sys._getframe(depth).f_code.co_filename)[:-len(".py")]


def _add(topic, name, function, needs):
    title = f"{topic}: {name}"
    if title in _TITLES:
        raise ValueError(f"two cases are called '{title}'")
    _TITLES.add(title)
    CASES.append(Case(topic, name, function, needs))


def case(name, needs=""):
    """Make a case of a function that takes a Trial."""
    topic = _caller_topic(2)

    def register(function):
        _add(topic, name, function, needs)
        return function
    return register


def report_rows(rows):
    """Make a case of each (name, edits, expected[, needs])."""
    topic = _caller_topic(2)
    for name, edits, expected, *needs in rows:
        def function(t, edits=edits, expected=expected):
            t.edit(edits)
            t.expect(t.run_probe(), expected)
        _add(topic, name, function, needs[0] if needs else "")


def failure_rows(rows):
    """Make a case of each (name, edits, pattern of the message[, needs[, status]])."""
    topic = _caller_topic(2)
    for name, edits, pattern, *more in rows:
        def function(t, edits=edits, pattern=pattern, more=more):
            t.edit(edits)
            t.expect_failure(pattern, *more[1:])
        _add(topic, name, function, more[0] if more else "")


# --- what a value may be -----------------------------------------------------------------

def has(*parts):
    """A text, list or dictionary with all of these in it."""
    def check(value):
        return value is not None and all(p in value for p in parts)
    check.text = "has " + ", ".join(map(repr, parts))
    return check


def lacks(*parts):
    def check(value):
        return value is not None and not any(p in value for p in parts)
    check.text = "lacks " + ", ".join(map(repr, parts))
    return check


def differs(other):
    def check(value):
        return value != other
    check.text = f"differs from {other!r}"
    return check


def at_least(least):
    def check(value):
        return value is not None and value >= least
    check.text = f"is at least {least!r}"
    return check


def one_of(*values):
    def check(value):
        return value in values
    check.text = f"is one of {values!r}"
    return check
