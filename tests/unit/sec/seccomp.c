/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters against their meaning: random profiles over every action, operator and
 * architecture, each asked about calls with arguments around the edges of 32 and 64
 * bits. CLEAT_TEST_ROUNDS sets how many (default 150), CLEAT_TEST_SEED where to begin.
 */
#include <inttypes.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sec/seccomp_calls.h"
#include "sys/sys.h"
#include "unit/sec/seccomp_ref.h"
#include "unit/unit.h"

static uint64_t state = 88172645463325252u;

static uint32_t any(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % below;
}

static const char *const calls[] = {
	"read",	    "write",	    "open",	  "close",	 "mkdir",   "rmdir",
	"clone",    "execve",	    "getpid",	  "personality", "prctl",   "ioctl",
	"futex",    "openat",	    "unshare",	  "setns",	 "bpf",	    "getrandom",
	"statx",    "memfd_create", "clone3",	  "openat2",	 "fork",    "mount_setattr",
	"execveat", "no_such_call", "arch_prctl", "breakpoint",	 "preadv2", "rt_sigaction",
	"socket",   "bind",	    "accept4",	  "accept",	 "send",    "recvmmsg",
	"shmat",    "semop",	    "semtimedop", "msgget",	 "ipc",	    "socketcall",
};

static const char
	*const arch_names[] = {
		"SCMP_ARCH_X86",      "SCMP_ARCH_X86_64",      "SCMP_ARCH_X32",
		"SCMP_ARCH_ARM",      "SCMP_ARCH_AARCH64",     "SCMP_ARCH_MIPSEL",
		"SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC64LE",
		"SCMP_ARCH_RISCV64",  "SCMP_ARCH_S390X", /* of the other byte order than the rest */
	};

static const uint32_t actions[] = {
	SECCOMP_RET_ALLOW,	  SECCOMP_RET_LOG,	 SECCOMP_RET_KILL_PROCESS,
	SECCOMP_RET_KILL_THREAD,  SECCOMP_RET_TRAP,	 SECCOMP_RET_TRACE | 7,
	SECCOMP_RET_ERRNO | 1,	  SECCOMP_RET_ERRNO | 0, SECCOMP_RET_ERRNO | 38,
	SECCOMP_RET_ERRNO | 4095,
};

static const uint64_t edges[] = {
	0,
	1,
	2,
	5,
	7,
	0x7fffffff,
	0x80000000,
	0xfffffffe,
	0xffffffff,
	0x100000000,
	0x100000001,
	0x1ffffffff,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xfffffffffffffffe,
	0xffffffffffffffff,
	0x0000000a00000005,
	0x0000000500000005,
	0x10000,
	0x7e020000,
};

static uint64_t any_edge(void)
{
	return edges[any(COUNT(edges))];
}

static uint32_t any_action(void)
{
	return actions[any(COUNT(actions))];
}

static const struct seccomp_arch *arch_by_name(const char *name)
{
	for (size_t i = 0; i < SECCOMP_N_ARCHS; i++)
		if (str_eq(seccomp_archs[i].name, name))
			return &seccomp_archs[i];
	abort();
}

/* libseccomp makes no program for a machine of the other byte order. */
static const struct seccomp_arch *any_arch_of_own_order(void)
{
	const struct seccomp_arch *arch;

	do
		arch = arch_by_name(arch_names[any(COUNT(arch_names))]);
	while ((seccomp_arch_resolve_name(arch->lib_name) ^ seccomp_arch_native()) &
	       __AUDIT_ARCH_LE);
	return arch;
}

static void make_conds(struct arena *a, struct seccomp_rule *r)
{
	struct seccomp_cond *c = arena_new_n(a, 6, struct seccomp_cond);
	unsigned seen = 0;

	r->n_conds = any(3) ? any(4) : 0;
	for (size_t i = 0; i < r->n_conds; i++) {
		c[i].index = any(2) ? any(2) : any(6);
		c[i].op = (enum seccomp_op)(1 + any(7));
		c[i].value = any_edge();
		c[i].value_two = any(2) ? any_edge() & c[i].value : any_edge();
		r->each_cond |= seen >> c[i].index & 1;
		seen |= 1u << c[i].index;
	}
	r->conds = c;
}

