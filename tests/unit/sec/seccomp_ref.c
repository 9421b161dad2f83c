/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/sec/seccomp_ref.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <seccomp.h>
#include <string.h>

#include "sec/seccomp_calls.h"

static bool jump_taken(uint16_t test, uint32_t a, uint32_t k)
{
	switch (test) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	default:
		return a & k; /* BPF_JSET */
	}
}

uint32_t ref_run(const struct sock_filter *insns, size_t n, const struct seccomp_data *call)
{
	uint32_t a = 0, m[BPF_MEMWORDS] = { 0 };

	/* Jumps go forward only, so this ends. */
	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &insns[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k % 4 || i->k + 4 > sizeof(*call))
				return REF_BROKEN;
			memcpy(&a, (const char *)call + i->k, 4);
			break;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += jump_taken(BPF_OP(i->code), a, i->k) ? i->jt : i->jf;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_ST:
			m[i->k % BPF_MEMWORDS] = a;
			break;
		case BPF_LD | BPF_MEM:
			a = m[i->k % BPF_MEMWORDS];
			break;
		default:
			return REF_BROKEN;
		}
	}
	return REF_BROKEN;
}

const struct seccomp_arch *ref_arch_of(const struct seccomp_data *call)
{
	uint32_t token = call->arch;

	if (token == AUDIT_ARCH_X86_64 && (uint32_t)call->nr >= SECCOMP_X32_BIT)
		token = SCMP_ARCH_X32;
	for (size_t i = 0; i < SECCOMP_N_ARCHS; i++)
		if (seccomp_arch_resolve_name(seccomp_archs[i].lib_name) == token)
			return &seccomp_archs[i];
	return NULL;
}

static bool is_listed(const struct seccomp_profile *p, const struct seccomp_arch *arch)
{
	if (seccomp_arch_resolve_name(arch->lib_name) == seccomp_arch_native())
		return true;
	for (size_t i = 0; i < p->n_archs; i++)
		if (p->archs[i] == arch)
			return !((seccomp_arch_native() ^
				  seccomp_arch_resolve_name(arch->lib_name)) &
				 __AUDIT_ARCH_LE);
	return false;
}

static bool holds(const struct seccomp_cond *c, const struct seccomp_data *call, bool words32)
{
	uint64_t arg = call->args[c->index], value = c->value, two = c->value_two;

	if (words32) {
		arg = (uint32_t)arg;
		value = (uint32_t)value;
		two = (uint32_t)two;
	}
	switch (c->op) {
	case SECCOMP_OP_NE:
		return arg != value;
	case SECCOMP_OP_LT:
		return arg < value;
	case SECCOMP_OP_LE:
		return arg <= value;
	case SECCOMP_OP_EQ:
		return arg == value;
	case SECCOMP_OP_GE:
		return arg >= value;
	case SECCOMP_OP_GT:
		return arg > value;
	case SECCOMP_OP_MASKED_EQ:
		return (arg & value) == (two & value);
	}
	return false;
}

static bool matches(const struct seccomp_rule *r, const struct seccomp_data *call, bool words32)
{
	size_t held = 0;

	for (size_t i = 0; i < r->n_conds; i++)
		held += holds(&r->conds[i], call, words32);
	return r->each_cond ? held > 0 : held == r->n_conds;
}

static bool has_32bit_words(uint32_t token)
{
	return !(token & __AUDIT_ARCH_64BIT) || token == AUDIT_ARCH_MIPSEL64N32 ||
	       token == AUDIT_ARCH_MIPS64N32;
}

/*
 * Numbers by name without libseccomp's stand-ins for multiplexed calls, found by asking
 * for the name of every number once.
 */
static int real_number(uint32_t token, const char *name)
{
	enum { FIRST = 0, LAST = 6999 };
	static struct {
		uint32_t token;
		char *names[LAST + 1];
	} known[SECCOMP_SECTIONS_MAX];
	int own = seccomp_syscall_resolve_name_arch(token, name);
	size_t i = 0;

	if (own >= 0)
		return own;
	while (known[i].token && known[i].token != token)
		i++;
	if (!known[i].token) {
		known[i].token = token;
		for (int nr = FIRST; nr <= LAST; nr++)
			known[i].names[nr] = seccomp_syscall_resolve_num_arch(token, nr);
	}
	for (int nr = LAST; nr >= FIRST; nr--)
		if (known[i].names[nr] && strcmp(known[i].names[nr], name) == 0)
			return nr;
	return -1;
}

