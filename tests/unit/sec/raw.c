/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that come as instructions, and who gets the listener of one. */
#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <string.h>

#include "ocispec/runtime.h"
#include "sec/sec.h"
#include "sec/seccomp_profile.h"
#include "unit/unit.h"

#define RAW "annotations[\"run.oci.seccomp_bpf_data\"]: "

/* The other way, for tests. */
static const char *encode(struct arena *a, const void *data, size_t n)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = data;
	char *out = arena_alloc(a, n / 3 * 4 + 5), *p = out;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t bits = (uint32_t)in[i] << 16;

		bits |= i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= i + 2 < n ? in[i + 2] : 0;
		*p++ = letters[bits >> 18];
		*p++ = letters[bits >> 12 & 63];
		*p++ = i + 1 < n ? letters[bits >> 6 & 63] : '=';
		*p++ = i + 2 < n ? letters[bits & 63] : '=';
	}
	return out;
}

struct wish {					 /* a configuration in few words */
	const char *raw, *receiver, *known_only; /* annotations */
	struct oci_linux_seccomp *profile;
};

static struct oci_config *config_of(struct arena *a, const struct wish *w)
{
	struct oci_config *config = arena_new(a, struct oci_config);
	const struct oci_string_entry entries[] = {
		{ (char *)SPEC_ANNOTATION_SECCOMP_BPF, (char *)w->raw },
		{ (char *)SPEC_ANNOTATION_SECCOMP_RECEIVER, (char *)w->receiver },
		{ (char *)SPEC_ANNOTATION_SECCOMP_UNKNOWN, (char *)w->known_only },
	};

	config->annotations = arena_new(a, struct oci_string_map);
	config->annotations->entries = arena_new_n(a, COUNT(entries), struct oci_string_entry);
	for (size_t i = 0; i < COUNT(entries); i++)
		if (entries[i].value)
			config->annotations->entries[config->annotations->n++] = entries[i];
	if (w->profile) {
		config->linux = arena_new(a, struct oci_linux);
		config->linux->seccomp = w->profile;
	}
	return config;
}

static int compile(struct arena *a, const struct wish *w, const char *variable,
		   struct seccomp_filter *ret, struct err *e)
{
	struct seccomp_source source;

	*e = (struct err){ 0 };
	if (seccomp_source_make(a, config_of(a, w), variable, &source, e) < 0)
		return -e->code;
	return seccomp_compile(a, &source, ret, e);
}

static int compile_raw(struct arena *a, const struct sock_filter *insns, size_t n,
		       struct seccomp_filter *ret, struct err *e)
{
	return compile(a, &(struct wish){ .raw = encode(a, insns, n * sizeof(*insns)) }, NULL, ret,
		       e);
}

static const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
static const struct sock_filter notify = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF | 1);
static const struct sock_filter computed = BPF_STMT(BPF_RET | BPF_A, 0);

TEST(raw_is_taken_as_it_is)
{
	static const struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 161, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 5),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const char *flags[] = { "SECCOMP_FILTER_FLAG_LOG" };
	struct oci_linux_seccomp profile = { .default_action = "SCMP_ACT_ERRNO" };
	auto_arena a = arena_make();
	struct wish w = { .raw = encode(&a, insns, sizeof(insns)) };
	struct seccomp_filter f;
	struct err e;

	REQUIRE_OK(compile(&a, &w, NULL, &f, &e), &e);
	REQUIRE(f.n == COUNT(insns));
	CHECK(!memcmp(f.insns, insns, sizeof(insns)));
	CHECK_INT(f.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	CHECK(!f.listener_path && !seccomp_kills_exec(&f));
	CHECK_STR(seccomp_origin(&f), "annotations[\"run.oci.seccomp_bpf_data\"]");
	/* of a profile only the flags count */
	w.profile = &profile;
	profile.flags = flags;
	profile.n_flags = 1;
	REQUIRE_OK(compile(&a, &w, NULL, &f, &e), &e);
	CHECK(f.n == COUNT(insns));
	CHECK_INT(f.flags, SECCOMP_FILTER_FLAG_LOG);
	flags[0] = "SECCOMP_FILTER_FLAG_LGO";
	CHECK_INT(compile(&a, &w, NULL, &f, &e), -EINVAL);
	CHECK_HAS(e.text, "linux.seccomp.flags[0]");
}

