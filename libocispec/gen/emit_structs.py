# SPDX-License-Identifier: Apache-2.0
"""emit_structs - the header: one struct an object, presence beside each value."""
import names

HEAD = """\
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime - the objects of the specification as structs; generated from libocispec/schema
 *
 * Objects, maps and strings are pointers, NULL when absent. A number or a bool has a
 * has_ member. An array is a pointer, NULL when absent and not when empty, with its
 * length in an n_ member; an array of strings also ends with NULL. `place` is where the
 * object began in the text that was decoded, line 0 when it was made by hand.
 */
#ifndef OCISPEC_RUNTIME_H
#define OCISPEC_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ocispec/ocispec.h"
"""


def plain(value):
    """The C type of one value; ends where the member's name begins."""
    return {
        "bool": lambda: "bool ",
        "number": lambda: f"{value.ctype}_t ",
        "text": lambda: "const char *",
        "object": lambda: f"struct {value.struct} *",
        "map": lambda: f"struct {names.map_name(value.struct)} *",
    }[value.kind]()


def members(field):
    """The member lines of one property: those in its place, those at the end of the struct."""
    value, name = field.value, field.member
    if value.kind == "skip":
        return [], []
    if value.kind == "array":
        return [f"{plain(value.item)}*{name};", f"size_t n_{name};"], []
    if value.kind == "number":
        return [f"{plain(value)}{name};"], [f"bool has_{name};"]
    if value.kind == "bool":
        return [], [f"bool {name}, has_{name};"]
    return [f"{plain(value)}{name};"], []


def struct(name, lines):
    """A struct definition."""
    return f"\nstruct {name} {{\n" + "".join(f"\t{line}\n" for line in lines) + "};\n"


def emit_map(name):
    """The two structs of a map to `name`, or to strings."""
    value = f"struct {name} *value;" if name else "const char *value;"
    entry = struct(names.entry_name(name), ["const char *key;", value])
    lines = ["size_t n;", f"struct {names.entry_name(name)} *entries;"]
    return entry + struct(names.map_name(name), lines)


def emit(model):
    """The text of the header."""
    maps = model.maps()
    out = [HEAD]
    if "" in maps:
        out.append(emit_map(""))
    for s in model.structs.values():
        pairs = [members(field) for field in s.fields]
        lines = [line for pair in pairs for line in pair[0]]
        lines += [line for pair in pairs for line in pair[1]]
        out.append(struct(s.name, ["struct ocispec_place place;"] + lines))
        if s.name in maps:
            out.append(emit_map(s.name))
    out.append("\n/* What ocispec_decode() and ocispec_encode() are told to expect. */\n")
    out += [f"extern const struct ocispec_type {name}_type;\n" for name in model.roots]
    out.append("\n#endif\n")
    return "".join(out)
