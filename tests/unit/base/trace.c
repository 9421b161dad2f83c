/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trace.h"

#include <stdlib.h>

#include "base/log.h"
#include "unit/unit.h"

TEST(areas_from_the_environment)
{
	static const struct {
		const char *value;
		unsigned want;
	} rows[] = {
		{ NULL, 0 },
		{ "", 0 },
		{ "step", TRACE_STEP },
		{ "step,mount", TRACE_STEP | TRACE_MOUNT },
		{ ",,step,,", TRACE_STEP },
		{ "steps,mou,STEP", 0 },
		{ "bogus,fd,msg", TRACE_MSG },
		{ "cgroup,plan,msg,exec,ignore",
		  TRACE_CGROUP | TRACE_PLAN | TRACE_MSG | TRACE_EXEC | TRACE_IGNORE },
		{ "all", ~0U },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].value)
			setenv("CLEAT_TRACE", rows[i].value, 1);
		else
			unsetenv("CLEAT_TRACE");
		trace_mask = 12345;
		trace_init();
		unit_row("%s", rows[i].value ? rows[i].value : "unset");
		CHECK_INT(trace_mask, rows[i].want);
	}
}

TEST(debug_has_areas_of_its_own)
{
	static const unsigned own = TRACE_STEP | TRACE_CGROUP | TRACE_EXEC;

	unsetenv("CLEAT_TRACE");
	REQUIRE(log_open(NULL, LOG_TEXT, LOG_LEVEL_DEBUG, NULL) == 0);
	trace_init();
	CHECK_INT(trace_mask, own);
	setenv("CLEAT_TRACE", "mount,step", 1);
	trace_init();
	CHECK_INT(trace_mask, own | TRACE_MOUNT);
	unsetenv("CLEAT_TRACE");
	REQUIRE(log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL) == 0);
	trace_init();
	CHECK_INT(trace_mask, 0);
}

static char lines[4096];

static void keep(void *arg, enum log_level level, const char *text)
{
	size_t n = strlen(lines);

	(void)arg;
	CHECK_INT(level, LOG_LEVEL_DEBUG);
	str_copy(lines + n, sizeof(lines) - n, text);
	n = strlen(lines);
	str_copy(lines + n, sizeof(lines) - n, "|");
}

static int evaluated;

TEST(lines_go_to_the_sink_whatever_the_level)
{
	struct err e = { 0 };

	REQUIRE(log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL) == 0);
	log_set_sink(keep, NULL);
	trace_mask = TRACE_STEP | TRACE_IGNORE;
	trace(STEP, "%s: %d us", "mounts", 12);
	trace(MOUNT, "%d", evaluated++);
	err_sys(&e, EPERM, "/x", "write");
	err_ignore(&e, "a user may %s", "not");
	CHECK_STR(lines, "trace: STEP mounts: 12 us|trace: IGNORE write '/x': "
			 "operation not permitted (a user may not)|");
	CHECK_INT(evaluated, 0);
	CHECK_INT(e.code, 0);
	CHECK_STR(e.text, "");
}
