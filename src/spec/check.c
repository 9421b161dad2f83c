/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/check.h"

#include <stdarg.h>
#include <string.h>

#include "base/str.h"

/* The path that a message begins with: "linux.devices[3].path" of "...: '..' is absolute". */
static const char *leading_path(struct arena *a, const char *text)
{
	const char *p = text;

	while (*p && *p != ':' && *p != ' ') {
		const char *close = *p == '[' && p[1] == '"' ? strstr(p, "\"]") : NULL;

		p = close ? close + 2 : p + 1;
	}
	return arena_strndup(a, text, (size_t)(p - text));
}

struct spec_finding spec_finding_make(struct arena *a, enum spec_severity severity,
				      const char *text)
{
	char *clean = arena_strdup(a, text);

	str_escape_control(clean);
	return (struct spec_finding){
		.severity = severity,
		.code = EINVAL,
		.path = leading_path(a, clean),
		.text = clean,
	};
}

static struct spec_finding *add(struct check *c, enum spec_severity severity, const char *text)
{
	struct spec_finding *f = vec_push(c->arena, c);

	*f = spec_finding_make(c->arena, severity, text);
	return f;
}

void check_fail(struct check *c, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(c, SPEC_ERROR, arena_vprintf(c->arena, fmt, ap))->code = code;
	va_end(ap);
}

void check_warn(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(c, SPEC_WARNING, arena_vprintf(c->arena, fmt, ap));
	va_end(ap);
}

void check_remark(struct check *c, const char *fmt, ...)
{
	va_list ap;

	if (!c->strict)
		return;
	va_start(ap, fmt);
	add(c, SPEC_REMARK, arena_vprintf(c->arena, fmt, ap));
	va_end(ap);
}
