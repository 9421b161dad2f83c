#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""main.py [--header FILE] [--tables FILE] [--dictionary FILE] SCHEMA... - C from schemas.

Each SCHEMA named stands for a file of its own and becomes a type; what they refer to is
found beside them. The header has the structs, the tables what the engine must know; the
dictionary has all names and words, as libFuzzer takes them.
"""
import argparse
import pathlib
import sys

import emit_dictionary
import emit_structs
import emit_tables
import model


def main():
    """Read all, then write all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--header", type=pathlib.Path)
    parser.add_argument("--tables", type=pathlib.Path)
    parser.add_argument("--dictionary", type=pathlib.Path)
    parser.add_argument("schemas", nargs="+")
    args = parser.parse_args()
    try:
        what = model.Model(args.schemas)
        texts = [(args.header, emit_structs.emit(what)), (args.tables, emit_tables.emit(what)),
                 (args.dictionary, emit_dictionary.emit(what))]
    except (model.SchemaError, ValueError, KeyError, OSError) as e:
        print(f"{sys.argv[0]}: {e}", file=sys.stderr)
        return 1
    for path, text in texts:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
