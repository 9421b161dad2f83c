/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp - from linux.seccomp to a program that the kernel takes
 *
 *	seccomp_profile.c   words become numbers, what makes no sense is refused
 *	seccomp_calls.c     what that means for every number of every architecture
 *	seccomp_emit.c      instructions
 *
 * Nothing is kept for the next start. docker's default profile takes 0.06 ms for one
 * architecture and 0.16 ms for three; to find, read and check a kept program took
 * 0.05 ms, and a file that decides what containers may call must be guarded for ever.
 */
#include <linux/seccomp.h>

#include "sec/sec.h"
#include "sec/seccomp_calls.h"
#include "sec/seccomp_profile.h"

int seccomp_compile(struct arena *a, const struct oci_linux_seccomp *profile,
		    struct seccomp_filter *ret, struct err *e)
{
	struct seccomp_section sections[SECCOMP_SECTIONS_MAX];
	struct seccomp_profile p;
	struct sock_filter *insns;
	size_t n;
	int r = seccomp_profile_read(a, profile, &p, e);

	if (r < 0)
		return r;
	n = seccomp_calls_make(a, &p, sections);
	r = seccomp_emit(a, sections, n, SECCOMP_RET_KILL_THREAD, &insns, &n, e);
	if (r < 0)
		return r;
	*ret = (struct seccomp_filter){
		.insns = insns,
		.n = n,
		.flags = p.flags,
		.listener_path = p.listener_path,
		.listener_metadata = p.listener_metadata,
	};
	return 0;
}
