/* SPDX-License-Identifier: Apache-2.0 */
#include "base/undo.h"

#include <stdlib.h>

void undo_push(struct undo *u, void (*fn)(void *arg), void *arg)
{
	if (u->n == UNDO_MAX)
		abort(); /* the number of steps is known when they are written */
	u->rows[u->n].fn = fn;
	u->rows[u->n++].arg = arg;
}

void undo_run(struct undo *u)
{
	while (u->n > 0) {
		u->n--;
		u->rows[u->n].fn(u->rows[u->n].arg);
	}
}

void undo_forget(struct undo *u)
{
	u->n = 0;
}
