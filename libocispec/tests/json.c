/* SPDX-License-Identifier: Apache-2.0 */
/* what is JSON and what is not, and the limits */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define WITH(hostname) "{\"ociVersion\":\"1.0.0\",\"hostname\":" hostname "}"

static void test_strings(void)
{
	static const struct {
		const char *text, *want; /* NULL: an error that contains `error` */
		const char *error;
	} rows[] = {
		{ "\"\"", "", NULL },
		{ "\"plain\"", "plain", NULL },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", NULL },
		{ "\"\\u00e4\\u20AC\"", "\xc3\xa4\xe2\x82\xac", NULL },
		{ "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", NULL },
		{ "\"\\uD83D\\uDE00\\uD83D\\uDE00\"", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", NULL },
		{ "\"\xf0\x9f\x98\x80\"", "\xf0\x9f\x98\x80", NULL },
		{ "\"\\\\ud800\"", "\\ud800", NULL },
		{ "\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\"", "\xef\xbf\xbf\xf4\x8f\xbf\xbf", NULL },
		{ "\"a\\u0000b\"", NULL, "NUL" },
		{ "\"\\ud800\"", NULL, "surrogate" },
		{ "\"\\ud800x\"", NULL, "surrogate" },
		{ "\"\\ud800\\u0041\"", NULL, "surrogate" },
		{ "\"\\ud800\\ud800\"", NULL, "surrogate" },
		{ "\"\\udc00\"", NULL, "UTF-8" },
		{ "\"\xc0\xaf\"", NULL, "UTF" },
		{ "\"\xe0\x80\xaf\"", NULL, "UTF" },
		{ "\"\xed\xa0\x80\"", NULL, "UTF" },
		{ "\"\xf4\x90\x80\x80\"", NULL, "UTF" },
		{ "\"\xf8\x88\x80\x80\x80\"", NULL, "UTF" },
		{ "\"\xe2\x82\"", NULL, "UTF" },
		{ "\"\x80\"", NULL, "UTF" },
		{ "\"\xff\"", NULL, "UTF" },
		{ "\"12345678\xc3\"", NULL, "UTF" },
		{ "\"tab\there\"", NULL, "not JSON" },
		{ "\"line\nhere\"", NULL, "not JSON" },
		{ "\"\\x41\"", NULL, "not JSON" },
		{ "\"\\u12g4\"", NULL, "not JSON" },
		{ "\"open", NULL, "not JSON" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tap_memory m = { 0 };
		struct ocispec_error e;
		char text[200];
		const struct oci_config *c;

		snprintf(text, sizeof(text), WITH("%s"), rows[i].text);
		c = tap_decode(&m, &oci_config_type, text, NULL, &e);
		if (rows[i].want)
			tap_same(c ? c->hostname : e.text, rows[i].want, "string row %zu", i);
		else if (!tap_ok(!c && strstr(e.text, rows[i].error),
				 "string row %zu is refused: %s", i, rows[i].error))
			tap_say("%s", c ? "accepted" : e.text);
		tap_free(&m);
	}
}

static void test_syntax(void)
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"}",
		"{]",
		"nul",
		"{\"ociVersion\":\"1.0.0\"",
		"{\"ociVersion\":\"1.0.0\",}",
		"{\"ociVersion\":\"1.0.0\"}}",
		"{\"ociVersion\":\"1.0.0\"} {}",
		"{\"ociVersion\":\"1.0.0\"}x",
		"{\"ociVersion\":\"1.0.0\"}\"",
		"{\"ociVersion\":\"1.0.0\"} \"x\\",
		"{\"ociVersion\":\"1.0.0\"} 1",
		"{\"ociVersion\":\"1.0.0\"} tru",
		"{\"ociVersion\":\"1.0.0\"} -",
		"{\"ociVersion\":\"1.0.0\"}/* */",
		"/* */{\"ociVersion\":\"1.0.0\"}",
		"// x\n{\"ociVersion\":\"1.0.0\"}",
		"{ociVersion:\"1.0.0\"}",
		"{'ociVersion':\"1.0.0\"}",
		"{\"ociVersion\" \"1.0.0\"}",
		"{\"ociVersion\":\"1.0.0\" \"hostname\":\"x\"}",
		"{\"ociVersion\":\"1.0.0\",\"x\":01}",
		"{\"ociVersion\":\"1.0.0\",\"x\":+1}",
		"{\"ociVersion\":\"1.0.0\",\"x\":.5}",
		"{\"ociVersion\":\"1.0.0\",\"x\":1.}",
		"{\"ociVersion\":\"1.0.0\",\"x\":1e}",
		"{\"ociVersion\":\"1.0.0\",\"x\":-}",
		"{\"ociVersion\":\"1.0.0\",\"x\":NaN}",
		"{\"ociVersion\":\"1.0.0\",\"x\":0x10}",
		"{\"ociVersion\":\"1.0.0\",\"x\":True}",
		"{\"ociVersion\":\"1.0.0\",\"x\":[1,]}",
		"{\"ociVersion\":\"1.0.0\",\"x\":[1 2]}",
		"{\"ociVersion\":\"1.0.0\",\"x\":\"\\u0000\"}",
		"{\"ociVersion\":\"1.0.0\",\"\\u0000\":1}",
		"{\"ociVersion\":\"1.0.0\",\"\xff\":1}",
		"\xef\xbb\xbf{\"ociVersion\":\"1.0.0\"}",
		"\xff\xfe{\0",
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct tap_memory m = { 0 };
		struct ocispec_error e;

		if (!tap_ok(!tap_decode(&m, &oci_config_type, bad[i], NULL, &e) &&
				    e.code == EINVAL && e.line >= 1 && e.column >= 1 && e.text[0],
			    "syntax row %zu is refused", i))
			tap_say("%u:%u %s", e.line, e.column, e.text);
		tap_free(&m);
	}
}

