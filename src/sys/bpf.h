/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpf - the few bpf(2) commands that device programs need
 *
 * Programs belong to the cgroup that they are attached to and go with it; nothing is
 * pinned. Since Linux 5.11 their memory is charged to the memory cgroup of the caller,
 * so no locked-memory limit is raised.
 */
#ifndef CLEAT_SYS_BPF_H
#define CLEAT_SYS_BPF_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* Load a program; @name is cut to 15 bytes. A descriptor or -errno. */
int sys_bpf_prog_load(uint32_t type, const char *name, const struct bpf_insn *insns, size_t n);

/*
 * Attach @prog to the directory @cgroup beside others (BPF_F_ALLOW_MULTI); with
 * @replace >= 0 in the place of that program, without a moment between.
 */
int sys_bpf_prog_attach(int cgroup, int prog, uint32_t attach_type, int replace);
int sys_bpf_prog_detach(int cgroup, int prog, uint32_t attach_type);

/* Ids of up to *@n programs attached to @cgroup itself; *@n becomes how many there are. */
int sys_bpf_prog_query(int cgroup, uint32_t attach_type, uint32_t *ids, size_t *n);

/* What the kernel knows of a program; @info says where lists that are wanted may go. */
int sys_bpf_prog_info(int prog, struct bpf_prog_info *info);

/* A descriptor of the program with that id, or -errno (-ENOENT: it is gone). */
int sys_bpf_prog_by_id(uint32_t id);

#endif
