/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protect - nobody inside a container may overwrite our binary (CVE-2019-5736)
 *
 * A container's process can open /proc/PID/exe of whoever enters it. So, before any
 * fork and any namespace of ours exists, the binary is executed again from a detached
 * read-only clone of its mount. The only descriptor of that clone is close-on-exec,
 * so the exec dissolves it: afterwards nothing is left through which the read-only
 * flag could be taken away. Where the clone is refused (no privileges), and always with
 * --enable-sealed-exe, a sealed memfd takes its place.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "config.h"
#include "run/run.h"
#include "sys/sys.h"

#define EXE_LINK  "/proc/self/exe"
#define EXE_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool is_sealed(void)
{
	auto_fd fd = sys_open(EXE_LINK, O_RDONLY, 0);

	return fd >= 0 && sys_fcntl(fd, F_GET_SEALS, 0) == EXE_SEALS;
}

/*
 * In a sealed memfd, or read-only in a tree of its own, where its path is "/". A mount of the
 * host's that is read-only protects only until somebody makes it writable, for an update maybe,
 * and a descriptor that was opened inside before can be written through from then on.
 */
static bool is_protected(void)
{
	char path[PATH_MAX];
	struct statfs fs;

	if (sys_readlinkat(AT_FDCWD, EXE_LINK, path, sizeof(path)) < 0)
		return false;
	if (str_eq(path, "/"))
		return !CLEAT_SEALED_EXE && sys_statfs(EXE_LINK, &fs) == 0 &&
		       (fs.f_flags & ST_RDONLY);
	return str_starts(path, "/memfd:") && is_sealed();
}

/* Returns a descriptor of the binary on a detached read-only mount, or -errno. */
static int readonly_clone(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_fd fd = sys_open_tree(AT_FDCWD, EXE_LINK, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r;

	if (fd < 0)
		return fd;
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr));
	return r < 0 ? r : fd_take(&fd);
}

static int copy_all(int from, int to)
{
	for (;;) {
		ssize_t n = sendfile(to, from, NULL, 1 << 20);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/* Returns a sealed copy of the binary, or -errno. */
static int sealed_copy(void)
{
	auto_fd exe = sys_open(EXE_LINK, O_RDONLY, 0);
	auto_fd fd = -1;
	int r;

	if (exe < 0)
		return exe;
	fd = sys_memfd_create("cleat", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd == -EINVAL) /* before 6.3 every memfd may be executed */
		fd = sys_memfd_create("cleat", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return fd;
	r = copy_all(exe, fd);
	if (r == 0)
		r = sys_fcntl(fd, F_ADD_SEALS, EXE_SEALS);
	return r < 0 ? r : fd_take(&fd);
}

int run_protect_exe(char *const argv[], struct err *e)
{
	auto_fd fd = -1;
	int r;

	if (is_protected())
		return 0;
	fd = CLEAT_SEALED_EXE ? -EPERM : readonly_clone();
	if (fd < 0)
		fd = sealed_copy();
	if (fd < 0)
		return err_sys(e, -fd, EXE_LINK, "protect the own binary");
	r = sys_execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	return err_sys(e, -r, EXE_LINK, "execute the own binary again");
}
