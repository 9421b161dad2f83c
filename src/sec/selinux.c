/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selinux - the label that the container's program starts under
 *
 * selinuxfs is asked directly. The library would ask the same of it, but its
 * constructors make eight system calls in every process that is linked with it,
 * twice a start, on every host without SELinux as well.
 *
 * The parent has the label checked by the running policy and gets it back as the
 * kernel will print it, so init can compare what it reads back to the byte.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "sec/labels.h"
#include "sec/sec.h"
#include "sys/sys.h"

#define SELINUXFS "/sys/fs/selinux"

/* Its root directory when SELinux is on, -ENOENT when not, another -errno when unclear. */
static int open_selinuxfs(void)
{
	auto_fd fd = sys_open(SELINUXFS, O_PATH | O_DIRECTORY, 0);
	struct statfs fs;
	int r;

	if (fd == -ENOTDIR)
		return -ENOENT;
	if (fd < 0)
		return fd;
	r = sys_fstatfs(fd, &fs);
	if (r < 0)
		return r;
	/* The empty directory is there on some kernels without it. */
	return (unsigned)fs.f_type == SELINUX_MAGIC ? fd_take(&fd) : -ENOENT;
}

int sec_selinux_check(const char *label, const char *property, char *ret, struct err *e)
{
	auto_fd fs = open_selinuxfs();
	auto_fd fd = -1;
	int r;

	if (fs == -ENOENT)
		return err_code(e, ENOTSUP, label, "%s is '%s', but SELinux is off on this host",
				property, label);
	if (fs < 0)
		return err_sys(e, -fs, SELINUXFS, "learn whether SELinux is on from");
	if (strlen(label) >= SEC_LABEL_MAX)
		return err_user(e, property, "%s: the label is too long", property);
	fd = sys_openat(fs, "context", O_RDWR, 0);
	r = fd < 0 ? fd : (int)sys_write(fd, label, strlen(label) + 1);
	if (r == -EINVAL)
		return err_code(e, EINVAL, label,
				"%s: the SELinux policy does not know the label '%s'", property,
				label);
	/* A policy may forbid the question; then the kernel checks when it is applied. */
	if (r < 0 && r != -EACCES)
		return err_sys(e, -r, label, "%s: have the label checked", property);
	if (!ret)
		return 0;
	if (r == -EACCES)
		str_copy(ret, SEC_LABEL_MAX, label);
	else if ((r = label_attr_read(fd, ret, SEC_LABEL_MAX)) < 0)
		return err_sys(e, -r, label, "%s: have the label checked", property);
	return 0;
}

int selinux_check(const char *label, char *ret, struct err *e)
{
	return sec_selinux_check(label, "process.selinuxLabel", ret, e);
}

static int write_label(int fd, const char *label)
{
	ssize_t n = sys_write(fd, label, strlen(label) + 1);

	if (n < 0)
		return (int)n;
	return n == (ssize_t)strlen(label) + 1 ? 0 : -EIO;
}

int selinux_exec(int proc, const char *label, const char *canonical, struct err *e)
{
	auto_fd fd = label_attr_open(proc, "exec", O_RDWR);
	char is[SEC_LABEL_MAX];
	int r;

	/* The engines look for the path in these quotes. */
	if (fd < 0)
		return err_sys(e, -fd, NULL, "open `/proc/self/attr/exec`");
	r = write_label(fd, label);
	if (r < 0)
		return err_sys(e, -r, label, "write to `/proc/self/attr/exec` the label");
	r = label_attr_read(fd, is, sizeof(is));
	if (r < 0)
		return err_sys(e, -r, NULL, "read back `/proc/self/attr/exec`");
	if (!str_eq(is, canonical))
		return err_code(e, EPERM, label,
				"`/proc/self/attr/exec` holds '%s' after '%s' was written", is,
				label);
	return 0;
}

/*
 * The session keyring gets the label of the container's process. This is before the
 * container has a procfs of its own, so the host's is used, which must be one.
 */
int selinux_key_create(const char *label, struct err *e)
{
	auto_fd proc = sys_open("/proc", O_PATH | O_DIRECTORY, 0);
	auto_fd fd = -1;
	struct statfs fs;
	int r = proc < 0 ? proc : sys_fstatfs(proc, &fs);

	if (r == 0 && fs.f_type != PROC_SUPER_MAGIC)
		r = -EXDEV;
	if (r == 0) {
		fd = label_attr_open(proc, "keycreate", O_WRONLY);
		r = fd < 0 ? fd : write_label(fd, label);
	}
	return r < 0 ? err_sys(e, -r, label, "label the session keyring") : 0;
}
