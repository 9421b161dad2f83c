#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Make ./configure from configure.ac.
set -eu
cd "$(dirname "$0")"
autoreconf --install --force
