/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "unit/unit.h"

static struct dir open_test_dir(void)
{
	struct dir d = DIR_NONE;
	struct err e = { 0 };

	REQUIRE_OK(dir_open(unit_dir(), &d, &e), &e);
	return d;
}

static void put(const struct dir *d, const char *name, const void *data, size_t n)
{
	auto_fd fd = openat(d->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	REQUIRE(file_write_all(fd, data, n) == 0);
}

TEST(read_any_size)
{
	auto_dir d = open_test_dir();
	static const size_t sizes[] = { 0, 1, 4094, 4095, 4096, 4097, 8191, 8192, 70000, 1000000 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		auto_arena a = arena_make();
		size_t n = sizes[i];
		char *data = arena_alloc(&a, n + 1), *got = NULL;
		struct err e = { 0 };

		for (size_t k = 0; k < n; k++)
			data[k] = (char)('a' + k % 26);
		put(&d, "f", data, n);
		unit_row("%zu bytes", n);
		CHECK_INT(file_read_at(d.fd, "f", &a, n, &got, &e), (intmax_t)n);
		CHECK(got && strlen(got) == n && memcmp(got, data, n) == 0);
		CHECK_INT(file_read_at(d.fd, "f", &a, n + 1, &got, &e), (intmax_t)n);
		if (n == 0)
			continue;
		got = NULL;
		CHECK_INT(file_read_at(d.fd, "f", &a, n - 1, &got, &e), -EFBIG);
		CHECK(!got);
		CHECK_STR(e.text, "read 'f': file too large");
	}
}

TEST(read_from_a_pipe)
{
	auto_arena a = arena_make();
	char big[20000], *got = NULL;
	struct err e = { 0 };
	int p[2];

	memset(big, 'x', sizeof(big));
	REQUIRE(pipe2(p, O_CLOEXEC) == 0);
	REQUIRE(write(p[1], big, sizeof(big)) == sizeof(big));
	close(p[1]);
	CHECK_INT(file_read_fd(p[0], "stdin", &a, 1 << 20, &got, &e), sizeof(big));
	CHECK(got && memcmp(got, big, sizeof(big)) == 0);
	CHECK(fcntl(p[0], F_GETFD) >= 0);
	close(p[0]);
}

TEST(read_kernel_files)
{
	auto_arena a = arena_make();
	char *got = NULL, small[16];
	struct err e = { 0 };

	CHECK(file_read_at(AT_FDCWD, "/proc/self/maps", &a, 1 << 20, &got, &e) > 200);
	CHECK_HAS(got, "[stack]");
	CHECK(file_read_small(AT_FDCWD, "/proc/sys/kernel/cap_last_cap", small, sizeof(small)) > 0);
	CHECK(atoi(small) >= 40); /* banned-ok: a test */
	CHECK(!strchr(small, '\n'));
	CHECK_INT(file_read_small(AT_FDCWD, "/proc/self/maps", small, sizeof(small)), 15);
	CHECK_INT(file_read_small(AT_FDCWD, "/nowhere", small, sizeof(small)), -ENOENT);
	CHECK_STR(small, "");
	CHECK_INT(file_read_small(AT_FDCWD, "/proc", small, sizeof(small)), -EISDIR);
}

/* A file in several pages of pieces comes whole. */
TEST(read_small_in_pieces)
{
	static char text[1 << 20];
	ssize_t n = file_read_small(AT_FDCWD, "/proc/kallsyms", text, sizeof(text));

	if (n <= 0)
		unit_skip("/proc/kallsyms is not readable");
	CHECK_INT(n, sizeof(text) - 1);
}

TEST(only_regular_files)
{
	auto_dir d = open_test_dir();
	auto_arena a = arena_make();
	struct err e = { 0 };
	char *got = NULL;

	REQUIRE(mkfifoat(d.fd, "fifo", 0600) == 0 && mkdirat(d.fd, "dir", 0700) == 0);
	REQUIRE(mknodat(d.fd, "socket", S_IFSOCK | 0600, 0) == 0);
	CHECK_INT(file_read_at(d.fd, "fifo", &a, 100, &got, &e), -EINVAL);
	CHECK_STR(e.text, "read 'fifo': not a regular file");
	CHECK_INT(file_read_at(d.fd, "dir", &a, 100, &got, &e), -EISDIR);
	CHECK_INT(file_read_at(d.fd, "socket", &a, 100, &got, &e), -ENXIO);
	CHECK_INT(file_read_at(AT_FDCWD, "/dev/zero", &a, 100, &got, &e), -EINVAL);
	CHECK_INT(file_read_at(d.fd, "none", &a, 100, &got, &e), -ENOENT);
	CHECK_STR(e.text, "open 'none': no such file or directory");
	CHECK(!got);
}

TEST(what_a_user_named_may_be_a_pipe)
{
	auto_dir d = open_test_dir();
	auto_arena a = arena_make();
	struct err e = { 0 };
	char *got = NULL;
	int ends[2];

	CHECK_INT(file_read_named(AT_FDCWD, "/dev/zero", &a, 100, &got, &e), -EFBIG);
	CHECK_INT(file_read_named(AT_FDCWD, unit_dir(), &a, 100, &got, &e), -EISDIR);
	CHECK_INT(file_read_named(d.fd, "none", &a, 100, &got, &e), -ENOENT);
	CHECK_STR(e.text, "open 'none': no such file or directory");
	REQUIRE(pipe2(ends, O_CLOEXEC) == 0 && write(ends[1], "text", 4) == 4);
	REQUIRE(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	CHECK_INT(file_read_named(AT_FDCWD, "-", &a, 100, &got, &e), 4);
	CHECK_STR(got, "text");
}

TEST(write_names_directory_file_and_value)
{
	auto_dir proc = DIR_NONE;
	char want[512], value[600];
	struct err e = { 0 };

	REQUIRE_OK(dir_open("/proc/self", &proc, &e), &e);
	CHECK_INT(file_write_at(&proc, "oom_score_adj", "4000\n", 5, &e), -EINVAL);
	CHECK_STR(e.text, "write '4000' to '/proc/self/oom_score_adj': invalid argument");
	CHECK_STR(e.subject, "/proc/self/oom_score_adj");
	CHECK_INT(file_write_at(&proc, "none", "1", 1, &e), -ENOENT);
	CHECK_STR(e.text, "open for writing '/proc/self/none': no such file or directory");
	CHECK_OK(file_write_at(&proc, "oom_score_adj", "500", 3, &e), &e);
	CHECK(file_read_small(proc.fd, "oom_score_adj", want, sizeof(want)) == 3);
	CHECK_STR(want, "500");
	/* only @len bytes are written and shown */
	CHECK_INT(file_write_at(&proc, "oom_score_adj", "77x99", 3, &e), -EINVAL);
	CHECK_HAS(e.text, "write '77x' to");
	memset(value, '9', sizeof(value));
	CHECK(file_write_at(&proc, "oom_score_adj", value, sizeof(value), &e) < 0);
	CHECK(strlen(e.text) < 300);
}

TEST(replace)
{
	auto_dir d = open_test_dir();
	auto_arena a = arena_make();
	struct err e = { 0 };
	struct stat st;
	char *got = NULL;

	umask(0);
	REQUIRE(mkdirat(d.fd, "sub", 0755) == 0);
	CHECK_OK(file_replace_at(&d, "f", 0640, "one", 3, &e), &e);
	CHECK_OK(file_replace_at(&d, "f", 0600, "second", 6, &e), &e);
	CHECK_INT(file_read_at(d.fd, "f", &a, 100, &got, &e), 6);
	CHECK_STR(got, "second");
	CHECK(fstatat(d.fd, "f", &st, 0) == 0 && (st.st_mode & 07777) == 0600);
	CHECK_OK(file_replace_at(&d, "sub/f", 0600, "deep", 4, &e), &e);
	CHECK_INT(file_read_at(d.fd, "sub/f", &a, 100, &got, &e), 4);
	CHECK_OK(file_replace_at(&d, "empty", 0600, "", 0, &e), &e);
	CHECK_INT(file_read_at(d.fd, "empty", &a, 100, &got, &e), 0);
	/* no temporary file stays behind, not even after an error */
	CHECK_INT(file_replace_at(&d, "sub", 0600, "x", 1, &e), -EISDIR);
	CHECK_HAS(e.text, "/sub': is a directory");
	CHECK_INT(file_replace_at(&d, "none/f", 0600, "x", 1, &e), -ENOENT);
	CHECK(fstatat(d.fd, ".sub.new", &st, 0) < 0 && fstatat(d.fd, ".f.new", &st, 0) < 0);
	CHECK(fstatat(d.fd, "sub/.f.new", &st, 0) < 0);
}

/* What lies where the temporary file goes is neither followed nor written to. */
TEST(replace_is_not_led_astray)
{
	auto_dir d = open_test_dir();
	auto_arena a = arena_make();
	struct err e = { 0 };
	char *got = NULL;

	put(&d, "victim", "safe", 4);
	REQUIRE(symlinkat("victim", d.fd, ".f.new") == 0);
	CHECK_OK(file_replace_at(&d, "f", 0600, "data", 4, &e), &e);
	CHECK_INT(file_read_at(d.fd, "f", &a, 100, &got, &e), 4);
	CHECK_STR(got, "data");
	CHECK_INT(file_read_at(d.fd, "victim", &a, 100, &got, &e), 4);
	CHECK_STR(got, "safe");

	REQUIRE(linkat(d.fd, "victim", d.fd, ".f.new", 0) == 0);
	CHECK_OK(file_replace_at(&d, "f", 0600, "more", 4, &e), &e);
	CHECK_INT(file_read_at(d.fd, "victim", &a, 100, &got, &e), 4);
	CHECK_STR(got, "safe");
	/* the file itself being a link: the link is replaced */
	REQUIRE(symlinkat("victim", d.fd, "l") == 0);
	CHECK_OK(file_replace_at(&d, "l", 0600, "new", 3, &e), &e);
	CHECK_INT(file_read_at(d.fd, "victim", &a, 100, &got, &e), 4);
	CHECK_STR(got, "safe");
	/* a leftover of a killed predecessor, longer than what is written now */
	put(&d, ".f.new", "leftover of a killed process", 28);
	CHECK_OK(file_replace_at(&d, "f", 0600, "x", 1, &e), &e);
	CHECK_INT(file_read_at(d.fd, "f", &a, 100, &got, &e), 1);
}

static _Noreturn void replace_for_ever(const struct dir *d)
{
	char data[2][6000];

	memset(data[0], 'a', sizeof(data[0]));
	memset(data[1], 'b', sizeof(data[1]));
	for (unsigned i = 0;; i++)
		if (file_replace_at(d, "f", 0600, data[i & 1], sizeof(data[0]), NULL) < 0)
			_exit(1);
}

/* A reader beside a writer, also one that is killed at any point, sees one of the two. */
TEST(replace_is_atomic)
{
	auto_dir d = open_test_dir();
	unsigned wrong = 0;

	put(&d, "f", "", 0);
	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();
		char last = 0;

		if (pid == 0)
			replace_for_ever(&d);
		/* until this round's writer was seen at work */
		for (int changes = 0; changes < 10;) {
			auto_arena a = arena_make();
			char *got = NULL;
			ssize_t n = file_read_at(d.fd, "f", &a, 10000, &got, NULL);

			if (n == 0 && round == 0 && !last)
				continue; /* nothing was written yet */
			if (n != 6000 || (got[0] != 'a' && got[0] != 'b') ||
			    memcmp(got, got + 1, 5999) != 0) {
				wrong++;
				break;
			}
			changes += got[0] != last;
			last = got[0];
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(file_replace_at(&d, "f", 0600, "end", 3, NULL), 0);
}

TEST(write_all_through_a_small_pipe)
{
	static char data[300000];
	size_t sum = 0;
	int p[2];
	pid_t pid;

	REQUIRE(pipe2(p, O_CLOEXEC) == 0);
	memset(data, 'd', sizeof(data));
	pid = fork();
	if (pid == 0) {
		close(p[0]);
		_exit(file_write_all(p[1], data, sizeof(data)) != 0);
	}
	close(p[1]);
	for (ssize_t n; (n = read(p[0], data, 1000)) > 0;)
		sum += (size_t)n;
	waitpid(pid, NULL, 0);
	CHECK_INT((intmax_t)sum, sizeof(data));
	close(p[0]);
	CHECK_INT(file_write_all(-1, "x", 1), -EBADF);
	CHECK_INT(file_write_all(-1, "", 0), 0);
}
