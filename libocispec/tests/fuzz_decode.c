/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_decode - anything goes in, nothing wrong comes out
 *
 * The first byte says which type ('B' the first of the table), the second at which allocation memory runs out ('0':
 * never); the rest is the text. What must hold: with and without findings, with and
 * without collecting errors, the verdict and the first error are the same; errors have a
 * place in the text and words without control characters; what was decoded can be
 * encoded, the result decodes without an error, and then encodes to the same bytes, in
 * either form.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_decode.h"
#include "ocispec/decode.h"
#include "ocispec/encode.h"
#include "ocispec/runtime.h"

#define MUST(cond)                                                                 \
	do {                                                                       \
		if (!(cond)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                   \
		}                                                                  \
	} while (0)

static const struct ocispec_type *const types[] = {
	&oci_config_type,	   &oci_process_type,
	&oci_mounts_type,	   &oci_linux_resources_type,
	&oci_state_type,	   &oci_linux_seccomp_type,
	&oci_features_type,	   &cleat_state_file_type,
	&oci_states_type,	   &oci_container_process_state_type,
	&cleat_state_version_type, &oci_landlock_type,
	&oci_core_scheduling_type, &cleat_exit_type,
};

struct block {
	struct block *next;
	max_align_t data[];
};

struct memory {
	struct block *blocks;
	size_t n, fail_at;
};

static void *take(void *user, size_t size)
{
	struct memory *m = user;
	struct block *b;

	if (++m->n == m->fail_at)
		return NULL;
	b = calloc(1, sizeof(*b) + size);
	MUST(b);
	b->next = m->blocks;
	m->blocks = b;
	return b->data;
}

static void free_all(struct memory *m)
{
	while (m->blocks) {
		struct block *next = m->blocks->next;

		free(m->blocks);
		m->blocks = next;
	}
}

static void check_words(const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	MUST(n < size);
	for (size_t i = 0; i < n; i++)
		MUST((unsigned char)s[i] >= 0x20 && s[i] != 0x7f);
}

static void check_error(const struct ocispec_error *e, const char *text, size_t size)
{
	unsigned lines = 1;

	MUST(e->code == EINVAL && e->line >= 1 && e->column >= 1 && e->column <= size + 1);
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	MUST(e->line <= lines && e->text[0]);
	check_words(e->path, sizeof(e->path));
	check_words(e->text, sizeof(e->text));
}

static void check_findings(const struct ocispec_findings *f, int r)
{
	size_t n = 0;

	for (const struct ocispec_finding *x = f->first; x; x = x->next, n++) {
		MUST(x->place.line >= 1 && x->place.column >= 1);
		check_words(x->path, sizeof(((struct ocispec_error *)0)->path));
		check_words(x->text, sizeof(((struct ocispec_error *)0)->text));
		MUST(x->next || x == f->last);
	}
	MUST(n == f->n);
	MUST((f->n_error > 0) == (r < 0));
}

/* decode -> encode -> decode -> encode */
static void check_way_back(const struct ocispec_type *type, const void *object,
			   const struct ocispec_allocator *alloc)
{
	struct ocispec_error e = { 0 };
	void *again = NULL;
	char *first = NULL, *second = NULL, *pretty = NULL;
	size_t n = 0, n_pretty = 0;

	MUST(ocispec_encode(type, object, 0, alloc, &first, &n, &e) == 0);
	MUST(strlen(first) == n);
	MUST(ocispec_decode(type, first, n, alloc, NULL, &again, &e) == 0);
	MUST(ocispec_encode(type, again, 0, alloc, &second, NULL, &e) == 0);
	MUST(strcmp(first, second) == 0);
	MUST(ocispec_encode(type, object, OCISPEC_PRETTY, alloc, &pretty, &n_pretty, &e) == 0);
	MUST(ocispec_decode(type, pretty, n_pretty, alloc, NULL, &again, &e) == 0);
	MUST(ocispec_encode(type, again, 0, alloc, &second, NULL, &e) == 0);
	MUST(strcmp(first, second) == 0);
}

static void check_text(const struct ocispec_type *type, const char *text, size_t size,
		       const struct ocispec_allocator *alloc)
{
	struct ocispec_findings some = { 0 }, all = { 0 };
	struct ocispec_decode_options with = { .findings = &some };
	struct ocispec_decode_options collect = { .findings = &all, .collect_errors = true };
	struct ocispec_error e[3] = { 0 };
	void *object = NULL, *other = NULL;
	int r = ocispec_decode(type, text, size, alloc, NULL, &object, &e[0]);

	MUST(r == 0 || r == -EINVAL);
	MUST((r == 0) == (object != NULL));
	MUST(ocispec_decode(type, text, size, alloc, &with, &other, &e[1]) == r);
	MUST(ocispec_decode(type, text, size, alloc, &collect, &other, &e[2]) == r);
	check_findings(&some, r);
	check_findings(&all, r);
	if (r == 0) {
		check_way_back(type, object, alloc);
		return;
	}
	check_error(&e[0], text, size);
	MUST(memcmp(&e[0], &e[1], sizeof(e[0])) == 0);
	MUST(memcmp(&e[0], &e[2], sizeof(e[0])) == 0);
}

static void check_poor(const struct ocispec_type *type, const char *text, size_t size,
		       const struct ocispec_allocator *alloc)
{
	struct ocispec_error e = { 0 };
	struct ocispec_findings found = { 0 };
	struct ocispec_decode_options opt = { .findings = &found };
	void *object = NULL;
	char *out = NULL;
	int r = ocispec_decode(type, text, size, alloc, &opt, &object, &e);

	MUST(r == 0 || r == -EINVAL || r == -ENOMEM);
	if (r == 0)
		r = ocispec_encode(type, object, 0, alloc, &out, NULL, &e);
	MUST(r == -e.code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory m = { 0 };
	struct ocispec_allocator alloc = { take, &m };
	const struct ocispec_type *type;

	if (size < 2)
		return 0;
	type = types[(uint8_t)(data[0] - 'B') % (sizeof(types) / sizeof(types[0]))];
	m.fail_at = (size_t)(data[1] - '0') & 0xff;
	if (m.fail_at)
		check_poor(type, (const char *)data + 2, size - 2, &alloc);
	else
		check_text(type, (const char *)data + 2, size - 2, &alloc);
	free_all(&m);
	return 0;
}
