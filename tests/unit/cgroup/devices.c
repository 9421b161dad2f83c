/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device programs against an interpreter: for many lists of rules, every device and
 * every wanted access is asked of the generated program and of the definition ("the
 * last rule that speaks of an access decides it").
 */
#include "unit/unit.h"

#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/devices.h"
#include "sys/bpf.h"
#include "unit/cgroup/config.h"

/* --- the definition ---------------------------------------------------------------------------- */

static bool speaks_of(const struct device_rule *r, char type, uint32_t major, uint32_t minor)
{
	return (r->type == 'a' || r->type == type) && (r->major < 0 || r->major == major) &&
	       (r->minor < 0 || r->minor == minor);
}

static bool allowed(const struct device_rule *rules, size_t n, char type, uint32_t major,
		    uint32_t minor, unsigned access)
{
	for (unsigned bit = 1; bit <= DEVICE_WRITE; bit <<= 1) {
		bool yes = false;

		if (!(access & bit))
			continue;
		for (size_t i = 0; i < n; i++)
			if ((rules[i].access & bit) && speaks_of(&rules[i], type, major, minor))
				yes = rules[i].allow;
		if (!yes)
			return false;
	}
	return true;
}

/* --- the interpreter --------------------------------------------------------------------------- */

static uint64_t load(const struct bpf_cgroup_dev_ctx *ctx, int off)
{
	uint32_t v;

	REQUIRE(off >= 0 && off + sizeof(v) <= sizeof(*ctx) && off % 4 == 0);
	memcpy(&v, (const char *)ctx + off, sizeof(v));
	return v;
}

static bool taken(unsigned op, uint32_t dst, uint32_t imm)
{
	switch (op) {
	case BPF_JA:
		return true;
	case BPF_JEQ:
		return dst == imm;
	case BPF_JNE:
		return dst != imm;
	case BPF_JSET:
		return dst & imm;
	default:
		FAIL("a jump that the interpreter does not know");
		unit_stop();
	}
}

static uint64_t alu(unsigned op, uint64_t dst, uint64_t value)
{
	switch (op) {
	case BPF_MOV:
		return value;
	case BPF_AND:
		return dst & value;
	case BPF_RSH:
		return dst >> value;
	default:
		FAIL("an operation that the interpreter does not know");
		unit_stop();
	}
}

static int interpret(const struct bpf_insn *insns, size_t n, const struct bpf_cgroup_dev_ctx *ctx)
{
	uint64_t reg[11] = { 0 };

	for (size_t pc = 0; pc < n; pc++) {
		const struct bpf_insn *i = &insns[pc];
		uint64_t value =
			BPF_SRC(i->code) == BPF_X ? reg[i->src_reg] : (uint64_t)(int64_t)i->imm;

		switch (BPF_CLASS(i->code)) {
		case BPF_LDX:
			REQUIRE(i->src_reg == BPF_REG_1 && BPF_SIZE(i->code) == BPF_W);
			reg[i->dst_reg] = load(ctx, i->off);
			break;
		case BPF_ALU:
			reg[i->dst_reg] = (uint32_t)alu(BPF_OP(i->code), (uint32_t)reg[i->dst_reg],
							(uint32_t)value);
			break;
		case BPF_ALU64:
			reg[i->dst_reg] = alu(BPF_OP(i->code), reg[i->dst_reg], value);
			break;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_EXIT)
				return (int)reg[0];
			/* fall through */
		case BPF_JMP32:
			if (taken(BPF_OP(i->code), (uint32_t)reg[i->dst_reg], (uint32_t)value))
				pc += (size_t)i->off;
			break;
		default:
			FAIL("an instruction that the interpreter does not know");
			unit_stop();
		}
	}
	FAIL("the program ran over its end");
	unit_stop();
}

/* --- every question ----------------------------------------------------------------------------- */

static const uint32_t numbers[] = { 0, 1, 3, 4, UINT32_MAX };

