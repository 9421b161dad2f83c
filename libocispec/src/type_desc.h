/* SPDX-License-Identifier: Apache-2.0 */
/*
 * type_desc - how the generated tables describe the generated structs
 *
 * There are no pointers in the rows: a name is an offset into `strings`, everything else
 * an index. That keeps the tables read-only also in a position independent program.
 */
#ifndef OCISPEC_TYPE_DESC_H
#define OCISPEC_TYPE_DESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ocispec_kind {
	KIND_BOOL,
	KIND_NUMBER,
	KIND_TEXT,
	KIND_OBJECT,
	KIND_ARRAY,
	KIND_MAP,
	KIND_SKIP, /* an object that is accepted and not kept */
};

/* Forms of a text that a list of words cannot name; format.c knows them. */
enum ocispec_format {
	FORMAT_NONE,
	FORMAT_ABSOLUTE_PATH,
	FORMAT_CAPABILITY,
	FORMAT_CPU_LIST,
	FORMAT_DATE_TIME,
	FORMAT_ENVIRONMENT,
	FORMAT_MEMORY_BANDWIDTH,
	FORMAT_PAGE_SIZE,
	FORMAT_RLIMIT,
	FORMAT_VERSION,
};

struct ocispec_value {
	int64_t low; /* number: the range, the lower end never above INT64_MAX */
	uint64_t high;
	uint16_t index; /* text: its first word; object: struct; array, map: value of an item */
	uint16_t
		count; /* text: its words, 0: any; array: least items; map: least length of a key */
	uint8_t kind;  /* enum ocispec_kind */
	uint8_t width; /* number: bytes */
	uint8_t format; /* text: enum ocispec_format */
	bool is_signed; /* number */
	bool hard;	/* number, text: outside of the rule is an error, not a finding */
};

struct ocispec_field {
	uint16_t name;	 /* in strings */
	uint16_t value;	 /* in values */
	uint16_t offset; /* of the member */
	uint16_t beside; /* of its has_ or n_ member */
	uint8_t length;	 /* of the name */
};

struct ocispec_struct {
	uint64_t required, soft_required; /* bit n: the n-th field */
	uint16_t first;			  /* in fields and by_name */
	uint16_t size;
	uint8_t count;
	bool is_list; /* no JSON object: the one field is the whole text */
};

struct ocispec_schema {
	const char *strings;
	const uint16_t *words; /* each in strings */
	const struct ocispec_value *values;
	const struct ocispec_field *fields;
	const uint8_t *by_name; /* per struct: its fields ordered by length and bytes of the name */
	const struct ocispec_struct *structs;
};

struct ocispec_type {
	const struct ocispec_schema *schema;
	uint16_t index; /* in structs */
};

/* Every object begins with its place; the two structs of a map look alike whatever it holds. */
struct ocispec_entry {
	const char *key;
	const void *value;
};
struct ocispec_map {
	size_t n;
	struct ocispec_entry *entries;
};

#endif
