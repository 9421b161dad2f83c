/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

TEST(shape_of_the_text)
{
	struct err e = { 0 };

	CHECK_INT(err_sys(&e, ENOENT, "/x/y", "open"), -ENOENT);
	CHECK_INT(e.code, ENOENT);
	CHECK_STR(e.subject, "/x/y");
	CHECK_STR(e.text, "open '/x/y': no such file or directory");
	CHECK_INT(err_note(&e, "mounts[%d]", 3), -ENOENT);
	CHECK_INT(err_note(&e, "create web1"), -ENOENT);
	CHECK_STR(e.text, "create web1: mounts[3]: open '/x/y': no such file or directory");

	CHECK_INT(err_sys(&e, EPERM, NULL, "mount %s", "tmpfs"), -EPERM);
	CHECK_STR(e.text, "mount tmpfs: operation not permitted");
	CHECK_STR(e.subject, "");

	CHECK_INT(err_user(&e, "process.cwd", "process.cwd must be absolute, not '%s'", "x"),
		  -EINVAL);
	CHECK_STR(e.text, "process.cwd must be absolute, not 'x'");
	CHECK_STR(e.subject, "process.cwd");
	CHECK_INT(e.code, EINVAL);

	CHECK_INT(err_code(&e, ENOENT, "web1", "container '%s' does not exist", "web1"), -ENOENT);
	CHECK_STR(e.text, "container 'web1' does not exist");

	CHECK_INT(err_set_id(&e, "no-container"), -ENOENT);
	CHECK_INT(err_set_id(&e, "second"), -ENOENT);
	CHECK_STR(e.id, "no-container");
	/* a new error has nothing of the old one */
	err_sys(&e, EIO, NULL, "read");
	CHECK_STR(e.id, "");
	err_clear(&e);
	CHECK_INT(e.code, 0);
	CHECK_STR(e.text, "");
}

TEST(wrong_codes_stay_failures)
{
	struct err e = { 0 };

	CHECK_INT(err_sys(&e, -ENOENT, "a", "open"), -ENOENT);
	CHECK_STR(e.text, "open 'a': no such file or directory");
	CHECK_INT(err_sys(&e, 0, "a", "open"), -EIO);
	CHECK_INT(err_code(&e, 0, NULL, "text"), -EIO);
	CHECK_INT(err_sys(&e, 4000, "a", "open"), -4000);
	CHECK_STR(e.text, "open 'a': error number 4000");
	err_clear(&e);
	CHECK_INT(err_note(&e, "nothing happened, says"), -EIO);
	/* the caller wants only the code */
	CHECK_INT(err_sys(NULL, EPERM, "a", "open"), -EPERM);
	CHECK_INT(err_user(NULL, "a", "x"), -EINVAL);
	CHECK_INT(err_code(NULL, EBUSY, "a", "x"), -EBUSY);
	CHECK(err_note(NULL, "x") < 0);
	CHECK(err_set_id(NULL, "x") < 0);
}

TEST(arguments_from_the_error_itself)
{
	struct err e = { 0 };

	err_sys(&e, ENOENT, "/x", "open");
	err_sys(&e, EPERM, e.subject, "again, after %s", e.text);
	CHECK_STR(e.text, "again, after open '/x': no such file or directory '/x': "
			  "operation not permitted");
	CHECK_STR(e.subject, "/x");
	err_note(&e, "%s", e.subject);
	CHECK(str_starts(e.text, "/x: again"));
}

TEST(long_texts_keep_both_ends)
{
	char path[4096];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "/begin%04000d/end", 0);
	err_sys(&e, ELOOP, path, "open");
	CHECK(str_starts(e.subject, "/begin"));
	CHECK(str_ends(e.subject, "/end"));
	CHECK_HAS(e.subject, "...");
	CHECK(str_starts(e.text, "open '/begin"));
	CHECK(str_ends(e.text, "/end': too many levels of symbolic links"));

	for (int i = 0; i < 200; i++)
		err_note(&e, "outermost %d", i);
	CHECK(str_starts(e.text, "outermost 199: outermost 198: "));
	CHECK(str_ends(e.text, ": too many levels of symbolic links"));
	CHECK(strlen(e.text) < sizeof(e.text));

	err_code(&e, ENOENT, path, "exec: \"%s\": stat %s: no such file", path, path);
	CHECK(str_starts(e.text, "exec: \"/begin"));
	CHECK(str_ends(e.text, "/end: no such file"));

	err_user(&e, path, "%s", path);
	CHECK(str_starts(e.text, "/begin"));
	CHECK(strlen(e.text) < sizeof(e.text));
}

