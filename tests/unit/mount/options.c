/* SPDX-License-Identifier: Apache-2.0 */
/* What the words of mounts[].options mean, alone and after one another. */
#include <sched.h>

#include "mount/mount_room.h"
#include "unit/unit.h"

#define WORDS_MAX 6

static struct mount_flags parse(struct arena *a, const char *const *words,
				const struct mount_data **ret_data, size_t *ret_n)
{
	struct mount_flags f = { 0 };
	struct err e = { 0 };
	size_t n = 0;

	while (n < WORDS_MAX && words[n])
		n++;
	REQUIRE_OK(mount_options_parse(a, words, n, &f, ret_data, ret_n, &e), &e);
	return f;
}

/* The later word wins, also between one mount and all of a tree. */
TEST(options_of_the_top_mount)
{
	static const struct {
		const char *words[WORDS_MAX];
		uint64_t set, clear;
	} rows[] = {
		{ { "ro" }, MOUNT_ATTR_RDONLY, 0 },
		{ { "ro", "rw" }, 0, MOUNT_ATTR_RDONLY },
		{ { "rw", "ro" }, MOUNT_ATTR_RDONLY, 0 },
		{ { "rro" }, MOUNT_ATTR_RDONLY, 0 },
		{ { "rro", "rw" }, 0, MOUNT_ATTR_RDONLY },
		{ { "rw", "rro" }, MOUNT_ATTR_RDONLY, 0 },
		{ { "ro", "rrw" }, 0, MOUNT_ATTR_RDONLY },
		{ { "nosuid", "nodev", "noexec" },
		  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		  0 },
		{ { "nosuid", "suid" }, 0, MOUNT_ATTR_NOSUID },
		{ { "nodev", "rdev" }, 0, MOUNT_ATTR_NODEV },
		{ { "noexec", "exec", "noexec" }, MOUNT_ATTR_NOEXEC, 0 },
		{ { "nosymfollow" }, MOUNT_ATTR_NOSYMFOLLOW, 0 },
		{ { "nosymfollow", "symfollow" }, 0, MOUNT_ATTR_NOSYMFOLLOW },
		{ { "nodiratime", "diratime" }, 0, MOUNT_ATTR_NODIRATIME },
		{ { "defaults", "norelatime", "rnorelatime" }, 0, 0 },
		{ { "copy", "nocopy", "U", "Z", "z" }, 0, 0 },
		{ { "cached", "delegated" }, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		const struct mount_data *data;
		size_t n;
		struct mount_flags f = parse(&a, rows[i].words, &data, &n);
		uint64_t set, clear;

		unit_row("%s %s", rows[i].words[0], rows[i].words[1] ? rows[i].words[1] : "");
		mount_flags_top(&f, &set, &clear);
		CHECK_INT(set, rows[i].set);
		CHECK_INT(clear & ~rows[i].set, rows[i].clear);
		CHECK_INT(n, 0);
	}
}

/* The access time is one value: whatever was said before is gone. */
TEST(options_access_time)
{
	static const struct {
		const char *words[WORDS_MAX];
		uint64_t value;
	} rows[] = {
		{ { "noatime" }, MOUNT_ATTR_NOATIME },
		{ { "strictatime" }, MOUNT_ATTR_STRICTATIME },
		{ { "noatime", "strictatime" }, MOUNT_ATTR_STRICTATIME },
		{ { "strictatime", "noatime" }, MOUNT_ATTR_NOATIME },
		{ { "noatime", "relatime" }, 0 },
		{ { "strictatime", "nostrictatime" }, 0 },
		{ { "rnoatime" }, MOUNT_ATTR_NOATIME },
		{ { "strictatime", "rnoatime" }, MOUNT_ATTR_NOATIME },
		{ { "rnoatime", "strictatime" }, MOUNT_ATTR_STRICTATIME },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		const struct mount_data *data;
		size_t n;
		struct mount_flags f = parse(&a, rows[i].words, &data, &n);
		uint64_t set, clear;

		unit_row("%s %s", rows[i].words[0], rows[i].words[1] ? rows[i].words[1] : "");
		mount_flags_top(&f, &set, &clear);
		CHECK_INT(set & MOUNT_ATTR__ATIME, rows[i].value);
	}
}

TEST(options_of_the_superblock)
{
	static const struct {
		const char *words[WORDS_MAX];
		uint64_t set;
	} rows[] = {
		{ { "sync" }, MS_SYNCHRONOUS },
		{ { "sync", "async" }, 0 },
		{ { "dirsync" }, MS_DIRSYNC },
		{ { "lazytime" }, MS_LAZYTIME },
		{ { "lazytime", "nolazytime" }, 0 },
		{ { "iversion" }, MS_I_VERSION },
		{ { "iversion", "noiversion" }, 0 },
		{ { "mand" }, MS_MANDLOCK },
		{ { "silent", "loud", "mand", "nomand" }, 0 },
		{ { "ro" }, MS_RDONLY },
		{ { "ro", "rw" }, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		const struct mount_data *data;
		size_t n;

		unit_row("%s", rows[i].words[0]);
		CHECK_INT(parse(&a, rows[i].words, &data, &n).sb_flags, rows[i].set);
	}
}

TEST(options_propagation)
{
	static const struct {
		const char *word;
		uint64_t want;
	} rows[] = {
		{ "shared", MS_SHARED },	 { "rshared", MS_SHARED | MS_REC },
		{ "slave", MS_SLAVE },		 { "rslave", MS_SLAVE | MS_REC },
		{ "private", MS_PRIVATE },	 { "rprivate", MS_PRIVATE | MS_REC },
		{ "unbindable", MS_UNBINDABLE }, { "runbindable", MS_UNBINDABLE | MS_REC },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const words[] = { "shared", rows[i].word, NULL };
		auto_arena a = arena_make();
		const struct mount_data *data;
		size_t n;

		unit_row("%s", rows[i].word);
		CHECK_INT(parse(&a, words, &data, &n).propagation, rows[i].want);
	}
}

TEST(options_switches)
{
	static const char *const words[] = { "rbind",	     "tmpcopyup", "copy-symlink",
					     "src-nofollow", "ridmap",	  "dest-nofollow",
					     "remount" };
	auto_arena a = arena_make();
	const struct mount_data *data;
	struct mount_flags f = { 0 };
	struct err e = { 0 };
	size_t n;

	REQUIRE_OK(mount_options_parse(&a, words, COUNT(words), &f, &data, &n, &e), &e);
	CHECK(f.bind && f.recursive && f.tmpcopyup && f.copy_symlink && f.remount);
	CHECK(f.src_nofollow && f.dest_nofollow && f.idmap && f.ridmap);
	CHECK(f.idmap_text == NULL);
}

/* Whatever is not a word of ours is the file system's. */
TEST(options_data)
{
	static const struct {
		const char *word;
		size_t n;
		const char *key, *value; /* of the last */
	} rows[] = {
		{ "size=64k", 1, "size", "64k" },
		{ "acl", 1, "acl", NULL },
		{ "size=1k,mode=755", 2, "mode", "755" },
		{ "mode=", 1, "mode", "" },
		{ ",,size=1k,", 1, "size", "1k" },
		{ "context=\"a:b:c0,c1\"", 1, "context", "a:b:c0,c1" },
		{ "a=b=c", 1, "a", "b=c" },
		{ "RO", 1, "RO", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const words[] = { rows[i].word, NULL };
		auto_arena a = arena_make();
		const struct mount_data *data = NULL;
		size_t n = 0;

		unit_row("%s", rows[i].word);
		parse(&a, words, &data, &n);
		CHECK_INT(n, rows[i].n);
		REQUIRE(n > 0);
		CHECK_STR(data[n - 1].key, rows[i].key);
		if (rows[i].value)
			CHECK_STR(data[n - 1].value, rows[i].value);
		else
			CHECK(data[n - 1].value == NULL);
	}
}

TEST(options_refused)
{
	static const char *const words[] = { "=x" };
	auto_arena a = arena_make();
	const struct mount_data *data;
	struct mount_flags f;
	struct err e = { 0 };
	size_t n;

	CHECK_INT(mount_options_parse(&a, words, 1, &f, &data, &n, &e), -EINVAL);
	CHECK_HAS(e.text, "'=x' has no name");
}

/* The table is searched by halves: a row in the wrong place would never be found. */
TEST(options_sorted)
{
	size_t n;
	const char *const *names = mount_option_names(&n);

	CHECK(n > 60);
	for (size_t i = 1; i < n; i++) {
		unit_row("%s", names[i]);
		CHECK(strcmp(names[i - 1], names[i]) < 0);
	}
	for (size_t i = 0; i < n; i++) {
		const char *const words[] = { names[i], NULL };
		auto_arena a = arena_make();
		const struct mount_data *data;
		size_t n_data;

		unit_row("%s", names[i]);
		parse(&a, words, &data, &n_data);
		CHECK_INT(n_data, 0);
		/* what is for the caller is no option of the runtime */
		CHECK(!str_eq(names[i], "z") && !str_eq(names[i], "nocopy"));
	}
}
