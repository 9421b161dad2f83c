# SPDX-License-Identifier: Apache-2.0
"""emit_dictionary - what a fuzzer should know about the language.

Bytes changed at random hardly ever make the name of a property; with the names at hand a
fuzzer gets past the table of names to what stands behind them.
"""

# Ends of ranges, and JSON that tends to matter.
FIXED = ["true", "false", "null", "-1", "1e3", "18446744073709551615", "18446744073709551616",
         "9223372036854775807", "-9223372036854775808", "{}", "[]", "\\u0000", "\\ud800"]


def words_of(value):
    """The enum of a value, or of what it is made of."""
    return value.words + (words_of(value.item) if value.item else ())


def entry(text):
    """One line of a dictionary; everything in it is ASCII."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"\n'


def emit(model):
    """The text of the dictionary."""
    fields = [f for s in model.structs.values() for f in s.fields]
    names = {f'"{f.name}":' for f in fields if f.name}
    words = {f'"{w}"' for f in fields for w in words_of(f.value)}
    return "".join(entry(text) for text in FIXED + sorted(names) + sorted(words))