static void compare(const struct device_rule *rules, size_t n, const struct device_rules *reduced)
{
	auto_arena a = arena_make();
	struct err e = { 0 };
	const struct bpf_insn *insns;
	size_t len, wrong = 0;

	REQUIRE_OK(device_prog_make(&a, reduced, &insns, &len, &e), &e);
	for (size_t q = 0; q < 2 * COUNT(numbers) * COUNT(numbers) * 7; q++) {
		unsigned access = q % 7 + 1;
		uint32_t minor = numbers[q / 7 % COUNT(numbers)];
		uint32_t major = numbers[q / 7 / COUNT(numbers) % COUNT(numbers)];
		bool block = q / 7 / COUNT(numbers) / COUNT(numbers);
		struct bpf_cgroup_dev_ctx ctx = {
			.access_type =
				access << 16 | (block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
			.major = major,
			.minor = minor,
		};

		wrong += interpret(insns, len, &ctx) !=
			 allowed(rules, n, block ? 'b' : 'c', major, minor, access);
	}
	CHECK_INT(wrong, 0);
}

static struct device_rules copy(struct arena *a, const struct device_rule *rules, size_t n)
{
	struct device_rules d = { 0 };

	for (size_t i = 0; i < n; i++)
		*vec_push(a, &d) = rules[i];
	return d;
}

static void compare_reduced(const struct device_rule *rules, size_t n)
{
	auto_arena a = arena_make();
	struct device_rules d = copy(&a, rules, n);

	device_rules_reduce(&d);
	compare(rules, n, &d);
}

/* The rule with that number: all of them that there are over a few numbers. */
#define RULES (2 * 3 * 3 * 3 * 7)
static struct device_rule rule_of(unsigned i)
{
	static const int64_t few[] = { DEVICE_ANY, 1, 3 };

	return (struct device_rule){
		.allow = i % 2,
		.type = "abc"[i / 2 % 3],
		.major = few[i / 6 % 3],
		.minor = few[i / 18 % 3],
		.access = i / 54 % 7 + 1,
	};
}

TEST(all_lists_of_two_rules)
{
	/* each rule with a good part of all others, in both orders */
	for (unsigned i = 0; i < RULES; i++) {
		for (unsigned k = i % 5; k < RULES; k += 5) {
			struct device_rule rules[] = { rule_of(i), rule_of(k) };

			unit_row("rules %u, %u", i, k);
			compare_reduced(rules, COUNT(rules));
		}
	}
}

TEST(long_lists)
{
	uint32_t seed = 1;

	for (unsigned turn = 0; turn < 3000; turn++) {
		struct device_rule rules[14];
		size_t n = 1 + turn % COUNT(rules);

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			rules[i] = rule_of(seed / 65536 % (RULES));
			if (turn % 3 == 0) /* a plain list of what is allowed */
				rules[i].allow = i > 0;
			else if (turn % 3 == 1)
				rules[i].access = DEVICE_ALL;
		}
		unit_row("turn %u", turn);
		compare_reduced(rules, n);
	}
}

TEST(large_numbers)
{
	static const struct device_rule rules[] = {
		{ true, 'b', UINT32_MAX, UINT32_MAX, DEVICE_ALL },
		{ true, 'c', UINT32_MAX, DEVICE_ANY, DEVICE_READ },
		{ false, 'c', UINT32_MAX, 1, DEVICE_ALL },
	};

	compare_reduced(rules, COUNT(rules));
}

/* --- from the configuration --------------------------------------------------------------------- */

