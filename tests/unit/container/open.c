/* SPDX-License-Identifier: Apache-2.0 */
/* Finding containers: what is there, what is left of one, what has gone meanwhile. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "container/internal.h"
#include "unit/unit.h"

/* A directory that was removed while somebody waited is told by its record's absence. */
TEST(removed_while_waiting)
{
	auto_arena a = arena_make();
	struct container c = { .id = "c1", .root = DIR_NONE, .lock = -1, .pidfd = -1 };
	struct err e = { 0 };
	char path[512];

	snprintf(path, sizeof(path), "%s/c1", unit_dir());
	REQUIRE(mkdir(path, 0700) == 0);
	c.dir = (struct dir){ .fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .name = path };
	CHECK(!container_was_removed(&c));
	CHECK_INT(container_reload(&a, &c, true, &e), 0);
	CHECK_INT(c.status, STATUS_STOPPED);
	REQUIRE(rmdir(path) == 0);
	CHECK(container_was_removed(&c));
	CHECK_INT(container_reload(&a, &c, true, &e), -ENOENT);
	CHECK_HAS(e.text, "container 'c1' does not exist");
	container_close(&c);
}
