/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/dev/tree.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "unit/unit.h"

int tree_make(bool with_dev)
{
	int root;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		unit_skip("no right to make a mount namespace");
	REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	REQUIRE(mount("tmpfs", unit_dir(), "tmpfs", 0, "size=1m") == 0);
	umask(0);
	root = open(unit_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(root >= 0);
	if (with_dev)
		REQUIRE(mkdirat(root, "dev", 0755) == 0);
	return root;
}

bool tree_stat(int root, const char *path, struct stat *st)
{
	return fstatat(root, path, st, AT_SYMLINK_NOFOLLOW) == 0;
}

const char *tree_link(int root, const char *path)
{
	static char target[256];
	ssize_t n = readlinkat(root, path, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = 0;
	return target;
}

void tree_file(int root, const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}
