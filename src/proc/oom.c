/* SPDX-License-Identifier: Apache-2.0 */
/* oom - process.oomScoreAdj; proc_pid_oom_score_adj(5) */
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/str.h"
#include "proc/proc.h"
#include "sys/sys.h"

static int check_score(int fd, const char *name, int want, struct err *e)
{
	char text[16] = "";
	int64_t score = 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return err_sys(e, errno, name, "read back");
	text[strcspn(text, "\n")] = '\0';
	if (str_to_i64(text, &score) < 0 || score != want)
		return err_code(e, EIO, "process.oomScoreAdj",
				"oom_score_adj reads '%s' after %d was written", text, want);
	return 0;
}

/* The caller's own, which we still have, says where the floor is at the latest. */
static int score_error(int fd, const char *text, int r, struct err *e)
{
	char own[16] = "";

	err_sys(e, -r, "process.oomScoreAdj", "set oom_score_adj to %s", text);
	if (r != -EACCES || pread(fd, own, sizeof(own) - 1, 0) <= 0)
		return -e->code;
	own[strcspn(own, "\n")] = '\0';
	return err_note(e, "below the caller's %s only CAP_SYS_RESOURCE allows it", own);
}

int proc_oom_score(const struct proc_plan *p, int proc, pid_t pid, struct err *e)
{
	char name[48], text[16];
	auto_fd fd = -1;
	ssize_t r;
	int n;

	if (!p->process->has_oom_score_adj)
		return 0;
	snprintf(name, sizeof(name), "%d/oom_score_adj", pid);
	fd = sys_openat2(proc, name, O_RDWR, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return err_sys(e, -fd, name, "open");
	n = snprintf(text, sizeof(text), "%d", p->process->oom_score_adj);
	r = sys_write(fd, text, (size_t)n);
	if (r < 0)
		return score_error(fd, text, (int)r, e);
	return check_score(fd, name, p->process->oom_score_adj, e);
}