TEST(reduced_lists)
{
	static const struct device_rule deny = { false, 'a', -1, -1, DEVICE_ALL },
					all = { true, 'a', -1, -1, DEVICE_ALL },
					null = { true, 'c', 1, 3, DEVICE_ALL },
					no_null = { false, 'c', 1, 3, DEVICE_ALL },
					mem = { true, 'c', 1, -1, DEVICE_ALL },
					none = { true, 'c', 1, 3, 0 };
	const struct {
		const char *name;
		struct device_rule rules[4];
		size_t n;
		bool allow;
		size_t left;
	} rows[] = {
		{ "empty", { { 0 } }, 0, false, 0 },
		{ "deny all", { deny }, 1, false, 0 },
		{ "allow all", { deny, all }, 2, true, 0 },
		{ "allow all and more", { all, null, mem }, 3, true, 0 },
		{ "one", { deny, null }, 2, false, 1 },
		{ "void before", { null, mem, deny, null }, 4, false, 1 },
		{ "wider later", { null, mem }, 2, false, 1 },
		{ "wider before", { mem, null }, 2, false, 1 },
		{ "twice", { null, null, null }, 3, false, 1 },
		{ "taken back", { null, no_null }, 2, false, 0 },
		{ "taken back in part", { mem, no_null }, 2, false, 2 },
		{ "nothing wanted", { none }, 1, false, 0 },
		{ "all but one", { all, no_null }, 2, true, 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct device_rules d = copy(&a, rows[i].rules, rows[i].n);

		unit_row("%s", rows[i].name);
		device_rules_reduce(&d);
		CHECK_INT(d.allow, rows[i].allow);
		CHECK_INT(d.n, rows[i].left);
		CHECK_INT(device_rules_allow_all(&d), rows[i].allow && !rows[i].left);
	}
}

static void make(struct arena *a, const char *json, struct device_rules *ret)
{
	struct err e = { 0 };

	REQUIRE_OK(device_rules_make(a, config_resources(a, json), ret, &e), &e);
}

static bool asks(const struct device_rules *d, char type, uint32_t major, uint32_t minor,
		 unsigned access)
{
	return allowed(d->v, d->n, type, major, minor, access) || d->allow;
}

/* An empty list, and no list at all, deny; the defaults stay usable. */
TEST(denied_by_default)
{
	auto_arena a = arena_make();
	struct device_rules lists[2];
	struct err e = { 0 };

	make(&a, "{'devices':[]}", &lists[0]);
	REQUIRE_OK(device_rules_make(&a, NULL, &lists[1], &e), &e);
	for (size_t i = 0; i < COUNT(lists); i++) {
		const struct device_rules *d = &lists[i];

		unit_row("list %zu", i);
		CHECK(!d->allow);
		CHECK(!asks(d, 'b', 8, 0, DEVICE_READ));
		CHECK(!asks(d, 'c', 1, 1, DEVICE_READ));
		CHECK(!asks(d, 'c', 1, 1, DEVICE_READ | DEVICE_MKNOD));
		CHECK(asks(d, 'b', 8, 0, DEVICE_MKNOD));
		CHECK(asks(d, 'c', 1, 3, DEVICE_ALL));
		CHECK(asks(d, 'c', 136, 77, DEVICE_ALL));
		CHECK(asks(d, 'c', 10, 200, DEVICE_ALL));
		CHECK(!asks(d, 'c', 10, 229, DEVICE_READ));
	}
}

TEST(absent_properties_mean_all)
{
	auto_arena a = arena_make();
	struct device_rules d;

	make(&a, "{'devices':[{'allow':true}]}", &d);
	CHECK(device_rules_allow_all(&d));
	make(&a, "{'devices':[{'allow':true},{'allow':false,'access':'rwm'}]}", &d);
	CHECK(!d.allow);
}

TEST(bad_rules)
{
	static const struct {
		const char *json, *error;
	} rows[] = {
		{ "{'allow':true,'type':'u'}", "type: 'u' is not one of a, b, c" },
		{ "{'allow':true,'type':''}", "type" },
		{ "{'allow':true,'type':'cc'}", "type" },
		{ "{'allow':true,'access':'rx'}", "access: 'rx' is not made of r, w, m" },
		{ "{'allow':true,'major':-2}", "-2:-1 is no device" },
		{ "{'allow':true,'minor':4294967296}", "is no device" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		const char *json = arena_printf(&a, "{'devices':[%s]}", rows[i].json);
		struct device_rules d;
		struct err e = { 0 };

		unit_row("%s", rows[i].json);
		CHECK_INT(device_rules_make(&a, config_resources(&a, json), &d, &e), -EINVAL);
		CHECK_HAS(e.text, rows[i].error);
	}
}

/* --- v1 ------------------------------------------------------------------------------------------ */

TEST(v1_lists)
{
	static const struct device_rule rules[] = {
		{ true, 'a', 7, -1, DEVICE_READ },
		{ true, 'c', 1, 3, DEVICE_ALL },
	};
	auto_arena a = arena_make();
	struct device_rules d = copy(&a, rules, COUNT(rules));
	struct err e = { 0 };
	struct ctl_out o = { .arena = &a, .err = &e };

	REQUIRE_OK(device_v1_make(&o, &d), &e);
	REQUIRE(o.early.n == 4);
	CHECK_STR(o.early.v[0].file, "devices.deny");
	CHECK_STR(o.early.v[0].value, "a");
	CHECK_STR(o.early.v[1].file, "devices.allow");
	CHECK_STR(o.early.v[1].value, "b 7:* r");
	CHECK_STR(o.early.v[2].value, "c 7:* r");
	CHECK_STR(o.early.v[3].value, "c 1:3 rwm");
	d.v[0].allow = false;
	CHECK_INT(device_v1_make(&o, &d), -EINVAL);
	CHECK_HAS(e.text, "cannot be expressed");
}

/* --- the kernel's opinion -------------------------------------------------------------------------- */

TEST(verifier_accepts)
{
	uint32_t seed = 7;

	if (geteuid() != 0)
		unit_skip("loading programs needs root");
	for (unsigned turn = 0; turn < 60; turn++) {
		auto_arena a = arena_make();
		struct device_rules d = { 0 };
		const struct bpf_insn *insns;
		struct err e = { 0 };
		auto_fd fd = -1;
		size_t n;

		for (unsigned i = 0; i < turn; i++) {
			seed = seed * 1664525 + 1013904223;
			*vec_push(&a, &d) = rule_of(seed / 65536 % (RULES));
			if (turn % 2)
				d.v[i].allow = true;
			d.v[i].minor = d.v[i].minor < 0 ? DEVICE_ANY : (int64_t)(seed % 100);
		}
		device_rules_reduce(&d);
		if (device_rules_allow_all(&d))
			continue;
		REQUIRE_OK(device_prog_make(&a, &d, &insns, &n, &e), &e);
		fd = sys_bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "cleat_test", insns, n);
		if (fd == -EPERM || fd == -ENOSYS)
			unit_skip("this kernel lets us load no programs: %s", errno_text(-fd));
		unit_row("%zu rules, %zu instructions", d.n, n);
		CHECK(fd >= 0);
	}
}