/* Any rules in any order, which contradict each other as they like. */
static struct seccomp_profile *make_profile(struct arena *a)
{
	struct seccomp_profile *p = arena_new(a, struct seccomp_profile);

	p->default_action = any_action();
	p->archs = arena_new_n(a, COUNT(arch_names), const struct seccomp_arch *);
	for (size_t i = 0; i < COUNT(arch_names); i++)
		if (any(3) == 0)
			p->archs[p->n_archs++] = arch_by_name(arch_names[i]);
	p->n_rules = any(10);
	p->rules = arena_new_n(a, p->n_rules, struct seccomp_rule);
	for (size_t i = 0; i < p->n_rules; i++) {
		struct seccomp_rule *r = &p->rules[i];
		const char **names = arena_new_n(a, 8, const char *);

		r->n_names = 1 + any(8);
		for (size_t k = 0; k < r->n_names; k++)
			names[k] = calls[any(COUNT(calls))];
		r->names = names;
		r->action = any_action();
		make_conds(a, r);
	}
	return p;
}

/* Has the architecture this call under a number of its own? */
static bool has_number(uint32_t token, const char *name)
{
	const struct seccomp_mux *mux = seccomp_mux_find(name);

	return seccomp_syscall_resolve_name_arch(token, name) >= 0 ||
	       (mux && seccomp_syscall_resolve_name_arch(token, mux->call) >= 0 &&
		seccomp_mux_direct(token, mux) >= 0);
}

/*
 * For one architecture, rules that do not contradict each other and that libseccomp
 * compiles right: each call stands in one of them, for it lets a later rule undo an
 * earlier one; no call is unknown to the architecture, for 2.5.4 then loses the
 * instruction that loads the number; a multiplexer is not combined with conditions;
 * and alternatives are equalities, for orders of one argument get mixed up.
 */
