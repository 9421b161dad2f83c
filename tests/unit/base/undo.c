/* SPDX-License-Identifier: Apache-2.0 */
#include "base/undo.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

static char order[64];

static void note(void *arg)
{
	size_t n = strlen(order);

	order[n] = *(const char *)arg;
	order[n + 1] = '\0';
}

TEST(newest_first_and_once)
{
	struct undo u = { 0 };

	undo_push(&u, note, "a");
	undo_push(&u, note, "b");
	undo_push(&u, note, "c");
	undo_run(&u);
	CHECK_STR(order, "cba");
	undo_run(&u);
	CHECK_STR(order, "cba");
}

TEST(forgotten)
{
	struct undo u = { 0 };

	undo_push(&u, note, "a");
	undo_forget(&u);
	undo_push(&u, note, "b");
	undo_run(&u);
	CHECK_STR(order, "b");
}

static struct undo outer;

static void push_more(void *arg)
{
	undo_push(&outer, note, arg);
}

TEST(an_undo_may_push)
{
	undo_push(&outer, note, "a");
	undo_push(&outer, push_more, "b");
	undo_run(&outer);
	CHECK_STR(order, "ba");
}

TEST(overflow_aborts)
{
	struct rlimit no_core = { 0, 0 };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct undo u = { 0 };

		setrlimit(RLIMIT_CORE, &no_core);
		for (int i = 0; i <= UNDO_MAX; i++)
			undo_push(&u, note, "a");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
