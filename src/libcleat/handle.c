/* SPDX-License-Identifier: Apache-2.0 */
/* handle - the settings and the newest error of one user of the library */
#include "libcleat/handle.h"

#include <stdlib.h>

#include "base/str.h"
#include "config.h"

const char *cleat_version(void)
{
	return PACKAGE_VERSION;
}

struct cleat *cleat_new(void)
{
	return calloc(1, sizeof(struct cleat));
}

void cleat_free(struct cleat *c)
{
	for (size_t i = 0; c && i < N_OPTIONS; i++)
		free(c->options[i]);
	free(c);
}

static int check_option(enum cleat_option option, const char *value, struct err *e)
{
	if ((unsigned)option >= N_OPTIONS)
		return err_user(e, NULL, "there is no option %d", (int)option);
	if (value && option == CLEAT_PROGRAM && value[0] != '/')
		return err_user(e, value, "the program's path '%s' is not absolute", value);
	if (value && option == CLEAT_CGROUP_MANAGER && cgroup_manager_from_name(value) < 0)
		return err_user(e, value, "unknown cgroup manager '%s'", value);
	return 0;
}

int cleat_set(struct cleat *c, enum cleat_option option, const char *value)
{
	char *copy = NULL;

	err_clear(&c->err);
	if (check_option(option, value, &c->err) < 0)
		return -c->err.code;
	if (value && handle_give_text(c, value, &copy) < 0)
		return -ENOMEM;
	free(c->options[option]);
	c->options[option] = copy;
	return 0;
}

const char *cleat_error(const struct cleat *c, enum cleat_error_part part)
{
	switch (part) {
	case CLEAT_ERROR_TEXT:
		return c->err.text;
	case CLEAT_ERROR_CODE:
		return c->err.code ? err_id(&c->err) : "";
	case CLEAT_ERROR_STEP:
		return c->err.step;
	case CLEAT_ERROR_OBJECT:
		return c->err.subject;
	}
	return "";
}

struct context handle_context(const struct cleat *c)
{
	const char *manager = c->options[CLEAT_CGROUP_MANAGER];
	struct context ctx = { .root = c->options[CLEAT_ROOT] };

	if (manager)
		ctx.cgroup_manager = (enum cgroup_manager)cgroup_manager_from_name(manager);
	return ctx;
}

int handle_give_text(struct cleat *c, const char *text, char **ret)
{
	char *copy = text ? strdup(text) : NULL;

	if (!copy)
		return err_sys(&c->err, ENOMEM, NULL, "give out a result");
	*ret = copy;
	return 0;
}
