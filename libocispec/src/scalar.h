/* SPDX-License-Identifier: Apache-2.0 */
/* scalar - numbers, forms of texts and likeness of names, free of any context */
#ifndef OCISPEC_SCALAR_H
#define OCISPEC_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "type_desc.h"

/* A whole number as it was written; magnitude 0 is never negative. */
struct scalar_number {
	bool negative;
	uint64_t magnitude;
};

/*
 * Read a JSON number that must be whole: 10, 10.0, 1e1. Returns 0, -EINVAL when it has a
 * fraction, -ERANGE when it does not fit 64 bit.
 */
int scalar_parse(const char *text, size_t length, struct scalar_number *ret);
/* Is it between the ends, both included? */
bool scalar_is_within(struct scalar_number n, int64_t low, uint64_t high);
/* In two's complement, whose low bytes are the number in any type that holds it. */
uint64_t scalar_bits(struct scalar_number n);
void scalar_store(void *to, unsigned width, uint64_t bits);
/* Read such an integer. */
struct scalar_number scalar_load(const void *from, unsigned width, bool is_signed);

/* What the C type itself can hold. */
int64_t scalar_lowest(unsigned width, bool is_signed);
uint64_t scalar_highest(unsigned width, bool is_signed);

/* Is @text of this form? It ends with NUL. */
bool scalar_has_format(enum ocispec_format format, const char *text);
/* "an absolute path" */
const char *scalar_format_name(enum ocispec_format format);

/*
 * How many letters must be put in, left out, changed or swapped with their neighbour to
 * come from one to the other, upper and lower case being equal; more than @limit: limit + 1.
 */
unsigned scalar_distance(const char *a, size_t a_length, const char *b, size_t b_length,
			 unsigned limit);

#endif
