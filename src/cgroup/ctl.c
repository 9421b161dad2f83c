/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/ctl.h"

#include <inttypes.h>
#include <string.h>

static struct cgroup_value *put(struct arena *a, struct cgroup_value_list *list, const char *field,
				const char *file, const char *fmt, va_list ap)
{
	struct cgroup_value *v = vec_push(a, list);

	v->field = field;
	v->file = file;
	v->value = arena_vprintf(a, fmt, ap);
	return v;
}

struct cgroup_value *ctl_put(struct ctl_out *o, const char *field, const char *file,
			     const char *fmt, ...)
{
	struct cgroup_value *v;
	va_list ap;

	va_start(ap, fmt);
	v = put(o->arena, &o->early, field, file, fmt, ap);
	va_end(ap);
	return v;
}

struct cgroup_value *ctl_put_late(struct ctl_out *o, const char *field, const char *file,
				  const char *fmt, ...)
{
	struct cgroup_value *v;
	va_list ap;

	va_start(ap, fmt);
	v = put(o->arena, &o->late, field, file, fmt, ap);
	va_end(ap);
	return v;
}

struct cgroup_value *ctl_put_limit(struct ctl_out *o, const char *field, const char *file,
				   const char *unlimited, int64_t value)
{
	struct cgroup_value *v;

	if (value >= 0)
		return ctl_put(o, field, file, "%" PRId64, value);
	v = ctl_put(o, field, file, "%s", unlimited);
	v->optional = true; /* where nothing can be limited, nothing is */
	return v;
}

void ctl_otherwise(struct ctl_out *o, struct cgroup_value *v, const char *file, const char *value)
{
	struct cgroup_value *other = arena_new(o->arena, struct cgroup_value);

	*other = *v;
	other->file = file;
	other->value = value;
	v->otherwise = other;
}

void ctl_ignored(struct ctl_out *o, const char *field, const char *why)
{
	*vec_push(o->arena, &o->warnings) =
		arena_printf(o->arena, "linux.resources.%s is ignored: %s", field, why);
}
