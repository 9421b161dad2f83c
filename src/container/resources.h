/* SPDX-License-Identifier: Apache-2.0 */
/* resources - what update makes of linux.resources; pure */
#ifndef CLEAT_CONTAINER_RESOURCES_H
#define CLEAT_CONTAINER_RESOURCES_H

#include "base/arena.h"
#include "ocispec/runtime.h"

/*
 * resources_merge() - what holds after an update: @now where it sets something, else @old
 * @old: may be NULL
 *
 * Zero sets nothing, as callers mean it. Limits of devices, page sizes and files count one
 * by one. The result shares parts of both.
 */
struct oci_linux_resources *resources_merge(struct arena *a, const struct oci_linux_resources *old,
					    const struct oci_linux_resources *now);

/*
 * resources_complete() - @now with what its values cannot do without
 *
 * Memory and swap are one number in the configuration and two limits in the kernel: where
 * one is given the other is taken from @old (which may be NULL). Where @old is idle, shares
 * alone leave it so, and have their effect when it is idle no longer, which brings shares.
 */
struct oci_linux_resources *resources_complete(struct arena *a,
					       const struct oci_linux_resources *old,
					       const struct oci_linux_resources *now);

#endif
