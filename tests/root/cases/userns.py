# SPDX-License-Identifier: Apache-2.0
"""User namespaces: mappings, who owns what, what is denied."""
import os

from frame.case import case, failure_rows, report_rows
from frame.config import user_namespace


def lines(*rows):
    def check(text):
        return text is not None and [tuple(map(int, x.split())) for x in text.splitlines()] == \
            list(rows)
    check.text = f"has the mappings {rows}"
    return check


ONE = (0, 100000, 65536)
report_rows([
    ("one mapping", user_namespace(), {
        "uid_map": lines(ONE), "gid_map": lines(ONE), "uids": [0] * 4, "gids": [0] * 4,
        "setgroups": "allow"}),
    ("different ones for users and groups",
     user_namespace(((0, 100000, 10),), ((0, 200000, 20),)),
     {"uid_map": lines((0, 100000, 10)), "gid_map": lines((0, 200000, 20))}),
    ("several ranges", user_namespace(((0, 100000, 1), (1, 300000, 1000), (5000, 7000, 5))),
     {"uid_map": lines((0, 100000, 1), (1, 300000, 1000), (5000, 7000, 5))}),
    ("twenty ranges", user_namespace(tuple((i * 10, 100000 + i * 100, 10) for i in range(20))),
     {"uid_map": lines(*((i * 10, 100000 + i * 100, 10) for i in range(20)))}),
    ("root is root outside", user_namespace(((0, 0, 4294967295),)),
     {"uid_map": lines((0, 0, 4294967295)), "uids": [0] * 4}),
    ("a user inside", {**user_namespace(), "process.user": {"uid": 12, "gid": 34,
                                                           "additionalGids": [5, 6]}},
     {"uids": [12] * 4, "gids": [34] * 4, "groups": [5, 6]}),
    ("the last mapped id", {**user_namespace(), "process.user": {"uid": 65535, "gid": 65535}},
     {"uids": [65535] * 4}),
    ("ids that do not begin at 0",
     {**user_namespace(((1000, 100000, 10), (0, 200000, 6))),
      "process.user": {"uid": 1005, "gid": 1005}}, {"uids": [1005] * 4}),
    ("with --no-new-keyring and all", {**user_namespace(), "process.noNewPrivileges": True},
     {"no_new_privs": 1}),
    ("a read-only root", {**user_namespace(), "root.readonly": True},
     {"mounts./.options": lambda o: "ro" in o}),
])


@case("who owns the files of the image")
def _(t):
    t.write(f"{t.rootfs}/etc/x", "x")
    os.chown(f"{t.rootfs}/etc/x", 100012, 100034)
    t.edit(user_namespace())
    t.expect(t.probe_result("file", "/etc/x", "/probe"),
             {"/etc/x.uid": 12, "/etc/x.gid": 34, "/probe.uid": 65534})


@case("who owns what the container makes")
def _(t):
    os.chmod(f"{t.rootfs}/tmp", 0o1777)
    t.edit({**user_namespace(), "process.user": {"uid": 7, "gid": 8}})
    t.probe_result("write", "/tmp/new", "x")
    st = os.stat(f"{t.rootfs}/tmp/new")
    t.equal((st.st_uid, st.st_gid), (100007, 100008), "the owner")


@case("the process has the mapped ids on the host")
def _(t):
    t.edit({**user_namespace(), "process.user": {"uid": 7, "gid": 8}})
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    st = os.stat(f"/proc/{pid}/root/.")
    t.check(st, "its root is not there")
    status = t.read(f"/proc/{pid}/status")
    t.check("Uid:\t100007" in status and "Gid:\t100008" in status, status)
    t.delete("--force")


@case("tmpfs belongs to the container's root")
def _(t):
    t.edit({**user_namespace(), "+mounts": [{"destination": "/mnt", "type": "tmpfs",
                                             "source": "x"}]})
    t.expect(t.probe_result("file", "/mnt", "/dev"), {"/mnt.uid": 0, "/dev.uid": 0})


@case("a rootfs that others may not reach")
def _(t):
    os.chmod(t.dir, 0o700)
    t.edit(user_namespace())
    t.run_probe()


@case("the host's devices keep their owner")
def _(t):
    before = os.stat("/dev/null")
    t.edit({**user_namespace(), "process.user": {"uid": 7, "gid": 8}})
    t.run_probe()
    after = os.stat("/dev/null")
    t.equal((after.st_uid, after.st_gid, after.st_mode),
            (before.st_uid, before.st_gid, before.st_mode), "/dev/null")


failure_rows([
    ("no mappings", {**user_namespace(), "linux.uidMappings": [], "linux.gidMappings": []},
     "uidMappings"),
    ("mappings that overlap", user_namespace(((0, 100000, 10), (5, 200000, 10))),
     "uidMappings.*twice|overlap"),
    ("a user that is not mapped", {**user_namespace(((0, 100000, 10),)),
                                   "process.user": {"uid": 10, "gid": 0}}, "10"),
    ("a group that is not mapped", {**user_namespace(((0, 100000, 10),)),
                                    "process.user": {"uid": 0, "gid": 99}}, "99"),
    ("mappings without a user namespace", {
        "linux.uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}]}, "uidMappings|user"),
])
