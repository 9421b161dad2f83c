# SPDX-License-Identifier: Apache-2.0
"""names - from the words of the specification to those of C."""
import re

# those of C, and errno, which is a macro
KEYWORDS = set(
    "auto break case char const continue default do double else enum extern float for goto "
    "if inline int long register restrict return short signed sizeof static struct switch "
    "typedef union unsigned void volatile while bool true false errno".split()
)


def member_name(json_name):
    """noNewPrivileges -> no_new_privileges, throttleReadIOPSDevice -> throttle_read_iops_device."""
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", json_name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name).lower()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"no C name for property '{json_name}'")
    return name + "_" if name in KEYWORDS else name


def map_name(struct):
    """The struct of a map from strings to `struct`; None: to strings."""
    return f"{struct}_map" if struct else "oci_string_map"


def entry_name(struct):
    """The struct of one entry of such a map."""
    return f"{struct}_entry" if struct else "oci_string_entry"


def list_member(struct):
    """oci_mounts -> mounts: the member that holds a file which is one array."""
    return struct.split("_", 1)[1]
