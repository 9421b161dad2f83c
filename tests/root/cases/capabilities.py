# SPDX-License-Identifier: Apache-2.0
"""The five capability sets of process.capabilities."""
from frame.case import DELETE, report_rows
from frame.config import CAPABILITIES, DEFAULT_MASK, caps, mask, user_namespace

SETS = ("bounding", "effective", "inheritable", "permitted", "ambient")


def sets(**bits):
    return {f"capabilities.{name}": bits.get(name, 0) for name in SETS}


NET = mask("NET_RAW")
TWO = mask("NET_RAW", "KILL")
USER = {"process.user": {"uid": 12, "gid": 12}}

report_rows([
    ("three sets", {}, sets(bounding=DEFAULT_MASK, effective=DEFAULT_MASK,
                            permitted=DEFAULT_MASK)),
    ("none at all", {"process.capabilities": {}}, sets()),
    ("no object", {"process.capabilities": DELETE}, sets()),
    ("bounding only, root", {"process.capabilities": caps("NET_RAW", sets=("bounding",))},
     # execve gives root what is in its bounding set
     sets(bounding=NET, effective=NET, permitted=NET)),
    ("root never gets more than the bounding set",
     {"process.capabilities": {**caps("NET_RAW", "KILL", sets=("bounding", "permitted")),
                               "effective": ["CAP_KILL"]}},
     sets(bounding=TWO, effective=TWO, permitted=TWO)),
    ("inheritable", {"process.capabilities": caps(
        "NET_RAW", sets=("bounding", "effective", "permitted", "inheritable"))},
     sets(bounding=NET, effective=NET, permitted=NET, inheritable=NET)),
    ("a user has none", {**USER, "process.capabilities": caps("NET_RAW", "KILL")},
     sets(bounding=TWO)),
    ("a user with ambient ones", {**USER, "process.capabilities": caps("NET_RAW", sets=SETS)},
     sets(**dict.fromkeys(SETS, NET))),
    ("ambient of some", {**USER, "process.capabilities": {
        **caps("NET_RAW", "KILL", sets=SETS), "ambient": ["CAP_KILL"]}},
     sets(bounding=TWO, inheritable=TWO, effective=mask("KILL"), permitted=mask("KILL"),
          ambient=mask("KILL"))),
    ("a user with no_new_privs and ambient ones",
     {**USER, "process.noNewPrivileges": True, "process.capabilities": caps("KILL", sets=SETS)},
     sets(**dict.fromkeys(SETS, mask("KILL")))),
    ("the same name twice", {"process.capabilities": caps("KILL", "KILL")},
     sets(bounding=mask("KILL"), effective=mask("KILL"), permitted=mask("KILL"))),
    ("in a user namespace", {**user_namespace(), "process.capabilities": caps("SYS_ADMIN")},
     sets(bounding=mask("SYS_ADMIN"), effective=mask("SYS_ADMIN"), permitted=mask("SYS_ADMIN"))),
    ("a user in a user namespace with ambient ones",
     {**user_namespace(), **USER, "process.capabilities": caps("CHOWN", sets=SETS)},
     sets(**dict.fromkeys(SETS, mask("CHOWN")))),
    ("securebits are as in any program", {}, {"securebits": 0}),
    ("securebits of a user too", USER, {"securebits": 0}),
])

# Each alone: its number is right, and dropping the others does not touch it.
report_rows([
    (f"CAP_{name} alone", {"process.capabilities": caps(name)},
     sets(bounding=mask(name), effective=mask(name), permitted=mask(name)), f"cap:{name}")
    for name in CAPABILITIES
])

# config.md: what cannot be granted is no failure
report_rows([
    ("effective beyond permitted is left out",
     {"process.capabilities": {"bounding": ["CAP_KILL"], "permitted": [],
                               "effective": ["CAP_KILL"]}, **USER}, sets(bounding=mask("KILL"))),
    ("ambient beyond inheritable is left out",
     {"process.capabilities": {**caps("KILL"), "ambient": ["CAP_KILL"]}, **USER},
     sets(bounding=mask("KILL"))),
])
