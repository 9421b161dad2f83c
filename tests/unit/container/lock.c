/* SPDX-License-Identifier: Apache-2.0 */
/* The lock of a container: excludes, waits, goes with its holder, names it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"
#include "unit/unit.h"

static int open_dir(void)
{
	int fd = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

TEST(lock_excludes)
{
	auto_fd mine = open_dir(), theirs = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(!lock_is_held(mine));
	CHECK_INT(lock_try(mine), 0);
	CHECK_INT(lock_try(theirs), -EWOULDBLOCK);
	CHECK(lock_is_held(theirs));
	lock_drop(mine);
	CHECK(!lock_is_held(theirs));
	CHECK_INT(lock_try(theirs), 0);
}

/* A fork that outlives the holder shares the description; dropping must free it all the same. */
TEST(lock_dropped_in_spite_of_a_child)
{
	auto_fd mine = open_dir(), theirs = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ends[2];
	pid_t pid;

	REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
	CHECK_INT(lock_try(mine), 0);
	pid = fork();
	if (pid == 0) {
		char c;

		close(ends[1]);
		_exit(read(ends[0], &c, 1) != 0);
	}
	close(ends[0]);
	lock_drop(mine);
	CHECK_INT(lock_try(theirs), 0);
	close(ends[1]);
	waitpid(pid, NULL, 0);
}

/* Who waits gets it when the holder dies, without a word from the holder. */
TEST(lock_wait_ends_with_the_holder)
{
	auto_arena a = arena_make();
	auto_fd mine = open_dir();
	struct err e = { 0 };
	int ends[2];
	char c = 0;
	pid_t pid;

	REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		struct timespec brief = { .tv_nsec = 50000000 };
		int fd = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		c = lock_try(fd) == 0 ? 'y' : 'n';
		if (write(ends[1], &c, 1) != 1)
			_exit(1);
		nanosleep(&brief, NULL); /* so that the parent comes to wait, most often */
		raise(SIGKILL);
	}
	REQUIRE(read(ends[0], &c, 1) == 1 && c == 'y');
	CHECK_OK(lock_wait(&a, mine, "c1", "test", 10000, &e), &e);
	waitpid(pid, NULL, 0);
	close(ends[0]);
	close(ends[1]);
}

TEST(lock_deadline_names_the_holder)
{
	auto_arena a = arena_make();
	auto_fd mine = open_dir(), theirs = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };
	sigset_t all, now;
	char pid[32];

	CHECK_INT(lock_try(mine), 0);
	/* as in the foreground, where signals wait for their turn */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	CHECK_INT(lock_wait(&a, theirs, "c1", "delete", 250, &e), -ETIMEDOUT);
	snprintf(pid, sizeof(pid), "process %d (", (int)getpid());
	CHECK_HAS(e.text, "cannot delete container 'c1'");
	CHECK_HAS(e.text, pid);
	CHECK_HAS(e.text, "unit");
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGALRM) == 1);
}
