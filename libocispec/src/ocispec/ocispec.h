/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocispec - what every part of the library and all of its users share
 *
 * The library turns JSON into the structs of ocispec/runtime.h and back. It keeps no
 * global state, opens no file and frees nothing: all memory comes from the caller's
 * allocator and goes with it, so an arena is what fits.
 */
#ifndef OCISPEC_OCISPEC_H
#define OCISPEC_OCISPEC_H

#include <stddef.h>

/*
 * @alloc: returns @size zeroed bytes, aligned for any type, or NULL when there are none
 * (the call in progress then ends with -ENOMEM). It may also not return at all.
 */
struct ocispec_allocator {
	void *(*alloc)(void *user, size_t size);
	void *user;
};

/* Where something is in a text: both count from 1, columns in bytes. Line 0: nowhere. */
struct ocispec_place {
	unsigned line, column;
};

struct ocispec_error {
	int code;	       /* positive errno */
	unsigned line, column; /* as in ocispec_place */
	char path[256];	       /* "linux.resources.pids.limit", "mounts[3].options[1]"; "": all */
	char text[512];	       /* what is wrong with it: "expected a string, found 3" */
};

/* One of the types that end ocispec/runtime.h. */
struct ocispec_type;

#endif
