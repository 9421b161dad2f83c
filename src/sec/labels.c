/* SPDX-License-Identifier: Apache-2.0 */
/* labels - see labels.h */
#include "sec/labels.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "sec/sec.h"
#include "sys/sys.h"

int label_attr_open(int proc, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "self/attr/%s", name);
	return sys_openat2(proc, path, (uint64_t)flags, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
}

int label_attr_read(int fd, char *buf, size_t size)
{
	size_t n = 0;

	/* The kernel may give it in parts; half a label must not be taken for one. */
	for (;;) {
		ssize_t r = pread(fd, buf + n, size - 1 - n, (off_t)n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
		if (n == size - 1)
			return -E2BIG;
	}
	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\0'))
		n--;
	buf[n] = '\0';
	return strlen(buf) == n ? 0 : -EINVAL;
}

int sec_labels_check(const struct sec_plan *p, struct err *e)
{
	int r = 0;

	if (p->apparmor)
		r = apparmor_check(p->apparmor, e);
	if (r == 0 && p->selinux)
		r = selinux_check(p->selinux, p->selinux_canonical, e);
	return r;
}

int sec_label_exec(const struct sec_plan *p, int proc, struct err *e)
{
	int r = 0;

	if (p->selinux)
		r = selinux_exec(proc, p->selinux, p->selinux_canonical, e);
	if (r == 0 && p->apparmor)
		r = apparmor_exec(proc, p->apparmor, e);
	return r;
}
