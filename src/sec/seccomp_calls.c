/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_calls - see the header */
#include "sec/seccomp_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>

#include "base/log.h"

/* libseccomp's stand-ins for calls behind socketcall(2) are below -100, for ipc(2) below -200. */
#define STAND_INS (-100)

struct entry { /* one rule for one number, before they are put in order */
	uint32_t nr;
	size_t order;
	struct seccomp_alt alt;
};

struct entries {
	struct entry *v;
	size_t n, cap;
};

struct part { /* one architecture of the profile */
	struct arena *arena;
	const struct seccomp_profile *profile;
	const struct seccomp_arch *arch; /* NULL: the machine's own, none of the table */
	uint32_t token;
	struct entries *entries; /* the memory serves one part after the other */
	int64_t newest;		 /* highest number that the profile names; -1: none */
};

static uint32_t unordered_from(const struct part *part)
{
	return part->arch ? part->arch->unordered_from : 0;
}

static void add_entry(struct part *part, int nr, const struct seccomp_rule *rule,
		      const struct seccomp_cond *conds, size_t n_conds, int sub)
{
	struct entry *entry;

	if (nr < 0 || rule->action == part->profile->default_action)
		return;
	entry = vec_push(part->arena, part->entries);
	entry->nr = (uint32_t)nr;
	entry->order = part->entries->n;
	entry->alt.action = rule->action;
	entry->alt.sub = sub;
	entry->alt.conds = conds;
	entry->alt.n_conds = n_conds;
}

static void add_number(struct part *part, int nr, const struct seccomp_rule *rule, int sub)
{
	uint32_t before = unordered_from(part);

	if (nr > part->newest && (!before || (uint32_t)nr < before))
		part->newest = nr;
	if (!rule->each_cond) {
		add_entry(part, nr, rule, rule->conds, rule->n_conds, sub);
		return;
	}
	for (size_t i = 0; i < rule->n_conds; i++)
		add_entry(part, nr, rule, &rule->conds[i], 1, sub);
}

