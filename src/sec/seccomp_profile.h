/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_profile - linux.seccomp with its words turned into numbers
 *
 * Private to the room. The meaning of a profile, which the compiler and the reference
 * evaluator of the tests share:
 *
 * - A call of an architecture that is not listed ends the thread. The machine's own
 *   architecture is always listed.
 * - A rule matches a call when it names it and all of its conditions hold; the first
 *   one that does decides. A rule with two conditions on the same argument stands for
 *   one rule a condition, as in the field (config-linux.md leaves it open; profiles
 *   rely on it).
 * - A rule with the default action does nothing, as in the field.
 * - Where a call is reached through socketcall(2) or ipc(2), a condition on its first
 *   argument counts as true, for a filter cannot read what a pointer points to.
 * - Where words have 32 bits, arguments and values are compared by their low 32.
 * - A call that no rule matches gets the default action, except that a call newer
 *   than every one the profile names gets ENOSYS when the default is an errno:
 *   C libraries fall back to an older call on ENOSYS and only on that.
 */
#ifndef CLEAT_SEC_SECCOMP_PROFILE_H
#define CLEAT_SEC_SECCOMP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/table.h"

struct seccomp_source;

/* How many words config-linux.md has of each kind. */
#define SECCOMP_N_ACTIONS   9
#define SECCOMP_N_ARCHS	    23
#define SECCOMP_N_OPERATORS 7
#define SECCOMP_N_FLAGS	    4

/* One of the 23 architectures of config-linux.md. */
struct seccomp_arch {
	const char *name;     /* "SCMP_ARCH_X86_64" */
	const char *lib_name; /* as seccomp_arch_resolve_name(3) knows it: "x86_64" */
	/*
	 * Numbers from here on are not in the order of their age (x32's own ones, ARM's
	 * private ones): none of them counts as newer than the profile. 0: no such part.
	 */
	uint32_t unordered_from;
	bool nr0_is_unknown; /* the kernel reports a number that it does not know as 0 */
};

/* Same values as libseccomp's, which are part of its ABI. */
enum seccomp_op {
	SECCOMP_OP_NE = 1,
	SECCOMP_OP_LT,
	SECCOMP_OP_LE,
	SECCOMP_OP_EQ,
	SECCOMP_OP_GE,
	SECCOMP_OP_GT,
	SECCOMP_OP_MASKED_EQ, /* (argument & value) == (value_two & value) */
};

struct seccomp_cond {
	uint32_t index; /* of the argument, 0 to 5 */
	enum seccomp_op op;
	uint64_t value, value_two;
};

struct seccomp_rule {
	const char *const *names;
	size_t n_names;
	const struct seccomp_cond *conds;
	size_t n_conds;
	bool each_cond;	 /* the conditions are alternatives */
	uint32_t action; /* SECCOMP_RET_* with its data */
};

struct seccomp_profile {
	uint32_t default_action;
	unsigned flags;			   /* SECCOMP_FILTER_FLAG_* */
	bool notify;			   /* some answer is SECCOMP_RET_USER_NOTIF */
	const struct seccomp_arch **archs; /* as listed, without repetition */
	size_t n_archs;
	struct seccomp_rule *rules;
	size_t n_rules;
	const char *listener_path, *listener_metadata;
};

/*
 * seccomp_profile_read() - check linux.seccomp (config-linux.md, "Seccomp")
 *
 * With a raw filter only flags and listener: the rest is empty. Everything returned lives in
 * @a or in what @source refers to. Returns 0 or -EINVAL.
 */
int seccomp_profile_read(struct arena *a, const struct seccomp_source *source,
			 struct seccomp_profile *ret, struct err *e);

extern const struct seccomp_arch seccomp_archs[SECCOMP_N_ARCHS];

extern const struct name_row seccomp_actions[SECCOMP_N_ACTIONS]; /* SECCOMP_RET_* without data */
extern const struct name_row seccomp_operators[SECCOMP_N_OPERATORS]; /* enum seccomp_op */
extern const struct name_row seccomp_flags[SECCOMP_N_FLAGS];	     /* SECCOMP_FILTER_FLAG_* */

#endif
