/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "spec/check.h"

void check_warn(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*vec_push(c->arena, c) = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);
}
