/* SPDX-License-Identifier: Apache-2.0 */
/* mempolicy - linux.memoryPolicy; set_mempolicy(2) */
#include "base/str.h"
#include "base/table.h"
#include "proc/apply.h"
#include "proc/parts.h"

/* The kernel's numbers: older headers lack the newer ones. */
static const struct name_row modes[] = {
	{ "MPOL_DEFAULT", 0 },
	{ "MPOL_PREFERRED", 1 },
	{ "MPOL_BIND", 2 },
	{ "MPOL_INTERLEAVE", 3 },
	{ "MPOL_LOCAL", 4 },
	{ "MPOL_PREFERRED_MANY", 5 },
	{ "MPOL_WEIGHTED_INTERLEAVE", 6 },
};

static const struct name_row flags[] = {
	{ "MPOL_F_NUMA_BALANCING", 1 << 13 },
	{ "MPOL_F_RELATIVE_NODES", 1 << 14 },
	{ "MPOL_F_STATIC_NODES", 1 << 15 },
};

static const char *const *list_names(const struct name_row *rows, size_t n, const char **ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = rows[i].name;
	return ret;
}

const char *const *proc_mempolicy_modes(size_t *n)
{
	static const char *names[COUNT(modes)];

	*n = COUNT(modes);
	return list_names(modes, COUNT(modes), names);
}

const char *const *proc_mempolicy_flags(size_t *n)
{
	static const char *names[COUNT(flags)];

	*n = COUNT(flags);
	return list_names(flags, COUNT(flags), names);
}

int plan_mempolicy(struct arena *a, const struct oci_linux *l, struct proc_plan *p, struct err *e)
{
	const struct oci_linux_memory_policy *m = l->memory_policy;
	int64_t mode, flag;

	if (!m)
		return 0;
	if (!m->mode || name_lookup(modes, COUNT(modes), m->mode, &mode) < 0)
		return err_user(e, "linux.memoryPolicy.mode",
				"linux.memoryPolicy.mode: unknown '%s'", m->mode ? m->mode : "");
	for (size_t i = 0; i < m->n_flags; i++) {
		if (name_lookup(flags, COUNT(flags), m->flags[i], &flag) < 0)
			return err_user(e, "linux.memoryPolicy.flags",
					"linux.memoryPolicy.flags[%zu]: unknown '%s'", i,
					m->flags[i]);
		mode |= flag;
	}
	p->has_mempolicy = true;
	p->mempolicy.mode = (int)mode;
	return parse_bits(a, m->nodes ? m->nodes : "", "linux.memoryPolicy.nodes",
			  &p->mempolicy.nodes, e);
}

int apply_mempolicy(const struct proc_plan *p, struct err *e)
{
	const struct proc_bits *nodes = &p->mempolicy.nodes;
	int r;

	if (!p->has_mempolicy)
		return 0;
	/* The kernel takes one bit less than it is told. */
	r = sys_set_mempolicy(p->mempolicy.mode, nodes->n_words ? nodes->words : NULL,
			      nodes->n_words ? nodes->n_words * WORD_BITS + 1 : 0);
	return r < 0 ? err_sys(e, -r, "linux.memoryPolicy", "set the memory policy") : 0;
}
