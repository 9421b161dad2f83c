/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/bpf.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/result.h"

/* The kernel takes a shorter struct for one whose rest is zero, so all of it is passed. */
static int bpf(int command, union bpf_attr *attr)
{
	return (int)RESULT_RETRY(syscall(SYS_bpf, command, attr, sizeof(*attr)));
}

static void attr_clear(union bpf_attr *attr)
{
	/* a braced initializer would leave what the first member does not cover */
	memset(attr, 0, sizeof(*attr));
}

int sys_bpf_prog_load(uint32_t type, const char *name, const struct bpf_insn *insns, size_t n)
{
	union bpf_attr attr;

	attr_clear(&attr);
	attr.prog_type = type;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = (uint32_t)n;
	attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
	str_copy(attr.prog_name, sizeof(attr.prog_name), name);
	return bpf(BPF_PROG_LOAD, &attr);
}

int sys_bpf_prog_attach(int cgroup, int prog, uint32_t attach_type, int replace)
{
	union bpf_attr attr;

	attr_clear(&attr);
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = attach_type;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replace >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replace;
	}
	return bpf(BPF_PROG_ATTACH, &attr);
}

int sys_bpf_prog_detach(int cgroup, int prog, uint32_t attach_type)
{
	union bpf_attr attr;

	attr_clear(&attr);
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = attach_type;
	return bpf(BPF_PROG_DETACH, &attr);
}

int sys_bpf_prog_query(int cgroup, uint32_t attach_type, uint32_t *ids, size_t *n)
{
	union bpf_attr attr;
	int r;

	attr_clear(&attr);
	attr.query.target_fd = (uint32_t)cgroup;
	attr.query.attach_type = attach_type;
	attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attr.query.prog_cnt = (uint32_t)*n;
	r = bpf(BPF_PROG_QUERY, &attr);
	if (r == 0)
		*n = attr.query.prog_cnt;
	return r;
}

int sys_bpf_prog_info(int prog, struct bpf_prog_info *info)
{
	union bpf_attr attr;

	attr_clear(&attr);
	attr.info.bpf_fd = (uint32_t)prog;
	attr.info.info_len = sizeof(*info);
	attr.info.info = (uint64_t)(uintptr_t)info;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

int sys_bpf_prog_by_id(uint32_t id)
{
	union bpf_attr attr;

	attr_clear(&attr);
	attr.prog_id = id;
	return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}
