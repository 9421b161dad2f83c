# SPDX-License-Identifier: Apache-2.0
"""Published flaws of runtimes, each tried again: records, hooks, annotations, default masks."""
import os
import stat
import subprocess

from frame.case import case
from frame.config import CAPABILITIES, caps

EVERYTHING = caps(*CAPABILITIES)


# --- state, hooks, annotations -------------------------------------------------------------------

for _mask in (0o000, 0o077, 0o777):
    def _modes(t, umask=_mask):
        """CVE-2021-41103, CVE-2024-25621: nobody else reads what we keep."""
        t.probe("sleep")
        t.write_config()
        t.start_command("create", "--bundle", t.bundle, "--pid-file", f"{t.dir}/pid", t.id,
                        preexec_fn=lambda: os.umask(umask))
        found = {}
        for path, _, files in os.walk(t.root):
            for name in [""] + files:
                st = os.lstat(os.path.join(path, name))
                # the gate is for whom the directory lets in
                found[os.path.join(path, name)] = (st.st_uid, 0 if stat.S_ISSOCK(st.st_mode)
                                                   else stat.S_IMODE(st.st_mode) & 0o077)
        t.delete("--force")
        t.equal({v for v in found.values()}, {(0, 0)}, f"owner and rights of others: {found}")
    case(f"what we keep is ours whatever the umask: {_mask:03o}")(_modes)

for _what in ("a link", "another user's", "a file"):
    def _planted(t, what=_what):
        """CVE-2015-1331 and snap-confine's: a directory that somebody made before us."""
        os.mkdir(t.root, 0o700)
        path = f"{t.root}/{t.id}"
        if what == "a link":
            os.symlink(t.beside, path)
        elif what == "a file":
            t.write(path, "")
        else:
            os.mkdir(path, 0o777)
            os.chown(path, 1000, 1000)
        t.write_config()
        t.fails("already exists", "create", "--bundle", t.bundle, t.id)
        r = t.cleat("delete", "--force", t.id)
        t.check(r.rc in (0, 1), f"{r}")
        if os.path.islink(path) or os.path.isfile(path):
            os.unlink(path)
        elif os.path.isdir(path):
            os.rmdir(path)
    case(f"the container's directory is {_what}")(_planted)


@case("a state root that is another user's")
def _(t):
    os.mkdir(t.root, 0o755)
    os.chown(t.root, 1000, 1000)
    t.probe("sleep")
    t.write_config()
    t.fails("state|owned|owner", "create", "--bundle", t.bundle, t.id)
    os.chown(t.root, 0, 0)
    os.chmod(t.root, 0o700)


@case("a state root that others can write to")
def _(t):
    """Whoever can may invent records, by which processes are killed and cgroups removed."""
    os.mkdir(t.root)
    for mode, group, said in ((0o777, 0, "by everybody"), (0o1777, 0, "by everybody"),
                              (0o770, 1000, "by group 1000"), (0o2775, 1000, "by group 1000"),
                              (0o770, 0, None), (0o711, 1000, None), (0o750, 1000, None)):
        os.chown(t.root, 0, group)
        os.chmod(t.root, mode)
        if said:
            t.fails("can be written " + said, "list")
        else:
            t.ok("list")
    os.chmod(t.root, 0o770)
    t.equal(subprocess.run(t.command("list"), group=1000, extra_groups=[], check=False,
                           stdout=subprocess.DEVNULL).returncode, 0, "the group's own")
    os.chown(t.root, 0, 0)
    os.chmod(t.root, 0o700)


@case("the environment of the process is not that of its hooks")
def _(t):
    """CVE-2025-23266: LD_PRELOAD of an image in a hook of the host."""
    t.write(f"{t.rootfs}/evil.so", "not a library")
    t.edit({"process.env": ["LD_PRELOAD=./evil.so", "LD_AUDIT=./evil.so", "PATH=/evil",
                            "GCONV_PATH=.", "BASH_ENV=/evil", "ENV=/evil"]})
    for kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop"):
        t.edit({f"hooks.{kind}": [{"path": t.script(
            "env-" + kind, f"tr '\\0' '\\n' </proc/self/environ | grep -v ^PWD= >{t.dir}/env-{kind}.out\n"
                           f"pwd >{t.dir}/pwd-{kind}.out\n")}]})
    t.probe("exit", "0")
    t.equal(t.run().rc, 0, "the status")
    for kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop"):
        t.equal(t.read(f"{t.dir}/env-{kind}.out").strip(), "", f"the environment of {kind}")
        t.equal(t.read(f"{t.dir}/pwd-{kind}.out").strip(), t.bundle, f"the directory of {kind}")


