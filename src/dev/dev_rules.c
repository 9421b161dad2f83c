/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dev_rules - what a container may do with devices whatever its configuration says
 *
 * config-linux.md "Default Devices" names the nodes; they must work. A node may be made
 * of any device, since making one gives no access. tun is here because callers take it
 * for granted: two runtimes removed it and had to put it back.
 */
#include "base/str.h"
#include "dev/dev.h"

static const struct dev_rule rules[] = {
	{ true, 'c', -1, -1, "m" },    { true, 'b', -1, -1, "m" },
	{ true, 'c', 1, 3, "rwm" },    /* null */
	{ true, 'c', 1, 5, "rwm" },    /* zero */
	{ true, 'c', 1, 7, "rwm" },    /* full */
	{ true, 'c', 1, 8, "rwm" },    /* random */
	{ true, 'c', 1, 9, "rwm" },    /* urandom */
	{ true, 'c', 5, 0, "rwm" },    /* tty */
	{ true, 'c', 5, 1, "rwm" },    /* console */
	{ true, 'c', 5, 2, "rwm" },    /* ptmx */
	{ true, 'c', 136, -1, "rwm" }, /* pts */
	{ true, 'c', 10, 200, "rwm" }, /* net/tun */
};

const struct dev_rule *dev_default_rules(size_t *ret_n)
{
	*ret_n = COUNT(rules);
	return rules;
}
