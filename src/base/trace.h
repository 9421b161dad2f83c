/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace - CLEAT_TRACE=step,mount,cgroup,plan,msg,exec,ignore,all
 *
 *	step	each step of the set-up, with its time
 *	mount	each mount that init has made: type, source, place, options
 *	cgroup	what is done to cgroups, with the answer
 *	plan	what is going to be made
 *	msg	what parent, middle and init say to each other
 *	exec	hooks, as they are run
 *	ignore	errors that do not count, and why
 *
 * Lines go to the log sink of the process at level debug, or to stderr when no
 * log target is set. The variable is ignored under AT_SECURE and is never seen
 * by a container.
 */
#ifndef CLEAT_BASE_TRACE_H
#define CLEAT_BASE_TRACE_H

#include "base/err.h"

enum trace_area {
	TRACE_STEP = 1 << 0,
	TRACE_MOUNT = 1 << 1,
	TRACE_CGROUP = 1 << 2,
	TRACE_PLAN = 1 << 3,
	TRACE_MSG = 1 << 4,
	TRACE_EXEC = 1 << 5,
	TRACE_IGNORE = 1 << 6,
};

extern unsigned trace_mask;

/* Read CLEAT_TRACE; unknown words are ignored. Level debug has some areas by itself. */
void trace_init(void);
void trace_line(const char *area, const char *fmt, ...) ERR_PRINTF(2, 3);

#define trace(area, ...)                                            \
	do {                                                        \
		if (__builtin_expect(trace_mask & TRACE_##area, 0)) \
			trace_line(#area, __VA_ARGS__);             \
	} while (0)

#endif