/* libc in the C locale knows the same numbers, names and words. */
TEST(errno_table)
{
	for (int code = 1; code < 140; code++) {
		const char *name = strerrorname_np(code);
		char want[64];

		unit_row("%d %s", code, name ? name : "?");
		if (!name) {
			CHECK_STR(errno_name(code), "E?");
			CHECK_STR(errno_text(code), "unknown error");
			continue;
		}
		str_copy(want, sizeof(want), strerror(code));
		if (!isupper((unsigned char)want[1]))
			want[0] = (char)tolower((unsigned char)want[0]);
		CHECK_STR(errno_text(code), want);
		CHECK_INT(errno_from_name(name), code);
		CHECK_INT(errno_from_name(errno_name(code)), code);
		/* ENOTSUP and EOPNOTSUPP are one number; any of its names will do */
		if (code != EOPNOTSUPP)
			CHECK_STR(errno_name(code), name);
	}
	unit_row("other");
	CHECK_STR(errno_name(0), "0");
	CHECK_STR(errno_name(-1), "E?");
	CHECK_INT(errno_from_name("EWOULDBLOCK"), EAGAIN);
	CHECK_INT(errno_from_name("ENOTSUP"), EOPNOTSUPP);
	CHECK_INT(errno_from_name("enoent"), -EINVAL);
	CHECK_INT(errno_from_name(""), -EINVAL);
}

TEST(words_that_callers_match)
{
	CHECK_STR(errno_text(ENOENT), "no such file or directory");
	CHECK_STR(errno_text(EACCES), "permission denied");
	CHECK_STR(errno_text(EPERM), "operation not permitted");
	CHECK_STR(errno_text(ESRCH), "no such process");
}

TEST(sanitize_what_came_over_a_socket)
{
	struct err e;

	memset(&e, 'A', sizeof(e));
	e.code = EPERM;
	CHECK_INT(err_sanitize(&e), 0);
	CHECK_INT((intmax_t)strlen(e.text), sizeof(e.text) - 1);
	CHECK_INT((intmax_t)strlen(e.step), sizeof(e.step) - 1);
	CHECK_INT((intmax_t)strlen(e.id), sizeof(e.id) - 1);
	CHECK_INT((intmax_t)strlen(e.subject), sizeof(e.subject) - 1);

	e = (struct err){ .code = EPERM, .text = "a\033[2Jb\n\xff", .subject = "x\ny" };
	CHECK_INT(err_sanitize(&e), 0);
	CHECK_STR(e.text, "a?[2Jb ?");
	CHECK_STR(e.subject, "x y");

	static const int bad[] = { 0, -1, -EPERM, 4096, 1 << 30 };

	for (size_t i = 0; i < COUNT(bad); i++) {
		unit_row("%d", bad[i]);
		e = (struct err){ .code = bad[i], .text = "text" };
		CHECK_INT(err_sanitize(&e), -EPROTO);
	}
	e = (struct err){ .code = EPERM };
	CHECK_INT(err_sanitize(&e), -EPROTO);
}

static bool is_kind(const char *id)
{
	for (size_t i = 0; i < err_n_kinds; i++)
		if (str_eq(err_kinds[i].id, id))
			return true;
	return false;
}

TEST(kinds)
{
	struct err e = { 0 };

	for (size_t i = 0; i < err_n_kinds; i++)
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(err_kinds[i].id, err_kinds[j].id) != 0);
	/* every error has a code that is known */
	for (int code = 1; code < 200; code++) {
		err_sys(&e, code, NULL, "do");
		CHECK(is_kind(err_id(&e)));
	}
	err_sys(&e, EACCES, NULL, "do");
	CHECK_STR(err_id(&e), "denied");
	err_set_id(&e, "mount");
	CHECK_STR(err_id(&e), "mount");
}
