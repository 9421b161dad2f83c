/* SPDX-License-Identifier: Apache-2.0 */
/* plan_print_process - what the process gets, in the order in which it gets it */
#include "base/str.h"
#include "plan/plan_out.h"

void plan_put_env(struct plan_out *o, const char *before, const char *const *env, size_t n,
		  const char *after)
{
	for (size_t i = 0; i < n; i++)
		plan_put(o, "%s%.*s%s", before, (int)strcspn(env[i], "="), env[i], after);
}

static void put_bits(struct plan_out *o, const char *what, const struct proc_bits *b)
{
	const size_t bits = 8 * sizeof(*b->words);

	if (!b->words)
		return;
	plan_put(o, "%s", what);
	for (size_t i = 0; i < b->n_words * bits; i++)
		if (b->words[i / bits] >> (i % bits) & 1)
			plan_put(o, " %zu", i);
	plan_put(o, "\n");
}

static void put_attributes(struct plan_out *o, const struct proc_plan *p)
{
	if (p->has_sched)
		plan_put(o,
			 "scheduler policy %u flags 0x%llx nice %d priority %u runtime %llu "
			 "deadline %llu period %llu\n",
			 p->sched.policy, (unsigned long long)p->sched.flags, p->sched.nice,
			 p->sched.priority, (unsigned long long)p->sched.runtime,
			 (unsigned long long)p->sched.deadline,
			 (unsigned long long)p->sched.period);
	if (p->ioprio >= 0)
		plan_put(o, "io-priority 0x%x\n", (unsigned)p->ioprio);
	if (p->personality)
		plan_put(o, "personality 0x%lx\n", p->personality);
	if (p->has_mempolicy) {
		plan_put(o, "memory-policy 0x%x\n", (unsigned)p->mempolicy.mode);
		put_bits(o, "memory-policy nodes", &p->mempolicy.nodes);
	}
	if (p->cores.create)
		plan_put(o, "core-scheduling new\n");
	if (p->cores.share_from)
		plan_put(o, "core-scheduling from %d\n", (int)p->cores.share_from);
	if (p->cores.share_to)
		plan_put(o, "core-scheduling to %d\n", (int)p->cores.share_to);
	put_bits(o, "exec affinity initial", &p->exec_initial);
	put_bits(o, "exec affinity final", &p->exec_final);
}

static void put_user(struct plan_out *o, const struct spec_process *q, bool keep_groups)
{
	plan_put(o, "user %u:%u", q->uid, q->gid);
	if (q->umask >= 0)
		plan_put(o, " umask %04o", (unsigned)q->umask);
	plan_put(o, "%s\n", keep_groups ? " keeping the groups" : "");
	for (size_t i = 0; i < q->n_groups && !keep_groups; i++)
		plan_put(o, "group %u\n", q->groups[i]);
	if (q->terminal)
		plan_put(o, "terminal %ux%u\n", q->cols, q->rows);
	plan_put(o, "cwd %s\n", q->cwd);
	if (q->has_oom_score_adj)
		plan_put(o, "oom-score-adj %d\n", q->oom_score_adj);
	for (size_t i = 0; i < q->n_rlimits; i++)
		plan_put(o, "rlimit %s %llu %llu\n", spec_rlimit_name(q->rlimits[i].resource),
			 (unsigned long long)q->rlimits[i].soft,
			 (unsigned long long)q->rlimits[i].hard);
}

static void put_set(struct plan_out *o, const char *set, uint64_t mask)
{
	plan_put(o, "capabilities %s", set);
	for (int cap = 0; mask >> cap && cap < 64; cap++)
		if (mask >> cap & 1)
			plan_put(o, " %s", spec_cap_name(cap));
	plan_put(o, "\n");
}

static void put_rules(struct plan_out *o, const struct oci_linux_seccomp *s)
{
	plan_put(o, "seccomp %s", s->default_action);
	if (s->has_default_errno_ret)
		plan_put(o, " errno %u", s->default_errno_ret);
	plan_put(o, ", %zu rules", s->n_syscalls);
	for (size_t i = 0; i < s->n_architectures; i++)
		plan_put(o, " %s", s->architectures[i]);
}

static void put_filter(struct plan_out *o, const struct seccomp_source *s)
{
	if (s->raw)
		plan_put(o, "seccomp raw filter of %zu instructions", s->n_raw);
	else
		put_rules(o, s->profile);
	for (size_t i = 0; s->profile && i < s->profile->n_flags; i++)
		plan_put(o, " %s", s->profile->flags[i]);
	if (s->receiver && seccomp_notifies(s))
		plan_put(o, " listener %s", s->receiver);
	plan_put(o, "\n");
}

static void put_landlock(struct plan_out *o, const struct landlock_plan *p)
{
	if (!p->wanted)
		return;
	plan_put(o, "landlock %s%s\n", landlock_right_names(o->arena, p->fs, p->network),
		 p->best_effort ? "" : ", all of it");
	for (size_t i = 0; i < p->n_paths; i++)
		plan_put(o, "landlock allow %s: %s\n", p->paths[i].path,
			 landlock_right_names(o->arena, p->paths[i].allowed, 0));
	for (size_t i = 0; i < p->n_ports; i++)
		plan_put(o, "landlock allow port %u: %s\n", p->ports[i].port,
			 landlock_right_names(o->arena, 0, p->ports[i].allowed));
}

static void put_security(struct plan_out *o, const struct sec_plan *s)
{
	put_set(o, "bounding", s->caps.bounding);
	put_set(o, "effective", s->caps.effective);
	put_set(o, "inheritable", s->caps.inheritable);
	put_set(o, "permitted", s->caps.permitted);
	put_set(o, "ambient", s->caps.ambient);
	if (s->no_new_privileges)
		plan_put(o, "no-new-privileges\n");
	if (s->new_keyring)
		plan_put(o, "keyring %s\n", s->keyring_name);
	put_landlock(o, &s->landlock);
	if (seccomp_is_wanted(&s->seccomp))
		put_filter(o, &s->seccomp);
	if (s->apparmor)
		plan_put(o, "apparmor %s\n", s->apparmor);
	if (s->selinux)
		plan_put(o, "selinux %s\n", s->selinux);
}

void plan_put_process(struct plan_out *o, const struct plan *p)
{
	if (p->proc.hostname)
		plan_put(o, "hostname %s\n", p->proc.hostname);
	if (p->proc.domainname)
		plan_put(o, "domainname %s\n", p->proc.domainname);
	for (size_t i = 0; i < p->proc.n_sysctls; i++)
		plan_put(o, "sysctl %s = %s\n", p->proc.sysctls[i].path, p->proc.sysctls[i].value);
	put_user(o, p->proc.process, p->proc.keep_groups);
	put_attributes(o, &p->proc);
	put_security(o, &p->sec);
	plan_put_env(o, "env ", p->proc.env, p->proc.n_env, "\n");
	for (size_t i = 0; i < p->proc.n_args; i++)
		plan_put(o, "arg %s\n", p->proc.args[i]);
}
