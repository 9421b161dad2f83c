/* SPDX-License-Identifier: Apache-2.0 */
/* encode: order, form, what cannot be written; and running out of memory */
#include <errno.h>
#include <string.h>

#include "tap.h"

static struct oci_state whole_state(void)
{
	static struct oci_string_entry entries[] = { { "k/1", "v\"\\\n\x01\x7f\xc3\xa4" },
						     { "b", "" } };
	static struct oci_string_map annotations = { 2, entries };

	return (struct oci_state){
		.oci_version = "1.3.0",
		.id = "c1",
		.has_pid = true,
		.status = "stopped",
		.bundle = "/b/u",
		.rootfs = "/b/u/rootfs",
		.created = "2026-11-23T20:01:02.5Z",
		.annotations = &annotations,
		.owner = "root",
	};
}

static void test_state(void)
{
	struct tap_memory m = { 0 };
	struct oci_state s = whole_state();
	struct ocispec_error e;

	tap_same(
		tap_encode(&m, &oci_state_type, &s, 0, &e),
		"{\"ociVersion\":\"1.3.0\",\"id\":\"c1\",\"pid\":0,\"status\":\"stopped\",\"bundle\":\"/b/u\","
		"\"rootfs\":\"/b/u/rootfs\",\"created\":\"2026-11-23T20:01:02.5Z\","
		"\"annotations\":{\"k/1\":\"v\\\"\\\\\\n\\u0001\\u007f\xc3\xa4\",\"b\":\"\"},\"owner\":\"root\"}",
		"state in the order that callers expect");
	s.annotations = &(struct oci_string_map){ 0, NULL };
	s.rootfs = s.created = s.owner = NULL;
	tap_same(
		tap_encode(&m, &oci_state_type, &s, OCISPEC_PRETTY, &e),
		"{\n    \"ociVersion\": \"1.3.0\",\n    \"id\": \"c1\",\n    \"pid\": 0,\n"
		"    \"status\": \"stopped\",\n    \"bundle\": \"/b/u\",\n    \"annotations\": {}\n}\n",
		"pretty");
	tap_free(&m);
}

static void test_lists(void)
{
	struct oci_mount a = { .destination = "/a" };
	struct oci_mount *mounts[] = { &a };
	struct oci_mounts list = { .mounts = mounts, .n_mounts = 1 };
	struct tap_memory m = { 0 };
	struct ocispec_error e;

	tap_same(tap_encode(&m, &oci_mounts_type, &list, OCISPEC_PRETTY, &e),
		 "[\n    {\n        \"destination\": \"/a\"\n    }\n]\n", "a pretty list");
	list = (struct oci_mounts){ 0 };
	tap_same(tap_encode(&m, &oci_mounts_type, &list, 0, &e), "[]", "a list of nothing");
	tap_free(&m);
}

static void test_refusals(void)
{
	const char *args[] = { "a", NULL, "c" };
	struct oci_id_mapping none = { .has_size = true };
	struct oci_id_mapping *maps[] = { &none };
	struct oci_linux linux = { .uid_mappings = maps, .n_uid_mappings = 1 };
	struct oci_process process = { .cwd = "/" };
	struct oci_string_entry entry = { "k", "\xff" };
	struct oci_string_map map = { 1, &entry };
	struct oci_config c = { .oci_version = "1.3.0" };
	struct tap_memory m = { 0 };
	struct ocispec_error e;

#define REFUSED(want_code, want_path, name)                                              \
	tap_ok(!*tap_encode(&m, &oci_config_type, &c, 0, &e) && e.code == (want_code) && \
		       strcmp(e.path, want_path) == 0 && e.line == 0 && e.text[0],       \
	       "refused: " name)
	c.hostname = "\xc3";
	REFUSED(EILSEQ, "hostname", "a string that is not UTF-8");
	c.hostname = NULL;
	c.annotations = &map;
	REFUSED(EILSEQ, "annotations.k", "the same in a map");
	entry = (struct oci_string_entry){ "\xff", "" };
	REFUSED(EILSEQ, "annotations.\xff", "a key that is not UTF-8");
	entry = (struct oci_string_entry){ "k", NULL };
	REFUSED(EINVAL, "annotations.k", "NULL in a map");
	entry = (struct oci_string_entry){ NULL, "" };
	REFUSED(EINVAL, "annotations", "no key in a map");
	c.annotations = NULL;
	c.process = &process;
	process.args = args;
	process.n_args = 3;
	REFUSED(EINVAL, "process.args[1]", "NULL in an array");
	process.args = NULL;
	REFUSED(EINVAL, "process.args", "a length without items");
	process.n_args = 0;
	process.cwd = NULL;
	REFUSED(EINVAL, "process.cwd", "no string where one is required");
	c.process = NULL;
	c.linux = &linux;
	REFUSED(EINVAL, "linux.uidMappings[0].containerID", "no number where one is required");
	tap_free(&m);
}

void test_encode(void)
{
	test_state();
	test_lists();
	test_refusals();
}

static const char everything[] =
	"{\"ociVersion\":\"1.3.0\",\"process\":{\"user\":{\"additionalGids\":[1,2]},\"args\":[\"a\\\"b\","
	"\"c\"],\"cwd\":\"/\"},\"annotations\":{\"a\":\"1\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\","
	"\"f\":\"\",\"g\":\"\",\"h\":\"\",\"i\":\"\"},\"linux\":{\"netDevices\":{\"e\":{}}}}";

/* Fail each allocation once: never a crash, always -ENOMEM, but for findings that are lost. */
static void fail_each(const char *text, bool findings)
{
	struct tap_memory m = { 0 };
	struct ocispec_error e;
	size_t n = 1, refused = 0, lost = 0, other = 0;
	void *o;

	do {
		struct ocispec_findings found = { 0 };
		struct ocispec_decode_options opt = { .findings = findings ? &found : NULL };

		m.fail_at = n + 1; /* the first one is the copy of the text */
		o = tap_decode(&m, &oci_config_type, text, &opt, &e);
		n = m.n;
		refused += !o && e.code == ENOMEM;
		lost += o && found.n_lost > 0;
		other += !o && e.code != ENOMEM;
		n = m.fail_at;
		if (o && found.n_lost == 0)
			n = 0;
		tap_free(&m);
	} while (n);
	tap_ok(other == 0 && refused > 8 && (lost > 0) == findings,
	       "%zu failed allocations, %zu lost findings", refused, lost);
}

void test_memory(void)
{
	struct tap_memory m = { 0 };
	struct ocispec_error e;
	void *o = tap_decode(&m, &oci_config_type, everything, NULL, &e);

	tap_same(o ? tap_encode(&m, &oci_config_type, o, 0, &e) : e.text, everything,
		 "what the next tests decode");
	m.fail_at = m.n + 1;
	tap_ok(o && !*tap_encode(&m, &oci_config_type, o, 0, &e) && e.code == ENOMEM,
	       "no memory to encode");
	m.fail_at = 0;
	tap_free(&m);
	fail_each(everything, false);
	fail_each("{\"ociVersion\":\"1\",\"process\":{\"cwd\":\"a\"},\"x\":1,\"y\\n\":2,\"z\":[],"
		  "\"hooks\":{\"poststop\":[{\"path\":\"/\"}]}}",
		  true);
}
