/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages - the steps that init and exec-init are made of
 *
 * Each does one thing, by calling its room; the tables in init.c and exec_init.c put
 * them in order; finish.c ends both. when_*() say whether a step is wanted.
 */
#ifndef CLEAT_RUN_STAGES_H
#define CLEAT_RUN_STAGES_H

#include "run/child.h"

bool when_late_cgroup_ns(const void *role);
bool when_in_user_ns(const void *role);
bool when_own_user_ns(const void *role);
bool when_loopback(const void *role);
bool when_mount_ns(const void *role);
bool when_devices(const void *role);
bool when_terminal(const void *role);
bool when_no_terminal(const void *role);
bool when_runtime_hooks(const void *role);
bool when_create_hooks(const void *role);
bool when_start_hooks(const void *role);
bool when_makes_cwd(const void *role);
bool when_names(const void *role);
bool when_sysctls(const void *role);
bool when_keyring(const void *role);
bool when_label(const void *role);
bool when_landlock(const void *role);
bool when_no_new_privs(const void *role);
bool when_late_cwd(const void *role);
bool when_program(const void *role);
bool when_no_program(const void *role);
bool when_filter_first(const void *role);
bool when_filter_last(const void *role);

int step_cgroup_ns(void *role, struct err *e);
int step_ns_root(void *role, struct err *e);
int step_session(void *role, struct err *e);
int step_keyring(void *role, struct err *e);
int step_loopback(void *role, struct err *e);
int step_root(void *role, struct err *e);
int step_mounts(void *role, struct err *e);
int step_devices(void *role, struct err *e);
int step_terminal(void *role, struct err *e);
int step_stdio(void *role, struct err *e);
int step_runtime_hooks(void *role, struct err *e);
int step_create_hooks(void *role, struct err *e);
int step_masks(void *role, struct err *e);
int step_root_switch(void *role, struct err *e);
int step_make_cwd(void *role, struct err *e);
int step_mount_finish(void *role, struct err *e);
int step_names(void *role, struct err *e);
int step_sysctls(void *role, struct err *e);
int step_sched(void *role, struct err *e);
int step_inherited(void *role, struct err *e);
int step_bounding(void *role, struct err *e);
int step_no_new_privs(void *role, struct err *e);
int step_environment(void *role, struct err *e);
int step_landlock_rules(void *role, struct err *e);
int step_early_cwd(void *role, struct err *e);
int step_ids(void *role, struct err *e);
int step_cwd(void *role, struct err *e);
int step_program(void *role, struct err *e);
int step_no_program(void *role, struct err *e);
int step_park_caps(void *role, struct err *e);
int step_rlimits(void *role, struct err *e);
int step_close(void *role, struct err *e);
int step_start_hooks(void *role, struct err *e);
int step_label(void *role, struct err *e);
int step_label_proc(void *role, struct err *e);
int step_landlock(void *role, struct err *e);
int step_filter(void *role, struct err *e);
int step_caps(void *role, struct err *e);
int step_announce(void *role, struct err *e);

/* finish.c: what init and exec-init have in common, from the process's attributes to execve. */
_Noreturn void finish(struct child *c, enum run_role role);

#endif
