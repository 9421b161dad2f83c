/* SPDX-License-Identifier: Apache-2.0 */
/* bundle - a configuration for tests: a small valid one with parts put in */
#ifndef CLEAT_TESTS_SPEC_BUNDLE_H
#define CLEAT_TESTS_SPEC_BUNDLE_H

#include "spec/spec.h"

/*
 * Members of the three objects beyond what every configuration has (ociVersion, root,
 * process with args and cwd); NULL: none. A member that is given again replaces nothing,
 * it is a second one.
 */
struct bundle_parts {
	const char *top, *process, *linux;
};

/* Write it as config.json into the test's directory and load it from there. */
int bundle_load(struct arena *a, const struct bundle_parts *parts, struct spec **ret,
		struct err *e);
/* The same with a text of its own. */
int bundle_load_text(struct arena *a, const char *text, struct spec **ret, struct err *e);

#endif
