/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "cgroup/cgroup.h"
#include "cgroup/paths.h"

TEST(clean)
{
	static const struct {
		const char *in, *want, *error;
	} rows[] = {
		{ "/a/b", "/a/b", NULL },
		{ "a/b", "/a/b", NULL },
		{ "//a///b//", "/a/b", NULL },
		{ "/./a/.", "/a", NULL },
		{ "/a..b/...", "/a..b/...", NULL },
		/* without --systemd-cgroup this is a name like any other */
		{ "system.slice:runc:x", "/system.slice:runc:x", NULL },
		{ "/kubepods/besteffort/pod1-2/abc", "/kubepods/besteffort/pod1-2/abc", NULL },
		{ "/a/../b", NULL, "leads upwards" },
		{ "..", NULL, "leads upwards" },
		{ "/a/..", NULL, "leads upwards" },
		{ "/", NULL, "is the root" },
		{ "/./", NULL, "is the root" },
		{ "", NULL, "is the root" },
		{ "/a\nb", NULL, "line end" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct err e = { 0 };
		const char *got = NULL;
		int r = cgroup_path_clean(&a, rows[i].in, &got, &e);

		unit_row("%s", rows[i].in);
		CHECK_INT(r, rows[i].want ? 0 : -EINVAL);
		CHECK_STR(got, rows[i].want);
		if (rows[i].error)
			CHECK_HAS(e.text, rows[i].error);
	}
}

TEST(too_long)
{
	auto_arena a = arena_make();
	struct err e = { 0 };
	const char *got = NULL;
	char name[5000];

	memset(name, 'x', sizeof(name));
	name[256] = '\0';
	CHECK_INT(cgroup_path_clean(&a, name, &got, &e), -EINVAL);
	CHECK_HAS(e.text, "more than 255 bytes");
	name[255] = '\0';
	CHECK_INT(cgroup_path_clean(&a, name, &got, &e), 0);
	name[255] = 'x';
	name[256] = 'x';
	name[4999] = '\0';
	CHECK_INT(cgroup_path_clean(&a, name, &got, &e), -EINVAL);
	CHECK_HAS(e.text, "longer than");
}

TEST(below)
{
	static const struct {
		const char *in, *want, *error;
	} rows[] = {
		{ "a", "a", NULL },
		{ "./a//b/", "a/b", NULL },
		{ "a/..", NULL, "f: 'a/..' leads upwards" },
		{ ".", NULL, "f: '.' names no cgroup" },
		{ "a\nb", NULL, "f: 'a\nb' holds a line end" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct err e = { 0 };
		const char *got = NULL;
		int r = cgroup_path_below(&a, "f", rows[i].in, &got, &e);

		unit_row("%s", rows[i].in);
		CHECK_INT(r, rows[i].want ? 0 : -EINVAL);
		CHECK_STR(got, rows[i].want);
	}
}

TEST(default_path)
{
	static const struct {
		bool rootless;
		const char *self, *want;
	} rows[] = {
		{ false, "/user.slice/x.scope", "/c1" },
		{ true, "/user.slice/app.slice/x.scope", "/user.slice/app.slice/cleat-c1" },
		{ true, "/x", "/c1" },
		{ true, "/", "/c1" },
		{ true, "", "/c1" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("%d %s", rows[i].rootless, rows[i].self);
		CHECK_STR(cgroup_path_default(&a, "c1", rows[i].rootless, rows[i].self),
			  rows[i].want);
	}
}

TEST(relative_paths_of_users)
{
	auto_arena a = arena_make();

	CHECK_STR(cgroup_path_beside(&a, "a/b", "/user.slice/x.scope"), "/user.slice/a/b");
	CHECK_STR(cgroup_path_beside(&a, "a", "/x"), "/a");
	CHECK_STR(cgroup_path_beside(&a, "a", "/"), "/a");
	CHECK_STR(cgroup_path_beside(&a, "a", ""), "/a");
}

TEST(slices)
{
	static const struct {
		const char *in, *want; /* NULL: refused */
	} rows[] = {
		{ "system.slice", "/system.slice" },
		{ "a-b.slice", "/a.slice/a-b.slice" },
		{ "a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice" },
		{ "kubepods-pod1_2.slice", "/kubepods.slice/kubepods-pod1_2.slice" },
		{ "-.slice", "" },
		{ ".slice", NULL },
		{ "-a.slice", NULL },
		{ "a-.slice", NULL },
		{ "a--b.slice", NULL },
		{ "a/b.slice", NULL },
		{ "a.scope", NULL },
		{ "", NULL },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };
		const char *got = NULL;

		unit_row("%s", rows[i].in);
		CHECK_INT(cgroup_slice_expand(&a, rows[i].in, &got, &e),
			  rows[i].want ? 0 : -EINVAL);
		CHECK_STR(got, rows[i].want);
	}
}

TEST(units)
{
	static const struct {
		const char *in;
		bool rootless;
		const char *slice, *unit, *path; /* NULL: refused */
	} rows[] = {
		{ "a-b.slice:cri:x", false, "a-b.slice", "cri-x.scope",
		  "/a.slice/a-b.slice/cri-x.scope" },
		{ ":cri:x", false, "system.slice", "cri-x.scope", "/system.slice/cri-x.scope" },
		{ ":cri:x", true, "user.slice", "cri-x.scope", "/user.slice/cri-x.scope" },
		{ "::x", false, "system.slice", "-x.scope", "/system.slice/-x.scope" },
		{ "-.slice:p:x", false, "-.slice", "p-x.scope", "/p-x.scope" },
		{ "a.slice:p:b.slice", false, "a.slice", "b.slice", "/a.slice/b.slice" },
		{ "", false, "system.slice", "cleat-c1.scope", "/system.slice/cleat-c1.scope" },
		{ NULL, true, "user.slice", "cleat-c1.scope", "/user.slice/cleat-c1.scope" },
		{ "/a/b", false, NULL, NULL, NULL },
		{ "a:b", false, NULL, NULL, NULL },
		{ "a.slice:b:c:d", false, NULL, NULL, NULL },
		{ "a.slice:b:c/d", false, NULL, NULL, NULL },
		{ "a.slice:b:", false, NULL, NULL, NULL },
		{ "a:b:c", false, NULL, NULL, NULL },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cgroup_unit got = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].in ? rows[i].in : "(NULL)");
		CHECK_INT(cgroup_unit(&a, rows[i].in, "c1", rows[i].rootless, &got, &e),
			  rows[i].unit ? 0 : -EINVAL);
		CHECK_STR(got.slice, rows[i].slice);
		CHECK_STR(got.unit, rows[i].unit);
		CHECK_STR(got.path, rows[i].path);
	}
}
