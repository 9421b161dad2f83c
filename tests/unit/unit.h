/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit - the frame of the unit tests
 *
 * A test is a function in any file of tests/unit/<room>/; the file is named once,
 * in the module.am there. All files of a room make one program, which prints one
 * TAP line a test. Each test runs in a process of its own: a crash, a hang (60 s)
 * or a descriptor that is left open fails that test and no other.
 *
 *	TEST(sizes)
 *	{
 *		for (size_t i = 0; i < COUNT(rows); i++) {
 *			unit_row("%s", rows[i].in);
 *			CHECK_INT(str_to_size(rows[i].in, &v), rows[i].want);
 *		}
 *	}
 *
 * Checks go on after a failure; REQUIRE ends the test. `tests/unit/base/unit str` runs
 * the tests whose file or name contains "str".
 */
#ifndef CLEAT_TESTS_UNIT_H
#define CLEAT_TESTS_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct unit_test {
	const char *file, *name;
	void (*fn)(void);
	struct unit_test *next;
};

void unit_register(struct unit_test *t);

#define TEST(test)                                                                    \
	static void test_##test(void);                                                \
	static struct unit_test unit_##test = { __FILE__, #test, test_##test, NULL }; \
	__attribute__((constructor)) static void unit_add_##test(void)                \
	{                                                                             \
		unit_register(&unit_##test);                                          \
	}                                                                             \
	static void test_##test(void)

/* The row of a table that the next checks are about; named when one of them fails. */
void unit_row(const char *fmt, ...) ERR_PRINTF(1, 2);

/* End the test here, saying why it cannot run on this machine. */
_Noreturn void unit_skip(const char *fmt, ...) ERR_PRINTF(1, 2);
_Noreturn void unit_stop(void);

/*
 * A fresh directory that is removed, with all in it, when the test has ended,
 * however it ended. Returns its path; one a test.
 */
const char *unit_dir(void);

/* Each returns whether the check held; use the macros. */
bool unit_check(const char *file, int line, bool ok, const char *what);
bool unit_check_int(const char *file, int line, intmax_t got, intmax_t want, const char *what);
bool unit_check_str(const char *file, int line, const char *got, const char *want,
		    const char *what);
bool unit_check_has(const char *file, int line, const char *got, const char *part,
		    const char *what);
bool unit_check_ok(const char *file, int line, intmax_t result, const struct err *e,
		   const char *what);

#define CHECK(cond) unit_check(__FILE__, __LINE__, (cond), #cond)
/* The test has come to where it should never be. */
#define FAIL(why)	     unit_check(__FILE__, __LINE__, false, (why))
#define CHECK_INT(got, want) unit_check_int(__FILE__, __LINE__, (got), (want), #got)
#define CHECK_STR(got, want) unit_check_str(__FILE__, __LINE__, (got), (want), #got)
#define CHECK_HAS(got, part) unit_check_has(__FILE__, __LINE__, (got), (part), #got)
/* A result that must not be negative; shows the text of @e when it is. */
#define CHECK_OK(result, e) unit_check_ok(__FILE__, __LINE__, (result), (e), #result)
#define REQUIRE(cond)                \
	do {                         \
		if (!CHECK(cond))    \
			unit_stop(); \
	} while (0)
#define REQUIRE_OK(result, e)             \
	do {                              \
		if (!CHECK_OK(result, e)) \
			unit_stop();      \
	} while (0)

#endif