static void make_comparable(struct seccomp_profile *p, const struct seccomp_arch *arch)
{
	uint32_t token = seccomp_arch_resolve_name(arch->lib_name);
	size_t next = any(COUNT(calls));

	if ((p->default_action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		p->default_action = SECCOMP_RET_TRAP;
	p->archs[0] = arch;
	p->n_archs = 1;
	for (size_t i = 0; i < p->n_rules; i++) {
		struct seccomp_rule *r = &p->rules[i];
		const char *name;

		do
			name = calls[next++ % COUNT(calls)];
		while (!has_number(token, name) || str_eq(name, "ipc") ||
		       str_eq(name, "socketcall"));
		((const char **)r->names)[0] = name;
		r->n_names = 1;
		if (seccomp_mux_find(name))
			r->n_conds = 0;
		for (size_t k = 0; r->each_cond && k < r->n_conds; k++)
			((struct seccomp_cond *)r->conds)[k].op = SECCOMP_OP_EQ;
	}
}

static uint64_t any_arg(const struct seccomp_profile *p)
{
	const struct seccomp_rule *r = p->n_rules ? &p->rules[any((uint32_t)p->n_rules)] : NULL;
	const struct seccomp_cond *c;
	uint64_t v;

	if (!r || !r->n_conds || any(3) == 0)
		return any(3) ? any_edge() : any(25); /* also what multiplexers take */
	c = &r->conds[any((uint32_t)r->n_conds)];
	v = any(2) ? c->value : c->value_two;
	switch (any(5)) {
	case 0:
		return v + 1;
	case 1:
		return v - 1;
	case 2:
		return v ^ UINT64_C(1) << 32;
	case 3:
		return v | any_edge();
	default:
		return v;
	}
}

static int any_number(uint32_t token)
{
	static const uint32_t odd[] = {
		0,	    1,		333,	    435,	449,	    511,
		512,	    520,	547,	    1000,	4000,	    5999,
		0xeffff,    0xf0000,	0xf0002,    0x3fffffff, 0x40000000, 0x40000001,
		0x400001ff, 0x40000200, 0x40000210, 0x7fffffff, 0x80000000, 0xffffffff,
	};
	int nr;

	if (any(4) == 0)
		return (int)odd[any(COUNT(odd))];
	nr = seccomp_syscall_resolve_name_arch(token, calls[any(COUNT(calls))]);
	return nr < 0 ? (int)(359 + any(50)) : nr + (any(4) ? 0 : (int)any(3) - 1);
}

static struct seccomp_data any_call(const struct seccomp_profile *p)
{
	uint32_t token = SCMP_ARCH_X86_64;
	struct seccomp_data d = { 0 };

	if (any(3))
		token = seccomp_arch_resolve_name(
			arch_by_name(arch_names[any(COUNT(arch_names))])->lib_name);
	if (p->n_archs && any(2))
		token = seccomp_arch_resolve_name(p->archs[any((uint32_t)p->n_archs)]->lib_name);
	d.arch = token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : token;
	d.nr = any_number(token);
	for (size_t i = 0; i < 6; i++)
		d.args[i] = any_arg(p);
	/* A process with 32-bit registers has no more to pass. */
	if (!(token & __AUDIT_ARCH_64BIT) && token != SCMP_ARCH_X32)
		for (size_t i = 0; i < 6; i++)
			d.args[i] = (uint32_t)d.args[i];
	return d;
}

static void print_profile(const struct seccomp_profile *p)
{
	printf("# default %#x, architectures:", p->default_action);
	for (size_t i = 0; i < p->n_archs; i++)
		printf(" %s", p->archs[i]->lib_name);
	printf("\n");
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct seccomp_rule *r = &p->rules[i];

		printf("# %#x%s:", r->action, r->each_cond ? " each" : "");
		for (size_t k = 0; k < r->n_names; k++)
			printf(" %s", r->names[k]);
		for (size_t k = 0; k < r->n_conds; k++)
			printf(" [a%u %s %#" PRIx64 " %#" PRIx64 "]", r->conds[k].index,
			       name_of(seccomp_operators, SECCOMP_N_OPERATORS, r->conds[k].op),
			       r->conds[k].value, r->conds[k].value_two);
		printf("\n");
	}
}

static int differs(const char *what, const struct seccomp_profile *p, const struct seccomp_data *d,
		   uint32_t is, uint32_t want)
{
	if (is == want)
		return 0;
	printf("# %s: arch %#x nr %d (%#x) args", what, d->arch, d->nr, (unsigned)d->nr);
	for (size_t i = 0; i < 6; i++)
		printf(" %#" PRIx64, (uint64_t)d->args[i]);
	printf(": %#x, not %#x\n", is, want);
	print_profile(p);
	return 1;
}

#define CALLS_A_PROFILE 400

static unsigned oracle_rounds; /* in which libseccomp took the profile */

static unsigned rounds(void)
{
	const char *n = getenv("CLEAT_TEST_ROUNDS"), *seed = getenv("CLEAT_TEST_SEED");

	if (seed)
		state ^= strtoull(seed, NULL, 10) * UINT64_C(0x9e3779b97f4a7c15);
	return n ? (unsigned)strtoul(n, NULL, 10) : 150;
}

static void compile(struct arena *a, const struct seccomp_profile *p, struct sock_filter **ret,
		    size_t *ret_n)
{
	struct seccomp_section sections[SECCOMP_SECTIONS_MAX];
	size_t n = seccomp_calls_make(a, p, sections);
	struct err e = { 0 };

	if (seccomp_emit(a, sections, n, SECCOMP_RET_KILL_THREAD, ret, ret_n, &e) < 0) {
		printf("# %s\n", e.text);
		unit_stop();
	}
}

/* Our program says what the profile means. */
static int round_of_meaning(void)
{
	auto_arena a = arena_make();
	const struct seccomp_profile *p = make_profile(&a);
	struct sock_filter *insns;
	size_t n;

	compile(&a, p, &insns, &n);
	for (int i = 0; i < CALLS_A_PROFILE; i++) {
		struct seccomp_data d = any_call(p);

		if (differs("meaning", p, &d, ref_run(insns, n, &d), ref_decide(p, &d)))
			return 1;
	}
	return 0;
}

/* libseccomp answers by stand-ins, too, which are no numbers of any kernel. */
static bool is_stand_in(uint32_t nr)
{
	return nr >= (uint32_t)-20000 && nr != UINT32_MAX;
}

/* Our program says what libseccomp's does, where both know an answer. */
static int round_of_oracle(void)
{
	auto_arena a = arena_make();
	struct seccomp_profile *p = make_profile(&a);
	struct sock_filter *ours, *theirs;
	uint32_t token;
	size_t n, their_n;
	int bad = 0;

	make_comparable(p, any_arch_of_own_order());
	token = seccomp_arch_resolve_name(p->archs[0]->lib_name);
	compile(&a, p, &ours, &n);
	if (oracle_compile(p, token, &theirs, &their_n) == 0)
		oracle_rounds++;
	else
		their_n = 0;
	for (int i = 0; i < CALLS_A_PROFILE && their_n && !bad; i++) {
		struct seccomp_data d = any_call(p);
		bool x32 = d.arch == AUDIT_ARCH_X86_64 && (uint32_t)d.nr >= SECCOMP_X32_BIT;

		d.arch = token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : token;
		if (!is_stand_in((uint32_t)d.nr) && (token != SCMP_ARCH_X32 || x32))
			bad = differs("oracle", p, &d, ref_run(ours, n, &d),
				      ref_run(theirs, their_n, &d));
	}
	free(theirs);
	return bad;
}

TEST(program_means_what_the_profile_means)
{
	for (unsigned i = rounds(); i > 0; i--)
		REQUIRE(round_of_meaning() == 0);
}

TEST(program_agrees_with_libseccomp)
{
	unsigned n = rounds();

	for (unsigned i = 0; i < n; i++)
		REQUIRE(round_of_oracle() == 0);
	CHECK(oracle_rounds > n / 3); /* it refuses some: an action equal to the default */
}

/* The kernel checks programs as well; the child says so by memory, for it may do nothing else. */
TEST(kernel_takes_the_program)
{
	int *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(result != MAP_FAILED);
	for (unsigned i = rounds() / 3; i > 0; i--) {
		auto_arena a = arena_make();
		const struct seccomp_profile *p = make_profile(&a);
		struct sock_fprog program;
		struct sock_filter *insns;
		size_t n;
		pid_t pid;

		compile(&a, p, &insns, &n);
		program = (struct sock_fprog){ (unsigned short)n, insns };
		*result = 1;
		pid = fork();
		if (pid == 0) {
			prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* it leaves no core file */
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			*result = sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program);
			__builtin_trap();
		}
		REQUIRE(pid > 0 && waitpid(pid, NULL, 0) == pid);
		if (!CHECK_INT(*result, 0))
			print_profile(p);
	}
	munmap(result, sizeof(*result));
}

/* The table of multiplexed calls, against libseccomp's. */
TEST(multiplexed_calls)
{
	for (size_t i = 0; i < seccomp_n_muxes; i++) {
		const struct seccomp_mux *m = &seccomp_muxes[i];
		int base = str_eq(m->call, "ipc") ? -200 : -100;

		unit_row("%s", m->name);
		CHECK_INT(seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, m->name), base - m->sub);
		for (int nr = 0; nr < 600; nr++) {
			char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86, nr);

			if (name)
				CHECK_INT(nr == m->direct, str_eq(name, m->name));
			free(name);
		}
	}
}
