/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/spec/bundle.h"
#include "unit/unit.h"

#define MINIMAL "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"%s\"}}"

TEST(minimal)
{
	auto_arena a = arena_make();
	struct spec *s = NULL;
	struct err e = { 0 };

	/* create may come without a process; it is start that needs one */
	REQUIRE_OK(bundle_load_text(&a, arena_printf(&a, MINIMAL, "r"), &s, &e), &e);
	CHECK_STR(s->bundle, unit_dir());
	CHECK_STR(s->rootfs_path, arena_printf(&a, "%s/r", unit_dir()));
	CHECK(!s->has_process);
	CHECK(!s->readonly_root);
	CHECK_INT(s->n_namespaces, 0);
	CHECK_STR(s->text, arena_printf(&a, MINIMAL, "r"));
	CHECK_INT(s->text_len, strlen(s->text));
}

TEST(root)
{
	auto_arena a = arena_make();
	struct spec *s = NULL;
	struct err e = { 0 };

	REQUIRE_OK(bundle_load_text(&a, arena_printf(&a, MINIMAL, "/abs/root"), &s, &e), &e);
	CHECK_STR(s->rootfs_path, "/abs/root");
	CHECK(bundle_load_text(&a, arena_printf(&a, MINIMAL, ""), &s, &e) < 0);
	CHECK_HAS(e.text, "config.json:1:38: root.path is empty");
	err_clear(&e);
	CHECK(bundle_load_text(&a, "{\"ociVersion\":\"1.0.0\"}", &s, &e) < 0);
	CHECK_HAS(e.text, "config.json");
	CHECK_HAS(e.text, "root");
	err_clear(&e);
	REQUIRE_OK(bundle_load_text(&a,
				    "{\"ociVersion\":\"1.0.0\","
				    "\"root\":{\"path\":\"r\",\"readonly\":true}}",
				    &s, &e),
		   &e);
	CHECK(s->readonly_root);
}

TEST(bundle_names)
{
	auto_arena a = arena_make();
	struct spec_report report = { 0 };
	struct spec *s = NULL;
	struct err e = { 0 };
	char real[PATH_MAX];

	REQUIRE(realpath(unit_dir(), real) != NULL);
	REQUIRE_OK(bundle_load_text(&a, arena_printf(&a, MINIMAL, "r"), &s, &e), &e);
	REQUIRE_OK(spec_load(&a, arena_printf(&a, "%s///", unit_dir()), NULL, &s, &e), &e);
	CHECK_STR(s->bundle, unit_dir());
	REQUIRE(chdir(unit_dir()) == 0);
	REQUIRE_OK(spec_load(&a, NULL, NULL, &s, &e), &e);
	CHECK_STR(s->bundle, real);
	REQUIRE(mkdir("sub", 0700) == 0);
	REQUIRE(rename("config.json", "sub/other.json") == 0);
	REQUIRE_OK(spec_load(&a, "sub/../sub", "sub/other.json", &s, &e), &e);
	CHECK_STR(s->bundle, arena_printf(&a, "%s/sub", real));
	REQUIRE_OK(spec_load(&a, "sub", arena_printf(&a, "%s/sub/other.json", real), &s, &e), &e);
	CHECK_INT(spec_load(&a, "sub", NULL, &s, &e), -ENOENT);
	CHECK_STR(e.text, arena_printf(&a,
				       "no configuration in the bundle '%s/sub' ('cleat spec' "
				       "writes one): open 'config.json': no such file or directory",
				       real));
	err_clear(&e);
	CHECK_INT(spec_examine(&a, "sub", NULL, &report, &e), -ENOENT);
	CHECK_HAS(e.text, "no configuration in the bundle");
	err_clear(&e);
	CHECK_INT(spec_load(&a, "sub", "nofile.json", &s, &e), -ENOENT);
	CHECK_STR(e.text, "open 'nofile.json': no such file or directory");
	err_clear(&e);
	CHECK_INT(spec_load(&a, "nowhere", NULL, &s, &e), -ENOENT);
	CHECK_HAS(e.text, "nowhere");
	CHECK_INT(spec_load(&a, "/nowhere", NULL, &s, &e), -ENOENT);
}

TEST(copy)
{
	auto_arena a = arena_make();
	struct spec *s = NULL;
	struct err e = { 0 };
	int dir;

	REQUIRE_OK(bundle_load_text(&a, arena_printf(&a, MINIMAL, "r"), &s, &e), &e);
	dir = open(unit_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	REQUIRE_OK(spec_load_copy(&a, dir, "/the/bundle", &s, &e), &e);
	CHECK_STR(s->bundle, "/the/bundle");
	CHECK_STR(s->rootfs_path, "/the/bundle/r");
	close(dir);
}

/* What cannot be read as a configuration, and where. */
TEST(syntax)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "config.json" },
		{ "{", "config.json" },
		{ "[]", "config.json" },
		{ "{\n \"ociVersion\": \"1.0.0\",\n \"root\": 5\n}", "config.json:3:" },
		{ "{\n \"ociVersion\": \"1.0.0\",\n \"root\": {\"path\": \"r\"},\n"
		  " \"process\": {\"cwd\": \"/\", \"args\": [\"a\"], \"user\": {\"uid\": -1}}\n}",
		  "process.user.uid" },
		{ "{\"ociVersion\": \"1.0.0\", \"root\": {\"path\": \"a\\u0000b\"}}", "root.path" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec *s = NULL;
		struct err e = { 0 };

		unit_row("%zu", i);
		CHECK(bundle_load_text(&a, rows[i].text, &s, &e) < 0);
		CHECK_HAS(e.text, rows[i].want);
		CHECK(s == NULL);
	}
}

TEST(version)
{
	static const struct {
		const char *version;
		bool ok;
	} rows[] = {
		{ "1.0.0", true },
		{ "1.0.2-dev", true },
		{ "1.3.0", true },
		{ "1.99.7", true },
		{ "1.0.0-rc5", true },
		{ "1.2.0+git", true },
		{ "0.5.0", true },
		{ "2.0.0", false },
		{ "10.0.0", false },
		{ "", false },
		{ "1", false },
		{ "1.0", false },
		{ "1.0.", false },
		{ "v1.0.0", false },
		{ "1.0.0 ", false },
		{ "1.0.0.0", false },
		{ "01.0.0", false },
		{ "1.0.0-", false },
		{ "1.0.0-\xc3\xa4", false },
		{ "1.99999999999999999999.0", false },
		{ "-1.0.0", false },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec *s = NULL;
		struct err e = { 0 };
		const char *text = arena_printf(
			&a, "{\"ociVersion\":\"%s\",\"root\":{\"path\":\"r\"}}", rows[i].version);

		unit_row("%s", rows[i].version);
		CHECK((bundle_load_text(&a, text, &s, &e) == 0) == rows[i].ok);
		if (!rows[i].ok)
			CHECK_HAS(e.text, "ociVersion");
	}
}
