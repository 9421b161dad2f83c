/* SPDX-License-Identifier: Apache-2.0 */
/* Records: the newest that can be read counts, a later release's is left alone. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/file.h"
#include "container/internal.h"
#include "sys/sys.h"
#include "unit/unit.h"

#define HEAD "{\"version\":1,\"phase\":\"created\",\"id\":\"c1\",\"bundle\":\"/b\""

/* What releases wrote; a line is added with each version and none is ever removed. */
static const char version_1[] =
	"{\"version\":1,\"phase\":\"created\",\"ociVersion\":\"1.3.0\",\"id\":\"c1\","
	"\"bundle\":\"/b\",\"rootfs\":\"/b/rootfs\",\"created\":\"2026-11-23T18:50:00.000000001Z\","
	"\"owner\":0,\"annotations\":{\"k\":\"v\"},\"pid\":4711,\"pidfdInode\":18446744073709551615,"
	"\"terminal\":false,\"detached\":true,\"keep\":false,\"noPivot\":false,"
	"\"noNewKeyring\":false,\"ownPidNamespace\":true,\"poststartHooks\":false,"
	"\"poststopHooks\":true,\"cgroup\":{\"manager\":\"cgroupfs\",\"path\":\"/c1\","
	"\"unifiedPath\":\"/sys/fs/cgroup\",\"inode\":77}}";

static const struct {
	const char *text;
	int want;
	const char *words;
} cases[] = {
	{ HEAD "}", 0, NULL },
	{ HEAD ",\"later\":[1]}", 0, NULL },
	{ "{\"version\":2,\"phase\":\"created\",\"id\":\"c1\",\"bundle\":\"/b\"}", -EPROTONOSUPPORT,
	  "belongs to a newer release: its state has version 2" },
	{ "{\"version\":2,\"phase\":\"dreaming\",\"id\":{}}", -EPROTONOSUPPORT, "version 2" },
	{ "{\"version\":4294967295}", -EPROTONOSUPPORT, "version 4294967295" },
	{ "", -EINVAL, "the state of container 'c1' cannot be read" },
	{ "{", -EINVAL, "cannot be read" },
	{ "{}", -EINVAL, "cannot be read" },
	{ "null", -EINVAL, "cannot be read" },
	{ "{\"version\":1}", -EINVAL, "cannot be read" },
	{ "{\"version\":1,\"phase\":\"dreaming\",\"id\":\"c1\",\"bundle\":\"/b\"}", -EINVAL,
	  "phase" },
	{ "{\"version\":1,\"phase\":\"intent\",\"id\":\"c2\",\"bundle\":\"/b\"}", -EINVAL,
	  "is that of 'c2'" },
	{ HEAD ",\"pid\":-1}", -EINVAL, "pid" },
};

TEST(record_texts)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		auto_arena a = arena_make();
		struct cleat_state_file *s;
		struct err e = { 0 };

		unit_row("%s", cases[i].text);
		CHECK_INT(record_decode(&a, "c1", cases[i].text, strlen(cases[i].text), &s, &e),
			  cases[i].want);
		if (cases[i].words)
			CHECK_HAS(e.text, cases[i].words);
	}
}

TEST(record_version_1)
{
	auto_arena a = arena_make();
	struct cleat_state_file *s;
	struct err e = { 0 };

	REQUIRE_OK(record_decode(&a, "c1", version_1, sizeof(version_1) - 1, &s, &e), &e);
	CHECK_INT(record_phase(s), RECORD_CREATED);
	CHECK_INT(s->pid, 4711);
	CHECK(s->pidfd_inode == UINT64_MAX);
	CHECK_STR(spec_annotation_in(s->annotations, "k"), "v");
	CHECK(!spec_annotation_in(s->annotations, "x"));
	CHECK_INT(s->cgroup->inode, 77);
	CHECK(s->own_pid_namespace && s->poststop_hooks && !s->poststart_hooks);
}

static void open_dir(struct dir *d)
{
	struct err e = { 0 };

	REQUIRE_OK(dir_open(unit_dir(), d, &e), &e);
}