/* @depth arrays, or objects, below the property x. */
static char *nested(unsigned depth, bool objects)
{
	char *text = calloc(1, 64 + 8 * (size_t)depth), *s = text;

	if (!text)
		abort();
	s += snprintf(s, 40, "{\"ociVersion\":\"1.0.0\",\"x\":");
	for (unsigned i = 0; i < depth; i++)
		s += snprintf(s, 8, objects ? "{\"a\":" : "[");
	s += snprintf(s, 8, "1");
	for (unsigned i = 0; i < depth; i++)
		s += snprintf(s, 8, objects ? "}" : "]");
	snprintf(s, 8, "}");
	return text;
}

static void test_limits(void)
{
	static const struct {
		unsigned depth, max;
		bool good;
	} rows[] = {
		{ 63, 0, true }, { 64, 0, false },  { 64, 1000, false },
		{ 9, 10, true }, { 10, 10, false }, { 100000, 0, false },
	};
	struct ocispec_decode_options small = { .max_size = 10 };
	struct tap_memory m = { 0 };
	struct ocispec_error e;

	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		struct ocispec_decode_options opt = { .max_depth = rows[i / 2].max };
		char *text = nested(rows[i / 2].depth, i % 2);
		bool got = tap_decode(&m, &oci_config_type, text, &opt, &e);

		tap_ok(got == rows[i / 2].good && (got || strstr(e.text, "nested deeper")),
		       "%u %s with a limit of %u", rows[i / 2].depth, i % 2 ? "objects" : "arrays",
		       rows[i / 2].max);
		tap_free(&m);
		free(text);
	}
	tap_ok(!tap_decode(&m, &oci_config_type, "{\"a\": 123}", &small, &e) && e.code == EINVAL,
	       "10 bytes of 10 are read");
	tap_ok(!tap_decode(&m, &oci_config_type, "{\"a\": 1234}", &small, &e) && e.code == E2BIG,
	       "11 bytes of 10 are too long");
	tap_free(&m);
}

/* Map keys that quarrel: a second one is found in any order and number. */
static void test_many_keys(void)
{
	const size_t n = 20000;
	char *text = calloc(n, 24), *s;
	struct tap_memory m = { 0 };
	struct ocispec_error e;

	if (!text)
		abort();
	for (int twice = 0; twice < 2; twice++) {
		const struct oci_config *c;

		s = text + snprintf(text, 48, "{\"ociVersion\":\"1\",\"annotations\":{");
		for (size_t i = 0; i < n; i++)
			s += snprintf(s, 24, "\"k%zu\":\"\",", i * 7919 % n);
		snprintf(s, 24, "\"%s\":\"\"}}", twice ? "k17" : "last");
		c = tap_decode(&m, &oci_config_type, text, NULL, &e);
		if (twice)
			tap_ok(!c && strcmp(e.path, "annotations.k17") == 0 &&
				       e.column == (unsigned)(s - text) + 1,
			       "a second key among %zu", n);
		else
			tap_ok(c && c->annotations->n == n + 1, "%zu keys", n);
		tap_free(&m);
	}
	free(text);
}

void test_json(void)
{
	test_strings();
	test_syntax();
	test_limits();
	test_many_keys();
}
