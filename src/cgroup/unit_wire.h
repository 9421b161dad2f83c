/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_wire - what cleat and cleat-systemd say to each other
 *
 * Both are of one build, so there is no version. On the socket that is the program's
 * standard input: a length (uint32_t) and so many bytes of strings, each with its NUL, in
 * the order below; then one struct unit_reply. A program that started a unit stays inside
 * it until the socket is closed.
 *
 *	verb		"start", "stop" or "set"
 *	manager		"system" or "user"
 *	milliseconds	for all of it
 *	unit
 *	invocation	stop: only the unit with this id, if not ""
 *	number of properties, and for each:
 *		name, signature, "1" when it may be left out, number of tokens, the tokens
 */
#ifndef CLEAT_CGROUP_UNIT_WIRE_H
#define CLEAT_CGROUP_UNIT_WIRE_H

#include <limits.h>
#include <stdint.h>

#define UNIT_REQUEST_MAX (1U << 20)
#define UNIT_SLICE_END	 ".slice"

struct unit_reply {
	int32_t code; /* errno, 0: done */
	char text[600];
	char path[PATH_MAX]; /* start: ControlGroup of the unit */
	char invocation[33]; /* start: in hexadecimal */
};

#endif
