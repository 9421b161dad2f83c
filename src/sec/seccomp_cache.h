/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_cache - compiled filters are kept for the next start
 *
 * Private to the room. Compiling docker's default profile takes longer than all the
 * rest of a start; reading the result back takes about 30 µs. Whoever could plant a
 * program here would decide what every container may call, so:
 *
 * - the directory and each file belong to us and nobody else has any right to them,
 *   which is asked of the open descriptors; what is otherwise is not used;
 * - the name is a BLAKE2b over all that decides the program, each field with its
 *   length: what two profiles differ in makes two entries;
 * - an entry carries its key, its length and a digest: one that a crash cut short,
 *   or that stands under a wrong name, is removed and made again;
 * - it becomes visible by one rename. Entries are at most 64; the oldest go.
 *
 * Only for root: others compile anew. CLEAT_CACHE_DIR in the environment names
 * another place than the one chosen at build time; empty: none.
 */
#ifndef CLEAT_SEC_SECCOMP_CACHE_H
#define CLEAT_SEC_SECCOMP_CACHE_H

#include "base/blake2b.h"
#include "base/dir.h"
#include "sec/seccomp_calls.h"

#define SECCOMP_CACHE_MAX 64 /* entries */

struct seccomp_cache {
	struct dir dir;			 /* fd -1: there is no cache */
	char path[256];			 /* for messages */
	char name[2 * BLAKE2B_SIZE + 1]; /* of the entry: the key in hexadecimal */
	uint8_t key[BLAKE2B_SIZE];
};

#define SECCOMP_CACHE_NONE ((struct seccomp_cache){ .dir = DIR_NONE })
void seccomp_cache_close(struct seccomp_cache *c);
#define auto_seccomp_cache AUTO(seccomp_cache_close) struct seccomp_cache

/* The directory below which this process keeps filters, or NULL. */
const char *seccomp_cache_place(void);

/*
 * seccomp_cache_open() - open @place for one profile
 * @place: its folder "seccomp" is the cache; NULL: none
 *
 * Makes the directory when it is not there. Whatever is wrong leaves the cache
 * closed: it never makes a start fail.
 */
void seccomp_cache_open(const char *place, const struct seccomp_profile *p,
			struct seccomp_cache *ret);

/* Returns whether a program was found; it lives in @a. */
bool seccomp_cache_find(struct seccomp_cache *c, struct arena *a, struct sock_filter **ret,
			size_t *ret_n);

void seccomp_cache_keep(struct seccomp_cache *c, const struct sock_filter *insns, size_t n);

#endif
