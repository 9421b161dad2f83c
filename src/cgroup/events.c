/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events - waiting for what happens to a cgroup
 *
 * cgroup.events of v2 wakes poll(2) whenever one of its values changes; the file is
 * read before each wait, so no change is missed. cgroups(7), "cgroup.events".
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

#define PAUSE_MAX_MS 64

/* The number behind "<key> " at the start of a line, or -1. */
static int value_of(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, n) == 0 && line[n] == ' ')
			return line[n + 1] - '0';
	}
	return -1;
}

/* From the start each time: the descriptor stays open, since it is what poll(2) compares by. */
static int read_again(int fd, char *buf, size_t size)
{
	ssize_t n;

	do
		n = pread(fd, buf, size - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

int cgroup_events_read(int dirfd, struct cgroup_events *ret)
{
	auto_fd fd = sys_openat(dirfd, "cgroup.events", O_RDONLY, 0);

	return cgroup_events_read_fd(fd, ret);
}

int cgroup_events_read_fd(int fd, struct cgroup_events *ret)
{
	char text[128];
	int r = fd < 0 ? fd : read_again(fd, text, sizeof(text));

	if (r < 0)
		return cgroup_is_gone(r) ? -ENODEV : r;
	ret->populated = value_of(text, "populated");
	ret->frozen = value_of(text, "frozen");
	return 0;
}

int cgroup_open_events(const struct cgroup *cg)
{
	const struct cgroup_dir *d = cgroup_dir_v2(cg);
	int fd = d ? cgroup_open_file(cg, d, "cgroup.events", O_RDONLY) : -1;

	return fd < 0 ? -1 : fd;
}

bool cgroup_events_say_empty(int fd)
{
	struct cgroup_events now;

	return cgroup_events_read_fd(fd, &now) < 0 || now.populated == 0;
}

int cgroup_events_wait(int dirfd, const char *key, int value, uint64_t timeout_ms)
{
	auto_fd fd = sys_openat(dirfd, "cgroup.events", O_RDONLY, 0);
	int64_t deadline = clock_now_ms() + (int64_t)timeout_ms, left;
	int r = fd < 0 ? fd : 0;
	char text[128];

	while (r >= 0) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };

		r = read_again(fd, text, sizeof(text));
		if (r < 0 || value_of(text, key) == value)
			break;
		left = deadline - clock_now_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		r = sys_ppoll(&p, 1, left);
	}
	return cgroup_is_gone(r) ? -ENODEV : r;
}

bool cgroup_v1_pause(unsigned *turn, int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_now_ms();
	int64_t pause = *turn < 6 ? 1 << *turn : PAUSE_MAX_MS;

	if (left <= 0)
		return false;
	(*turn)++;
	sys_ppoll(NULL, 0, pause < left ? pause : left);
	return true;
}
