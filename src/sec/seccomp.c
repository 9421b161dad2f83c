/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp - from linux.seccomp to a program that the kernel takes
 *
 *	seccomp_profile.c   words become numbers, what makes no sense is refused
 *	seccomp_calls.c     what that means for every number of every architecture
 *	seccomp_emit.c      instructions
 *
 * or from an annotation that has the program already (seccomp_raw.c).
 *
 * Nothing is kept for the next start. docker's default profile takes 0.06 ms for one
 * architecture and 0.16 ms for three; to find, read and check a kept program took
 * 0.05 ms, and a file that decides what containers may call must be guarded for ever.
 */
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "sec/sec.h"
#include "sec/seccomp_calls.h"
#include "sec/seccomp_profile.h"

static int make_program(struct arena *a, const struct seccomp_source *source,
			const struct seccomp_profile *p, const struct sock_filter **ret,
			size_t *ret_n, struct err *e)
{
	struct seccomp_section sections[SECCOMP_SECTIONS_MAX];
	struct sock_filter *insns;
	int r;

	if (source->raw) {
		*ret = source->raw;
		*ret_n = source->n_raw;
		return 0;
	}
	r = seccomp_emit(a, sections, seccomp_calls_make(a, p, sections), SECCOMP_RET_KILL_THREAD,
			 &insns, ret_n, e);
	if (r == 0)
		*ret = insns;
	return r;
}

int seccomp_compile(struct arena *a, const struct seccomp_source *source,
		    struct seccomp_filter *ret, struct err *e)
{
	const struct sock_filter *insns = NULL;
	struct seccomp_profile p;
	size_t n = 0;
	int r = seccomp_profile_read(a, source, &p, e);

	if (r == 0)
		r = make_program(a, source, &p, &insns, &n, e);
	if (r < 0)
		return r;
	*ret = (struct seccomp_filter){
		.insns = insns,
		.n = n,
		.raw = source->raw,
		.flags = p.flags,
		.listener_path = p.listener_path,
		.listener_metadata = p.listener_metadata,
	};
	return 0;
}

const char *seccomp_origin(const struct seccomp_filter *f)
{
	return f->raw ? "annotations[\"" SPEC_ANNOTATION_SECCOMP_BPF "\"]" : "linux.seccomp";
}

static bool is_deadly(uint32_t answer)
{
	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
		return true;
	default:
		return false;
	}
}

bool seccomp_kills_exec(const struct seccomp_filter *f)
{
	uint32_t word = 0;

	for (size_t at = 0; at < f->n; at++) {
		const struct sock_filter *i = &f->insns[at];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k == offsetof(struct seccomp_data, nr))
				word = SYS_execve;
			else if (i->k == offsetof(struct seccomp_data, arch))
				word = seccomp_arch_native();
			else
				return false; /* the arguments decide */
			break;
		case BPF_JMP | BPF_JA:
			at += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += word == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			at += word > i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += word >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return is_deadly(i->k);
		default:
			return false;
		}
	}
	return false;
}
