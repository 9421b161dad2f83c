/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/sys.h"
#include "unit/unit.h"

static int open_test_dir(void)
{
	int fd = sys_open(unit_dir(), O_PATH | O_DIRECTORY, 0);

	REQUIRE(fd >= 0);
	return fd;
}

static bool is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

TEST(close_on_exec_from_birth)
{
	auto_fd top = open_test_dir();
	auto_fd a = sys_openat(top, "a", O_RDWR | O_CREAT, 0600);
	auto_fd b = sys_openat2(top, "a", O_PATH, 0, RESOLVE_BENEATH);
	auto_fd m = sys_memfd_create("cleat-test", 0);
	auto_fd p = sys_pidfd_open(getpid(), 0);
	auto_fd s = sys_socket(AF_UNIX, SOCK_STREAM, 0);
	auto_fd copy = sys_dup3(a, 60, O_CLOEXEC);
	sigset_t none;
	int pair[2] = { -1, -1 }, pipes[2] = { -1, -1 };

	sigemptyset(&none);
	auto_fd sig = sys_signalfd(-1, &none);

	CHECK_INT(sys_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	CHECK_INT(sys_pipe2(pipes, O_NONBLOCK), 0);
	CHECK(is_cloexec(top) && is_cloexec(a) && is_cloexec(b) && is_cloexec(m));
	CHECK(is_cloexec(p) && is_cloexec(s) && is_cloexec(sig));
	CHECK(is_cloexec(pair[0]) && is_cloexec(pair[1]));
	CHECK(is_cloexec(pipes[0]) && is_cloexec(pipes[1]));
	CHECK(is_cloexec(copy));
	CHECK_INT(sys_fcntl(copy, F_SETFD, 0), 0);
	CHECK(!is_cloexec(copy));
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(pipes[i]);
	}
}

/* A rootfs that tries to lead us out of it, and what each way of resolving makes of it. */
TEST(openat2_confines)
{
	auto_fd top = open_test_dir();
	auto_fd root = -1;
	static const struct {
		const char *path;
		uint64_t resolve;
		int want;
	} rows[] = {
		{ "etc/passwd", RESOLVE_IN_ROOT, 0 },
		{ "/etc/passwd", RESOLVE_IN_ROOT, 0 },
		{ "../../../../etc/passwd", RESOLVE_IN_ROOT, 0 },
		{ "abs/passwd", RESOLVE_IN_ROOT, 0 },
		{ "up/etc/passwd", RESOLVE_IN_ROOT, 0 },
		{ "abs/shadow", RESOLVE_IN_ROOT, -ENOENT },
		{ "outside", RESOLVE_IN_ROOT, -ENOENT },
		{ "loop", RESOLVE_IN_ROOT, -ELOOP },
		{ "etc/passwd", RESOLVE_BENEATH, 0 },
		{ "/etc/passwd", RESOLVE_BENEATH, -EXDEV },
		{ "../root/etc/passwd", RESOLVE_BENEATH, -EXDEV },
		{ "abs/passwd", RESOLVE_BENEATH, -EXDEV },
		{ "up/etc/passwd", RESOLVE_BENEATH, -EXDEV },
		{ "abs/passwd", RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, -ELOOP },
		{ "etc/passwd", RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, 0 },
	};

	REQUIRE(sys_mkdirat(top, "root", 0755) == 0);
	root = sys_openat(top, "root", O_PATH | O_DIRECTORY, 0);
	REQUIRE(root >= 0 && sys_mkdirat(root, "etc", 0755) == 0);
	close(sys_openat(root, "etc/passwd", O_WRONLY | O_CREAT, 0600));
	close(sys_openat(top, "secret", O_WRONLY | O_CREAT, 0600));
	REQUIRE(sys_symlinkat("/etc", root, "abs") == 0 && sys_symlinkat("../..", root, "up") == 0);
	REQUIRE(sys_symlinkat("../secret", root, "outside") == 0);
	REQUIRE(sys_symlinkat("loop", root, "loop") == 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_fd fd = sys_openat2(root, rows[i].path, O_PATH, 0, rows[i].resolve);

		unit_row("%s with %#llx", rows[i].path, (unsigned long long)rows[i].resolve);
		CHECK_INT(fd < 0 ? fd : 0, rows[i].want);
	}
}

TEST(openat2_refuses_magic_links)
{
	auto_fd proc = sys_open("/proc/self", O_PATH | O_DIRECTORY, 0);
	auto_fd fd = sys_openat2(proc, "root", O_PATH, 0, RESOLVE_NO_MAGICLINKS);

	CHECK_INT(fd, -ELOOP);
	fd = sys_openat2(proc, "exe", O_PATH, 0, RESOLVE_NO_MAGICLINKS);
	CHECK_INT(fd, -ELOOP);
	fd = sys_openat2(proc, "status", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS);
	CHECK(fd >= 0);
}

