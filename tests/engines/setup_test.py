#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""contrib/cleat-setup: what it writes, that twice is once, that it takes all away again."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

CLEAT = sys.executable  # any program
SETUP = pathlib.Path(__file__).resolve().parents[2] / "contrib/cleat-setup"


def files(root):
    return {str(p.relative_to(root)): p.read_text(encoding="utf-8")
            for p in sorted(root.rglob("*")) if p.is_file()}


def setup(root, *args, status=0):
    done = subprocess.run([sys.executable, str(SETUP), "--root", str(root), *args],
                          capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def there_and_back(engine, before):
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text in before.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        setup(root, "--cleat", CLEAT, "--default", engine)
        once = files(root)
        setup(root, "--cleat", CLEAT, "--default", engine)
        assert files(root) == once, "the second time changed something"
        assert any(CLEAT in text for text in once.values()), once
        assert not any("@" in text for text in once.values()), "a word is not filled in"
        setup(root, "--remove", engine)
        assert files(root) == before, f"left: {files(root)}"
        return once


def test_docker():
    there_and_back("docker", {})
    path = "etc/docker/daemon.json"
    before = {path: json.dumps({"log-level": "warn", "runtimes": {"x": {"path": "/x"}}}, indent=2) + "\n"}
    config = json.loads(there_and_back("docker", before)[path])
    assert config["runtimes"] == {"x": {"path": "/x"}, "cleat": {"path": CLEAT}}
    assert config["default-runtime"] == "cleat" and config["log-level"] == "warn"


def test_containerd():
    there_and_back("containerd", {})
    path = "etc/containerd/config.toml"
    there_and_back("containerd", {path: 'version = 2\nroot = "/x"\n'})
    text = there_and_back("containerd", {path: "version = 3\n"})[path]
    assert "io.containerd.cri.v1.runtime" in text and "grpc" not in text


def test_podman():
    text = "".join(there_and_back("podman", {}).values())
    assert '\nruntime = "cleat"\n' in text


def test_crio():
    text = "".join(there_and_back("crio", {}).values())
    assert '\ndefault_runtime = "cleat"\n' in text


def test_refusals():
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        (root / "etc/containerd").mkdir(parents=True)
        config = root / "etc/containerd/config.toml"
        text = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd]\n  default_runtime_name = "runc"\n'
        config.write_text(text, encoding="utf-8")
        assert "default runtime already" in setup(root, "--cleat", CLEAT, "--default", "containerd", status=1)
        assert config.read_text(encoding="utf-8") == text
        # as docker's own package has it
        config.write_text('disabled_plugins = ["cri"]\n', encoding="utf-8")
        assert "has no 'version'" in setup(root, "--cleat", CLEAT, "containerd", status=1)
        config.write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n', encoding="utf-8")
        assert "disables the cri plugin" in setup(root, "--cleat", CLEAT, "containerd")
        (root / "etc/docker").mkdir()
        (root / "etc/docker/daemon.json").write_text("{,}", encoding="utf-8")
        said = setup(root, "--cleat", CLEAT, "docker", status=1)
        assert "is no JSON" in said and "Traceback" not in said, said


def test_relative():
    with tempfile.TemporaryDirectory() as name:
        setup(name, "--cleat", os.path.relpath(CLEAT), "docker")
        config = json.loads((pathlib.Path(name) / "etc/docker/daemon.json").read_text(encoding="utf-8"))
        assert config["runtimes"]["cleat"]["path"] == os.path.abspath(CLEAT)


def test_mistakes():
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path in ("/no/such/program", name):
            said = setup(root, "--cleat", path, "podman", status=1)
            assert said == f"cleat-setup: {path} is not there, or cannot be executed\n", said
            assert not files(root)
        (root / "opt").mkdir()
        (root / "opt/cleat").write_text("", encoding="utf-8")
        (root / "opt/cleat").chmod(0o755)
        setup(root, "--cleat", "/opt/cleat", "podman")
        (root / "etc/docker").write_text("", encoding="utf-8")
        said = setup(root, "--cleat", CLEAT, "docker", status=1)
        assert said.startswith(f"cleat-setup: {root}/etc/docker") and said.count("\n") == 1, said


TESTS = [test_docker, test_containerd, test_podman, test_crio, test_refusals,
         test_relative, test_mistakes]
print(f"1..{len(TESTS)}")
for number, test in enumerate(TESTS, 1):
    title = "cleat-setup: " + test.__name__.removeprefix("test_")
    try:
        test()
        print(f"ok {number} - {title}")
    except AssertionError as e:
        print(f"not ok {number} - {title}\n# " + str(e).replace("\n", "\n# "))
