/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features - what this build can do (features.md, features-linux.md of runtime-spec)
 *
 * Nothing of the host is asked: the answer is the same on every machine and for every
 * user. The lists come from the tables that the rooms work with.
 */
#include <sched.h>

#include "config.h"

#include "base/str.h"
#include "cli/cli.h"
#include "hook/hook.h"
#include "mount/mount.h"
#include "ocispec/encode.h"
#include "proc/proc.h"
#include "sec/sec.h"
#include "spec/spec.h"
#include "sys/missing.h"

#define OCI_VERSION_MIN "1.0.0"
#define MAX_CAP		63

static const int namespaces[] = { CLONE_NEWCGROUP, CLONE_NEWIPC,  CLONE_NEWNS,	 CLONE_NEWNET,
				  CLONE_NEWPID,	   CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS };

static struct oci_features_switch *a_switch(struct arena *a, bool enabled)
{
	struct oci_features_switch *s = arena_new(a, struct oci_features_switch);

	s->enabled = enabled;
	s->has_enabled = true;
	return s;
}

static void set(bool *field, bool *has, bool value)
{
	*field = value;
	*has = true;
}

static struct oci_features_cgroup *cgroups(struct arena *a)
{
	struct oci_features_cgroup *c = arena_new(a, struct oci_features_cgroup);

	set(&c->v1, &c->has_v1, true);
	set(&c->v2, &c->has_v2, true);
	set(&c->systemd, &c->has_systemd, CLEAT_HAVE_SYSTEMD);
	set(&c->systemd_user, &c->has_systemd_user, CLEAT_HAVE_SYSTEMD);
	set(&c->rdma, &c->has_rdma, true);
	return c;
}

/* The rooms give lists that stay; the encoder does not write to them. */
static struct oci_features_seccomp *seccomp(struct arena *a)
{
	struct oci_features_seccomp *s = arena_new(a, struct oci_features_seccomp);

	set(&s->enabled, &s->has_enabled, true);
	s->actions = (const char **)seccomp_action_names(&s->n_actions);
	s->operators = (const char **)seccomp_operator_names(&s->n_operators);
	s->archs = (const char **)seccomp_arch_names(&s->n_archs);
	s->known_flags = (const char **)seccomp_known_flags(&s->n_known_flags);
	s->supported_flags = (const char **)seccomp_supported_flags(&s->n_supported_flags);
	return s;
}

static struct oci_features_intel_rdt *intel_rdt(struct arena *a)
{
	struct oci_features_intel_rdt *r = arena_new(a, struct oci_features_intel_rdt);

	set(&r->enabled, &r->has_enabled, true);
	set(&r->schemata, &r->has_schemata, true);
	set(&r->monitoring, &r->has_monitoring, true);
	return r;
}

static struct oci_features_memory_policy *memory_policy(struct arena *a)
{
	struct oci_features_memory_policy *m = arena_new(a, struct oci_features_memory_policy);

	m->modes = (const char **)proc_mempolicy_modes(&m->n_modes);
	m->flags = (const char **)proc_mempolicy_flags(&m->n_flags);
	return m;
}

static struct oci_features_linux *linux_features(struct arena *a)
{
	struct oci_features_linux *l = arena_new(a, struct oci_features_linux);

	l->namespaces = arena_new_n(a, COUNT(namespaces), const char *);
	for (size_t i = 0; i < COUNT(namespaces); i++)
		l->namespaces[l->n_namespaces++] = spec_ns_name(namespaces[i]);
	l->capabilities = arena_new_n(a, MAX_CAP + 1, const char *);
	for (int cap = 0; cap <= MAX_CAP && spec_cap_name(cap); cap++)
		l->capabilities[l->n_capabilities++] = spec_cap_name(cap);
	l->cgroup = cgroups(a);
	l->seccomp = seccomp(a);
	l->apparmor = a_switch(a, true);
	l->selinux = a_switch(a, true);
	l->mount_extensions = arena_new(a, struct oci_features_mount_extensions);
	l->mount_extensions->idmap = a_switch(a, true);
	l->intel_rdt = intel_rdt(a);
	l->memory_policy = memory_policy(a);
	l->net_devices = a_switch(a, true);
	return l;
}

static struct oci_string_map *annotations(struct arena *a)
{
	struct oci_string_map *map = arena_new(a, struct oci_string_map);

	map->n = 1;
	map->entries = arena_new(a, struct oci_string_entry);
	map->entries[0].key = "io.github.seccomp.libseccomp.version";
	map->entries[0].value = seccomp_library_version(a);
	return map;
}

/* features.md: annotations of a configuration that change what is done; "." ends a prefix. */
static const char *unsafe_annotations[] = {
	"run.cleat.", "run.oci.", "org.criu.config",
	"org.systemd.property.", /* the last: a build without the manager knows none */
};

static struct oci_features *features(struct arena *a)
{
	struct oci_features *f = arena_new(a, struct oci_features);

	f->oci_version_min = OCI_VERSION_MIN;
	f->oci_version_max = SPEC_OCI_VERSION;
	f->hooks = arena_new_n(a, HOOK_N, const char *);
	for (int kind = 0; kind < HOOK_N; kind++)
		f->hooks[f->n_hooks++] = hook_kind_name((enum hook_kind)kind);
	f->mount_options = (const char **)mount_option_names(&f->n_mount_options);
	f->linux = linux_features(a);
	f->annotations = annotations(a);
	f->potentially_unsafe_config_annotations = unsafe_annotations;
	f->n_potentially_unsafe_config_annotations =
		COUNT(unsafe_annotations) - !CLEAT_HAVE_SYSTEMD;
	return f;
}

static int features_run(struct invocation *inv, struct err *e)
{
	struct output o = { .arena = inv->arena };

	if (output_encode(&o, &oci_features_type, features(inv->arena), OCISPEC_PRETTY, e) < 0)
		return -e->code;
	return output_flush(&o, e);
}

const struct command command_features = {
	.name = "features",
	.operands = "",
	.summary = "print what this build can do as JSON",
	.run = features_run,
};
