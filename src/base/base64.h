/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLEAT_BASE_BASE64_H
#define CLEAT_BASE_BASE64_H

#include <stddef.h>

#include "base/arena.h"

/*
 * base64_decode() - RFC 4648, section 4: the standard letters, with padding
 *
 * Strict, as section 3 permits: nothing else may be in the text, no line end either, and the
 * bits that no byte is made of are 0. The bytes lie in @a, aligned for anything. Returns 0 or
 * -EINVAL.
 */
int base64_decode(struct arena *a, const char *text, void **ret, size_t *ret_n);

#endif
