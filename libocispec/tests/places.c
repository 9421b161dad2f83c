/* SPDX-License-Identifier: Apache-2.0 */
/* places: an error is shown where it is; ^ marks it in each text */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static const struct {
	const char *text, *path;
} rows[] = {
	{ "^[]", "" },
	{ "  \n ^3", "" },
	{ "{\"ociVersion\": ^3}", "ociVersion" },
	{ "{\"ociVersion\":^true}", "ociVersion" },
	{ "{\"ociVersion\":^false}", "ociVersion" },
	{ "{\"ociVersion\":^null}", "ociVersion" },
	{ "{\"ociVersion\": ^-12.50e1}", "ociVersion" },
	{ "{\"ociVersion\":\n\n\t^{}}", "ociVersion" },
	{ "{\"ociVersion\":^[1,2]}", "ociVersion" },
	{ "^{}", "ociVersion" },
	{ "{\"ociVersion\":\"1\",\"root\": ^{\"readonly\":false}}", "root.path" },
	{ "{\"ociVersion\":\"1\",\"mounts\":[\n{\"destination\":\"/a\"},\n^{\"type\":\"b\"}]}",
	  "mounts[1].destination" },
	{ "{\"ociVersion\":\"1\",\"mounts\":[{\"destination\":\"/a\",\"options\":[\"x\",\"y\",^1]}]}",
	  "mounts[0].options[2]" },
	{ "{\"ociVersion\":\"1\",\"linux\":{\"sysctl\":{\"a.b\":\"c\",\"x\\\"\\u00e4y\":^1}}}",
	  "linux.sysctl[\"x\"\xc3\xa4y\"]" },
	{ "{\"ociVersion\":\"1\",\n\"hostname\":\"x\",\n ^\"hostname\":\"y\"}", "hostname" },
	{ "{\"ociVersion\":\"1\",\n\"annotations\":{\"a\":\"\\\"\\\\\",\n\"b\":\"\",^\"a\":\"\"}}",
	  "annotations.a" },
	{ "{\"ociVersion\":\"1\",\n\"annotations\":{\"a\":\"\\\"\\\\\",\n\"b\":\"\",^\"\\u0061\":\"\"}}",
	  "annotations.a" },
	{ "{\"ociVersion\":\"1\",\"hostname\": ^\"a\\\"\\u0000\"}", "hostname" },
	{ "{\"ociVersion\":\"1\",\"hostname\": ^\"\\\\\\\\\\\"\\ud800\"}", "hostname" },
	{ "{\"ociVersion\":\"1\",\"hostname\": ^\"\xed\xa0\x80\"}", "hostname" },
	{ "{\"ociVersion\":\"1\",\"linux\":{\"resources\":{\"hugepageLimits\":[{\"limit\":1,\"pageSize\":^\"x\\\"\"}]}}}",
	  "linux.resources.hugepageLimits[0].pageSize" },
	{ "{\"ociVersion\":\"1\",\"linux\":{\"seccomp\":{\"defaultAction\":\"a\",\"syscalls\":[{\"action\":\"x\",\"names\":^[]}]}}}",
	  "linux.seccomp.syscalls[0].names" },
	{ "{\"ociVersion\":\"1\",\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":^4294967296,\"size\":1}]}}",
	  "linux.uidMappings[0].hostID" },
};

/* The text without its mark; where that was. */
static void strip(const char *marked, char *text, struct ocispec_place *ret)
{
	struct ocispec_place p = { 1, 1 };

	for (; *marked; marked++) {
		if (*marked == '^') {
			*ret = p;
			continue;
		}
		p.column++;
		if (*marked == '\n')
			p = (struct ocispec_place){ p.line + 1, 1 };
		*text++ = *marked;
	}
	*text = '\0';
}

/* Where the parser itself gives up it may be a byte off; the line must be right. */
static void test_syntax_lines(void)
{
	static const char *const texts[] = {
		"{\n\"ociVersion\": \"1\",\n,\n\n}\n",
		"{\n\"ociVersion\": \"1\",\n\"hostname\": \"a\tb\"\n\n}\n",
		"{\n\"ociVersion\": \"1\",\n\"hostname\" \"b\"\n\n}\n",
		"{\n\"ociVersion\": \"1\"\n} x\n",
	};
	struct tap_memory m = { 0 };
	struct ocispec_error e;

	for (size_t i = 0; i < COUNT(texts); i++) {
		bool got = tap_decode(&m, &oci_config_type, texts[i], NULL, &e);

		if (!tap_ok(!got && e.line == 3 && e.column > 0,
			    "line of the syntax error in text %zu", i))
			tap_say("%u:%u %s", e.line, e.column, e.text);
		tap_free(&m);
	}
}

/* Control characters and half characters of a text do not come out. */
static void test_shown(void)
{
	static const struct {
		const char *text, *part;
	} shown[] = {
		{ "{\"ociVersion\":\"1\",\"mounts\":\"\\u001b[31m\\n\\u007f\"}",
		  "found \"?[31m??\"" },
		{ "{\"ociVersion\":\"1\",\"mounts\":\"12345678901234567890123456789012345678901234567"
		  "\xc3\xa4\"}",
		  "found \"12345678901234567890123456789012345678901234567...\"" },
		{ "{\"ociVersion\":\"1\",\"annotations\":{\"\\u001b\":1}}", NULL },
	};
	struct tap_memory m = { 0 };
	struct ocispec_error e;

	for (size_t i = 0; i < COUNT(shown); i++) {
		void *o = tap_decode(&m, &oci_config_type, shown[i].text, NULL, &e);
		bool good = !o && (!shown[i].part || strstr(e.text, shown[i].part));

		for (const char *s = e.path; *s; s++)
			good = good && (unsigned char)*s >= 0x20;
		if (!tap_ok(good, "what is shown of text %zu", i))
			tap_say("%s: %s", e.path, e.text);
		tap_free(&m);
	}
}

void test_places(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ocispec_place want = { 0, 0 };
		struct tap_memory m = { 0 };
		struct ocispec_error e;
		char text[300];
		bool good;

		strip(rows[i].text, text, &want);
		good = !tap_decode(&m, &oci_config_type, text, NULL, &e) && e.line == want.line &&
		       e.column == want.column && strcmp(e.path, rows[i].path) == 0;
		if (!tap_ok(good, "place row %zu: %u:%u %s", i, want.line, want.column,
			    rows[i].path))
			tap_say("%u:%u %s: %s", e.line, e.column, e.path, e.text);
		tap_free(&m);
	}
	test_syntax_lines();
	test_shown();
}
