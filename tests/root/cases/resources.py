# SPDX-License-Identifier: Apache-2.0
"""Every row of frame/fields.py: given to create and to update, read back from the kernel."""
import json
import os

from frame import cgroups
from frame.case import Skip, case
from frame.fields import FIELDS, wrong_lines


def reader(directory):
    def read(file):
        try:
            with open(os.path.join(directory, file), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return None
    return read


def optional(row, wanted, directory):
    """Without what this kernel was built without: swap accounting, a scheduler, ..."""
    left = {file: line for file, line in wanted.items()
            if "one-of" in row.needs or os.path.exists(os.path.join(directory, file))}
    if wanted and (not left or not any(os.path.exists(os.path.join(directory, f)) for f in left)):
        raise Skip("this kernel has none of: " + " ".join(wanted))
    return left


def find(row):
    """Where the controller is: (what must be read, name of the hierarchy's controller)."""
    why = row.why_not_here()
    if why:
        raise Skip(why)
    if not row.controller:
        if not cgroups.v2_root():
            raise Skip("there is no cgroup2 tree")
        return row.v2, ""
    if row.controller in cgroups.v2_controllers():
        return row.v2, row.controller
    if row.v1_controller in cgroups.v1_roots() and "unified" not in row.resources:
        return row.v1, row.v1_controller
    # on a pure v2 host nothing is there for what only v1 has: the warning is all
    if cgroups.is_v2() and not row.v2 and not row.silent:
        return {}, ""
    raise Skip(f"no cgroup controller '{row.controller}' here")


def check_files(t, row, wanted, directory, when):
    wrong = wrong_lines(reader(directory), optional(row, wanted, directory),
                        "one-of" in row.needs)
    t.check(not wrong, f"{when}: " + "\n".join(wrong))


def check_warning(t, row, wanted, text, when):
    """What has no effect here is said, to who wants to know."""
    if not wanted and not row.silent:
        t.check(f"linux.resources.{row.field} is ignored" in text, f"{when}: no warning: {text}")
    else:
        t.check("ignored" not in text, f"{when}: {text}")


def try_create(t, row, wanted, directory, resources):
    plain = t.config["linux"]["resources"]
    t.edit({"linux.resources": {**plain, **resources}})
    t.create()
    try:
        check_files(t, row, wanted, directory, "after create")
        check_warning(t, row, wanted, t.err(), "create")
    finally:
        t.delete("--force")
        t.edit({"linux.resources": plain})


def try_update(t, row, wanted, directory, resources):
    t.create()
    try:
        r = t.cleat("update", "--resources", "-", t.id, text=json.dumps(resources))
        t.check(r.rc == 0, str(r))
        check_files(t, row, wanted, directory, "after update")
        check_warning(t, row, wanted, r.err, "update")
        record = json.loads(t.read(f"{t.root}/{t.id}/state.json"))["resources"]
        for part in resources:
            t.check(record.get(part), f"{part} is not in the record: {record}")
    finally:
        t.delete("--force")


def register(row, resources):
    @case(row.name)
    def _(t):
        wanted, controller = find(row)
        directory = cgroups.directory(controller, "/" + t.id)
        t.globals = ["--log-level", "warning"]
        t.probe("sleep")
        with row.prepared():
            try_create(t, row, wanted, directory, resources)
            if row.update:
                try_update(t, row, wanted, directory, resources)


for _row in FIELDS:
    register(_row, _row.resources)
