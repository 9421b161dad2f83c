/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/proc/place.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/unit.h"

bool place_is_root(void)
{
	return geteuid() == 0;
}

static void own_user_ns(void)
{
	if (!place_is_root() && unshare(CLONE_NEWUSER) < 0)
		unit_skip("needs root or user namespaces");
}

void place_enter_root(void)
{
	const char *dir = unit_dir();

	own_user_ns();
	REQUIRE(chmod(dir, 0755) == 0);
	REQUIRE(chroot(dir) == 0);
	REQUIRE(chdir("/") == 0);
}

void place_own_mounts(void)
{
	own_user_ns();
	if (unshare(CLONE_NEWNS) < 0)
		unit_skip("needs a mount namespace");
	REQUIRE(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0);
}

void place_file(const char *path, mode_t mode, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	REQUIRE(fchmod(fd, mode) == 0);
	close(fd);
}

void place_dir(const char *path, mode_t mode)
{
	REQUIRE(mkdir(path, 0700) == 0);
	REQUIRE(chmod(path, mode) == 0);
}
