/* SPDX-License-Identifier: Apache-2.0 */
/* findings: what check --strict gets to see */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

/* All findings as lines "KIND LINE:COLUMN PATH [NEAREST]". */
static void list(const struct ocispec_findings *f, char *buf, size_t size)
{
	static const char *const kinds[] = { "unknown", "enum",	   "format",
					     "range",	"missing", "error" };
	size_t n = 0;

	buf[0] = '\0';
	for (const struct ocispec_finding *x = f->first; x && n < size; x = x->next)
		n += (size_t)snprintf(buf + n, size - n, "%s %u:%u %s%s%s\n", kinds[x->kind],
				      x->place.line, x->place.column, x->path,
				      x->nearest ? " " : "", x->nearest ? x->nearest : "");
}

static const struct {
	const struct ocispec_type *type;
	const char *text, *want;
} rows[] = {
	{ &oci_config_type, "{\"ociVersion\":\"1.3.0\"}", "" },
	{ &oci_config_type,
	  "{\"ociVersion\":\"1.3.0\",\"hostnme\":\"a\",\"Process\":{\"cwd\":1},\"zzz\":[]}",
	  "unknown 1:23 hostnme hostname\nunknown 1:37 Process process\nunknown 1:57 zzz\n" },
	{ &oci_config_type, "{\"ociVersion\":\"1.3\",\n\"mounts\":[{\"destination\":\"a\"}]}",
	  "format 1:15 ociVersion\nformat 2:26 mounts[0].destination\n" },
	{ &oci_process_type,
	  "{\"cwd\":\"/\",\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"kill\"]},\n"
	  "\"env\":[\"A\"],\"rlimits\":[{\"type\":\"NOFILE\",\"hard\":1,\"soft\":1}]}",
	  "format 1:51 capabilities.bounding[1]\nformat 2:8 env[0]\nformat 2:32 rlimits[0].type\n" },
	{ &oci_linux_seccomp_type,
	  "{\"defaultAction\":\"SCMP_ACT_ALOW\",\n\"architectures\":[\"SCMP_ARCH_X86_64\",\"vax\"]}",
	  "enum 1:18 defaultAction SCMP_ACT_ALLOW\nenum 2:37 architectures[1]\n" },
	{ &oci_config_type,
	  "{\"ociVersion\":\"1.3.0\",\"linux\":{\"devices\":[{\"path\":\"/x\",\"type\":\"c\",\"fileMode\":8630}]}}",
	  "range 1:78 linux.devices[0].fileMode\n" },
	{ &oci_linux_resources_type, "{\"pids\":{}}", "missing 1:9 pids.limit\n" },
	{ &oci_linux_resources_type, "{\"pids\":{\"limit\":null}}", "missing 1:9 pids.limit\n" },
	{ &oci_config_type, "{\"ociVersion\":\"1.3.0\",\"annotations\":{\"\":\"x\"}}",
	  "format 1:38 annotations[\"\"]\n" },
	/* every error, and the findings between them, in the order of the text */
	{ &oci_config_type,
	  "{\"ociVersion\":1,\n\"ociVersion\":\"1.3.0\",\n\"x\":1,\n\"hostname\":[],\n"
	  "\"mounts\":[{\"options\":[1,\"a\",{\"b\":{}},null]},{\"destination\":\"/\"},7],\n"
	  "\"root\":{\"path\":null,\"readonly\":\"no\"},\n"
	  "\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":-1,\"gid\":1.5}},\n"
	  "\"annotations\":{\"a\":\"\",\"b\":3,\"a\":\"\"},\n\"windows\":3}",
	  "error 1:15 ociVersion\nerror 2:1 ociVersion\nunknown 3:1 x\nerror 4:12 hostname\n"
	  "error 5:23 mounts[0].options[0]\nerror 5:29 mounts[0].options[2]\n"
	  "error 5:38 mounts[0].options[3]\nerror 5:11 mounts[0].destination\n"
	  "error 5:65 mounts[2]\nerror 6:16 root.path\nerror 6:32 root.readonly\n"
	  "error 7:36 process.user.uid\nerror 7:45 process.user.gid\n"
	  "error 8:27 annotations.b\nerror 8:29 annotations.a\nerror 9:11 windows\n" },
	{ &oci_mounts_type, "[{},{}",
	  "error 1:2 [0].destination\nerror 1:5 [1].destination\nerror 1:7 [2]\n" },
	{ &oci_config_type, "[{}]", "error 1:1 \n" },
};

