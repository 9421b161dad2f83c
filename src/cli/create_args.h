/* SPDX-License-Identifier: Apache-2.0 */
/* create_args - the options that create and run share, filling struct create_options */
#ifndef CLEAT_CLI_CREATE_ARGS_H
#define CLEAT_CLI_CREATE_ARGS_H

#include "cli/cli.h"

#define CREATE_AT(field) offsetof(struct create_options, field)

/* clang-format off */
#define CREATE_ROWS                                                                               \
	{ "bundle", 'b', OPTION_STRING, CREATE_AT(bundle), "DIR",                                 \
	  "directory of the bundle (default: .)" },                                               \
	{ "config", 'f', OPTION_STRING, CREATE_AT(config), "FILE",                                \
	  "another file than the bundle's config.json" },                                         \
	{ "console-socket", 0, OPTION_STRING, CREATE_AT(console_socket), "PATH",                  \
	  "socket that gets the terminal of the container" },                                     \
	{ "pidfd-socket", 0, OPTION_STRING, CREATE_AT(pidfd_socket), "PATH",                      \
	  "socket that gets a pidfd of the container's process" },                                \
	{ "pid-file", 0, OPTION_STRING, CREATE_AT(pid_file), "FILE",                              \
	  "write the pid of the container's process there" },                                     \
	{ "preserve-fds", 0, OPTION_UINT, CREATE_AT(preserve_fds), "N",                           \
	  "pass N more descriptors than 0, 1 and 2 on" },                                         \
	{ "no-pivot", 0, OPTION_BOOL, CREATE_AT(no_pivot), NULL,                                  \
	  "move the root instead of pivot_root(2)" },                                             \
	{ "no-new-keyring", 0, OPTION_BOOL, CREATE_AT(no_new_keyring), NULL,                      \
	  "keep the session keyring of the caller" },                                             \
	{ "record-exit", 0, OPTION_BOOL, CREATE_AT(record_exit), NULL,                            \
	  "leave a process that records how it ends, for wait and state" },                       \
	{ "require-limits", 0, OPTION_BOOL, CREATE_AT(require_limits), NULL,                      \
	  "fail where limits cannot be applied for want of permission" }
/* clang-format on */

#endif
