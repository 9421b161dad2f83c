/* SPDX-License-Identifier: Apache-2.0 */
/* Who is alone notes the options of the host's cgroup tree; who is not, asks for them. */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "criu/host_cgroup.h"
#include "unit/unit.h"

#define NOTE "trusted.cleat.options"

/* Others may run the same tests on this host: until what it returns is closed they wait. */
static int alone(void)
{
	int fd = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (geteuid() != 0)
		unit_skip("needs root");
	REQUIRE(fd >= 0 && flock(fd, LOCK_EX) == 0);
	return fd;
}

/* A missing note is the empty text. */
static const char *note_at(const char *path)
{
	static char text[256];
	ssize_t n = getxattr(path, NOTE, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

TEST(two_at_once)
{
	auto_arena a = arena_make();
	auto_fd guard = alone();
	struct host_cgroup first, second;

	host_cgroup_begin(&a, &first);
	if (!first.path)
		unit_skip("no cgroup2 here");
	if (first.dir < 0 || !*note_at(first.path))
		unit_skip("'%s' takes no trusted attribute", first.path);
	CHECK_STR(note_at(first.path), first.options);
	host_cgroup_begin(&a, &second);
	CHECK_STR(second.options, first.options);
	host_cgroup_end(&a, &first);
	CHECK_STR(note_at(second.path), second.options);
	host_cgroup_end(&a, &second);
	CHECK_STR(note_at(second.path), "");
}

/* What the one reads is what the other has noted, not what is there meanwhile. */
TEST(the_note_counts)
{
	auto_arena a = arena_make();
	auto_fd guard = alone();
	struct host_cgroup first, second;
	const char *there;

	host_cgroup_begin(&a, &first);
	if (!first.path || first.dir < 0 || !*note_at(first.path))
		unit_skip("no cgroup2 that takes a trusted attribute");
	there = arena_strdup(&a, first.options);
	REQUIRE(setxattr(first.path, NOTE, "rw,noted", strlen("rw,noted"), 0) == 0);
	host_cgroup_begin(&a, &second);
	CHECK_STR(second.options, "rw,noted");
	second.options = there; /* no kernel knows the other */
	host_cgroup_end(&a, &second);
	host_cgroup_end(&a, &first);
	CHECK_STR(note_at(first.path), "");
}