static void add_name(struct part *part, const struct seccomp_rule *rule, const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(part->token, name);
	const struct seccomp_mux *mux;

	if (nr >= 0) {
		add_number(part, nr, rule, -1);
		return;
	}
	mux = nr <= STAND_INS && nr > 3 * STAND_INS ? seccomp_mux_find(name) : NULL;
	if (nr == __NR_SCMP_ERROR && part->token == seccomp_arch_native())
		log_debug("seccomp: nothing is known of a system call '%s'", name);
	nr = mux ? seccomp_syscall_resolve_name_arch(part->token, mux->call) : -1;
	if (nr < 0)
		return; /* no such call on this architecture */
	add_number(part, nr, rule, mux->sub);
	nr = seccomp_mux_direct(part->token, mux);
	if (nr >= 0)
		add_number(part, nr, rule, -1);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* A leaf that says the same as the one before it is a part of that one. */
static void push_leaf(struct arena *a, struct seccomp_section *s, const struct seccomp_leaf *leaf)
{
	if (s->n > 0 && leaf->n_alts == 0) {
		const struct seccomp_leaf *last = &s->leaves[s->n - 1];

		if (last->n_alts == 0 && last->action == leaf->action)
			return;
	}
	if (s->n == s->cap)
		s->leaves = arena_grow(a, s->leaves, &s->cap, sizeof(*s->leaves));
	s->leaves[s->n++] = *leaf;
}

static void push_action(struct arena *a, struct seccomp_section *s, uint64_t from, uint32_t action)
{
	push_leaf(a, s, &(struct seccomp_leaf){ .from = (uint32_t)from, .action = action });
}

/*
 * C libraries try a new call and fall back to an older one on ENOSYS; on EPERM they
 * give up. A profile from before the call, with EPERM for all it does not name, would
 * so break programs that run on old kernels and without a filter. So what is newer
 * than everything the profile names is answered as by a kernel that is as old.
 */
static bool answers_newer(const struct part *part)
{
	uint32_t action = part->profile->default_action;

	return part->newest >= 0 && (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
}

/* The numbers from @from to before @to, which no rule is about. */
static void push_gap(const struct part *part, struct seccomp_section *s, uint64_t from, uint64_t to)
{
	uint64_t newer = (uint64_t)(part->newest + 1);
	uint64_t end = unordered_from(part) ? unordered_from(part) : UINT64_MAX;
	uint32_t other = part->profile->default_action;

	if (from >= to)
		return;
	if (!answers_newer(part) || from < newer)
		push_action(part->arena, s, from, other);
	if (!answers_newer(part))
		return;
	newer = from > newer ? from : newer;
	if (newer < to && newer < end)
		push_action(part->arena, s, newer, SECCOMP_RET_ERRNO | ENOSYS);
	if (end < to)
		push_action(part->arena, s, from > end ? from : end, other);
}

static bool has_64bit_words(uint32_t token)
{
	/* n32 and x32 have 64-bit registers but 32-bit words */
	return token & __AUDIT_ARCH_64BIT && !(token & __AUDIT_ARCH_CONVENTION_MIPS64_N32);
}

static bool is_unconditional(const struct seccomp_alt *alt)
{
	return alt->n_conds == 0 && alt->sub < 0;
}

static const struct seccomp_alt *copy_alts(struct arena *a, const struct entry *entries, size_t n)
{
	struct seccomp_alt *alts = n ? arena_new_n(a, n, struct seccomp_alt) : NULL;

	for (size_t i = 0; i < n; i++)
		alts[i] = entries[i].alt;
	return alts;
}

/* The leaf of one number from its @n entries, the first one of which counts most. */
static void push_call(const struct part *part, struct seccomp_section *s,
		      const struct entry *entries, size_t n)
{
	struct seccomp_leaf leaf = {
		.from = entries[0].nr,
		.action = part->profile->default_action,
		.words64 = has_64bit_words(part->token),
	};
	size_t i = 0;

	while (i < n && !is_unconditional(&entries[i].alt))
		i++;
	if (i < n)
		leaf.action = entries[i].alt.action;
	for (size_t k = i + 1; k < n; k++)
		if (entries[k].alt.action != leaf.action)
			log_warning("seccomp: a rule for call %u of %s has no effect: an earlier "
				    "one is about all of its cases",
				    entries[k].nr, part->arch ? part->arch->name : "this machine");
	/* What asks last and decides as the end does need not ask. */
	while (i > 0 && entries[i - 1].alt.action == leaf.action)
		i--;
	leaf.alts = copy_alts(part->arena, entries, i);
	leaf.n_alts = i;
	push_leaf(part->arena, s, &leaf);
}

/* Append the numbers from @from to before @to of one architecture. */
static void push_part(struct part *part, struct seccomp_section *s, uint64_t from, uint64_t to)
{
	const struct seccomp_profile *p = part->profile;
	struct entries *all = part->entries;

	all->n = 0;
	for (size_t i = 0; i < p->n_rules; i++)
		for (size_t k = 0; k < p->rules[i].n_names; k++)
			add_name(part, &p->rules[i], p->rules[i].names[k]);
	if (all->n > 0)
		qsort(all->v, all->n, sizeof(*all->v), compare_entries);
	if (part->arch && part->arch->nr0_is_unknown && answers_newer(part))
		push_action(part->arena, s, from++, SECCOMP_RET_ERRNO | ENOSYS);
	for (size_t i = 0, n; i < all->n; i += n) {
		for (n = 1; i + n < all->n && all->v[i + n].nr == all->v[i].nr; n++)
			;
		push_gap(part, s, from, all->v[i].nr);
		push_call(part, s, &all->v[i], n);
		from = (uint64_t)all->v[i].nr + 1;
	}
	push_gap(part, s, from, to);
}

struct chosen { /* the architectures of the filter */
	uint32_t token;
	const struct seccomp_arch *arch;
};

static size_t choose(const struct seccomp_profile *p, struct chosen *ret)
{
	uint32_t native = seccomp_arch_native();
	size_t n = 1;

	ret[0] = (struct chosen){ .token = native };
	for (size_t i = 0; i < SECCOMP_N_ARCHS; i++)
		if (seccomp_arch_resolve_name(seccomp_archs[i].lib_name) == native)
			ret[0].arch = &seccomp_archs[i];
	for (size_t i = 0; i < p->n_archs; i++) {
		uint32_t token = seccomp_arch_resolve_name(p->archs[i]->lib_name);

		/*
		 * Unknown to this libseccomp, or of the other byte order: this machine runs no
		 * code of it, and if it did, what has no section is killed.
		 */
		if (!token || (token ^ native) & __AUDIT_ARCH_LE)
			log_debug("seccomp: %s left out", p->archs[i]->name);
		else if (token != native)
			ret[n++] = (struct chosen){ token, p->archs[i] };
	}
	return n;
}

static const struct chosen *find(const struct chosen *c, size_t n, uint32_t token)
{
	for (size_t i = 0; i < n; i++)
		if (c[i].token == token)
			return &c[i];
	return NULL;
}

/* One architecture's part of a section; one that is not chosen kills. */
static void push_chosen(const struct part *common, const struct chosen *c,
			struct seccomp_section *s, uint64_t from, uint64_t to)
{
	struct part part = *common;

	if (!c) {
		push_action(part.arena, s, from, SECCOMP_RET_KILL_THREAD);
		return;
	}
	part.token = c->token;
	part.arch = c->arch;
	part.newest = -1;
	push_part(&part, s, from, to);
}

size_t seccomp_calls_make(struct arena *a, const struct seccomp_profile *p,
			  struct seccomp_section ret[SECCOMP_SECTIONS_MAX])
{
	struct entries entries = { 0 };
	const struct part common = { .arena = a, .profile = p, .entries = &entries };
	struct chosen archs[SECCOMP_SECTIONS_MAX];
	size_t n_archs = choose(p, archs), n = 0;
	const struct chosen *wide = find(archs, n_archs, SCMP_ARCH_X86_64);
	const struct chosen *x32 = find(archs, n_archs, SCMP_ARCH_X32);

	for (size_t i = 0; i < n_archs; i++) {
		const struct chosen *c = &archs[i];
		struct seccomp_section *s = &ret[n];

		/* x86_64 and x32 are one section, made when the first of them comes */
		if ((c == x32 && wide && wide < x32) || (c == wide && x32 && x32 < wide))
			continue;
		*s = (struct seccomp_section){ .audit = c->token };
		if (c == wide || c == x32) {
			s->audit = AUDIT_ARCH_X86_64;
			push_chosen(&common, wide, s, 0, SECCOMP_X32_BIT);
			push_chosen(&common, x32, s, SECCOMP_X32_BIT, UINT32_MAX);
			/* what a tracer sets to skip a call */
			push_action(a, s, UINT32_MAX, p->default_action);
		} else {
			push_chosen(&common, c, s, 0, UINT64_C(1) << 32);
		}
		n++;
	}
	return n;
}
