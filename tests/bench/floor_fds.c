/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor_fds - the mounts of the floor by descriptors alone
 *
 * No string that names something below the rootfs reaches the kernel except through
 * openat2(RESOLVE_IN_ROOT). Descriptors stay open until the exec closes them: closing
 * each is a call that nobody needs.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "floor.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

#define SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV)

/* Options of a file system: key, value, ...; a NULL value is a flag; a NULL key ends. */
typedef const char *const option_list[];

static int resolve(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return syscall(SYS_openat2, root, path, &how, sizeof how);
}

static int tree_clone(int from, unsigned flags)
{
	int fd;

	CHECK(fd = syscall(SYS_open_tree, from, "",
			   AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags));
	return fd;
}

static void attach(int tree, int at)
{
	CHECK(syscall(SYS_move_mount, tree, "", at, "",
		      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

static void set_attr(int tree, unsigned flags, unsigned set, unsigned propagation)
{
	struct mount_attr attr = { .attr_set = set, .propagation = propagation };

	CHECK(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | flags, &attr, sizeof attr));
}

static int fs_make(const char *type, const char *source, option_list options, unsigned attrs)
{
	int fs, tree;

	CHECK(fs = syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
	CHECK(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", source, 0));
	for (size_t i = 0; options[i]; i += 2)
		CHECK(syscall(SYS_fsconfig, fs,
			      options[i + 1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, options[i],
			      options[i + 1], 0));
	CHECK(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	CHECK(tree = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs));
	return tree;
}

/* Mount on the directory @path below @dir, which exists. Returns the new mount's root. */
static int fs_mount(int dir, const char *path, const char *type, const char *source,
		    option_list options, unsigned attrs)
{
	int at, tree;

	CHECK(at = resolve(dir, path));
	tree = fs_make(type, source, options, attrs);
	attach(tree, at);
	return tree;
}

static int fs_mount_new(int dir, const char *name, const char *type, const char *source,
			option_list options, unsigned attrs)
{
	CHECK(mkdirat(dir, name, 0755));
	return fs_mount(dir, name, type, source, options, attrs);
}

static void cgroups(const struct floor_options *options, int root)
{
	int dir;

	if (!options->n_v1) {
		fs_mount(root, "sys/fs/cgroup", "cgroup2", "cgroup", (option_list){ NULL },
			 SAFE | MOUNT_ATTR_RDONLY);
		return;
	}
	dir = fs_mount(root, "sys/fs/cgroup", "tmpfs", "tmpfs",
		       (option_list){ "mode", "755", NULL }, SAFE);
	for (size_t i = 0; i < options->n_v1; i++) {
		const char *slash = strrchr(options->v1[i], '/');
		const char *name = slash ? slash + 1 : options->v1[i];
		int named = !strcmp(name, "systemd");

		fs_mount_new(dir, name, "cgroup", "cgroup",
			     (option_list){ named ? "name" : name, named ? name : NULL, NULL },
			     SAFE | MOUNT_ATTR_RDONLY);
	}
	fs_mount_new(dir, "unified", "cgroup2", "cgroup", (option_list){ NULL },
		     SAFE | MOUNT_ATTR_RDONLY);
	set_attr(dir, 0, MOUNT_ATTR_RDONLY, 0);
}

static void dev(int root)
{
	int fd = fs_mount(root, "dev", "tmpfs", "tmpfs",
			  (option_list){ "mode", "755", "size", "65536k", NULL },
			  MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME);

	fs_mount_new(fd, "pts", "devpts", "devpts",
		     (option_list){ "newinstance", NULL, "ptmxmode", "0666", "mode", "0620", "gid",
				    "5", NULL },
		     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	fs_mount_new(fd, "shm", "tmpfs", "shm",
		     (option_list){ "mode", "1777", "size", "65536k", NULL }, SAFE);
	fs_mount_new(fd, "mqueue", "mqueue", "mqueue", (option_list){ NULL }, SAFE);
	umask(0);
	for (const struct floor_device *d = floor_devices; d->name; d++)
		CHECK(mknodat(fd, d->name, S_IFCHR | 0666, makedev(d->major, d->minor)));
	for (const struct floor_link *l = floor_links; l->name; l++)
		CHECK(symlinkat(l->target, fd, l->name));
	umask(022);
}

/* One empty tree serves every masked directory; the first gets it, the others clones of it. */
static void masks(int root)
{
	int at, null, empty;

	for (const char *const *p = floor_readonly; *p; p++) {
		at = resolve(root, *p);
		if (at < 0)
			continue;
		int tree = tree_clone(at, AT_RECURSIVE);

		set_attr(tree, 0, MOUNT_ATTR_RDONLY, 0);
		attach(tree, at);
	}
	CHECK(null = resolve(root, "dev/null"));
	for (const char *const *p = floor_masked_files; *p; p++) {
		at = resolve(root, *p);
		if (at >= 0)
			attach(tree_clone(null, 0), at);
	}
	empty = fs_make("tmpfs", "tmpfs", (option_list){ "nr_blocks", "1", "nr_inodes", "1", NULL },
			MOUNT_ATTR_RDONLY);
	for (const char *const *p = floor_masked_dirs; *p; p++) {
		at = resolve(root, *p);
		if (at >= 0)
			attach(tree_clone(empty, 0), at);
	}
}

void floor_mounts_fds(const struct floor_options *options)
{
	int at, root;

	CHECK(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
	CHECK(at = open(options->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC));
	root = tree_clone(at, AT_RECURSIVE);
	set_attr(root, AT_RECURSIVE, 0, MS_SLAVE);
	attach(root, at);
	fs_mount(root, "proc", "proc", "proc", (option_list){ NULL }, 0);
	fs_mount(root, "sys", "sysfs", "sysfs", (option_list){ NULL }, SAFE | MOUNT_ATTR_RDONLY);
	cgroups(options, root);
	dev(root);
	masks(root);
	CHECK(fchdir(root));
	CHECK(syscall(SYS_pivot_root, ".", "."));
	CHECK(umount2(".", MNT_DETACH));
	set_attr(root, 0, MOUNT_ATTR_RDONLY, 0);
	CHECK(chdir("/"));
}
