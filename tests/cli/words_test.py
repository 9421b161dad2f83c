#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Manual pages and completions are what man/words makes of the tables; bash completes.

environment: CLEAT (the program, default ./cleat)
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

CLEAT = os.path.abspath(os.environ.get("CLEAT", "./cleat"))
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")

# what has been typed, words that must be offered, words that must not
COMPLETIONS = [
    ("", ["create", "run", "update"], ["--root"]),
    ("st", ["start", "state", "stats"], ["run"]),
    ("--lo", ["--log", "--log-format", "--log-level"], ["--root"]),
    ("--log-format ", ["json", "text"], ["create"]),
    ("--log-format json cre", ["create"], []),
    ("--root start run --det", ["--detach"], []),
    ("run --pi", ["--pid-file", "--pidfd-socket"], ["--process"]),
    ("exec --p", ["--process", "--pid-file"], ["--bundle"]),
    ("list -f ", ["json", "table"], []),
    ("help re", ["restore", "resume"], []),
    ("run --bundle /us", ["/usr"], ["--root"]),
    ("run --bundle /usr --ke", ["--keep"], []),
    ("run /us", ["/usr", "filenames"], []),
    ("run --k", ["--keep"], ["filenames"]),
]

SCRIPT = '''source "$1"; read -ra typed <<<"$2"; [[ -z $2 || $2 == *\\  ]] && typed+=("")
COMP_WORDS=(cleat "${typed[@]}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { echo "compopt $*"; }
_cleat; printf "%s\\n" "${COMPREPLY[@]}"'''

number = 0


def result(ok, name, why=""):
    global number
    number += 1
    print(f"{'ok' if ok else 'not ok'} {number} - {name}", flush=True)
    if not ok and why:
        print("# " + why.replace("\n", " "))


def check_codes():
    """The codes that the sources give errors are those of the table, and the page has all."""
    known = {row["code"] for row in json.loads(subprocess.run(
        [CLEAT, "--dump-options"], capture_output=True, check=True, timeout=60).stdout)["errors"]}
    used = set()
    for path in pathlib.Path(TOP, "src").rglob("*.c"):
        text = path.read_text(encoding="utf-8")
        used.update(re.findall(r'err_set_id\([^;]*?"([a-z-]+)"\s*\)', text))
        if path.name == "explain.c":
            used.update(re.findall(r'"(exec-[a-z-]+)"', text))
    result(len(used) > 25 and used <= known, "the codes of errors are in their table",
           f"{len(used)} are used, unknown: {sorted(used - known)}")
    with open(TOP + "/man/cleat-errors.7", encoding="utf-8") as f:
        page = f.read()
    missing = [code for code in sorted(known) if f".It Cm {code}\n" not in page]
    result(known and not missing, "the manual page has all of them", f"missing: {missing}")


def check_files():
    r = subprocess.run([sys.executable, TOP + "/man/words", "--check"], capture_output=True,
                       text=True, timeout=120, check=False, env=dict(os.environ, CLEAT=CLEAT))
    lines = r.stdout.splitlines()
    wrong = [line for line in lines if not line.startswith(("ok ", "1.."))]
    result(r.returncode == 0 and len(lines) > 20 and not wrong,
           "pages and completions are up to date (man/words writes them)",
           "\n".join(wrong) + r.stderr)


def check_completions():
    for typed, wanted, unwanted in COMPLETIONS:
        r = subprocess.run(["bash", "-c", SCRIPT, "bash", TOP + "/contrib/completion/cleat.bash",
                            typed], capture_output=True, text=True, timeout=60, check=False)
        offered = r.stdout.split()
        result(set(wanted) <= set(offered) and not set(unwanted) & set(offered) and not r.stderr,
               f"bash completes '{typed}'", f"{offered} {r.stderr}")


def check_page(name):
    tool = shutil.which("mandoc")
    if not tool:
        print(f"ok {number + 1} - {name} # SKIP no mandoc here")
        return False
    r = subprocess.run([tool, "-T", "lint", "-W", "warning", f"{TOP}/man/{name}"],
                       capture_output=True, text=True, timeout=60, check=False)
    result(r.returncode == 0 and not r.stdout, f"{name} is proper mdoc", r.stdout)
    return True


def main():
    pages = sorted(name for name in os.listdir(TOP + "/man") if name.endswith((".1", ".7")))
    check_files()
    check_codes()
    check_completions()
    for name in pages:
        if not check_page(name):
            break
    print(f"1..{number + (0 if shutil.which('mandoc') else 1)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
