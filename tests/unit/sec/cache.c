/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of compiled filters: what was written comes back, and nothing that somebody
 * else could have had a hand in is ever taken for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sec/seccomp_cache.h"
#include "unit/unit.h"

static const char *place;

static const char *const names_a[] = { "read", "write" };
static const char *const names_b[] = { "readwrite" };
static const struct seccomp_cond conds[2] = {
	{ 0, SECCOMP_OP_EQ, 1, 0 },
	{ 1, SECCOMP_OP_EQ, 1, 0 },
};

static const struct sock_filter program[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	BPF_STMT(BPF_RET | BPF_K, 0x7fff0000),
};

static struct seccomp_profile profile(struct seccomp_rule *rule)
{
	*rule = (struct seccomp_rule){ .names = names_a, .n_names = 2, .action = 0x7fff0000 };
	return (struct seccomp_profile){ .default_action = 0x50001, .rules = rule, .n_rules = 1 };
}

static bool found(const struct seccomp_profile *p)
{
	auto_seccomp_cache c = SECCOMP_CACHE_NONE;
	auto_arena a = arena_make();
	struct sock_filter *insns = NULL;
	size_t n = 0;

	seccomp_cache_open(place, p, &c);
	return seccomp_cache_find(&c, &a, &insns, &n) && n == COUNT(program) &&
	       memcmp(insns, program, sizeof(program)) == 0;
}

static bool keep(const struct seccomp_profile *p, char *path, size_t size)
{
	auto_seccomp_cache c = SECCOMP_CACHE_NONE;

	seccomp_cache_open(place, p, &c);
	if (c.dir.fd < 0)
		return false;
	snprintf(path, size, "%s/%s", c.path, c.name);
	seccomp_cache_keep(&c, program, COUNT(program));
	return true;
}

static bool patch(const char *path, off_t at, size_t n)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char bytes[256];
	bool ok;

	if (fd < 0 || pread(fd, bytes, n, at) != (ssize_t)n)
		return false;
	for (size_t i = 0; i < n; i++)
		bytes[i] ^= 1;
	ok = pwrite(fd, bytes, n, at) == (ssize_t)n;
	close(fd);
	return ok;
}

TEST(every_byte_counts)
{
	struct seccomp_rule rule;
	const struct seccomp_profile profile_ = profile(&rule), *p = &profile_;
	char path[512];
	struct stat st;

	place = unit_dir();
	umask(0);
	CHECK(!found(p));
	REQUIRE(keep(p, path, sizeof(path)) && stat(path, &st) == 0);
	CHECK((st.st_mode & 07777) == 0600);
	for (off_t at = 0; at < st.st_size; at++) {
		keep(p, path, sizeof(path));
		CHECK(found(p));
		CHECK(patch(path, at, 1));
		CHECK(!found(p));
		CHECK(access(path, F_OK) < 0); /* removed, so it is made again */
	}
	for (off_t len = 0; len <= st.st_size + 8; len++) {
		keep(p, path, sizeof(path));
		CHECK(truncate(path, len) == 0);
		CHECK(found(p) == (len == st.st_size));
	}
}

TEST(what_others_could_write)
{
	struct seccomp_rule rule;
	const struct seccomp_profile profile_ = profile(&rule), *p = &profile_;
	static const mode_t modes[] = { 0620, 0602, 0660, 0666, 0640, 0604, 0601 };
	char path[512], other[600], dir[512];

	place = unit_dir();
	snprintf(dir, sizeof(dir), "%s/seccomp", place);
	for (size_t i = 0; i < COUNT(modes); i++) {
		keep(p, path, sizeof(path));
		CHECK(chmod(path, modes[i]) == 0);
		CHECK(!found(p));
	}
	keep(p, path, sizeof(path));
	snprintf(other, sizeof(other), "%s.other", path);
	CHECK(rename(path, other) == 0 && symlink(other, path) == 0);
	CHECK(!found(p));
	CHECK(link(other, path) == 0);
	CHECK(!found(p)); /* two names */
	unlink(other);
	CHECK(mkfifo(path, 0600) == 0);
	CHECK(!found(p)); /* and does not wait for a writer */
	CHECK(mkdir(path, 0700) == 0);
	CHECK(!found(p));
	rmdir(path);
	for (size_t i = 0; i < COUNT(modes); i++) {
		keep(p, path, sizeof(path));
		CHECK(found(p));
		CHECK(chmod(dir, modes[i] | 0100) == 0);
		CHECK(!found(p));
		CHECK(chmod(dir, 0700) == 0);
	}
	if (geteuid() != 0)
		return;
	CHECK(chown(path, 1, 1) == 0);
	CHECK(!found(p));
	keep(p, path, sizeof(path));
	CHECK(chown(dir, 1, 1) == 0);
	CHECK(!found(p));
	CHECK(chown(dir, 0, 0) == 0);
	CHECK(found(p));
}

/* Each difference in a profile is another entry. */
TEST(keys)
{
	struct seccomp_rule r[8], two[2];
	struct seccomp_profile p[8];
	char path[8][512];

	place = unit_dir();
	for (size_t i = 0; i < 8; i++)
		p[i] = profile(&r[i]);
	r[1].names = names_b; /* the same letters */
	r[1].n_names = 1;
	r[2].action = 0x50002; /* another errno */
	p[3].default_action = 0x50002;
	r[4].conds = conds;
	r[4].n_conds = 1;
	r[5].conds = conds + 1;
	r[5].n_conds = 1;
	p[6].archs = (const struct seccomp_arch *[]){ &seccomp_archs[0] };
	p[6].n_archs = 1;
	two[0] = two[1] = r[7]; /* one name in each of two rules */
	two[0].n_names = two[1].n_names = 1;
	two[1].names++;
	p[7].rules = two;
	p[7].n_rules = 2;
	for (size_t i = 0; i < 8; i++) {
		CHECK(keep(&p[i], path[i], sizeof(path[i])));
		for (size_t k = 0; k < i; k++)
			CHECK(!str_eq(path[i], path[k]));
	}
}

static int count(const char *name, unsigned char type, void *arg)
{
	(void)name;
	(void)type;
	++*(size_t *)arg;
	return 0;
}

/* How many there are, after those of @p were opened. */
static size_t entries(const struct seccomp_profile *p)
{
	auto_seccomp_cache c = SECCOMP_CACHE_NONE;
	size_t n = 0;

	seccomp_cache_open(place, p, &c);
	return dir_each(&c.dir, count, &n, NULL) < 0 ? SIZE_MAX : n;
}

TEST(bounded)
{
	struct seccomp_rule rule;
	struct seccomp_profile p = profile(&rule);
	char path[512];

	place = unit_dir();
	for (uint32_t i = 0; i < SECCOMP_CACHE_MAX + 20; i++) {
		rule.action = 0x50000 | i;
		keep(&p, path, sizeof(path));
		CHECK(entries(&p) <= SECCOMP_CACHE_MAX);
		CHECK(found(&p));
	}
	CHECK(entries(&p) == SECCOMP_CACHE_MAX);
	rule.action = 0x50000;
	CHECK(!found(&p)); /* the oldest went */
}
