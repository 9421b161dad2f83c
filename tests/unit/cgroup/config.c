/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/cgroup/config.h"

#include <stdio.h>

#include "ocispec/decode.h"
#include "unit/unit.h"

struct oci_linux_resources *config_resources(struct arena *a, const char *json)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	char *text = arena_strdup(a, json);
	struct ocispec_error e = { 0 };
	void *r = NULL;

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	CHECK_INT(
		ocispec_decode(&oci_linux_resources_type, text, strlen(text), &alloc, NULL, &r, &e),
		0);
	CHECK_STR(e.text, "");
	REQUIRE(r);
	return r;
}

/* --- hosts ------------------------------------------------------------------------------------- */

#define V1_ALL                                                                          \
	"12:rdma:/\n11:hugetlb:/\n10:net_cls,net_prio:/\n9:name=systemd:/s\n8:pids:/\n" \
	"7:blkio:/\n6:freezer:/\n5:devices:/\n4:memory:/m/x\n3:cpuset:/\n2:cpu,cpuacct:/\n"
#define V1_FEW "3:memory:/m/x\n2:cpu:/\n1:pids:/\n"

static void make_host(struct host *h, enum host_cgroups kind, const char *text)
{
	memset(h, 0, sizeof(*h));
	str_copy(h->text, sizeof(h->text), text);
	host_parse_cgroups(h, h->text);
	h->cgroups = kind;
	if (kind == HOST_CGROUP_V2)
		h->n_v1 = 0;
}

void plan_host_v2(struct host *h)
{
	make_host(h, HOST_CGROUP_V2, "0::/user.slice/app.slice/x.scope\n");
}

void plan_host_v1(struct host *h)
{
	make_host(h, HOST_CGROUP_V1, V1_ALL);
}

void plan_host_few_v1(struct host *h)
{
	make_host(h, HOST_CGROUP_V1, V1_FEW);
}

/* Some controllers in v1, the rest in v2. */
void plan_host_hybrid(struct host *h)
{
	make_host(h, HOST_CGROUP_HYBRID, V1_FEW "0::/\n");
}

/* --- the plan as text ---------------------------------------------------------------------------- */

static char text[8192];

static void put(const char *fmt, ...) ERR_PRINTF(1, 2);
static void put(const char *fmt, ...)
{
	size_t used = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + used, sizeof(text) - used, fmt, ap);
	va_end(ap);
}

static void put_values(const struct cgroup_dir_plan *d, const char *when,
		       const struct cgroup_value *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put("%s%s%s%s%s=%s", *text ? " | " : "", d->hierarchy ? d->hierarchy : "",
		    d->hierarchy ? ":" : "", when, v[i].file, v[i].value);
		if (v[i].op == CGROUP_USAGE_BELOW)
			put(" check");
		if (v[i].otherwise)
			put(" or %s=%s", v[i].otherwise->file, v[i].otherwise->value);
		if (v[i].optional)
			put(" ?");
	}
}

const char *plan_values_text(const struct cgroup_plan *p)
{
	text[0] = '\0';
	for (size_t i = 0; i < p->n_dirs; i++) {
		put_values(&p->dirs[i], "", p->dirs[i].early, p->dirs[i].n_early);
		put_values(&p->dirs[i], "late ", p->dirs[i].late, p->dirs[i].n_late);
	}
	return text;
}

int plan_with(struct arena *a, void (*make)(struct host *), const struct spec *spec,
	      const struct cgroup_plan_options *opt, struct cgroup_plan *ret, struct err *e)
{
	struct host h;

	make(&h);
	return cgroup_plan_make(a, spec, &h, opt, ret, e);
}

int plan_resources(struct arena *a, void (*make)(struct host *), const char *json, const char *path,
		   bool rootless, struct cgroup_plan *ret, struct err *e)
{
	struct oci_linux_device_cgroup all = { .allow = true }, *allow_all[] = { &all };
	struct oci_linux_resources *r = config_resources(a, json);
	struct oci_linux l = { .cgroups_path = path, .resources = r };
	const struct oci_config c = { .linux = &l };
	const struct spec s = { .config = &c };
	const struct cgroup_plan_options opt = { .id = "c1", .rootless = rootless };

	if (!r->devices) {
		r->devices = allow_all;
		r->n_devices = 1;
	}
	return plan_with(a, make, &s, &opt, ret, e);
}
