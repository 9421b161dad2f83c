/* SPDX-License-Identifier: Apache-2.0 */
/* image_args - the options that checkpoint and restore share */
#ifndef CLEAT_CLI_IMAGE_ARGS_H
#define CLEAT_CLI_IMAGE_ARGS_H

#include "cli/cli.h"

struct image_args {
	struct create_options create; /* restore */
	struct image_options image;
	const char *cgroups_mode, *network_lock, *empty_ns;
	const char *status_fd;
};

#define IMAGE_AT(field)	 offsetof(struct image_args, field)
#define CHOICE_AT(field) offsetof(struct image_args, image.choices.field)

/* clang-format off */
#define IMAGE_ROWS                                                                                \
	{ "image-path", 0, OPTION_STRING, IMAGE_AT(image.images), "DIR",                          \
	  "directory of the images (default: ./checkpoint)" },                                    \
	{ "work-path", 0, OPTION_STRING, IMAGE_AT(image.work), "DIR",                             \
	  "directory of CRIU's log (default: the one of the images)" },                           \
	{ "parent-path", 0, OPTION_STRING, CHOICE_AT(parent_path), "DIR",                         \
	  "images of a former pre-dump, relative to --image-path" },                              \
	{ "tcp-established", 0, OPTION_BOOL, CHOICE_AT(tcp_established), NULL,                    \
	  "allow established TCP connections" },                                                  \
	{ "tcp-close", 0, OPTION_BOOL, CHOICE_AT(tcp_close), NULL,                                \
	  "close TCP connections instead of keeping them" },                                      \
	{ "ext-unix-sk", 0, OPTION_BOOL, CHOICE_AT(ext_unix_sk), NULL,                            \
	  "allow unix sockets that lead outside" },                                               \
	{ "shell-job", 0, OPTION_BOOL, CHOICE_AT(shell_job), NULL,                                \
	  "allow a terminal that is the caller's" },                                              \
	{ "file-locks", 0, OPTION_BOOL, CHOICE_AT(file_locks), NULL, "keep file locks" },         \
	{ "lazy-pages", 0, OPTION_BOOL, CHOICE_AT(lazy_pages), NULL,                              \
	  "fetch memory when it is used, by userfaultfd(2)" },                                    \
	{ "auto-dedup", 0, OPTION_BOOL, CHOICE_AT(auto_dedup), NULL,                              \
	  "drop memory from parent images that newer ones have" },                                \
	{ "link-remap", 0, OPTION_BOOL, CHOICE_AT(link_remap), NULL,                              \
	  "link removed files back while they are dumped" },                                      \
	{ "empty-ns", 0, OPTION_STRING, IMAGE_AT(empty_ns), "KIND",                               \
	  "namespace whose content is left out: network" },                                       \
	{ "manage-cgroups-mode", 0, OPTION_STRING, IMAGE_AT(cgroups_mode), "MODE",                \
	  "soft, full, strict or ignore (default: soft)" },                                       \
	{ "network-lock", 0, OPTION_STRING, IMAGE_AT(network_lock), "METHOD",                     \
	  "iptables, nftables or skip (default: CRIU's)" }
/* clang-format on */

/* Settle the words of the command line. */
int image_args_settle(const struct globals *g, struct image_args *args, struct err *e);

/* --help tells whether it would work: callers ask that way. */
int image_available(struct invocation *inv, struct err *e);

#endif