static void test_rows(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ocispec_findings found = { 0 };
		struct ocispec_decode_options opt = { .findings = &found, .collect_errors = true };
		struct tap_memory m = { 0 };
		struct ocispec_error e;
		char got[2000];
		void *o = tap_decode(&m, rows[i].type, rows[i].text, &opt, &e);

		list(&found, got, sizeof(got));
		tap_same(got, rows[i].want, "findings of row %zu", i);
		tap_ok((o == NULL) == (found.n_error > 0) && found.n_lost == 0, "result of row %zu",
		       i);
		tap_free(&m);
	}
}

/* Without collect_errors the first error ends the work and is in the list too. */
static void test_first_error(void)
{
	struct ocispec_findings found = { 0 };
	struct ocispec_decode_options opt = { .findings = &found };
	struct tap_memory m = { 0 };
	struct ocispec_error e;
	char got[200];

	tap_ok(!tap_decode(&m, &oci_config_type, "{\"x\":1,\"hostname\":2,\"y\":3}", &opt, &e) &&
		       strcmp(e.path, "hostname") == 0,
	       "the first error ends it");
	list(&found, got, sizeof(got));
	tap_same(got, "unknown 1:2 x\nerror 1:19 hostname\n", "findings until then");
	tap_free(&m);
}

static void test_full(void)
{
	struct ocispec_findings found = { 0 };
	struct ocispec_decode_options opt = { .findings = &found, .max_findings = 2 };
	struct tap_memory m = { 0 };
	struct ocispec_error e;
	void *o =
		tap_decode(&m, &oci_config_type,
			   "{\"ociVersion\":\"1.3.0\",\"a\":1,\"b\":1,\"c\":1,\"d\":1}", &opt, &e);

	tap_ok(o && found.n == 2 && found.n_lost == 2 && !found.last->next, "a full list");
	tap_free(&m);
}

/* What could not be read is absent, and in a list empty: the others keep their numbers. */
static void test_partial(void)
{
	static const char text[] =
		"{\"ociVersion\":\"1.3.0\",\"hostname\":1,\"mounts\":[7,{\"destination\":\"/b\","
		"\"options\":[null,\"ro\",{\"x\":[1]}]}],\"process\":{\"cwd\":\"/\",\"user\":{"
		"\"uid\":1,\"gid\":2,\"additionalGids\":[\"5\",6,-1,8]}}}";
	struct ocispec_findings found = { 0 };
	const struct ocispec_decode_options opt = {
		.findings = &found,
		.collect_errors = true,
		.partial = true,
	};
	struct tap_memory m = { 0 };
	const struct ocispec_allocator alloc = tap_allocator(&m);
	const struct oci_config *c = NULL;
	const struct oci_mount *b;
	void *o = NULL;

	tap_ok(ocispec_decode(&oci_config_type, text, strlen(text), &alloc, &opt, &o, NULL) ==
			       -EINVAL &&
		       o,
	       "a part of it");
	c = o;
	if (c && tap_ok(c->n_mounts == 2 && !c->mounts[0]->destination, "an empty object")) {
		b = c->mounts[1];
		tap_same(b->destination, "/b", "and the next one");
		tap_ok(b->n_options == 3 && !*b->options[0] && !strcmp(b->options[1], "ro") &&
			       !*b->options[2],
		       "empty strings");
	}
	if (c && c->process && c->process->user)
		tap_ok(!c->hostname && c->process->user->n_additional_gids == 4 &&
			       c->process->user->additional_gids[0] == 0 &&
			       c->process->user->additional_gids[1] == 6 &&
			       c->process->user->additional_gids[3] == 8,
		       "numbers");
	tap_free(&m);
}

static void test_texts(void)
{
	struct ocispec_findings found = { 0 };
	struct ocispec_decode_options opt = { .findings = &found };
	struct tap_memory m = { 0 };
	struct ocispec_error e;

	tap_decode(
		&m, &oci_config_type,
		"{\"ociVersion\":\"1.3.0\",\"hostnme\":1,\"linux\":{\"seccomp\":{\"defaultAction\":\"a\","
		"\"architectures\":[\"SCMP_ARCH_VAX\"]}}}",
		&opt, &e);
	if (tap_ok(found.n == 3, "three findings")) {
		const struct ocispec_finding *f = found.first;

		tap_same(f->text, "no property that is known here, perhaps 'hostname' is meant",
			 "text of an unknown property");
		f = f->next;
		tap_ok(strstr(f->text, "expected one of SCMP_ACT_KILL, ") &&
			       strstr(f->text, ", found \"a\""),
		       "text of an unknown word");
		f = f->next;
		tap_ok(strstr(f->text, "expected one of SCMP_ARCH_AARCH64, ") &&
			       strstr(f->text, "found \"SCMP_ARCH_VAX\"") && !f->nearest,
		       "a long list does not hide what was found");
	}
	tap_free(&m);
}

void test_findings(void)
{
	test_rows();
	test_first_error();
	test_full();
	test_partial();
	test_texts();
}
