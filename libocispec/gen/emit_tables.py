# SPDX-License-Identifier: Apache-2.0
"""emit_tables - what the engine knows about every struct.

The tables hold numbers only: names are offsets into one string, types are indexes. So
they need no relocation when the program starts, and their pages stay shared.
"""

HEAD = """\
/* SPDX-License-Identifier: Apache-2.0 */
/* runtime_tables - names, values, fields and structs; generated from libocispec/schema */
#include <stddef.h>

#include "ocispec/runtime.h"
#include "type_desc.h"
"""


def c_integer(n):
    """A literal that C takes without a warning."""
    return "INT64_MIN" if n == -(2**63) else str(n)


def array(declaration, rows):
    """One static table."""
    return f"\nstatic const {declaration} = {{\n" + "".join(f"\t{row}\n" for row in rows) + "};\n"


class Tables:
    """Rows under construction; what is equal gets one row."""

    def __init__(self, model):
        self.model = model
        self.order = {name: i for i, name in enumerate(model.structs)}
        self.strings = {}  # text -> offset
        self.size = 0
        self.values = {}  # value -> index; the rows are in value_rows
        self.value_rows = []
        self.words = {}  # tuple of words -> index of the first
        self.word_rows = []
        self.field_rows, self.sorted_rows, self.struct_rows = [], [], []

    def add_string(self, text):
        """Offset of a name in the pool."""
        if text not in self.strings:
            self.strings[text] = self.size
            self.size += len(text.encode()) + 1
        return self.strings[text]

    def add_words(self, words):
        """Index of the first of the words of an enum."""
        if words not in self.words:
            self.words[words] = len(self.word_rows)
            self.word_rows += [f"{self.add_string(w)}, /* {w} */" for w in words]
        return self.words[words]

    def add_value(self, v):
        """Index of the row of a value."""
        if v in self.values:
            return self.values[v]
        cells = [f".kind = KIND_{v.kind.upper()}"]
        if v.kind == "number":
            cells += [f".width = sizeof({v.ctype}_t)", f".low = {c_integer(v.low)}",
                      f".high = {v.high}u"]
            if v.ctype.startswith("int"):
                cells.append(".is_signed = true")
        if v.form:
            cells.append(f".format = FORMAT_{v.form.upper().replace('-', '_')}")
        if v.hard:
            cells.append(".hard = true")
        if v.words:
            cells += [f".index = {self.add_words(v.words)}", f".count = {len(v.words)}"]
        if v.kind == "object":
            cells.append(f".index = {self.order[v.struct]}")
        if v.item:
            cells.append(f".index = {self.add_value(v.item)}")
        if v.least:
            cells.append(f".count = {v.least}")
        self.values[v] = len(self.value_rows)
        self.value_rows.append("{ " + ", ".join(cells) + " },")
        return self.values[v]

    def add_field(self, struct, field):
        """The row of one property."""
        cells = [f".name = {self.add_string(field.name)}", f".length = {len(field.name.encode())}",
                 f".value = {self.add_value(field.value)}"]
        kind = field.value.kind
        if kind != "skip":
            cells.append(f".offset = offsetof(struct {struct}, {field.member})")
        if kind in ("bool", "number"):
            cells.append(f".beside = offsetof(struct {struct}, has_{field.member})")
        if kind == "array":
            cells.append(f".beside = offsetof(struct {struct}, n_{field.member})")
        self.field_rows.append(f"/* {field.name} */ {{ {', '.join(cells)} }},")

    def add_struct(self, struct):
        """The rows of one object and of all its properties."""
        fields = struct.fields
        if len(fields) > 64:
            raise ValueError(f"{struct.name}: more than 64 properties do not fit a mask")
        first = len(self.field_rows)
        by_name = sorted(range(len(fields)), key=lambda i: (len(fields[i].name.encode()),
                                                            fields[i].name.encode()))
        self.sorted_rows.append("".join(f"{i}, " for i in by_name) + f"/* {struct.name} */")
        for field in fields:
            self.add_field(struct.name, field)
        must = sum(1 << i for i, f in enumerate(fields) if f.required)
        soft = sum(1 << i for i, f in enumerate(fields) if f.soft_required)
        cells = [f".first = {first}", f".count = {len(fields)}",
                 f".size = sizeof(struct {struct.name})",
                 f".required = {must:#x}", f".soft_required = {soft:#x}"]
        if struct.is_list:
            cells.append(".is_list = true")
        self.struct_rows.append(f"/* {struct.name} */ {{ {', '.join(cells)} }},")

    def pool(self):
        """All names as one string."""
        lines = "".join(f'\n\t"{text}\\0"' for text in self.strings)
        return f"\nstatic const char strings[] ={lines};\n"


def emit(model):
    """The text of the tables."""
    t = Tables(model)
    for struct in model.structs.values():
        t.add_struct(struct)
    if t.size > 0xFFFF:
        raise ValueError("the names do not fit 16 bit offsets")
    out = [HEAD, t.pool(),
           array("uint16_t words[]", t.word_rows),
           array("struct ocispec_value values[]", t.value_rows),
           array("struct ocispec_field fields[]", t.field_rows),
           "\n/* The fields of each struct, shorter names first, then by their bytes. */",
           array("uint8_t by_name[]", t.sorted_rows),
           array("struct ocispec_struct structs[]", t.struct_rows),
           "\nstatic const struct ocispec_schema schema = {\n\t.strings = strings,\n"
           "\t.words = words,\n\t.values = values,\n\t.fields = fields,\n\t.by_name = by_name,\n"
           "\t.structs = structs,\n};\n\n"]
    out += [f"const struct ocispec_type {name}_type = {{ &schema, {t.order[name]} }};\n"
            for name in model.roots]
    return "".join(out)
