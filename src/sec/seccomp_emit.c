/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_emit - leaves become instructions (Documentation/userspace-api/seccomp_filter)
 *
 *	load arch
 *	arch A?  load number, search, answer
 *	arch B?  ...
 *	answer for all others
 *
 * The search halves the leaves until one is left. Neighbours with one answer are one
 * leaf, so docker's default profile has about a hundred of them an architecture, and
 * a call is found with seven comparisons.
 *
 * Arguments have 64 bits and the machine that runs the program 32, so conditions ask
 * the high word first and the low one if that did not decide.
 */
#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "sec/seccomp_calls.h"

/* What jt and jf can reach. */
#define NEAR 255

/* The most that one alternative needs: the multiplexer and six conditions of seven. */
#define ALT_JUMPS 32

struct program {
	struct arena *arena;
	struct sock_filter *v;
	size_t n, cap;
};

struct jumps { /* that lead to the next alternative */
	size_t at[ALT_JUMPS];
	bool yes[ALT_JUMPS];
	size_t n;
};

static size_t put(struct program *p, struct sock_filter insn)
{
	*vec_push(p->arena, p) = insn;
	return p->n - 1;
}

static void put_load(struct program *p, size_t offset)
{
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void put_return(struct program *p, uint32_t action)
{
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static size_t put_test(struct program *p, unsigned test, uint32_t k, uint8_t jt, uint8_t jf)
{
	return put(p, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | BPF_K | test), k, jt, jf));
}

/*
 * Let one side of the test at @at lead to the end of the program as it is now. When
 * that is too far for a test, a jump is put behind it; what moves by that refers to
 * itself only.
 */
static void land(struct program *p, size_t at, bool yes)
{
	size_t distance = p->n - at - 1;

	if (distance > NEAR) {
		put(p, (struct sock_filter){ 0 });
		memmove(&p->v[at + 2], &p->v[at + 1], distance * sizeof(*p->v));
		p->v[at + 1] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)distance);
		*(yes ? &p->v[at].jf : &p->v[at].jt) = 1;
		distance = 0;
	}
	*(yes ? &p->v[at].jt : &p->v[at].jf) = (uint8_t)distance;
}

static void fail_on(struct jumps *j, size_t at, bool yes)
{
	j->at[j->n] = at;
	j->yes[j->n++] = yes;
}

static size_t word_offset(uint32_t index, bool high)
{
	bool second = high == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

	return offsetof(struct seccomp_data, args) + 8 * index + (second ? 4 : 0);
}

static void put_word(struct program *p, const struct seccomp_cond *c, bool high)
{
	put_load(p, word_offset(c->index, high));
	if (c->op == SECCOMP_OP_MASKED_EQ)
		put(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
						    high ? (uint32_t)(c->value >> 32)
							 : (uint32_t)c->value));
}

static uint64_t wanted_value(const struct seccomp_cond *c)
{
	return c->op == SECCOMP_OP_MASKED_EQ ? c->value_two & c->value : c->value;
}

/* Lead past the two instructions of the low word when the high one has decided for yes. */
static void put_high(struct program *p, const struct seccomp_cond *c, struct jumps *j)
{
	uint32_t high = (uint32_t)(wanted_value(c) >> 32);

	put_word(p, c, true);
	switch (c->op) {
	case SECCOMP_OP_NE:
		put_test(p, BPF_JEQ, high, 0, 2);
		break;
	case SECCOMP_OP_GT:
	case SECCOMP_OP_GE:
		put_test(p, BPF_JGT, high, 3, 0);
		fail_on(j, put_test(p, BPF_JEQ, high, 0, 0), false);
		break;
	case SECCOMP_OP_LT:
	case SECCOMP_OP_LE:
		fail_on(j, put_test(p, BPF_JGT, high, 0, 0), true);
		put_test(p, BPF_JEQ, high, 0, 2);
		break;
	default:
		fail_on(j, put_test(p, BPF_JEQ, high, 0, 0), false);
	}
}

static void put_low(struct program *p, const struct seccomp_cond *c, struct jumps *j)
{
	static const struct {
		unsigned test;
		bool fails_on; /* this outcome of it */
	} rows[] = {
		[SECCOMP_OP_NE] = { BPF_JEQ, true },	     [SECCOMP_OP_LT] = { BPF_JGE, true },
		[SECCOMP_OP_LE] = { BPF_JGT, true },	     [SECCOMP_OP_EQ] = { BPF_JEQ, false },
		[SECCOMP_OP_GE] = { BPF_JGE, false },	     [SECCOMP_OP_GT] = { BPF_JGT, false },
		[SECCOMP_OP_MASKED_EQ] = { BPF_JEQ, false },
	};

	put_word(p, c, false);
	fail_on(j, put_test(p, rows[c->op].test, (uint32_t)wanted_value(c), 0, 0),
		rows[c->op].fails_on);
}

static void put_cond(struct program *p, const struct seccomp_cond *c, bool words64, struct jumps *j)
{
	bool masked = c->op == SECCOMP_OP_MASKED_EQ;

	/* Flags are masks of the low word as a rule: the high one need not be asked. */
	if (words64 && !(masked && c->value >> 32 == 0))
		put_high(p, c, j);
	put_low(p, c, j);
}

static void put_alt(struct program *p, const struct seccomp_alt *alt, bool words64)
{
	struct jumps j = { .n = 0 };

	if (alt->sub >= 0) {
		const struct seccomp_cond sub = {
			.op = SECCOMP_OP_EQ,
			.value = (uint64_t)alt->sub,
		};

		put_cond(p, &sub, words64, &j);
	}
	for (size_t i = 0; i < alt->n_conds; i++)
		if (alt->sub < 0 || alt->conds[i].index != 0)
			put_cond(p, &alt->conds[i], words64, &j);
	put_return(p, alt->action);
	for (size_t i = 0; i < j.n; i++)
		land(p, j.at[i], j.yes[i]);
}

static void put_leaf(struct program *p, const struct seccomp_leaf *leaf)
{
	for (size_t i = 0; i < leaf->n_alts; i++)
		put_alt(p, &leaf->alts[i], leaf->words64);
	put_return(p, leaf->action);
}

/* With the number loaded. The depth is the logarithm of how many leaves there are. */
static void put_search(struct program *p, const struct seccomp_leaf *leaves, size_t n)
{
	size_t half = n / 2, at;

	if (n == 1) {
		put_leaf(p, leaves);
		return;
	}
	at = put_test(p, BPF_JGE, leaves[half].from, 0, 0);
	put_search(p, leaves, half);
	land(p, at, true);
	put_search(p, leaves + half, n - half);
}

int seccomp_emit(struct arena *a, const struct seccomp_section *sections, size_t n, uint32_t other,
		 struct sock_filter **ret, size_t *ret_n, struct err *e)
{
	struct program p = { .arena = a };

	put_load(&p, offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < n; i++) {
		size_t at = put_test(&p, BPF_JEQ, sections[i].audit, 0, 0);

		put_load(&p, offsetof(struct seccomp_data, nr));
		put_search(&p, sections[i].leaves, sections[i].n);
		land(&p, at, false);
	}
	put_return(&p, other);
	if (p.n > BPF_MAXINSNS)
		return err_code(
			e, E2BIG, NULL,
			"linux.seccomp: the filter has %zu instructions, the kernel takes %d", p.n,
			BPF_MAXINSNS);
	*ret = p.v;
	*ret_n = p.n;
	return 0;
}
