/* SPDX-License-Identifier: Apache-2.0 */
/* result - a libc call's -1 and errno as one value; for the wrappers only */
#ifndef CLEAT_SYS_RESULT_H
#define CLEAT_SYS_RESULT_H

#include <errno.h>

/* The result, or -errno. */
#define RESULT(call)                            \
	({                                      \
		long result_ = (long)(call);    \
		result_ < 0 ? -errno : result_; \
	})
/* The same, again after EINTR. */
#define RESULT_RETRY(call)                             \
	({                                             \
		long result_;                          \
		do                                     \
			result_ = (long)(call);        \
		while (result_ < 0 && errno == EINTR); \
		result_ < 0 ? -errno : result_;        \
	})

#endif
