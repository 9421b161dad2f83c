/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_oracle - the same profile compiled by libseccomp, to compare with
 *
 * One architecture at a time and without its binary tree: with several, and with
 * alternatives in a tree, release 2.5.4 gives programs that disagree with its own plain
 * ones (the number is not loaded anew for the second architecture, for example).
 */
#include <linux/bpf_common.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit/sec/seccomp_ref.h"

static int add(scmp_filter_ctx ctx, uint32_t action, int nr, const struct seccomp_cond *c, size_t n)
{
	struct scmp_arg_cmp args[6];

	for (size_t i = 0; i < n; i++)
		args[i] = SCMP_CMP64(c[i].index, (enum scmp_compare)c[i].op, c[i].value,
				     c[i].value_two);
	return seccomp_rule_add_array(ctx, action, nr, (unsigned)n, args);
}

static int add_rule(scmp_filter_ctx ctx, const struct seccomp_rule *r)
{
	int bad = 0;

	for (size_t i = 0; i < r->n_names; i++) {
		int nr = seccomp_syscall_resolve_name(r->names[i]), e = 0;

		if (nr == __NR_SCMP_ERROR)
			continue;
		if (!r->each_cond)
			e = add(ctx, r->action, nr, r->conds, r->n_conds);
		else
			for (size_t k = 0; k < r->n_conds && e == 0; k++) {
				e = add(ctx, r->action, nr, &r->conds[k], 1);
				e = e == -EEXIST ? 0 : e;
			}
		bad = e && e != -EEXIST ? e : bad;
	}
	return bad;
}

int oracle_compile(const struct seccomp_profile *p, uint32_t token, struct sock_filter **ret,
		   size_t *ret_n)
{
	scmp_filter_ctx ctx;
	ssize_t len = -1;
	int r = 0, fd;

	seccomp_api_set(5);
	ctx = seccomp_init(p->default_action);
	if (!ctx)
		return -EINVAL;
	if (token != seccomp_arch_native()) {
		r = seccomp_arch_add(ctx, token);
		if (r == 0)
			r = seccomp_arch_remove(ctx, seccomp_arch_native());
	}
	for (size_t i = 0; i < p->n_rules && r == 0; i++)
		if (p->rules[i].action != p->default_action)
			r = add_rule(ctx, &p->rules[i]);
	*ret = calloc(BPF_MAXINSNS, sizeof(**ret));
	fd = memfd_create("oracle", MFD_CLOEXEC);
	if (r == 0)
		r = seccomp_export_bpf(ctx, fd);
	if (r == 0)
		len = pread(fd, *ret, BPF_MAXINSNS * sizeof(**ret), 0);
	close(fd);
	seccomp_release(ctx);
	*ret_n = len > 0 ? (size_t)len / sizeof(**ret) : 0;
	return r < 0 ? r : len < 0 ? -EIO : 0;
}
