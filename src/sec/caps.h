/* SPDX-License-Identifier: Apache-2.0 */
/* caps - the arithmetic of capability sets; private to the room, tested on its own */
#ifndef CLEAT_SEC_CAPS_H
#define CLEAT_SEC_CAPS_H

#include <stddef.h>
#include <stdint.h>

#include "spec/spec.h"
#include "sys/sys.h"

/*
 * caps_grantable() - the part of @want that capset(2) accepts from a thread with @now
 *
 * For a thread without CAP_SETPCAP (capabilities(7), "Programmatically adjusting
 * capability sets"): permitted only shrinks, effective stays within permitted,
 * inheritable grows only by what is permitted.
 */
struct sys_caps caps_grantable(const struct sys_caps *want, const struct sys_caps *now);

/*
 * caps_possible() - what a kernel with capabilities up to @last_cap could grant
 *
 * The rest is left out with a warning (config.md, "capabilities"). A @last_cap that is
 * not known is 0.
 */
struct spec_caps caps_possible(const struct spec_caps *c, int last_cap);

/* Names of the capabilities in @set, with blanks between; cut with "..." when too long. */
void caps_print(uint64_t set, char *buf, size_t size);

#endif