@case("a process that was put in init's place is not entered")
def _(t):
    """CVE-2019-12589: exec asks the record who it is, not the number."""
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    pid = t.state()["pid"]
    os.kill(pid, 9)
    t.wait_for_end(pid)
    other = subprocess.Popen(["sleep", "1000"])
    path = f"{t.root}/{t.id}/state.json"
    record = t.read(path)
    t.check(str(pid) in record, "the record has no pid")
    t.write(path, record.replace(f"{pid}", f"{other.pid}"), 0o600)
    r = t.cleat("exec", t.id, "/bin/true")
    other.kill()
    other.wait()
    t.cleat("delete", "--force", t.id)
    t.check(r.rc == 255 and "not running" in r.err, f"{r}")


@case("annotations of others become nobody's arguments")
def _(t):
    """CVE-2026-53488, CVE-2026-44210, CVE-2024-3154."""
    t.edit({"annotations": {
        "io.katacontainers.config.hypervisor.path": "/evil", "krun.cpus": "1",
        "module.wasm.image/variant": "compat",
        "io.containerd.runc.v2.group": "x", "org.systemd.property.ExecStartPre": "'/evil'",
        "--debug": "-x", "a=b\nc": "d"}})
    t.probe("say", "ran")
    r = t.run()
    t.equal((r.rc, r.out), (0, "ran\n"), f"status and output: {r}")


@case("what /proc and /sys have is on the list of what was looked at")
def _(t):
    """A kernel that brings a new name gets a look at whether a container may see it."""
    known = set("""acpi asound bootconfig buddyinfo bus cgroups cmdline config.gz consoles cpuinfo
        crypto devices diskstats dma driver dynamic_debug execdomains fb filesystems fs interrupts
        iomem ioports irq kallsyms kcore key-users keys kmsg kpagecgroup kpagecount kpageflags
        latency_stats loadavg locks lock_stat lockdep lockdep_chains lockdep_stats mdstat meminfo
        misc modules mounts mpt mtrr net pagetypeinfo partitions pressure pagemap profile
        sched_debug schedstat scsi self slabinfo softirqs stat swaps sys sysrq-trigger sysvipc
        thread-self timer_list timer_stats tty uptime version version_signature vmallocinfo
        vmcore vmstat xen zoneinfo allocinfo""".split())
    now = {n for n in os.listdir("/proc") if not n.isdigit()}
    t.equal(sorted(now - known), [], "names in /proc that nobody has looked at")
    top = set(os.listdir("/sys"))
    t.equal(sorted(top - set("block bus class dev devices firmware fs hypervisor kernel module "
                             "power".split())), [], "names in /sys that nobody has looked at")


@case("the default configuration hides what published flaws were about")
def _(t):
    """CVE-2015-3630, CVE-2017-16539, CVE-2018-10892, GHSA-7ww5-4wqc-m92c."""
    os.mkdir(f"{t.dir}/new")
    t.ok("spec", cwd=f"{t.dir}/new")
    made = t.decode(t.read(f"{t.dir}/new/config.json"))["linux"]
    for path in ("/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/scsi",
                 "/proc/timer_list", "/proc/sched_debug", "/proc/latency_stats", "/sys/firmware",
                 "/sys/devices/virtual/powercap"):
        t.check(path in made["maskedPaths"], f"{path} is not masked")
    for path in ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"):
        t.check(path in made["readonlyPaths"], f"{path} is not read-only")
    t.edit({"linux.maskedPaths": made["maskedPaths"], "linux.readonlyPaths":
            made["readonlyPaths"], "process.capabilities": EVERYTHING})
    t.probe("file", *made["maskedPaths"], *made["readonlyPaths"], ",", "write",
            "/proc/sysrq-trigger", "h", ",", "write", "/proc/sys/kernel/core_pattern", "|/x")
    lines = [t.decode(x) for x in t.run().out.splitlines()]
    for path in made["maskedPaths"]:
        f = lines[0][path]
        t.check(f["error"] == "ENOENT" or f["type"] == "d" or (f["major"], f["minor"]) == (1, 3),
                f"{path}: {f}")
    there = os.path.exists("/proc/sysrq-trigger")
    t.equal([x["error"] for x in lines[1:]], ["EROFS" if there else "ENOENT", "EROFS"], "writing")
