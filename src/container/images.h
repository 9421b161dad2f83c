/* SPDX-License-Identifier: Apache-2.0 */
/* images - inside the room: what checkpoint and restore have to agree on */
#ifndef CLEAT_CONTAINER_IMAGES_H
#define CLEAT_CONTAINER_IMAGES_H

#include "container/internal.h"

/* The directories and the program, opened and found. */
struct images {
	struct dir dir, work;
	const char *criu;
	const char *config_file;
};
#define IMAGES_NONE ((struct images){ .dir = DIR_NONE, .work = DIR_NONE })

/*
 * @make: directories that are missing are made (0700)
 * @annotation: org.criu.config of the container; NULL: none
 */
int images_open(struct arena *a, const struct image_options *o, const char *annotation, bool make,
		struct images *ret, struct err *e);
void images_close(struct images *i);

#define IMAGES_CRIU_CONFIG "org.criu.config"

/*
 * Mounts whose content is not the container's own have a name in the images: where the
 * configuration wants them. Dump says which they are, restore what is to be there.
 */
struct image_mount {
	const char *target; /* its name */
	const char *source; /* on the host */
	bool file_only;	    /* it is external only where it is a file */
};

/* Binds, masked files and devices that were bound. */
int images_mounts(struct arena *a, const struct spec *spec, const struct host *host,
		  const struct image_mount **ret, size_t *ret_n, struct err *e);

/* Keys of namespaces that are not the container's own: "extRootNetNS". */
const char *images_ns_key(int type);

/* Where the first three descriptors of init led. */
#define IMAGES_DESCRIPTORS "descriptors"
int images_write_descriptors(struct arena *a, const struct dir *images, pid_t pid, struct err *e);
int images_read_descriptors(struct arena *a, const struct dir *images, const char *ret[3],
			    struct err *e);

#endif
