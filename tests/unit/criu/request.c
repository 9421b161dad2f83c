/* SPDX-License-Identifier: Apache-2.0 */
/* Messages byte for byte: the encoding is CRIU's and not ours to choose. */
#include <stdio.h>

#include "criu/request.h"
#include "unit/unit.h"

static const char *hex(struct arena *a, const struct wire *w)
{
	char *text = arena_alloc(a, 2 * w->bytes.n + 1);

	for (size_t i = 0; i < w->bytes.n; i++)
		snprintf(text + 2 * i, 3, "%02x", w->bytes.v[i]);
	return text;
}

TEST(wire_numbers)
{
	static const struct {
		unsigned field;
		uint64_t value;
		const char *want;
	} rows[] = {
		{ 1, 0, "0800" },      { 1, 1, "0801" },
		{ 2, 127, "107f" },    { 2, 128, "108001" },
		{ 15, 300, "78ac02" }, { 16, 1, "800101" },
		{ 68, 1, "a00401" },   { 1, UINT64_MAX, "08ffffffffffffffffff01" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct wire w = { .arena = &a };
		struct wire_reader r;
		struct wire_field f;

		unit_row("%zu", i);
		wire_put_number(&w, rows[i].field, rows[i].value);
		CHECK_STR(hex(&a, &w), rows[i].want);
		r = (struct wire_reader){ w.bytes.v, w.bytes.n, false };
		CHECK(wire_next(&r, &f));
		CHECK_INT(f.number, rows[i].field);
		CHECK(f.value == rows[i].value);
		CHECK(!wire_next(&r, &f) && !r.broken);
	}
}

/* Whatever is cut off is broken, not half understood. */
TEST(wire_broken)
{
	static const char *const rows[] = {
		"\x08", "\x08\xff",	"\x12",	    "\x12\x05\x61",
		"\x0b", "\x0d\x01\x02", "\x09\x01", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct response m;

		unit_row("%zu", i);
		CHECK_INT(response_decode(&a, rows[i], strlen(rows[i]), &m), -EPROTO);
	}
}

static const char *encode(struct arena *a, const struct criu_request *q)
{
	struct wire w = { .arena = a };
	struct err e = { 0 };

	REQUIRE_OK(request_encode(&w, q, &e), &e);
	return hex(a, &w);
}

TEST(request_dump)
{
	const struct criu_choices c = { .leave_running = true, .page_server = "1.2:80" };
	const struct criu_request q = { .choices = &c, .images = 5, .work = 6, .pid = 7 };
	auto_arena a = arena_make();

	CHECK_STR(encode(&a, &q), "0801"
				  "1221" /* dump, 33 bytes of options */
				  "0805"
				  "880106"
				  "4804" /* images, work, log level */
				  "6001"
				  "3001"
				  "900301" /* notify, evasive devices, ptys */
				  "1801"   /* leave running */
				  "c00101"
				  "900203" /* cgroups: soft */
				  "5a07"
				  "0a03312e32"
				  "1050"   /* page server */
				  "1007"); /* pid */
}

TEST(request_restore)
{
	const struct criu_choices c = { .tcp_close = true,
					.cgroups = CRIU_CGROUPS_IGNORE,
					.network_lock = CRIU_LOCK_SKIP,
					.empty_network = true };
	const char *external[] = { "mnt[a]:b" };
	const struct criu_inherit inherit[] = { { "k", 16 } };
	const struct criu_join join[] = { { "ipc", "/p" } };
	const struct criu_root roots[] = { { "cpu", "/c" } };
	const struct criu_request q = { .verb = CRIU_RESTORE,
					.choices = &c,
					.images = 5,
					.work = 6,
					.root = "/r",
					.external = external,
					.n_external = 1,
					.inherit = inherit,
					.n_inherit = 1,
					.join = join,
					.n_join = 1,
					.roots = roots,
					.n_roots = 1 };
	auto_arena a = arena_make();
	const char *text = encode(&a, &q);

	CHECK_HAS(text, "6a022f72");		     /* root */
	CHECK_HAS(text, "a00301");		     /* tcp-close */
	CHECK_HAS(text, "b0028080808004");	     /* empty namespaces: CLONE_NEWNET */
	CHECK_HAS(text, "800403");		     /* network lock: skip */
	CHECK_HAS(text, "900200");		     /* cgroups: ignore */
	CHECK_HAS(text, "d00101");		     /* sibling */
	CHECK_HAS(text, "aa02086d6e745b615d3a62");   /* external */
	CHECK_HAS(text, "da01050a016b1010");	     /* inherit */
	CHECK_HAS(text, "ba02090a0369706312022f70"); /* join */
	CHECK_HAS(text, "ca01090a0363707512022f63"); /* cgroup root */
}

TEST(request_refused)
{
	static const char *const rows[] = { "",	      ":80",	    "host",  "host:",
					    "host:0", "host:65536", "host:x" };
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct criu_choices c = { .page_server = rows[i] };
		const struct criu_request q = { .choices = &c };
		struct wire w = { .arena = &a };
		struct err e = { 0 };

		unit_row("%s", rows[i]);
		CHECK_INT(request_encode(&w, &q, &e), -EINVAL);
		CHECK_HAS(e.text, "is not ADDRESS:PORT of a page server");
	}
}

TEST(response)
{
	static const unsigned char restored[] = { 0x08, 2, 0x10, 1, 0x22, 3, 0x08, 0xd2, 0x09 };
	static const unsigned char notify[] = { 0x08, 6,   0x10, 1,   0x2a, 8,	  0x0a,
						4,    'p', 'o',	 's', 't',  0x10, 9 };
	static const unsigned char failed[] = {
		0x08, 1, 0x10, 0, 0x38, 17, 0x4a, 3, 'o', 'h', '!'
	};
	static const unsigned char version[] = { 0x08, 10,   0x10, 1,	 0x52, 8,    0x08,
						 3,    0x10, 17,   0x1a, 0,    0x20, 1 };
	auto_arena a = arena_make();
	struct response m;

	REQUIRE(response_decode(&a, restored, sizeof(restored), &m) == 0);
	CHECK(m.type == CRIU_MSG_RESTORE && m.success && m.restored == 1234);
	REQUIRE(response_decode(&a, notify, sizeof(notify), &m) == 0);
	CHECK(m.type == CRIU_MSG_NOTIFY && m.pid == 9);
	CHECK_STR(m.script, "post");
	REQUIRE(response_decode(&a, failed, sizeof(failed), &m) == 0);
	CHECK(!m.success && m.code == 17);
	CHECK_STR(m.message, "oh!");
	REQUIRE(response_decode(&a, version, sizeof(version), &m) == 0);
	CHECK(m.major == 3 && m.minor == 17 && m.sublevel == 1);
}
