# SPDX-License-Identifier: Apache-2.0
"""Kubernetes' container runtime interface of containerd, as kubelet calls it."""
import base64
import json
import os
import subprocess

import frame
from containerd import image_archive
from frame import Failed, like, need, same, test

TREE = "/var/tmp/bb"
CAP_SYS_RESOURCE = 24
OF_POD, OWN = 0, 1  # NamespaceMode


class Cri(frame.Engine):
    """The runtime is the default handler; the pause image is made here, too."""

    def configure(self, systemd):
        os.makedirs("/etc/containerd", exist_ok=True)
        with open("/etc/containerd/config.toml", "w", encoding="ascii") as f:
            f.write(f'''version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/bb:latest"
  restrict_oom_score_adj = {"false" if frame.has_capability(CAP_SYS_RESOURCE) else "true"}
  disable_cgroup = {"false" if frame.has_controller("cpu") else "true"}
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
  default_runtime_name = "mine"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.mine]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.mine.options]
  BinaryName = "{self.path}"
  SystemdCgroup = {"true" if systemd else "false"}
''')
        os.makedirs("/etc/cni/net.d", exist_ok=True)
        with open("/etc/cni/net.d/10-test.conflist", "w", encoding="ascii") as f:
            json.dump({"cniVersion": "0.4.0", "name": "test", "plugins": [
                {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True,
                 "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/16"}]],
                          "routes": [{"dst": "0.0.0.0/0"}]}},
                {"type": "loopback"}]}, f)
        self.systemd = systemd
        self.sh("systemctl restart containerd")
        self.until("cri Version </dev/null", "containerd")

    def start(self):
        self.lift_start_limit("containerd")
        frame.busybox_tree(TREE)
        # The sandbox runs the image's command; this one sleeps, like pause does.
        self.configure(self.manager == "systemd")
        archive = image_archive("/var/tmp/bb-image", TREE)
        self.sh("cd /var/tmp/bb-image && sed -i 's/\"Cmd\": \\[\"sh\"\\]/\"Cmd\": [\"sleep\", \"100000\"]/' "
                f"config.json && tar -cf {archive} manifest.json config.json layer.tar")
        self.sh(f"ctr -n k8s.io image import {archive}")

    def call(self, method, **request):
        done = subprocess.run(["cri", method], input=json.dumps(request), text=True,
                              capture_output=True, check=False, timeout=200)
        self.trace.append(f"$ cri {method} {json.dumps(request)[:700]}\n{done.stdout[-700:]}{done.stderr[-900:]}")
        if done.returncode:
            raise Failed(f"{method}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def pod(self, name, handler="", **linux):
        config = {"metadata": {"name": name, "uid": name, "namespace": "default"},
                  "hostname": name, "log_directory": f"/var/log/pods/{name}",
                  "linux": {"cgroup_parent": "/kube.slice" if self.systemd else "/kube", **linux}}
        return self.call("RunPodSandbox", config=config, runtime_handler=handler)["pod_sandbox_id"], config

    def container(self, pod, name, command, mounts=(), **linux):
        """A container that runs; like kubelet's, with processes of its own unless it is asked otherwise."""
        sandbox, config = pod
        linux.setdefault("security_context", {}).setdefault("namespace_options", {}).setdefault("pid", OWN)
        made = self.call("CreateContainer", pod_sandbox_id=sandbox, sandbox_config=config, config={
            "metadata": {"name": name}, "image": {"image": "docker.io/library/bb:latest"},
            "command": command, "log_path": f"{name}.log", "mounts": list(mounts), "linux": linux})["container_id"]
        self.call("StartContainer", container_id=made)
        return made

    def exec(self, container, *command):
        done = self.call("ExecSync", container_id=container, cmd=list(command), timeout=60)
        out = base64.b64decode(done.get("stdout", "")).decode().strip()
        return out, done.get("exit_code", 0)

    def state(self, container):
        return self.call("ContainerStatus", container_id=container)["status"]

    def remove_all(self):
        for item in self.call("ListPodSandbox").get("items") or []:
            self.call("StopPodSandbox", pod_sandbox_id=item["id"])
            self.call("RemovePodSandbox", pod_sandbox_id=item["id"])

    def stop(self):
        self.run("systemctl stop containerd; rm -rf /etc/containerd/config.toml /etc/cni/net.d/10-test.conflist "
                 "/var/tmp/bb-image /var/tmp/bb-image.tar; ip link del cni0")
        self.restore_start_limit("containerd")


def make(*args):
    return Cri(*args)


@test("Version, Status", quick=True)
def _(e):
    like(e.call("Version")["runtime_name"], "containerd")
    conditions = {c["type"]: c.get("status", False) for c in e.call("Status")["status"]["conditions"]}
    same((conditions["RuntimeReady"], conditions["NetworkReady"]), (True, True))


def life(e):
    frame.needs_controller("memory")
    pod = e.pod("one")
    made = e.container(pod, "main", ["sleep", "1000"], resources={
        "memory_limit_in_bytes": 64 << 20, "cpu_quota": 50000, "cpu_period": 100000})
    same(e.exec(made, "sh", "-c", "hostname; exit 3"), ("one", 3))
    where = e.sh("cat /proc/$(pgrep -f '^sleep 1000$')/cgroup").split("::")[1]
    like(where, "/kube.slice/cri-containerd-.*scope" if e.systemd else f"^/kube/{made}$")
    same(e.sh(f"cat /sys/fs/cgroup{where}/memory.max /sys/fs/cgroup{where}/cpu.max"),
         f"{64 << 20}\n50000 100000")
    e.call("UpdateContainerResources", container_id=made, linux={"memory_limit_in_bytes": 96 << 20})
    same(e.sh(f"cat /sys/fs/cgroup{where}/memory.max"), str(96 << 20))
    need(int(e.call("ContainerStats", container_id=made)["stats"]["memory"]["working_set_bytes"]["value"])
         > 0, "no memory is used")
    e.call("StopContainer", container_id=made, timeout=1)
    same(e.state(made)["exit_code"], 137)
    e.call("RemoveContainer", container_id=made)
    need(not os.path.exists("/sys/fs/cgroup" + where), where + " is left")


@test("a pod's life", quick=True)
def _(e):
    life(e)


@test("exit codes, errors, logs", quick=True)
def _(e):
    pod = e.pod("one")
    made = e.container(pod, "main", ["sh", "-c", "echo logged; exit 5"])
    e.until("cat /var/log/pods/one/main.log", "stdout F logged")
    end = 50
    while e.state(made).get("state") != 2 and end:
        e.sh("sleep 0.2")
        end -= 1
    same(e.state(made)["exit_code"], 5)
    try:
        e.container(pod, "bad", ["no-such-command"])
        raise AssertionError("it ran")
    except Failed as failed:
        like(str(failed), "executable file.*not found in \\$PATH")


@test("exec-sync: output, status, time limit", quick=True)
def _(e):
    made = e.container(e.pod("one"), "main", ["sleep", "1000"])
    done = e.call("ExecSync", container_id=made, cmd=["sh", "-c", "echo out; echo err >&2; exit 4"])
    same([base64.b64decode(done[k]) for k in ("stdout", "stderr")] + [done["exit_code"]], [b"out\n", b"err\n", 4])
    same(len(e.exec(made, "head", "-c", "200000", "/dev/zero")[0]), 200000)
    for command, words in ((["no-such-command"], "executable file.*not found in \\$PATH"),
                           (["sleep", "4321"], "DeadlineExceeded|timeout 2s exceeded")):
        try:
            e.call("ExecSync", container_id=made, cmd=command, timeout=2)
        except Failed as failed:
            like(str(failed), words)
        else:
            raise Failed(f"{command} was done")
    e.until("pgrep -f '^sleep 4321' || echo gone", "gone")


@test("containers of a pod share its network and, if asked, its processes", quick=True)
def _(e):
    shared = {"namespace_options": {"pid": OF_POD}}
    pod = e.pod("one")
    e.container(pod, "web", ["httpd", "-f", "-h", "/www"], security_context=shared)
    ask = e.container(pod, "ask", ["sleep", "1000"], security_context=shared)
    e.exec(ask, "sh", "-c", "until wget -qO /tmp/x http://127.0.0.1/; do sleep 0.1; done")
    same(e.exec(ask, "cat", "/tmp/x")[0], "hello from the container")
    like(e.exec(ask, "ps", "-o", "args")[0], "httpd")
    alone = e.container(pod, "alone", ["sleep", "1000"])
    need("httpd" not in e.exec(alone, "ps", "-o", "args")[0], "it sees the other's processes")
    same(e.exec(alone, "wget", "-qO-", "http://127.0.0.1/")[0], "hello from the container")


@test("stats of containers and pods", quick=True)
def _(e):
    frame.needs_controller("memory")
    pod = e.pod("one")
    made = e.container(pod, "main", ["sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 1000"])
    found = e.call("ListContainerStats", filter={"id": made})["stats"][0]
    same(found["attributes"]["id"], made)
    need(int(found["memory"]["working_set_bytes"]["value"]) > 0, "no memory is used")
    need(int(found["cpu"]["usage_core_nano_seconds"]["value"]) > 0, "no time is used")
    found = e.call("PodSandboxStats", pod_sandbox_id=pod[0])["stats"]["linux"]
    # containerd 1.7 counts those of the sandbox, 2 those of all its containers
    need(int(found["process"]["process_count"]["value"]) >= 1, "the pod has no process")
    need(int(found["memory"]["usage_bytes"]["value"]) > 0, "the pod uses no memory")


@test("security context: user, read-only, capabilities, seccomp, privileged", quick=True)
def _(e):
    pod = e.pod("one")
    made = e.container(pod, "main", ["sleep", "1000"], security_context={
        "run_as_user": {"value": 1000}, "readonly_rootfs": True, "no_new_privs": True,
        "capabilities": {"drop_capabilities": ["ALL"]}, "seccomp": {"profile_type": 0}})
    same(e.exec(made, "id", "-u")[0], "1000")
    like(e.exec(made, "grep", "-E", "CapBnd|NoNewPrivs|Seccomp:", "/proc/self/status")[0],
         "CapBnd:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2")
    need(e.exec(made, "touch", "/tmp/x")[1] != 0, "it is writable")


@test("user namespace of a pod", quick=True)
def _(e):
    spaces = {"userns_options": {"mode": 0, "uids": [{"host_id": 300000, "container_id": 0, "length": 65536}],
                                 "gids": [{"host_id": 300000, "container_id": 0, "length": 65536}]}}
    pod = e.pod("one", security_context={"namespace_options": spaces})
    made = e.container(pod, "main", ["sleep", "1234"], security_context={"namespace_options": spaces})
    like(e.exec(made, "cat", "/proc/self/uid_map")[0], "0 +300000 +65536")
    same(e.sh("stat -c %u /proc/$(pgrep -f '^sleep 1234$')"), "300000")


@test("a volume in a user namespace: an id-mapped mount", quick=True)
def _(e):
    ids = {"uids": [{"host_id": 300000, "container_id": 0, "length": 65536}],
           "gids": [{"host_id": 300000, "container_id": 0, "length": 65536}]}
    spaces = {"userns_options": {"mode": 0, **ids}}
    e.sh("mkdir -p /var/tmp/volume; echo text >/var/tmp/volume/f; chown -R 0:0 /var/tmp/volume")
    pod = e.pod("one", security_context={"namespace_options": spaces})
    try:
        made = e.container(pod, "main", ["sleep", "1000"], security_context={"namespace_options": spaces}, mounts=[{
            "host_path": "/var/tmp/volume", "container_path": "/v",
            "uidMappings": ids["uids"], "gidMappings": ids["gids"]}])
    except Failed as failed:
        if "idmap mounts not yet supported" in str(failed):
            raise frame.Skip("this containerd has no id-mapped mounts") from failed
        raise
    same(e.exec(made, "sh", "-c", "stat -c %u /v/f; touch /v/made")[0], "0")
    same(e.sh("stat -c %u /var/tmp/volume/made; rm -r /var/tmp/volume"), "0")


@test("containerd restarted meanwhile", quick=True)
def _(e):
    pod = e.pod("one")
    made = e.container(pod, "main", ["sleep", "1000"])
    for how in ("systemctl restart containerd",
                "systemctl kill --kill-whom=main -s KILL containerd; systemctl start containerd"):
        e.sh(how)
        e.until("cri Version </dev/null", "containerd")
        same(e.state(made)["state"], 1)
        same(e.exec(made, "echo", "still")[0], "still")
    e.call("StopContainer", container_id=made, timeout=1)
    same(e.state(made)["exit_code"], 137)


@test("set up by cleat-setup: a handler of that name")
def _(e):
    if e.name != "cleat":
        raise frame.Skip("it is cleat's")
    try:
        e.sh(f"{frame.SETUP} --cleat {e.path} containerd; systemctl restart containerd")
        e.until("cri Version </dev/null", "containerd")
        made = e.container(e.pod("one", handler="cleat"), "main", ["sleep", "1000"])
        same(e.exec(made, "echo", "in")[0], "in")
        like(e.sh(f"cat /run/containerd/io.containerd.runtime.v2.task/k8s.io/{made}/options.json"), e.path)
        e.remove_all()
    finally:
        e.configure(e.manager == "systemd")


@test("a pod's life, SystemdCgroup off", quick=True)
def _(e):
    e.configure(False)
    try:
        life(e)
        e.clean()
    finally:
        e.configure(e.manager == "systemd")