static _Noreturn void swap_for_ever(int dir)
{
	for (;;)
		if (renameat2(dir, "a", dir, "b", RENAME_EXCHANGE) < 0)
			_exit(1);
}

/* Renames on the way make the kernel give up for now: nobody above must see that. */
TEST(openat2_is_patient_and_confined)
{
	auto_fd top = open_test_dir();
	unsigned wrong = 0;
	struct stat secret;
	pid_t pid;

	REQUIRE(sys_mkdirat(top, "a", 0755) == 0 && sys_mkdirat(top, "a/x", 0755) == 0);
	REQUIRE(sys_mkdirat(top, "b", 0755) == 0 && sys_mkdirat(top, "b/x", 0755) == 0);
	REQUIRE(sys_fstatat(AT_FDCWD, "/", &secret, 0) == 0);
	pid = fork();
	if (pid == 0)
		swap_for_ever(top);
	for (int i = 0; i < 20000; i++) {
		auto_fd fd = sys_openat2(top, "a/x/../../../../b/..", O_PATH, 0, RESOLVE_IN_ROOT);
		struct stat st;

		wrong += fd < 0 || sys_fstat(fd, &st) < 0 ||
			 (st.st_ino == secret.st_ino && st.st_dev == secret.st_dev);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_INT(wrong, 0);
}

TEST(readlink_is_whole_or_an_error)
{
	auto_fd top = open_test_dir();
	char buf[8];

	REQUIRE(sys_symlinkat("1234567", top, "fits") == 0);
	REQUIRE(sys_symlinkat("12345678", top, "long") == 0);
	CHECK_INT(sys_readlinkat(top, "fits", buf, sizeof(buf)), 7);
	CHECK_STR(buf, "1234567");
	CHECK_INT(sys_readlinkat(top, "long", buf, sizeof(buf)), -ENAMETOOLONG);
	CHECK_STR(buf, "");
	CHECK_INT(sys_readlinkat(top, "none", buf, sizeof(buf)), -ENOENT);
	CHECK_STR(buf, "");
}

TEST(attributes_of_files)
{
	auto_fd top = open_test_dir();
	auto_fd fd = sys_openat(top, "f", O_RDWR | O_CREAT, 0600);
	struct statfs fs;
	struct stat st;

	REQUIRE(fd >= 0);
	CHECK_INT(sys_fchmodat(top, "f", 0640), 0);
	CHECK(sys_fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0640);
	CHECK(sys_fstatat(top, "f", &st, 0) == 0 && (st.st_mode & 07777) == 0640);
	CHECK_INT(sys_faccessat(top, "f", R_OK, AT_EACCESS), 0);
	CHECK_INT(sys_faccessat(top, "f", F_OK, 0), 0);
	CHECK_INT(sys_faccessat(top, "none", F_OK, 0), -ENOENT);
	CHECK_INT(sys_fstatat(top, "none", &st, 0), -ENOENT);
	CHECK(sys_fstatfs(fd, &fs) == 0 && fs.f_type != 0);
	CHECK_INT(sys_statfs("/none", &fs), -ENOENT);
	CHECK_INT(sys_unlinkat(top, "f", 0), 0);
	CHECK_INT(sys_unlinkat(top, "f", 0), -ENOENT);
	CHECK_INT(sys_mkdirat(top, "d", 0700), 0);
	CHECK_INT(sys_mkdirat(top, "d", 0700), -EEXIST);
	CHECK_INT(sys_ioctl(fd, TIOCGWINSZ, &st), -ENOTTY);
	CHECK_INT(sys_read(-1, &st, 1), -EBADF);
	CHECK_INT(sys_write(-1, &st, 1), -EBADF);
	CHECK_INT(sys_fchdir(fd), -ENOTDIR);
	if (geteuid() != 0)
		return;
	CHECK_INT(sys_fchown(fd, 12, 34), 0);
	CHECK(sys_fstat(fd, &st) == 0 && st.st_uid == 12 && st.st_gid == 34);
	CHECK_INT(sys_fchownat(top, "d", 56, 78, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(sys_fstatat(top, "d", &st, 0) == 0 && st.st_uid == 56 && st.st_gid == 78);
}

TEST(close_range_spares_the_rest)
{
	auto_fd low = sys_open("/dev/null", O_RDONLY, 0);
	auto_fd high = sys_fcntl(low, F_DUPFD, 70);

	CHECK_INT(high, 70);
	CHECK_INT(sys_close_range(70, ~0U, CLOSE_RANGE_CLOEXEC), 0);
	CHECK(is_cloexec(high));
	CHECK_INT(sys_close_range(70, 70, 0), 0);
	CHECK_INT(sys_fcntl(fd_take(&high), F_GETFD, 0), -EBADF);
	CHECK(fcntl(low, F_GETFD) >= 0);
	CHECK_INT(sys_close_range(5, 4, 0), -EINVAL);
}