/* The multiplexer and its first argument, from the stand-in: -(100 or 200) - argument. */
static int multiplexer(uint32_t token, const char *name, uint64_t *ret_sub)
{
	int stand_in = seccomp_syscall_resolve_name_arch(token, name);

	if (stand_in > -101 || stand_in < -299)
		return -1;
	*ret_sub = (uint64_t)(-stand_in % 100);
	return seccomp_syscall_resolve_name_arch(token, stand_in > -200 ? "socketcall" : "ipc");
}

static bool matches_through(const struct seccomp_rule *r, const struct seccomp_data *call,
			    bool words32, uint64_t sub)
{
	size_t held = 0;

	if ((words32 ? (uint32_t)call->args[0] : call->args[0]) != sub)
		return false;
	for (size_t i = 0; i < r->n_conds; i++)
		held += r->conds[i].index == 0 || holds(&r->conds[i], call, words32);
	return r->each_cond ? held > 0 : held == r->n_conds;
}

/* Has rule @r something to say about @call under the name @name? */
static bool applies(const struct seccomp_rule *r, const struct seccomp_data *call, uint32_t token,
		    const char *name, int64_t *newest, uint32_t before)
{
	bool words32 = has_32bit_words(token);
	uint64_t sub = 0;
	int numbers[2] = { real_number(token, name), multiplexer(token, name, &sub) };

	for (int i = 0; i < 2; i++)
		if (numbers[i] > *newest && (!before || (uint32_t)numbers[i] < before))
			*newest = numbers[i];
	if (numbers[0] >= 0 && numbers[0] == call->nr && matches(r, call, words32))
		return true;
	return numbers[1] >= 0 && numbers[1] == call->nr && matches_through(r, call, words32, sub);
}

static uint32_t decide_unmatched(const struct seccomp_profile *p, const struct seccomp_arch *arch,
				 uint32_t nr, int64_t newest)
{
	if ((p->default_action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO || newest < 0)
		return p->default_action;
	if (nr == 0 && arch->nr0_is_unknown)
		return SECCOMP_RET_ERRNO | ENOSYS;
	if (nr > newest && (!arch->unordered_from || nr < arch->unordered_from))
		return SECCOMP_RET_ERRNO | ENOSYS;
	return p->default_action;
}

static bool x86_64_is_listed(const struct seccomp_profile *p)
{
	const struct seccomp_data wide = { .arch = AUDIT_ARCH_X86_64 };
	const struct seccomp_data x32 = { .arch = AUDIT_ARCH_X86_64, .nr = SECCOMP_X32_BIT };

	return is_listed(p, ref_arch_of(&wide)) || is_listed(p, ref_arch_of(&x32));
}

uint32_t ref_decide(const struct seccomp_profile *p, const struct seccomp_data *call)
{
	const struct seccomp_arch *arch = ref_arch_of(call);
	uint32_t token = arch ? seccomp_arch_resolve_name(arch->lib_name) : 0;
	const struct seccomp_rule *first = NULL;
	int64_t newest = -1;

	/* A tracer that skips a call, where x86_64 or x32 is listed. */
	if (call->arch == AUDIT_ARCH_X86_64 && call->nr == -1 && x86_64_is_listed(p))
		return p->default_action;
	if (!arch || !is_listed(p, arch))
		return SECCOMP_RET_KILL_THREAD;
	for (size_t i = 0; i < p->n_rules; i++)
		for (size_t k = 0; k < p->rules[i].n_names; k++)
			if (applies(&p->rules[i], call, token, p->rules[i].names[k], &newest,
				    arch->unordered_from) &&
			    !first && p->rules[i].action != p->default_action)
				first = &p->rules[i];
	return first ? first->action : decide_unmatched(p, arch, (uint32_t)call->nr, newest);
}
