/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_hugetlb - huge pages; config-linux.md "Huge page limits"
 *
 * The page size becomes part of a file's name, so it passes a strict grammar first.
 * Reservations are limited before faults: a process that got no reservation is told
 * so by mmap(2), one that has it and finds no page is killed.
 */
#include <ctype.h>
#include <inttypes.h>

#include "cgroup/ctl.h"

/* [1-9][0-9]*[KMG]B */
static bool is_page_size(const char *s)
{
	if (!s || *s < '1' || *s > '9')
		return false;
	while (*s >= '0' && *s <= '9')
		s++;
	return (*s == 'K' || *s == 'M' || *s == 'G') && s[1] == 'B' && !s[2];
}

static int hugetlb(struct ctl_out *o, const struct oci_linux_resources *r, const char *suffix)
{
	for (size_t i = 0; i < r->n_hugepage_limits; i++) {
		const struct oci_linux_hugepage_limit *h = r->hugepage_limits[i];
		const char *file;

		if (!is_page_size(h->page_size))
			return err_user(o->err, "linux.resources.hugepageLimits",
					"linux.resources.hugepageLimits[%zu].pageSize: '%s' is not "
					"of the form 2MB",
					i, h->page_size ? h->page_size : "");
		file = arena_printf(o->arena, "hugetlb.%s.rsvd.%s", h->page_size, suffix);
		ctl_put(o, "hugepageLimits", file, "%" PRIu64, h->limit)->optional = true;
		file = arena_printf(o->arena, "hugetlb.%s.%s", h->page_size, suffix);
		ctl_put(o, "hugepageLimits", file, "%" PRIu64, h->limit);
	}
	return 0;
}

static int hugetlb_v1(struct ctl_out *o, const struct oci_linux_resources *r)
{
	return hugetlb(o, r, "limit_in_bytes");
}

static int hugetlb_v2(struct ctl_out *o, const struct oci_linux_resources *r)
{
	return hugetlb(o, r, "max");
}

const struct ctl ctl_hugetlb = {
	.name = "hugetlb", .v1_name = "hugetlb", .v1 = hugetlb_v1, .v2 = hugetlb_v2
};
