/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every form of the record that a release has written is a file of tests/data/records,
 * <release>-<what>.json: files are added with each release that writes another form, and none
 * is ever changed or removed. What upgrades do with living containers: tests/root/cases.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/file.h"
#include "container/internal.h"
#include "ocispec/decode.h"
#include "ocispec/encode.h"
#include "sys/sys.h"
#include "unit/unit.h"

/* What must be seen in some of them, beyond that nothing is lost. */
static const struct {
	const char *name;
	enum record_phase phase;
	const char *manager;
	bool proves_init, proves_cgroup;
} rows[] = {
	{ "0.1.0-intent.json", RECORD_INTENT, "cgroupfs", false, false },
	{ "0.1.0-identity.json", RECORD_IDENTITY, "cgroupfs", true, true },
	{ "0.1.0-created-hybrid.json", RECORD_CREATED, "cgroupfs", true, true },
	{ "0.1.0-created-v2.json", RECORD_CREATED, "cgroupfs", true, true },
	{ "0.1.0-start-time.json", RECORD_CREATED, "cgroupfs", true, true },
	{ "0.1.0-systemd.json", RECORD_CREATED, "systemd", true, true },
};

static const char *folder(struct arena *a)
{
	const char *srcdir = getenv("srcdir");

	return arena_printf(a, "%s/tests/data/records", srcdir ? srcdir : ".");
}

static struct cleat_state_file *load(struct arena *a, const char *name, const char **ret_text)
{
	const char *path = arena_printf(a, "%s/%s", folder(a), name);
	auto_fd fd = sys_open(path, O_RDONLY, 0);
	struct cleat_state_file *s = NULL;
	struct err e = { 0 };
	char *text = NULL;
	ssize_t len;

	unit_row("%s", name);
	REQUIRE(fd >= 0);
	len = file_read_fd(fd, name, a, OCISPEC_MAX_SIZE, &text, &e);
	REQUIRE_OK(len, &e);
	REQUIRE_OK(record_decode(a, "c1", text, (size_t)len, &s, &e), &e);
	*ret_text = text;
	return s;
}

/* Each property is known and comes back as it was: nothing is dropped by a rewrite. */
static void check_complete(struct arena *a, const struct cleat_state_file *s, const char *text)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	char *again = NULL;
	size_t len;

	REQUIRE(ocispec_encode(&cleat_state_file_type, s, 0, &alloc, &again, &len, NULL) == 0);
	CHECK_STR(again, text);
}

TEST(released_records_are_read_whole)
{
	auto_arena a = arena_make();
	DIR *d = opendir(folder(&a));
	size_t n = 0;

	REQUIRE(d != NULL);
	for (struct dirent *entry; (entry = readdir(d));) {
		struct cleat_state_file *s;
		const char *text;

		if (entry->d_name[0] == '.')
			continue;
		s = load(&a, entry->d_name, &text);
		check_complete(&a, s, text);
		n++;
	}
	closedir(d);
	CHECK(n >= COUNT(rows));
}

TEST(released_records_mean_what_they_did)
{
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *text;
		const struct cleat_state_file *s = load(&a, rows[i].name, &text);

		CHECK_INT(record_phase(s), rows[i].phase);
		CHECK_STR(s->cgroup->manager, rows[i].manager);
		CHECK_INT(s->has_pid && (s->has_pidfd_inode || s->has_start_time),
			  rows[i].proves_init);
		CHECK_INT(s->cgroup->has_inode, rows[i].proves_cgroup);
	}
}