TEST(raw_lengths)
{
	auto_arena a = arena_make();
	struct sock_filter *insns = arena_new_n(&a, BPF_MAXINSNS + 1, struct sock_filter);
	struct seccomp_filter f;
	struct err e;

	for (size_t i = 0; i <= BPF_MAXINSNS; i++)
		insns[i] = allow;
	REQUIRE_OK(compile_raw(&a, insns, BPF_MAXINSNS, &f, &e), &e);
	CHECK(f.n == BPF_MAXINSNS);
	CHECK_INT(compile_raw(&a, insns, BPF_MAXINSNS + 1, &f, &e), -EINVAL);
	CHECK_HAS(e.text, RAW "a filter has 1 to 4096 instructions, not 4097");
	CHECK_INT(compile(&a, &(struct wish){ .raw = "" }, NULL, &f, &e), -EINVAL);
	CHECK_HAS(e.text, "not 0");
	CHECK_INT(compile(&a, &(struct wish){ .raw = "BgAAAAAA/38A" }, NULL, &f, &e), -EINVAL);
	CHECK_HAS(e.text, RAW "9 bytes are no instructions");
	CHECK_INT(compile(&a, &(struct wish){ .raw = "BgAAAAAA/38" }, NULL, &f, &e), -EINVAL);
	CHECK_HAS(e.text, RAW "is not base64");
}

TEST(raw_instructions)
{
	static const struct {
		struct sock_filter first; /* two more follow, the last one returns */
		const char *words;	  /* NULL: it is fine */
	} rows[] = {
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), NULL },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), "instruction 0: the code 0x20 does not" },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), "constant 0x2" },
		{ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), "the code 0x30 is none" },
		{ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), "the code 0x28 is none" },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), "is none" },
		{ BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), "is none" },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), NULL },
		{ BPF_STMT(BPF_LD | BPF_IMM, 7), NULL },
		{ BPF_STMT(BPF_ST, 15), NULL },
		{ BPF_STMT(BPF_ST, 16), "does not go with" },
		{ BPF_STMT(BPF_LDX | BPF_MEM, 16), "does not go with" },
		{ BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 1), NULL },
		{ BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), "does not go with" },
		{ BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), NULL },
		{ BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), "is none" },
		{ BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 31), NULL },
		{ BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), "does not go with" },
		{ BPF_STMT(BPF_ALU | BPF_NEG, 0), NULL },
		{ BPF_STMT(BPF_MISC | BPF_TXA, 0), NULL },
		{ BPF_STMT(BPF_RET | BPF_X, 0), "is none" },
		{ BPF_STMT(0xffff, 0), "the code 0xffff is none" },
		{ BPF_STMT(BPF_JMP | BPF_JA, 1), NULL },
		{ BPF_STMT(BPF_JMP | BPF_JA, 2), "instruction 0 leads out" },
		{ BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), "leads out" },
		{ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_X, 0, 1, 0), NULL },
		{ BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 0, 2, 0), "leads out" },
		{ BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0, 0, 255), "leads out" },
	};
	const struct sock_filter open_end[] = { allow, BPF_STMT(BPF_LD | BPF_IMM, 0) };
	auto_arena a = arena_make();
	struct seccomp_filter f;
	struct err e;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct sock_filter insns[] = { rows[i].first, allow, allow };

		unit_row("%#x %#x", rows[i].first.code, rows[i].first.k);
		if (!rows[i].words) {
			CHECK_OK(compile_raw(&a, insns, COUNT(insns), &f, &e), &e);
			continue;
		}
		CHECK_INT(compile_raw(&a, insns, COUNT(insns), &f, &e), -EINVAL);
		CHECK_HAS(e.text, RAW "instruction 0");
		CHECK_HAS(e.text, rows[i].words);
	}
	CHECK_INT(compile_raw(&a, open_end, COUNT(open_end), &f, &e), -EINVAL);
	CHECK_HAS(e.text, "instruction 1 leads out");
}

TEST(raw_listener)
{
	auto_arena a = arena_make();
	struct oci_linux_seccomp profile = { .listener_path = "/path", .listener_metadata = "m" };
	struct wish w = { .raw = encode(&a, &notify, sizeof(notify)) };
	struct seccomp_filter f;
	struct err e;

	CHECK_INT(compile(&a, &w, NULL, &f, &e), -EINVAL);
	CHECK_HAS(e.text, RAW "the filter returns SECCOMP_RET_USER_NOTIF");
	REQUIRE_OK(compile(&a, &w, "/variable", &f, &e), &e);
	CHECK_STR(f.listener_path, "/variable");
	w.receiver = "/annotation";
	REQUIRE_OK(compile(&a, &w, "/variable", &f, &e), &e);
	CHECK_STR(f.listener_path, "/annotation");
	w.profile = &profile;
	REQUIRE_OK(compile(&a, &w, "/variable", &f, &e), &e);
	CHECK_STR(f.listener_path, "/path");
	CHECK_STR(f.listener_metadata, "m");
	/* what it computes may ask */
	w = (struct wish){ .raw = encode(&a, &computed, sizeof(computed)) };
	REQUIRE_OK(compile(&a, &w, NULL, &f, &e), &e);
	CHECK(!f.listener_path);
	w.receiver = "/annotation";
	REQUIRE_OK(compile(&a, &w, NULL, &f, &e), &e);
	CHECK_STR(f.listener_path, "/annotation");
	/* and what never asks needs nobody */
	w.raw = encode(&a, &allow, sizeof(allow));
	REQUIRE_OK(compile(&a, &w, "", &f, &e), &e);
	CHECK(!f.listener_path);
}

