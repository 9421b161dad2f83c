/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_fds - what hooks find of the runtime namespace
 *
 * Opened where cleat was called and given to hooks that run in the container as descriptors, so
 * that no path of the host is looked up there.
 */
#include <fcntl.h>

#include "base/fd.h"
#include "hook/hook.h"
#include "sys/sys.h"

/* Nothing waits here for somebody to read a FIFO; the hook that writes to it may. */
static int open_output(const char *path, const char *key, int *ret, struct err *e)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
	int r;

	if (!path)
		return 0;
	*ret = r = sys_open(path, flags, 0600);
	if (r >= 0)
		r = sys_fcntl(*ret, F_SETFL, O_APPEND);
	return r < 0 ? err_sys(e, -r, path, "annotation %s: open", key) : 0;
}

int hook_open(const struct hook_plan *p, const char *bundle, struct hook_fds *ret, struct err *e)
{
	int r;

	*ret = HOOK_FDS_NONE;
	ret->dir = sys_open(bundle, O_PATH | O_DIRECTORY, 0);
	r = open_output(p->out, SPEC_ANNOTATION_HOOKS_STDOUT, &ret->out, e);
	if (r == 0)
		r = open_output(p->err, SPEC_ANNOTATION_HOOKS_STDERR, &ret->err, e);
	if (r < 0)
		hook_close(ret);
	return r;
}

void hook_close(struct hook_fds *f)
{
	fd_close(&f->dir);
	fd_close(&f->out);
	fd_close(&f->err);
}
