# SPDX-License-Identifier: Apache-2.0
"""model - JSON schemas read into structs, fields and values.

The schemas are JSON Schema, of which this is understood: type, properties, required,
items, minItems, minimum, maximum, enum, format, additionalProperties (a map),
propertyNames.minLength, $ref, $defs, $comment. Beyond that:

    x-struct         name of the C struct of an object
    x-list           name of the C struct of a file that is one array
    x-type           C type of a number whose range does not name one
    x-skip           an object that is accepted and not kept
    x-soft           a number outside the range is a finding as long as the C type holds it
    x-hard           a text outside the enum or format is an error, not a finding
    x-soft-required  those of `required` whose absence is a finding

Anything else is refused, so that no rule is written down and then not kept.
"""
import dataclasses
import json
import pathlib
from typing import List, Optional, Tuple

import names

KEYWORDS = set(
    "type properties required items minItems minimum maximum enum format additionalProperties "
    "propertyNames $ref $defs $comment x-struct x-list x-type x-skip x-soft x-hard "
    "x-soft-required".split()
)
FORMATS = set(
    "absolute-path capability cpu-list date-time environment memory-bandwidth page-size rlimit "
    "version".split()
)
INTEGERS = {
    "int32": (-(2**31), 2**31 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}


@dataclasses.dataclass(frozen=True)
class Value:
    """What stands behind a name: kind is bool, number, text, object, array, map or skip."""

    kind: str
    ctype: str = ""  # number: key of INTEGERS
    low: int = 0
    high: int = 0
    words: Tuple[str, ...] = ()  # text: the enum
    form: str = ""  # text: the format
    hard: bool = False  # false: a text or number outside the rule is a finding
    struct: str = ""  # object: name of its struct
    item: Optional["Value"] = None  # array, map
    least: int = 0  # array: items; map: length of a key


@dataclasses.dataclass
class Field:
    """One property of an object."""

    name: str  # in JSON
    member: str  # in C
    value: Value
    required: bool
    soft_required: bool


@dataclasses.dataclass
class Struct:
    """One object, or (is_list) a file that is one array."""

    name: str
    fields: List[Field]
    is_list: bool = False


class SchemaError(Exception):
    """A schema says something that the engine would not keep."""


class Model:
    """All structs that the given schema files need, parts before wholes."""

    def __init__(self, files):
        self.structs = {}
        self.roots = []  # names of structs that stand for a whole file
        self._files = {}
        self._seen = {}  # struct name -> id of its schema node
        for path in files:
            path = pathlib.Path(path).resolve()
            node = self._load(path)
            self.roots.append(self._root(node, path))

    def maps(self):
        """Structs ("" for strings) that are values of a map somewhere."""
        found = {
            f.value.item.struct
            for s in self.structs.values()
            for f in s.fields
            if f.value.kind == "map"
        }
        return sorted(found)

    def _load(self, path):
        if path not in self._files:
            self._files[path] = json.loads(path.read_text(encoding="utf-8"))
        return self._files[path]

    def _resolve(self, node, path):
        """Follow $ref; returns the node meant and the file it is in."""
        while "$ref" in node:
            if set(node) - {"$ref", "$comment"}:
                raise SchemaError(f"{path}: nothing may stand beside {node['$ref']}")
            name, _, pointer = node["$ref"].partition("#")
            path = path.parent / name if name else path
            node = self._load(path)
            for part in pointer.split("/")[1:]:
                node = node[part]
        unknown = set(node) - KEYWORDS
        if unknown:
            raise SchemaError(f"{path}: unknown keywords {sorted(unknown)}")
        return node, path

    def _root(self, node, path):
        node, path = self._resolve(node, path)
        if "x-list" not in node:
            return self._object(node, path).struct
        name = node["x-list"]
        value = self._value(node, path)
        field = Field("", names.list_member(name), value, True, False)
        self.structs[name] = Struct(name, [field], is_list=True)
        return name

    def _value(self, node, path):
        node, path = self._resolve(node, path)
        kind = node.get("type")
        if kind == "boolean":
            return Value("bool")
        if kind == "string":
            return self._text(node, path)
        if kind == "integer":
            return self._number(node, path)
        if kind == "array":
            item = self._value(node["items"], path)
            if item.kind in ("array", "map", "skip", "bool"):
                raise SchemaError(f"{path}: array of {item.kind}")
            return Value("array", item=item, least=node.get("minItems", 0))
        if kind == "object":
            return self._object(node, path)
        raise SchemaError(f"{path}: type {kind}")

    @staticmethod
    def _text(node, path):
        form = node.get("format", "")
        if form and form not in FORMATS:
            raise SchemaError(f"{path}: no check for format {form}")
        return Value("text", words=tuple(node.get("enum", ())), form=form,
                     hard=node.get("x-hard", False))

    @staticmethod
    def _number(node, path):
        low, high = node["minimum"], node["maximum"]
        fits = [c for c, (a, b) in INTEGERS.items() if a <= low and high <= b]
        exact = [c for c in fits if INTEGERS[c] == (low, high)]
        ctype = node.get("x-type") or (exact or fits or [None])[0]
        if ctype not in fits:
            raise SchemaError(f"{path}: no type for {low} to {high}")
        return Value("number", ctype=ctype, low=low, high=high, hard=not node.get("x-soft", False))

    def _object(self, node, path):
        if node.get("x-skip"):
            return Value("skip")
        if "additionalProperties" in node:
            item = self._value(node["additionalProperties"], path)
            if item.kind not in ("text", "object"):
                raise SchemaError(f"{path}: map to {item.kind}")
            least = node.get("propertyNames", {}).get("minLength", 0)
            return Value("map", item=item, struct=item.struct, least=least)
        name = node["x-struct"]
        if self._seen.setdefault(name, id(node)) != id(node):
            raise SchemaError(f"{path}: a second {name}")
        stray = set(node.get("required", ())) - set(node["properties"])
        if stray:
            raise SchemaError(f"{path}: required but not described: {sorted(stray)}")
        if name not in self.structs:
            fields = [self._field(node, path, key) for key in node["properties"]]
            self.structs[name] = Struct(name, fields)
        return Value("object", struct=name)

    def _field(self, node, path, key):
        required = node.get("required", [])
        return Field(
            name=key,
            member=names.member_name(key),
            value=self._value(node["properties"][key], path),
            required=key in required,
            soft_required=key in node.get("x-soft-required", []),
        )
