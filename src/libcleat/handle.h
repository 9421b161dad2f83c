/* SPDX-License-Identifier: Apache-2.0 */
/* handle - what the files of the library share */
#ifndef CLEAT_LIBCLEAT_HANDLE_H
#define CLEAT_LIBCLEAT_HANDLE_H

#include "container/container.h"
#include "libcleat/cleat.h"

#define N_OPTIONS (CLEAT_CGROUP_MANAGER + 1)

struct cleat {
	char *options[N_OPTIONS]; /* as they were set; NULL: not */
	struct err err;		  /* of the newest call */
};

/* The handle's settings as the floors below want them. */
struct context handle_context(const struct cleat *c);

/*
 * Results leave the arena of their call: a copy for the caller, or -ENOMEM. @text is what has
 * been made; NULL gives -ENOMEM as well.
 */
int handle_give_text(struct cleat *c, const char *text, char **ret);

#endif
