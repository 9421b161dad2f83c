/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "spec/check.h"

void warn(struct warnings *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*vec_push(w->arena, w) = arena_vprintf(w->arena, fmt, ap);
	va_end(ap);
}
