/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device_prog - a cgroup device program; linux/bpf.h "struct bpf_cgroup_dev_ctx"
 *
 * The kernel runs it for every open(2) and mknod(2) of a device with type, numbers and
 * wanted accesses, and 1 means "allowed". The rules are tried from the last to the
 * first; r2 holds the accesses that no rule has decided yet. An allowing rule takes its
 * accesses out, and when none is left the answer is yes; a denying rule that names one
 * of them ends with no.
 *
 *	r2 accesses   r3 type   r4 major   r5 minor   r0 answer
 *
 * Neighbours with the same type and major share their checks, and where the order does
 * not matter, because every rule says the opposite of the default, they are sorted to
 * become neighbours. Load time is what the kernel's verifier needs, so every
 * instruction counts.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/devices.h"

#define JUMP_MAX 32000 /* instructions; a jump's distance has 16 bits with sign */

enum {
	R0 = BPF_REG_0,
	R1 = BPF_REG_1,
	ACCESS = BPF_REG_2,
	TYPE = BPF_REG_3,
	MAJOR = BPF_REG_4,
	MINOR = BPF_REG_5
};

/* Where a jump goes that is still to be placed. */
enum target { NEXT_TYPE, NEXT_MAJOR, NEXT_RULE, YES, NO, TARGET_N };

struct pending {
	size_t at;
	enum target target;
};

struct prog {
	struct arena *arena;
	struct {
		struct bpf_insn *v;
		size_t n, cap;
	} insns;
	struct {
		struct pending *v;
		size_t n, cap;
	} jumps;
};

static void emit(struct prog *p, unsigned code, unsigned dst, unsigned src, int off, uint32_t imm)
{
	*vec_push(p->arena, &p->insns) = (struct bpf_insn){
		.code = (uint8_t)code,
		.dst_reg = dst & 0xf,
		.src_reg = src & 0xf,
		.off = (int16_t)off,
		.imm = (int32_t)imm,
	};
}

/* @code: BPF_JEQ ...; compares the low 32 bits, which is all that there is */
static void jump(struct prog *p, unsigned code, unsigned reg, uint32_t imm, enum target target)
{
	*vec_push(p->arena, &p->jumps) = (struct pending){ p->insns.n, target };
	emit(p, (code == BPF_JA ? BPF_JMP : BPF_JMP32) | code | BPF_K, reg, 0, 0, imm);
}

/* All pending jumps to @target go to the next instruction. */
static void place(struct prog *p, enum target target)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->jumps.n; i++) {
		struct pending *j = &p->jumps.v[i];

		if (j->target == target)
			p->insns.v[j->at].off = (int16_t)(p->insns.n - j->at - 1);
		else
			p->jumps.v[kept++] = *j;
	}
	p->jumps.n = kept;
}

static void emit_head(struct prog *p)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, ACCESS, R1,
	     offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, MAJOR, R1, offsetof(struct bpf_cgroup_dev_ctx, major),
	     0);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, MINOR, R1, offsetof(struct bpf_cgroup_dev_ctx, minor),
	     0);
	emit(p, BPF_ALU | BPF_MOV | BPF_X, TYPE, ACCESS, 0, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
	emit(p, BPF_ALU | BPF_RSH | BPF_K, ACCESS, 0, 0, 16);
}

static void emit_tail(struct prog *p, bool allow)
{
	/* what comes to the end is decided by the default: its answer stands first */
	place(p, allow ? YES : NO);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, R0, 0, 0, allow);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	/* the verifier refuses what nothing leads to */
	if (!p->jumps.n)
		return;
	place(p, allow ? NO : YES);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, R0, 0, 0, !allow);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* One rule, whose type and major have been found to match. */
static void emit_rule(struct prog *p, const struct device_rule *r)
{
	enum target verdict = r->allow ? YES : NO;

	if (r->access == DEVICE_ALL && r->minor != DEVICE_ANY) {
		jump(p, BPF_JEQ, MINOR, (uint32_t)r->minor, verdict);
		return;
	}
	if (r->minor != DEVICE_ANY)
		jump(p, BPF_JNE, MINOR, (uint32_t)r->minor, NEXT_RULE);
	if (r->access == DEVICE_ALL) {
		jump(p, BPF_JA, 0, 0, verdict);
	} else if (r->allow) {
		emit(p, BPF_ALU | BPF_AND | BPF_K, ACCESS, 0, 0, DEVICE_ALL & ~r->access);
		jump(p, BPF_JEQ, ACCESS, 0, YES);
	} else {
		jump(p, BPF_JSET, ACCESS, r->access, NO);
	}
	place(p, NEXT_RULE);
}

static uint32_t type_code(char type)
{
	return type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
}

/* From the last rule to the first, opening and closing the checks that neighbours share. */
static void emit_rules(struct prog *p, const struct device_rule *rules, size_t n)
{
	char type = 'a';
	int64_t major = DEVICE_ANY;

	for (size_t i = n; i-- > 0;) {
		const struct device_rule *r = &rules[i];

		if (r->type != type || r->major != major)
			place(p, NEXT_MAJOR);
		if (r->type != type) {
			place(p, NEXT_TYPE);
			if (r->type != 'a')
				jump(p, BPF_JNE, TYPE, type_code(r->type), NEXT_TYPE);
		}
		if ((r->type != type || r->major != major) && r->major != DEVICE_ANY)
			jump(p, BPF_JNE, MAJOR, (uint32_t)r->major, NEXT_MAJOR);
		type = r->type;
		major = r->major;
		emit_rule(p, r);
	}
	place(p, NEXT_MAJOR);
	place(p, NEXT_TYPE);
}

/* Wildcards last, so that they are tried first. */
static int compare_rules(const void *a, const void *b)
{
	const struct device_rule *x = a, *y = b;

	if (x->type != y->type)
		return x->type > y->type ? -1 : 1;
	if (x->major != y->major)
		return x->major > y->major ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor > y->minor ? -1 : 1;
	return 0;
}

/* mknod of every block and of every character device: one rule for both. */
static void merge_types(struct device_rules *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct device_rule *r = &d->v[i];

		for (size_t k = i + 1; k < d->n; k++) {
			const struct device_rule *other = &d->v[k];

			if (r->type + other->type != 'b' + 'c' || r->major != other->major ||
			    r->minor != other->minor || r->access != other->access)
				continue;
			r->type = 'a';
			d->v[k] = d->v[--d->n];
			break;
		}
	}
	/* together they may cover others, or everything */
	device_rules_reduce(d);
}

static bool order_matters(const struct device_rules *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].allow == d->allow)
			return true;
	return false;
}

int device_prog_make(struct arena *a, const struct device_rules *d, const struct bpf_insn **ret,
		     size_t *ret_n, struct err *e)
{
	struct device_rules own = { d->allow, arena_new_n(a, d->n, struct device_rule), d->n,
				    d->n };
	struct prog p = { .arena = a };

	if (d->n)
		memcpy(own.v, d->v, d->n * sizeof(*d->v));
	if (!order_matters(&own)) {
		merge_types(&own);
		if (own.n)
			qsort(own.v, own.n, sizeof(*own.v), compare_rules);
	}
	emit_head(&p);
	emit_rules(&p, own.v, own.n);
	emit_tail(&p, own.allow);
	if (p.insns.n > JUMP_MAX)
		return err_code(e, E2BIG, "linux.resources.devices",
				"linux.resources.devices: %zu rules are too many", d->n);
	*ret = p.insns.v;
	*ret_n = p.insns.n;
	return 0;
}
