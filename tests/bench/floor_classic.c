/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor_classic - the mounts of the floor with mount(2) and path strings
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "floor.h"

static void mnt(const char *src, const char *at, const char *type, unsigned long flags,
		const char *data)
{
	mkdir(at, 0755);
	CHECK(mount(src, at, type, flags, data));
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A v1 tree is a tmpfs with one directory a hierarchy; named ones take name= as their option. */
static void cgroups(const struct floor_options *options)
{
	const unsigned long flags = MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RELATIME;
	char at[64], data[64];

	if (!options->n_v1) {
		mnt("cgroup", "sys/fs/cgroup", "cgroup2", flags | MS_RDONLY, NULL);
		return;
	}
	mnt("tmpfs", "sys/fs/cgroup", "tmpfs", flags, "mode=755");
	for (size_t i = 0; i < options->n_v1; i++) {
		const char *name = base(options->v1[i]);

		snprintf(at, sizeof at, "sys/fs/cgroup/%s", name);
		snprintf(data, sizeof data, "%s%s", strcmp(name, "systemd") ? "" : "name=", name);
		mnt("cgroup", at, "cgroup", flags | MS_RDONLY, data);
	}
	mnt("cgroup", "sys/fs/cgroup/unified", "cgroup2", flags | MS_RDONLY, NULL);
	CHECK(mount(NULL, "sys/fs/cgroup", NULL, flags | MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
}

static void dev(void)
{
	char at[64];

	umask(0);
	for (const struct floor_device *d = floor_devices; d->name; d++) {
		snprintf(at, sizeof at, "dev/%s", d->name);
		CHECK(mknod(at, S_IFCHR | 0666, makedev(d->major, d->minor)));
	}
	for (const struct floor_link *l = floor_links; l->name; l++) {
		snprintf(at, sizeof at, "dev/%s", l->name);
		CHECK(symlink(l->target, at));
	}
	umask(022);
}

static void masks(void)
{
	for (const char *const *p = floor_readonly; *p; p++)
		if (!mount(*p, *p, NULL, MS_BIND | MS_REC, NULL))
			CHECK(mount(NULL, *p, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
	for (const char *const *p = floor_masked_files; *p; p++)
		mount("dev/null", *p, NULL, MS_BIND, NULL);
	for (const char *const *p = floor_masked_dirs; *p; p++)
		mount("tmpfs", *p, "tmpfs", MS_RDONLY, "size=0k");
}

void floor_mounts_classic(const struct floor_options *options)
{
	const unsigned long safe = MS_NOSUID | MS_NOEXEC | MS_NODEV;

	CHECK(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
	CHECK(mount(options->rootfs, options->rootfs, NULL, MS_BIND | MS_REC, NULL));
	CHECK(chdir(options->rootfs));
	mnt("proc", "proc", "proc", 0, NULL);
	mnt("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
	mnt("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
	    "newinstance,ptmxmode=0666,mode=0620,gid=5");
	mnt("shm", "dev/shm", "tmpfs", safe, "mode=1777,size=65536k");
	mnt("mqueue", "dev/mqueue", "mqueue", safe, NULL);
	mnt("sysfs", "sys", "sysfs", safe | MS_RDONLY, NULL);
	cgroups(options);
	dev();
	masks();
	CHECK(syscall(SYS_pivot_root, ".", "."));
	CHECK(umount2(".", MNT_DETACH));
	CHECK(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
	CHECK(chdir("/"));
}
