/* SPDX-License-Identifier: Apache-2.0 */
/* decode - from JSON to structs */
#ifndef OCISPEC_DECODE_H
#define OCISPEC_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "ocispec/ocispec.h"

/* What is remarkable about a text that can be used all the same, but for the last. */
enum ocispec_finding_kind {
	OCISPEC_UNKNOWN, /* a property that the specification does not know */
	OCISPEC_ENUM,	 /* a word that is not on the list */
	OCISPEC_FORMAT,	 /* a text of another form: a relative path where it must be absolute */
	OCISPEC_RANGE,	 /* a number beyond what is sensible */
	OCISPEC_MISSING, /* a required property whose absence callers get away with */
	OCISPEC_ERROR,	 /* an error, see collect_errors */
};

struct ocispec_finding {
	struct ocispec_finding *next;
	enum ocispec_finding_kind kind;
	struct ocispec_place place;
	const char *path;    /* as in struct ocispec_error */
	const char *text;    /* what was expected and what was found */
	const char *nearest; /* the known name that was meant perhaps, or NULL */
};

/* Zero it before use. The findings are in the order of the text and from the allocator. */
struct ocispec_findings {
	struct ocispec_finding *first, *last;
	size_t n;	/* in the list */
	size_t n_lost;	/* not in the list, because it was full */
	size_t n_error; /* of all: those of kind OCISPEC_ERROR */
};

struct ocispec_decode_options {
	size_t max_size;		   /* bytes; 0: OCISPEC_MAX_SIZE */
	unsigned max_depth;		   /* nested objects and arrays; 0: OCISPEC_MAX_DEPTH */
	size_t max_findings;		   /* 0: OCISPEC_MAX_FINDINGS */
	struct ocispec_findings *findings; /* NULL: nobody wants to know */
	bool collect_errors;		   /* note all errors in findings, not only the first */
	bool partial;			   /* with collect_errors: give out what could be read */
};
#define OCISPEC_MAX_SIZE     ((size_t)16 << 20)
#define OCISPEC_MAX_DEPTH    64 /* also the most that an option may ask for */
#define OCISPEC_MAX_FINDINGS 1000

/*
 * ocispec_decode() - read one JSON text
 * @type: what the text is, say &oci_config_type
 * @text: need not end with NUL
 * @opt: NULL: all defaults
 * @ret_object: struct of the type's name, say struct oci_config *; only written on success
 * @err: says where and what; may be NULL
 *
 * Errors are: anything but one JSON text in UTF-8, of the size and depth allowed; a value
 * of another type; a number with a fraction or out of the range of its field; a required
 * property that is missing; a property that comes twice (in what is kept: objects that
 * are skipped are not looked at closer); a NUL in a string; what the schema calls hard.
 * `null` stands for absent, as Go writes it, but not in lists and maps. Integers may be
 * written 10.0 or 1e1. Properties that are not known are skipped.
 *
 * With opt->collect_errors a wrong value does not end the work, only wrong JSON does; the
 * result is still an error, the first one. With opt->partial as well *ret_object is written
 * all the same: wrong values are absent in it, also those that are required, and wrong items
 * of lists are empty (0, "", an object without members), so that the others keep their
 * numbers. It stays as it was when the text is not one JSON object or list.
 *
 * Returns 0, -EINVAL, -E2BIG when the text is too long, or -ENOMEM.
 */
int ocispec_decode(const struct ocispec_type *type, const char *text, size_t length,
		   const struct ocispec_allocator *alloc, const struct ocispec_decode_options *opt,
		   void **ret_object, struct ocispec_error *err);

#endif
