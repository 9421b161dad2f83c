/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict - what the engine says of each line "TYPE<tab>JSON" on standard input
 *
 * A line of output each: "ok" or "bad", then findings as KIND:PATH with commas between
 * (errors: KIND:PATH of the first only), then what it encodes to or the error's text; tabs
 * between. What was encoded is decoded and encoded again and must not change.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ocispec/decode.h"
#include "ocispec/encode.h"
#include "ocispec/runtime.h"

static const struct {
	const char *name;
	const struct ocispec_type *type;
} types[] = {
	{ "oci_config", &oci_config_type },
	{ "oci_process", &oci_process_type },
	{ "oci_linux_resources", &oci_linux_resources_type },
	{ "oci_mounts", &oci_mounts_type },
	{ "oci_linux_seccomp", &oci_linux_seccomp_type },
	{ "oci_state", &oci_state_type },
	{ "oci_states", &oci_states_type },
	{ "oci_container_process_state", &oci_container_process_state_type },
	{ "oci_features", &oci_features_type },
	{ "oci_landlock", &oci_landlock_type },
	{ "oci_core_scheduling", &oci_core_scheduling_type },
	{ "cleat_state_file", &cleat_state_file_type },
	{ "cleat_exit", &cleat_exit_type },
	{ "cleat_state_version", &cleat_state_version_type },
};

/* All of a line's memory goes at its end. */
struct block {
	struct block *next;
	max_align_t data[];
};

static void *take(void *user, size_t size)
{
	struct block **all = user, *b = calloc(1, sizeof(*b) + size);

	if (!b)
		abort();
	b->next = *all;
	*all = b;
	return b->data;
}

static void free_all(struct block *b)
{
	while (b) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
}

static const struct ocispec_type *find_type(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	fprintf(stderr, "verdict: no type %s\n", name);
	exit(2);
}

static void print_findings(const struct ocispec_findings *f)
{
	static const char *const kinds[] = { "unknown", "enum",	   "format",
					     "range",	"missing", "error" };

	for (const struct ocispec_finding *x = f->first; x; x = x->next)
		printf("%s%s:%s", x == f->first ? "" : ",", kinds[x->kind], x->path);
}

static void judge(const struct ocispec_type *type, const char *json)
{
	struct block *all = NULL;
	struct ocispec_allocator alloc = { take, &all };
	struct ocispec_findings found = { 0 };
	struct ocispec_decode_options opt = { .findings = &found };
	struct ocispec_error e = { 0 };
	void *object = NULL, *again = NULL;
	char *first = NULL, *second = NULL;
	int r = ocispec_decode(type, json, strlen(json), &alloc, &opt, &object, &e);

	printf(r < 0 ? "bad\t" : "ok\t");
	print_findings(&found);
	if (r == 0)
		r = ocispec_encode(type, object, 0, &alloc, &first, NULL, &e);
	if (r == 0)
		r = ocispec_decode(type, first, strlen(first), &alloc, NULL, &again, &e);
	if (r == 0)
		r = ocispec_encode(type, again, 0, &alloc, &second, NULL, &e);
	if (r == 0 && strcmp(first, second) != 0)
		snprintf(e.text, sizeof(e.text), "no way back");
	printf("\t%s\n", *e.text ? e.text : first);
	free_all(all);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0) {
		char *json = strchr(line, '\t');

		if (!json)
			return 2;
		*json++ = '\0';
		json[strcspn(json, "\n")] = '\0';
		judge(find_type(line), json);
	}
	free(line);
	return 0;
}
