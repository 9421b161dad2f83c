/* SPDX-License-Identifier: Apache-2.0 */
/* schemata - inside the room: is what is wanted what is there? */
#ifndef CLEAT_RDT_SCHEMATA_H
#define CLEAT_RDT_SCHEMATA_H

#include "base/arena.h"
#include "base/dir.h"

/* How the hardware rounds memory bandwidth: info/MB; 0: not known. */
struct rdt_bandwidth {
	uint64_t min, step;
};

/*
 * schemata_missing() - the first line of @wanted that @present does not have; pure
 *
 * Resources and domains that nobody asks for do not count, nor do leading zeros, blanks
 * and the order. NULL: all are there.
 */
const char *schemata_missing(struct arena *a, const char *wanted, const char *present,
			     const struct rdt_bandwidth *mb);

#endif
