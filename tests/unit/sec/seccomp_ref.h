/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_ref - two judges for a compiled filter
 *
 * ref_run() executes a program as the kernel does. ref_decide() says what a profile
 * means (sec/seccomp_profile.h) straight from its rules, and shares no code with what
 * is under test but the numbers of calls, which are libseccomp's.
 */
#ifndef CLEAT_TESTS_SECCOMP_REF_H
#define CLEAT_TESTS_SECCOMP_REF_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "sec/seccomp_profile.h"

/*
 * The profile for the architecture @token alone, as libseccomp compiles it. Returns 0 or a
 * negative errno of libseccomp's; @ret is the caller's to free.
 */
int oracle_compile(const struct seccomp_profile *p, uint32_t token, struct sock_filter **ret,
		   size_t *ret_n);

/* What the program returns for a call; REF_BROKEN when it is not one the kernel would take. */
#define REF_BROKEN 0x12345678u
uint32_t ref_run(const struct sock_filter *insns, size_t n, const struct seccomp_data *call);

/* What the profile says about it. */
uint32_t ref_decide(const struct seccomp_profile *p, const struct seccomp_data *call);

/* The architecture of config-linux.md that a call belongs to, or NULL. */
const struct seccomp_arch *ref_arch_of(const struct seccomp_data *call);

#endif
