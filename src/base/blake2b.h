/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blake2b - BLAKE2b-256 (RFC 7693), unkeyed
 *
 * Names and checks what cleat keeps for itself, such as compiled seccomp filters.
 * Chosen over SHA-256 because it is three times as fast without special
 * instructions, and over a kernel service because it costs no system call.
 */
#ifndef CLEAT_BASE_BLAKE2B_H
#define CLEAT_BASE_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

#define BLAKE2B_SIZE 32 /* bytes of a digest */

struct blake2b {
	uint64_t h[8];
	uint64_t counted; /* bytes that went into h; 2^64 of them are beyond any input of ours */
	uint8_t block[128];
	size_t used; /* bytes of block that are filled */
};

void blake2b_start(struct blake2b *b);
void blake2b_add(struct blake2b *b, const void *data, size_t n);
/* End; the value must be started again before it is used again. */
void blake2b_finish(struct blake2b *b, uint8_t ret[BLAKE2B_SIZE]);

/* Length and bytes of a string, so that neighbours cannot flow into each other; NULL differs from "". */
void blake2b_add_str(struct blake2b *b, const char *s);
/* A number in eight bytes, least significant first on every machine. */
void blake2b_add_u64(struct blake2b *b, uint64_t v);

#endif
