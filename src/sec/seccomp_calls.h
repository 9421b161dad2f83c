/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_calls - what a profile says about every system call number
 *
 * Private to the room: the step between the rules of a profile, which speak of names,
 * and the program, which sees an architecture and a number. Each architecture of the
 * kernel becomes a section, and a section a row of leaves that covers all 2^32
 * numbers: from each leaf's first number to the one before the next leaf's.
 */
#ifndef CLEAT_SEC_SECCOMP_CALLS_H
#define CLEAT_SEC_SECCOMP_CALLS_H

#include <linux/filter.h>

#include "sec/seccomp_profile.h"

/* The parts that a filter on x86_64 sees as one architecture are told apart by this bit. */
#define SECCOMP_X32_BIT 0x40000000u

/* One rule for one number: when all of it holds, the action. */
struct seccomp_alt {
	uint32_t action;
	/*
	 * Not negative: the number is a multiplexer (socketcall(2), ipc(2)), this is the value
	 * of its first argument, and conditions on that argument cannot be asked.
	 */
	int sub;
	const struct seccomp_cond *conds;
	size_t n_conds;
};

struct seccomp_leaf {
	uint32_t from;
	uint32_t action;		/* when no alternative holds */
	bool words64;			/* arguments count with all 64 bits */
	const struct seccomp_alt *alts; /* the first one that holds decides */
	size_t n_alts;
};

struct seccomp_section {
	uint32_t audit; /* AUDIT_ARCH_*, as the kernel reports it */
	struct seccomp_leaf *leaves;
	size_t n, cap;
};

/* At most as many sections as there are architectures, plus the machine's own. */
#define SECCOMP_SECTIONS_MAX 24

/* Fills @ret and returns how many sections there are. All of it lives in @a. */
size_t seccomp_calls_make(struct arena *a, const struct seccomp_profile *p,
			  struct seccomp_section ret[SECCOMP_SECTIONS_MAX]);

/* A call that some architectures reach through a multiplexer. */
struct seccomp_mux {
	const char *name;
	const char *call; /* "socketcall" or "ipc" */
	int sub;	  /* its first argument */
	int direct;	  /* the number of its own on x86; -1: none */
};
extern const struct seccomp_mux seccomp_muxes[];
extern const size_t seccomp_n_muxes;

/*
 * seccomp_mux_direct() - a multiplexed call's own number
 *
 * libseccomp answers with a negative stand-in where a call is multiplexed, also on the
 * architectures that got a number for it later. Returns that number or -1.
 */
int seccomp_mux_direct(uint32_t token, const struct seccomp_mux *mux);
const struct seccomp_mux *seccomp_mux_find(const char *name);

/*
 * seccomp_emit() - write the program
 *
 * A call of an architecture without a section gets @other. The program lives in @a.
 * Returns 0, or -E2BIG when the kernel would not take one of that length.
 */
int seccomp_emit(struct arena *a, const struct seccomp_section *sections, size_t n, uint32_t other,
		 struct sock_filter **ret, size_t *ret_n, struct err *e);

#endif
