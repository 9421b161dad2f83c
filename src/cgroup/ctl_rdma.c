/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_rdma - handles and objects of each adapter; config-linux.md "RDMA" */
#include <string.h>

#include "cgroup/ctl.h"

static int rdma(struct ctl_out *o, const struct oci_linux_resources *r)
{
	for (size_t i = 0; r->rdma && i < r->rdma->n; i++) {
		const char *device = r->rdma->entries[i].key;
		const struct oci_linux_rdma *l = r->rdma->entries[i].value;
		const char *handles = "", *objects = "";

		/* the name and its limits share one line of the file */
		if (!*device || strpbrk(device, " \t\n"))
			return err_user(o->err, "linux.resources.rdma",
					"linux.resources.rdma: '%s' is no name of a device",
					device);
		if (l->has_hca_handles)
			handles = arena_printf(o->arena, " hca_handle=%u", l->hca_handles);
		if (l->has_hca_objects)
			objects = arena_printf(o->arena, " hca_object=%u", l->hca_objects);
		if (*handles || *objects)
			ctl_put(o, "rdma", "rdma.max", "%s%s%s", device, handles, objects);
	}
	return 0;
}

const struct ctl ctl_rdma = { .name = "rdma", .v1_name = "rdma", .v1 = rdma, .v2 = rdma };
