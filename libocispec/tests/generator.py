# SPDX-License-Identifier: Apache-2.0
"""generator.py - names, what the generator refuses, what it writes."""
import json
import os
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
TOP = pathlib.Path(os.environ.get("srcdir", ".")).resolve() / "libocispec"
sys.path.insert(0, str(TOP / "gen"))
import emit_structs  # noqa: E402
import emit_tables  # noqa: E402
import model  # noqa: E402
import names  # noqa: E402

NAMES = {
    "cwd": "cwd", "noNewPrivileges": "no_new_privileges", "oomScoreAdj": "oom_score_adj",
    "containerID": "container_id", "closID": "clos_id", "l3CacheSchema": "l3_cache_schema",
    "kernelTCP": "kernel_tcp", "disableOOMKiller": "disable_oom_killer", "blockIO": "block_io",
    "throttleReadIOPSDevice": "throttle_read_iops_device", "additionalGids": "additional_gids",
    "execCPUAffinity": "exec_cpu_affinity", "ociVersion": "oci_version", "v1": "v1",
    "default": "default_", "static": "static_",
}
U32 = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}


def struct(**properties):
    """A schema of one object."""
    return {"x-struct": "s", "type": "object", "properties": properties}


REFUSED = {
    "an unknown keyword": struct(a={"type": "string", "pattern": "^x$"}),
    "a word of ours with a slip": struct(a={"type": "string", "x-hrd": True}),
    "an unknown format": struct(a={"type": "string", "format": "uri"}),
    "an unknown type": struct(a={"type": "number"}),
    "no range": struct(a={"type": "integer", "minimum": 0}),
    "a range that no type has": struct(a={"type": "integer", "minimum": -1, "maximum": 2**64 - 1}),
    "a type too small": struct(a=dict(U32, **{"x-type": "uint16"})),
    "an array of arrays": struct(a={"type": "array", "items": {"type": "array", "items": U32}}),
    "an array of bools": struct(a={"type": "array", "items": {"type": "boolean"}}),
    "a map to numbers": struct(a={"type": "object", "additionalProperties": U32}),
    "an object without a name": struct(a={"type": "object", "properties": {}}),
    "a name used twice": struct(a=struct(), b=struct(c={"type": "string"})),
    "required but not described": dict(struct(), required=["a"]),
    "a word beside $ref": struct(a={"$ref": "#/$defs/x", "minimum": 1}),
    "a property that is no name": struct(**{"a b": {"type": "string"}}),
    "65 properties": struct(**{f"p{i}": {"type": "string"} for i in range(65)}),
}


def outcome(schema):
    """The generated texts, or the error."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "schema.json"
        path.write_text(json.dumps(schema), encoding="utf-8")
        try:
            what = model.Model([path])
            return emit_structs.emit(what), emit_tables.emit(what)
        except (model.SchemaError, ValueError, KeyError) as e:
            return e


def main():
    cases = [(f"{word} is {want} in C", names.member_name(word) == want)
             for word, want in NAMES.items()]
    cases += [(f"refused: {why}", isinstance(outcome(schema), Exception))
              for why, schema in REFUSED.items()]
    small = struct(a=dict(U32), b={"type": "array", "items": dict(U32)}, c={"type": "boolean"},
                   d={"type": "object", "x-skip": True})
    header, tables = outcome(small)
    cases += [
        ("a number has a has_ member", "\tuint32_t a;\n" in header and "\tbool has_a;\n" in header),
        ("an array has an n_ member", "\tuint32_t *b;\n\tsize_t n_b;\n" in header),
        ("a bool has a has_ member", "\tbool c, has_c;\n" in header),
        ("what is skipped has no member, but a row", " d;" not in header and '"d\\0"' in tables),
        ("the same schema gives the same text", outcome(small) == (header, tables)),
    ]
    whole = model.Model(sorted(p for p in (TOP / "schema").glob("*.json")
                               if p.name not in ("common.json", "linux.json")))
    cases.append(("no row of the tables has a pointer", "&" not in "".join(
        line for line in emit_tables.emit(whole).splitlines() if line.startswith("\t"))))
    for number, (name, good) in enumerate(cases, 1):
        print(f"{'' if good else 'not '}ok {number} - {name}")
    print(f"1..{len(cases)}")
    return not all(good for _, good in cases)


if __name__ == "__main__":
    sys.exit(main())
