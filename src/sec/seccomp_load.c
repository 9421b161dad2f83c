/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_filter_load - the program goes to the kernel by seccomp(2) itself
 *
 * Flags that the running kernel is too old for are an error, never left out: the
 * profile asked for them. (TSYNC is the exception that seccomp_names.c explains.)
 */
#include <linux/seccomp.h>

#include "sec/sec.h"
#include "sys/missing.h"
#include "sys/sys.h"

bool sec_filter_is_last(const struct sec_plan *p)
{
	return p->no_new_privileges;
}

static int load_error(const struct seccomp_filter *f, bool no_new_privs, int code, struct err *e)
{
	if (code == EACCES && !no_new_privs)
		return err_sys(e, code, NULL,
			       "load the seccomp filter: without no_new_privs it "
			       "takes CAP_SYS_ADMIN");
	if (code == EINVAL && f->flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		return err_sys(e, code, NULL,
			       "load the seccomp filter: its flag "
			       "WAIT_KILLABLE_RECV takes Linux 5.19");
	if (code == EINVAL && f->raw)
		return err_sys(e, code, NULL, "load the seccomp filter of %s", seccomp_origin(f));
	if (code == EBUSY)
		return err_sys(e, code, NULL,
			       "load the seccomp filter: an outer filter has a "
			       "listener already");
	return err_sys(e, code, NULL, "load the seccomp filter of %zu instructions", f->n);
}

int seccomp_filter_load(const struct seccomp_filter *f, bool no_new_privs, struct err *e)
{
	struct sock_fprog program = {
		.len = (unsigned short)f->n,
		.filter = (struct sock_filter *)f->insns,
	};
	unsigned flags = f->flags;
	int r;

	if (f->listener_path)
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	r = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
	if (r < 0)
		return load_error(f, no_new_privs, -r, e);
	return r;
}
