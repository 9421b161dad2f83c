# SPDX-License-Identifier: Apache-2.0
"""Names of the system, sysctls, the keyring, LSM labels."""
import os
import shutil
import socket
import subprocess

from frame.case import DELETE, Skip, case, failure_rows, report_rows
from frame.config import namespaces, user_namespace

report_rows([
    ("hostname", {"hostname": "another"}, {"hostname": "another"}),
    ("no hostname", {"hostname": DELETE}, {"hostname": lambda n: n == socket.gethostname()}),
    ("a name of 64 bytes", {"hostname": "h" * 64}, {"hostname": "h" * 64}),
    ("domainname", {"domainname": "example.org"}, {"domainname": "example.org"}),
    ("both in a user namespace", {**user_namespace(), "domainname": "d"},
     {"hostname": "inside", "domainname": "d"}),
])


def _sysctl(name, changes, files):
    @case(name)
    def _(t):
        t.edit(changes)
        t.expect(t.probe_result("read", *files), files)


_sysctl("a network sysctl", {"linux.sysctl": {"net.ipv4.ip_forward": "1"}},
        {"/proc/sys/net/ipv4/ip_forward": "1"})
_sysctl("with slashes", {"linux.sysctl": {"net/ipv4/ip_forward": "1"}},
        {"/proc/sys/net/ipv4/ip_forward": "1"})
_sysctl("ipc sysctls", {"linux.sysctl": {"kernel.shmmax": "12345", "kernel.msgmax": "4000"}},
        {"/proc/sys/kernel/shmmax": "12345", "/proc/sys/kernel/msgmax": "4000"})
_sysctl("a message queue sysctl", {"linux.sysctl": {"fs.mqueue.msg_max": "33"}},
        {"/proc/sys/fs/mqueue/msg_max": "33"})
_sysctl("several values in one", {"linux.sysctl": {"kernel.sem": "10 20 30 40"}},
        {"/proc/sys/kernel/sem": "10\t20\t30\t40"})
_sysctl("fewer values than there are", {"linux.sysctl": {"kernel.sem": "32000 1024000000 500"}},
        {"/proc/sys/kernel/sem": "32000\t1024000000\t500\t32000"})
_sysctl("in a user namespace",
        {**user_namespace(), "linux.sysctl": {"net.ipv4.ip_unprivileged_port_start": "0"}},
        {"/proc/sys/net/ipv4/ip_unprivileged_port_start": "0"})
_sysctl("a host name by sysctl",
        {"hostname": DELETE, "linux.sysctl": {"kernel.domainname": "by-sysctl"}},
        {"/proc/sys/kernel/domainname": "by-sysctl"})


@case("a sysctl of two containers in one network, which the kernel prints otherwise")
def _(t):
    path = "/proc/sys/net/ipv4/ip_local_reserved_ports"
    t.edit({"linux.sysctl": {"net.ipv4.ip_local_reserved_ports": "30000,30001"}})
    t.probe("sleep")
    t.create()
    t.edit({"linux.namespaces": namespaces("mount", "pid", "ipc", "uts") + [
        {"type": "network", "path": f"/proc/{t.state()['pid']}/ns/net"}],
            "linux.cgroupsPath": f"/{t.id}-2"})
    t.probe("read", path)
    t.write_config()
    r = t.ok("run", "--bundle", t.bundle, f"{t.id}-2")
    t.delete("--force")
    t.expect(t.decode(r.out, r), {path: "30000-30001"})


_NO_NET = {"linux.namespaces": namespaces("mount", "pid", "ipc", "uts", "cgroup")}
failure_rows([
    ("a sysctl of the host", {"linux.sysctl": {"kernel.core_pattern": "|/x"}},
     r"kernel\.core_pattern"),
    ("a sysctl of the virtual memory", {"linux.sysctl": {"vm.swappiness": "1"}}, "vm.swappiness"),
    ("a network sysctl without a network of one's own",
     {**_NO_NET, "linux.sysctl": {"net.ipv4.ip_forward": "1"}}, "net.ipv4.ip_forward"),
    ("a sysctl that there is not", {"linux.sysctl": {"net.ipv4.no_such_thing": "1"}},
     "net.ipv4.no_such_thing"),
    ("a sysctl with dots for directories", {"linux.sysctl": {"net.ipv4../../kernel.x": "1"}},
     "sysctl"),
    ("a sysctl with a value that the kernel refuses",
     {"linux.sysctl": {"net.ipv4.ip_unprivileged_port_start": "100000"}},
     "net.ipv4.ip_unprivileged_port_start"),
    ("a name of 65 bytes", {"hostname": "h" * 65}, "hostname"),
    ("an AppArmor profile where there is none to be had",
     {"process.apparmorProfile": "no-such-profile"}, "(?i)apparmor"),
    ("an SELinux label where there is none to be had",
     {"process.selinuxLabel": "system_u:system_r:container_t:s0"}, "(?i)selinux", "no-selinux"),
    ("a mount label where there is no SELinux",
     {"linux.mountLabel": "system_u:object_r:container_file_t:s0"},
     "linux.mountLabel is '.*', but SELinux is off", "no-selinux"),
])


@case("a session keyring of its own")
def _(t):
    t.expect(t.probe_result("report", "keyring"), {"keyring_name": lambda n: t.id in n})


@case("--no-new-keyring keeps the caller's")
def _(t):
    t.probe("report", "keyring")
    report = t.run_probe("--no-new-keyring")
    t.check(t.id not in (report["keyring_name"] or ""), f"it is {report['keyring_name']}")


@case("nothing of the host's state root is seen")
def _(t):
    report = t.run_probe()
    t.check(os.path.basename(t.root) not in report["mountinfo"].split(), report["mountinfo"])


PROFILE = """profile cleat-test-profile flags=(attach_disconnected,mediate_deleted) {
  file, capability, network, signal, ptrace, unix,
  deny /etc/hosts rw,
}
"""


@case("an AppArmor profile, and no confinement, also for exec", needs="apparmor")
def _(t):
    parser = shutil.which("apparmor_parser", path=os.defpath + ":/usr/sbin:/sbin")
    if not parser:
        raise Skip("no apparmor_parser")
    t.busybox()
    subprocess.run([parser, "-r", "-K"], input=PROFILE, text=True, check=True)
    try:
        for profile, label in (("cleat-test-profile", "cleat-test-profile (enforce)"),
                               ("unconfined", "unconfined")):
            t.edit({"process.apparmorProfile": profile})
            t.args("/bin/sh", "-c", "echo ready; exec sleep 1000")
            t.create()
            t.ok("start", t.id)
            t.wait_for_line("ready")
            with open(f"/proc/{t.state()['pid']}/attr/apparmor/current", encoding="ascii") as f:
                t.equal(f.read().strip(), label, "the label")
            done = t.ok("exec", t.id, "/bin/cat", "/proc/self/attr/apparmor/current")
            t.equal(done.out.strip(), label, "the label of exec")
            t.delete("--force")
    finally:
        subprocess.run([parser, "-R"], input=PROFILE, text=True, check=True)
