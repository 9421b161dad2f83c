/* SPDX-License-Identifier: Apache-2.0 */
/* encode - from structs to JSON */
#ifndef OCISPEC_ENCODE_H
#define OCISPEC_ENCODE_H

#include <stddef.h>

#include "ocispec/ocispec.h"

#define OCISPEC_PRETTY 1u /* lines, indented by four blanks, and a newline at the end */

/*
 * ocispec_encode() - write one JSON text
 * @type: what @object is, say &oci_state_type
 * @object: struct of the type's name
 * @flags: 0: one line without blanks; OCISPEC_PRETTY
 * @ret_text: ends with NUL
 * @ret_length: without the NUL; may be NULL
 * @err: names the member that cannot be written, line 0; may be NULL
 *
 * Members come in the order of the schema; what is absent is left out. Values are written
 * as they are: only what a decoder would refuse as JSON or for lack of a property is an
 * error (-EINVAL a required member absent or a NULL in a list, -EILSEQ a string that is
 * not UTF-8). Returns 0 or -errno.
 */
int ocispec_encode(const struct ocispec_type *type, const void *object, unsigned flags,
		   const struct ocispec_allocator *alloc, char **ret_text, size_t *ret_length,
		   struct ocispec_error *err);

#endif
