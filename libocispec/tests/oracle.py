# SPDX-License-Identifier: Apache-2.0
"""oracle.py - what is JSON: ours and Python's opinion of many texts, hardly any of them right.

Texts are made from right ones by putting a piece in at each place, and by a few changes at
random places, always the same ones; they stand as the value of a property that is not known. Python's reader is stricter or laxer than RFC
8259 nowhere but in what strict() mends.
"""
import json
import random
import subprocess
import sys

SEEDS = ['{"a":[1,-2.5e3,true,null,"x\\n\\u00e4\\ud83d\\ude00"],"b":{}}', '["\\\\",0.5,1E+2,{"k":"\\/"}]',
         '"ü€😀"', '[[],{},-0,10]']
LETTERS = '{}[]":,\\u0123dDcC8.eE+-truefalsn \tä€/*'
PIECES = list(LETTERS) + ['"}', '}"', '"}"', "}{", '}{"', "],[", "\\u", "\\ud83d", "0", "-", "//"]
COUNT = 12000


def inside(text):
    """A whole document."""
    return '{"ociVersion":"1","x":' + text + "}"


def texts():
    """All of them."""
    for seed in SEEDS:
        for place in range(len(seed) + 1):
            for piece in PIECES:
                yield inside(seed[:place] + piece + seed[place:])
    rand = random.Random(7)
    for _ in range(COUNT):
        text = list(rand.choice(SEEDS))
        for _ in range(rand.randint(1, 3)):
            what, place = rand.random(), rand.randrange(len(text) + 1)
            if what < 0.4 and place < len(text):
                text[place] = rand.choice(LETTERS)
            elif what < 0.7:
                text.insert(place, rand.choice(LETTERS))
            elif place < len(text):
                del text[place]
        yield inside("".join(text))


def refuse(word):
    """NaN and Infinity."""
    raise ValueError(word)


def strict(value):
    """No NUL and no half of a surrogate pair in any string."""
    if isinstance(value, list):
        for item in value:
            strict(item)
    elif isinstance(value, str):
        value.encode("utf-8")
        if "\0" in value:
            raise ValueError("NUL")


def is_right(text):
    """Python's opinion."""
    try:
        strict(json.loads(text, parse_constant=refuse,
                          object_pairs_hook=lambda pairs: [list(p) for p in pairs]))
    except ValueError:
        return False
    return True


def main():
    lines = list(texts())
    out = subprocess.run(["libocispec/tests/verdict"], capture_output=True, check=True,
                         input="".join(f"oci_config\t{line}\n" for line in lines).encode())
    n_right, bad = 0, []
    for line, verdict in zip(lines, out.stdout.decode().splitlines()):
        right = is_right(line)
        n_right += right
        if right != verdict.startswith("ok"):
            bad.append(f"{line}: {verdict}")
    print(f"{'not ' if bad else ''}ok 1 - {len(lines)} texts, {n_right} of them JSON")
    print("".join(f"# {line}\n" for line in bad[:10]), end="")
    some = 1000 < n_right < len(lines) - 1000
    print(f"{'' if some else 'not '}ok 2 - some are JSON, some are not")
    print("1..2")
    return bool(bad) or not some


if __name__ == "__main__":
    sys.exit(main())
