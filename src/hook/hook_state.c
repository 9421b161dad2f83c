/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_state - what a hook reads on its stdin; runtime.md, "State"
 *
 * One line without blanks and with plain slashes, because there are hooks that look at it
 * with grep. The pid is left out when there is no process any more.
 */
#include "hook/hook.h"
#include "ocispec/encode.h"

const char *hook_state(struct arena *a, const struct spec *spec, const char *id, const char *status,
		       pid_t pid, const char *bundle)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	const struct oci_state state = {
		.oci_version = SPEC_OCI_VERSION,
		.id = id,
		.status = status,
		.has_pid = pid > 0,
		.pid = pid,
		.bundle = bundle,
		.annotations = spec->config->annotations,
	};
	char *text = NULL;

	/* Fails for a text that is not UTF-8 only, which the decoder and the id rule out. */
	if (ocispec_encode(&oci_state_type, &state, 0, &alloc, &text, NULL, NULL) < 0)
		return "{}";
	return text;
}
