/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli - the command line is data
 *
 * One row a command (commands.c), one row an option (cmd_<name>.c). The parser, the
 * help texts, the error messages and --dump-options, from which completion and the
 * check of the man page come, all read the same rows.
 */
#ifndef CLEAT_CLI_CLI_H
#define CLEAT_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/table.h"
#include "container/container.h"

enum option_kind {
	OPTION_BOOL,   /* bool: --x, --x=true, --x=false */
	OPTION_STRING, /* const char *; an empty one is NULL: wrappers write --log "$LOG" */
	OPTION_WORD,   /* const char *, also an empty one: without it something else is done */
	OPTION_UINT,   /* unsigned */
	OPTION_NAME,   /* int: the value of one of `names` */
	OPTION_LIST,   /* struct string_list: one more value each time */
};

struct option_row {
	const char *name; /* long name without dashes */
	char letter;	  /* 0: none */
	enum option_kind kind;
	size_t offset;	   /* of the field in the struct that is filled */
	const char *value; /* what help calls the value; NULL: OPTION_BOOL */
	const char *help;  /* NULL: understood, not shown */
	const struct name_row *names;
	size_t n_names;
};

struct option_table {
	const struct option_row *rows;
	size_t n;
};

/*
 * Make room in @args for what OPTION_LIST rows collect from @n words; before
 * options_parse().
 */
void options_prepare(struct arena *a, const struct option_table *t, void *args, size_t n);

/*
 * options_parse() - fill @args from the options at the beginning of @argv
 * @argv: ends with NULL
 * @ret_used: how many words were options; also set on failure
 * @ret_help: --help or -h was among them
 *
 * One dash or two, value behind '=' or in the next word; the last one of equal options
 * counts; parsing stops at the first operand or behind "--". What came before a mistake
 * has been stored. Returns 0 or -EINVAL.
 */
int options_parse(const struct option_table *t, void *args, char *const *argv, int *ret_used,
		  bool *ret_help, struct err *e);
/*
 * The same, wherever the options stand. @ret_operands: room for all words of @argv; gets
 * those that are no option, or come behind "--", and a NULL at their end.
 */
int options_parse_mixed(const struct option_table *t, void *args, char *const *argv,
			char **ret_operands, bool *ret_help, struct err *e);

/* Global options: before the command's name. */
struct globals {
	struct context context;
	const char *log;
	int log_format, log_level;
	int cgroup_manager; /* enum cgroup_manager; -1: not given */
	int rootless;	    /* enum cgroup_leniency */
	bool debug, systemd_cgroup, version, dump_options;
	const char *criu;
	const char *systemd_timeout; /* a time, as it was given */
};

struct command;
struct invocation {
	struct arena *arena;
	char **argv; /* the whole command line */
	struct globals globals;
	const struct command *command;
	void *args; /* the command's own struct, zeroed before parsing */
	bool help;
	char **operands; /* ends with NULL */
	size_t n_operands;
	int status; /* exit status of a success; set by the command */
};

enum command_flags {
	COMMAND_PROTECT = 1 << 0, /* puts a process into a container: protect our binary first */
	COMMAND_FOREIGN = 1 << 1, /* the operands end in words that another program reads */
};

struct command {
	const char *name;
	const char *operands; /* "ID [SIGNAL]" */
	const char *summary;
	size_t min_operands, max_operands;
	unsigned flags;
	struct option_table options;
	size_t args_size;
	int failure_status; /* exit status of an error of ours; 0: 1 */
	/* Before anything is opened; what it refuses is reported like any other error. */
	int (*early)(struct invocation *inv, struct err *e);
	/* Does it work on this machine? Its help says so; NULL: it does. */
	int (*available)(struct invocation *inv, struct err *e);
	int (*run)(struct invocation *inv, struct err *e);
};

extern const struct command *const cli_commands[]; /* sorted by name */
extern const size_t cli_n_commands;
/* Returns NULL for an unknown name. */
const struct command *cli_find_command(const char *name);
/* Say so, with what the name may be a slip of. Returns -EINVAL. */
int cli_unknown_command(const char *name, struct err *e);
extern const struct option_table cli_global_options;

