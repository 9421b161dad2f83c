/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_devices - the program that decides over devices
 *
 * The kernel asks every program on the way up to the root and all must agree, so ours
 * stands beside those of others and can only take away. A directory that was there
 * before may have the program of a former container: it goes when ours is in place. What
 * has another name, an administrator or a service manager has put there: that stays.
 */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cgroup/devices.h"
#include "cgroup/internal.h"
#include "sys/bpf.h"

#define LEFT_MAX 64 /* programs that the kernel lets one cgroup have */

static bool is_left(const uint32_t *ids, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static bool is_cleats(int prog)
{
	struct bpf_prog_info info = { 0 };

	return sys_bpf_prog_info(prog, &info) == 0 &&
	       strncmp(info.name, DEVICE_PROG_NAME, sizeof(info.name)) == 0;
}

static void detach_left(const struct cgroup *cg, const uint32_t *ids, size_t n, uint32_t ours)
{
	for (size_t i = 0; i < n; i++) {
		auto_fd prog = ids[i] == ours ? -ENOENT : sys_bpf_prog_by_id(ids[i]);

		if (prog >= 0 && is_cleats(prog))
			sys_bpf_prog_detach(cg->v2, prog, BPF_CGROUP_DEVICE);
	}
}

int cgroup_attach_devices(const struct cgroup *cg, const struct cgroup_plan *p, bool reused,
			  int hints, struct err *e)
{
	const char *field = "linux.resources.devices";
	uint32_t left[LEFT_MAX], id = 0;
	size_t n_left = LEFT_MAX;
	auto_fd prog = -1;
	int r;

	if (!reused || sys_bpf_prog_query(cg->v2, BPF_CGROUP_DEVICE, left, &n_left) < 0)
		n_left = 0;
	if (p->device_len) {
		prog = device_share_get(cg->arena, hints, p->device_prog, p->device_len, &id);
		if (prog == -EPERM && host_in_user_ns()) {
			log_warning("linux.resources.devices is not enforced: a user namespace may "
				    "not load programs");
			return 0;
		}
		if (prog < 0)
			return err_code(e, -prog, field,
					"%s: load a program of %zu instructions: %s", field,
					p->device_len, errno_text(-prog));
		/* what is attached already is not attached twice */
		r = is_left(left, n_left, id)
			    ? 0
			    : sys_bpf_prog_attach(cg->v2, prog, BPF_CGROUP_DEVICE, -1);
		if (r < 0)
			return cgroup_error(&cg->dirs[0], r, e, "attach the device program to");
	}
	detach_left(cg, left, n_left, id);
	return 0;
}