/* One rule of a profile that allows. */
static struct oci_linux_seccomp *profile_of(struct arena *a, const char *name, const char *action)
{
	struct oci_linux_seccomp *s = arena_new(a, struct oci_linux_seccomp);
	struct oci_linux_syscall *call = arena_new(a, struct oci_linux_syscall);

	call->names = arena_new(a, const char *);
	call->names[call->n_names++] = name;
	call->action = action;
	s->default_action = "SCMP_ACT_ALLOW";
	s->syscalls = arena_new(a, struct oci_linux_syscall *);
	s->syscalls[s->n_syscalls++] = call;
	return s;
}

TEST(receiver_of_a_profile)
{
	static const struct {
		const char *path, *annotation, *variable, *want; /* NULL: an error */
		const char *words;
	} rows[] = {
		{ "/p", "/a", "/v", "/p", NULL },
		{ "/p", NULL, "v", "/p", NULL },
		{ NULL, "/a", "/v", "/a", NULL },
		{ "", "/a", "", "/a", NULL },
		{ NULL, NULL, "/v", "/v", NULL },
		{ "", NULL, "/v", "/v", NULL },
		{ NULL, NULL, NULL, NULL, "seccomp listenerPath is not set, and SCMP_ACT_" },
		{ NULL, NULL, "", NULL, "'' in the variable RUN_OCI_SECCOMP_RECEIVER" },
		{ NULL, NULL, "v", NULL, "'v' in the variable RUN_OCI_SECCOMP_RECEIVER" },
		{ "p", "/a", "/v", NULL, "linux.seccomp.listenerPath: 'p' is not absolute" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct wish w = {
			.receiver = rows[i].annotation,
			.profile = profile_of(&a, "chroot", "SCMP_ACT_NOTIFY"),
		};
		struct seccomp_filter f = { 0 };
		struct err e;

		unit_row("%zu", i);
		w.profile->listener_path = rows[i].path;
		w.profile->listener_metadata = "m";
		if (rows[i].want) {
			REQUIRE_OK(compile(&a, &w, rows[i].variable, &f, &e), &e);
			CHECK_STR(f.listener_path, rows[i].want);
			CHECK_STR(f.listener_metadata, "m");
			continue;
		}
		w.profile->listener_metadata = NULL;
		CHECK_INT(compile(&a, &w, rows[i].variable, &f, &e), -EINVAL);
		CHECK_HAS(e.text, rows[i].words);
	}
}

/* It may be anything where nobody asks for it. */
TEST(receiver_for_nothing)
{
	auto_arena a = arena_make();
	struct wish w = { .profile = profile_of(&a, "chroot", "SCMP_ACT_ERRNO") };
	struct seccomp_filter f;
	struct err e;

	REQUIRE_OK(compile(&a, &w, "v", &f, &e), &e);
	CHECK(!f.listener_path);
}

TEST(unknown_calls)
{
	static const struct {
		const char *name, *value;
		int want;
	} rows[] = {
		{ "no_such_call", NULL, 0 },
		{ "no_such_call", "0", 0 },
		{ "no_such_call", "1", -EINVAL },
		{ "chroot", "1", 0 },
		{ "socketcall", "1", 0 }, /* of another architecture */
		{ "s390_runtime_instr", "1", 0 },
		{ "sync_file_range2", "true", 0 },
		{ "", "1", -EINVAL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct wish w = {
			.known_only = rows[i].value,
			.profile = profile_of(&a, rows[i].name, "SCMP_ACT_ERRNO"),
		};
		struct seccomp_filter f;
		struct err e;

		unit_row("%s %s", rows[i].name, rows[i].value ? rows[i].value : "");
		CHECK_INT(compile(&a, &w, NULL, &f, &e), rows[i].want);
		if (rows[i].want < 0)
			CHECK_HAS(e.text, "linux.seccomp.syscalls[0].names[0]: ");
	}
}
