/* SPDX-License-Identifier: Apache-2.0 */
/* What a process will do anyhow: nothing but its end must be taken for its end. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "container/internal.h"
#include "sys/sys.h"
#include "unit/unit.h"

#define PATIENCE_MS 5000

static void *stay(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

/* With a second thread the first one ends, and the process lives on. */
static pid_t child(bool first_ends)
{
	pthread_t thread;
	pid_t pid = fork();

	if (pid)
		return pid;
	if (first_ends && pthread_create(&thread, NULL, stay, NULL) == 0)
		syscall(SYS_exit, 0);
	stay(NULL);
	_exit(EXIT_FAILURE);
}

static bool comes_to(pid_t pid, char state)
{
	int64_t end = clock_now_ms() + PATIENCE_MS;
	char path[64], text[512];
	const char *found;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	while (clock_now_ms() < end) {
		if (file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0)
			return false;
		found = strrchr(text, ')');
		if (found && found[1] && found[2] == state)
			return true;
	}
	return false;
}

TEST(a_process_that_lives_is_not_ending)
{
	for (int first_ends = 0; first_ends < 2; first_ends++) {
		pid_t pid = child(first_ends);
		auto_fd pidfd = sys_pidfd_open(pid, 0);

		unit_row("%s", first_ends ? "its first thread has ended" : "one thread");
		CHECK(comes_to(pid, first_ends ? 'Z' : 'S'));
		CHECK(!identity_is_ending(pid, pidfd));
		CHECK_INT(kill(pid, SIGKILL), 0);
		CHECK(identity_is_ending(pid, pidfd));
		CHECK_INT(waitpid(pid, NULL, 0), pid);
		CHECK(identity_is_ending(pid, pidfd));
	}
}
