/* SPDX-License-Identifier: Apache-2.0 */
/*
 * undo - what was half made is unmade, newest first
 *
 * An undo may warn, but it never replaces the first error.
 */
#ifndef CLEAT_BASE_UNDO_H
#define CLEAT_BASE_UNDO_H

#include <stddef.h>

#define UNDO_MAX 24

struct undo {
	struct {
		void (*fn)(void *arg);
		void *arg;
	} rows[UNDO_MAX];
	size_t n;
};

/* Remember @fn(@arg). Running out of rows is a programming error and aborts. */
void undo_push(struct undo *u, void (*fn)(void *arg), void *arg);
/* Run all, newest first, and forget them. */
void undo_run(struct undo *u);
/* Success: nothing is to be unmade. */
void undo_forget(struct undo *u);

#endif