/* Split a command line. Pure: no system call. Returns 0 or -EINVAL. */
int cli_parse(struct invocation *inv, char **argv, struct err *e);

/* What cannot be understood of the command line, also where a command finds it; as err_user(). */
#define cli_usage(e, ...) (err_user((e), __VA_ARGS__), err_set_id((e), "usage"))

/*
 * Do @fn for each of the first @n operands, whatever became of the others. Each failure is
 * reported; the last one is left in @e for main. Returns 0 or -errno.
 */
typedef int (*each_fn)(struct invocation *inv, const char *id, struct err *e);
int cli_each(struct invocation *inv, size_t n, each_fn fn, struct err *e);
/* The same for the containers that the operands match as regular expressions. */
int cli_each_match(struct invocation *inv, size_t n, bool none_is_fine, each_fn fn, struct err *e);

/* Text of help: of one command, or the overview for NULL. */
const char *cli_help(struct arena *a, const struct command *c);
/* The tables as JSON. */
const char *cli_dump_options(struct arena *a);

/* --- output ----------------------------------------------------------------------------------- */

/* Text that grows in an arena; it is printed by one write. */
struct output {
	struct arena *arena;
	char *text;
	size_t len, cap;
};

void output_add(struct output *o, const char *text);
void output_printf(struct output *o, const char *fmt, ...) ERR_PRINTF(2, 3);
/* A string with quotes, escaped for JSON; U+FFFD stands for what is no UTF-8. */
void output_json_string(struct output *o, const char *text);
/* Print on stdout. A reader that has gone away is no error. Returns 0 or -errno. */
int output_print(const char *text, size_t len, struct err *e);
int output_flush(const struct output *o, struct err *e);
/* An object of a type of ocispec/runtime.h as JSON; @flags: OCISPEC_PRETTY. Returns 0 or -errno. */
int output_encode(struct output *o, const struct ocispec_type *type, const void *object,
		  unsigned flags, struct err *e);
/* Rows of @columns cells each, padded to the widest; the last column is not padded. */
void output_table(struct output *o, const char *const *cells, size_t rows, size_t columns);

/* --- commands --------------------------------------------------------------------------------- */

extern const struct command command_check;
extern const struct command command_checkpoint;
extern const struct command command_create;
extern const struct command command_delete;
extern const struct command command_events;
extern const struct command command_exec;
extern const struct command command_features;
extern const struct command command_help;
extern const struct command command_kill;
extern const struct command command_list;
extern const struct command command_mounts;
extern const struct command command_pause;
extern const struct command command_ps;
extern const struct command command_resume;
extern const struct command command_restore;
extern const struct command command_run;
extern const struct command command_spec;
extern const struct command command_start;
extern const struct command command_state;
extern const struct command command_stats;
extern const struct command command_stop;
extern const struct command command_update;
extern const struct command command_wait;

/* What --version prints. */
const char *cli_version(struct arena *a);

/*
 * create and run: count the descriptors that are to be passed on (LISTEN_FDS as
 * sd_listen_fds(3) describes it, then --preserve-fds), while nothing of our own has been
 * opened. Those of LISTEN_FDS must be open up to the last, of the others one at least: what is
 * not open is not passed on, as crun has it, whose callers give a number that is large enough.
 */
int create_early(struct invocation *inv, struct err *e);
/*
 * create and run: the operand is an id or, when it has a slash (no id may), is a directory
 * and no --bundle was given, the bundle; the container is then named like its directory.
 * Returns 0 or -errno.
 */
int create_subject(struct invocation *inv, struct create_options *o, struct err *e);
/* @r: what came of it; where the id is the name of a bundle instead, @e says so. Returns < 0 or @r. */
int create_explain(const struct create_options *o, int r, struct err *e);
/* @preserve: how many were asked for, then how many there are. */
int check_descriptors(unsigned *preserve, unsigned *ret_listen, const char **ret_names,
		      struct err *e);

#endif
