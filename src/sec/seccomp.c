/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp - from linux.seccomp to a program that the kernel takes
 *
 * read (seccomp_profile.c) -> found in the cache (seccomp_cache.c), or
 * built (seccomp_build.c), headed (seccomp_enosys.c) and kept in the cache.
 */
#include <linux/seccomp.h>

#include "base/log.h"
#include "base/trace.h"
#include "sec/sec.h"
#include "sec/seccomp_cache.h"
#include "sec/seccomp_profile.h"

static int compile(struct arena *a, const struct seccomp_profile *p, struct sock_filter **ret,
		   size_t *ret_n, struct err *e)
{
	struct seccomp_section sections[SECCOMP_SECTIONS_MAX];
	size_t n = seccomp_calls_make(a, p, sections);

	return seccomp_emit(a, sections, n, SECCOMP_RET_KILL_THREAD, ret, ret_n, e);
}

int seccomp_compile(struct arena *a, const struct oci_linux_seccomp *profile,
		    struct seccomp_filter *ret, struct err *e)
{
	auto_seccomp_cache cache = SECCOMP_CACHE_NONE;
	struct seccomp_profile p;
	struct sock_filter *insns = NULL;
	size_t n = 0;

	if (seccomp_profile_read(a, profile, &p, e) < 0)
		return -e->code;
	seccomp_cache_open(seccomp_cache_place(), &p, &cache);
	if (!seccomp_cache_find(&cache, a, &insns, &n)) {
		if (compile(a, &p, &insns, &n, e) < 0)
			return -e->code;
		seccomp_cache_keep(&cache, insns, n);
	}
	*ret = (struct seccomp_filter){
		.insns = insns,
		.n = n,
		.flags = p.flags,
		.listener_path = p.listener_path,
		.listener_metadata = p.listener_metadata,
	};
	return 0;
}