TEST(record_round_trip)
{
	auto_arena a = arena_make();
	auto_dir d = DIR_NONE;
	struct cleat_state_file *s, *back;
	struct err e = { 0 };

	open_dir(&d);
	REQUIRE_OK(record_decode(&a, "c1", version_1, sizeof(version_1) - 1, &s, &e), &e);
	for (int phase = RECORD_INTENT; phase <= RECORD_CREATED; phase++) {
		CHECK_OK(record_write(&a, &d, s, (enum record_phase)phase, &e), &e);
		REQUIRE_OK(record_read(&a, d.fd, "c1", &back, &e), &e);
		REQUIRE(back != NULL);
		CHECK_INT(record_phase(back), phase);
		CHECK_STR(back->created, s->created);
		CHECK_INT(back->pid, 4711);
	}
}

TEST(record_absent_or_broken)
{
	auto_arena a = arena_make();
	auto_dir d = DIR_NONE;
	struct cleat_state_file *s;
	struct err e = { 0 };

	open_dir(&d);
	CHECK_OK(record_read(&a, d.fd, "c1", &s, &e), &e);
	CHECK(s == NULL && record_phase(s) == RECORD_NONE);
	REQUIRE_OK(file_replace_at(&d, RECORD_NAME, 0600, "{\"ver", 5, &e), &e);
	CHECK_OK(record_read(&a, d.fd, "c1", &s, &e), &e);
	CHECK(s == NULL && e.code == 0);
}

/* Nothing that a record of another boot says is believed but the names. */
TEST(record_of_another_boot)
{
	static const char text[] = HEAD ",\"pid\":1,\"bootId\":\"another\"}";
	auto_arena a = arena_make();
	auto_dir d = DIR_NONE;
	struct cleat_state_file *s;
	struct err e = { 0 };
	int pidfd = -1;

	open_dir(&d);
	REQUIRE_OK(file_replace_at(&d, RECORD_NAME, 0600, text, sizeof(text) - 1, &e), &e);
	REQUIRE_OK(record_read(&a, d.fd, "c1", &s, &e), &e);
	REQUIRE(s != NULL);
	CHECK_INT(record_phase(s), RECORD_INTENT);
	CHECK_OK(identity_open(s, &pidfd, &e), &e);
	CHECK_INT(pidfd, -1);
}

/* A living process is found by its identity; another with its pid, or a zombie, is not. */
TEST(identity)
{
	auto_arena a = arena_make();
	struct cleat_state_file s = { 0 };
	struct err e = { 0 };
	auto_fd pidfd = -1, found = -1;
	int ends[2];
	pid_t pid;

	REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		char c;

		close(ends[1]);
		_exit(read(ends[0], &c, 1) != 0);
	}
	close(ends[0]);
	pidfd = sys_pidfd_open(pid, 0);
	REQUIRE(pidfd >= 0);
	CHECK_OK(identity_record(&a, &s, pid, pidfd, &e), &e);
	CHECK(s.has_pid && (s.has_pidfd_inode || s.has_start_time));
	CHECK_OK(identity_open(&s, &found, &e), &e);
	CHECK(found >= 0);
	fd_close(&found);

	s.pidfd_inode++;
	s.start_time++;
	CHECK_OK(identity_open(&s, &found, &e), &e);
	CHECK_INT(found, -1);
	s.pidfd_inode--;
	s.start_time--;
	CHECK_INT(identity_wait(pid, pidfd, 0, NULL), -ETIMEDOUT);

	close(ends[1]);
	CHECK_OK(identity_wait(pid, pidfd, 10000, &e), &e);
	CHECK_OK(identity_open(&s, &found, &e), &e);
	CHECK_INT(found, -1);
	waitpid(pid, NULL, 0);
	CHECK_OK(identity_open(&s, &found, &e), &e);
	CHECK_INT(found, -1);
}

/* Where there is no pidfs the start time is what counts. */
TEST(identity_by_start_time)
{
	auto_arena a = arena_make();
	struct cleat_state_file s = { .pid = getpid(), .has_pid = true, .has_start_time = true };
	auto_fd found = -1;
	struct err e = { 0 };
	char *text, *p;

	REQUIRE_OK(file_read_at(AT_FDCWD, "/proc/self/stat", &a, 4096, &text, &e), &e);
	p = strrchr(text, ')') + 1;
	for (int field = 3; field < 22; field++)
		p = strchr(p + 1, ' ');
	s.start_time = strtoull(p, NULL, 10);
	CHECK_OK(identity_open(&s, &found, &e), &e);
	CHECK(found >= 0);
	fd_close(&found);
	s.start_time++;
	CHECK_OK(identity_open(&s, &found, &e), &e);
	CHECK_INT(found, -1);
}
