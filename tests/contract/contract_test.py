#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/contract.md has the rows of the tests; each decision has a test that shows it."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.exit(subprocess.run([sys.executable, HERE + "/table", "--check",
                         HERE + "/../../docs/contract.md"], check=False).returncode)
