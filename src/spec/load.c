/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load - read a bundle's configuration once, decode it, check what it means
 *
 * The bytes are read from one descriptor into memory of bounded size; what is checked is
 * what is kept as the container's copy, so a change of the file between the two is
 * impossible.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "ocispec/decode.h"
#include "spec/check.h"
#include "sys/sys.h"

#define CONFIG_MAX  ((size_t)16 << 20)
#define CONFIG_NAME "config.json"
#define NAMESPACES  "linux.namespaces"

/*
 * An absolute name is kept as callers gave it, for they compare it; slashes at its end
 * are not part of it. It goes into states and to hooks, so it has to be UTF-8.
 */
static int bundle_path(struct arena *a, int dirfd, const char *bundle, const char **ret,
		       struct err *e)
{
	char link[40], real[PATH_MAX], *printable;
	size_t len;

	if (bundle[0] != '/') {
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
		n = sys_readlinkat(AT_FDCWD, link, real, sizeof(real));
		if (n < 0)
			return err_sys(e, (int)-n, bundle, "find the bundle");
		bundle = real;
	}
	len = strlen(bundle);
	while (len > 1 && bundle[len - 1] == '/')
		len--;
	bundle = arena_strndup(a, bundle, len);
	printable = arena_strdup(a, bundle);
	str_escape_control(printable);
	if (!str_eq(bundle, printable))
		return err_user(e, bundle, "the bundle's path cannot be part of a JSON text");
	*ret = bundle;
	return 0;
}

static int decode(struct arena *a, struct spec *s, const struct ocispec_decode_options *opt,
		  struct ocispec_error *ret_why)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	void *config = NULL;
	int r = ocispec_decode(&oci_config_type, s->text, s->text_len, &alloc, opt, &config,
			       ret_why);

	s->config = config;
	return r;
}

static void check(struct spec *s, struct check *c)
{
	check_version(s, c);
	check_linux(s, c);
	check_root(s, c);
	check_annotations(s, c);
	check_mounts(s, c);
	check_hooks(s, c);
	if (s->config->process) {
		s->has_process = true;
		check_process(s->config->process, &s->process, c);
	} else {
		s->process = (struct spec_process){ .oci = arena_new(c->arena, struct oci_process),
						    .cwd = "/",
						    .umask = -1 };
	}
	check_next(s, c);
	if (c->strict)
		check_effects(s, c);
}

/* --- to use it: the first error counts --------------------------------------------------------- */

/* Log the warnings; with an error fill @e and return it. @s is NULL where there is no text. */
static int verdict(const struct check *c, const struct spec *s, const char *name, struct err *e)
{
	const struct spec_finding *error = NULL;
	struct ocispec_place place;
	int r;

	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].severity == SPEC_WARNING)
			log_warning("%s: %s", name, c->v[i].text);
		else if (!error && c->v[i].severity == SPEC_ERROR)
			error = &c->v[i];
	if (!error)
		return 0;
	r = err_code(e, error->code, error->path, "%s", error->text);
	if (!s)
		return r;
	spec_locate(s->text, s->text_len, error->path, &place);
	return err_note(e, "%s:%u:%u", name, place.line, place.column);
}

int spec_check_mounts(struct arena *a, const struct spec *spec, struct err *e)
{
	struct check c = { .arena = a };

	check_mounts(spec, &c);
	return verdict(&c, NULL, "mounts", e);
}

int spec_check_process(struct arena *a, const struct oci_process *oci, struct spec_process *ret,
		       struct err *e)
{
	struct check c = { .arena = a };
	struct spec_process p;
	int r;

	check_process(oci, &p, &c);
	r = verdict(&c, NULL, "process", e);
	if (r == 0)
		*ret = p;
	return r;
}

/* @config: the file that was asked for; NULL: config.json */
static int read_text(struct arena *a, int dirfd, const char *config, const char *bundle,
		     struct spec **ret, struct err *e)
{
	struct spec *s = arena_new(a, struct spec);
	char *text = NULL;
	ssize_t n = config ? file_read_named(AT_FDCWD, config, a, CONFIG_MAX, &text, e)
			   : file_read_at(dirfd, CONFIG_NAME, a, CONFIG_MAX, &text, e);

	if (n < 0)
		return (int)n;
	s->bundle = bundle;
	s->text = text;
	s->text_len = (size_t)n;
	*ret = s;
	return 0;
}

static int load(struct arena *a, int dirfd, const char *config, const char *bundle,
		struct spec **ret, struct err *e)
{
	const char *name = config ? config : CONFIG_NAME;
	struct ocispec_error why = { 0 };
	struct check c = { .arena = a };
	struct spec *s = NULL;
	int r = read_text(a, dirfd, config, bundle, &s, e);

	if (r < 0)
		return r;
	/* "config.json:3:5: process.args: expected a list, found 3" */
	if (decode(a, s, NULL, &why) < 0)
		return err_code(e, why.code, why.path, "%s:%u:%u: %s%s%s", name, why.line,
				why.column, why.path, *why.path ? ": " : "", why.text);
	check(s, &c);
	r = verdict(&c, s, name, e);
	if (r == 0)
		*ret = s;
	return r;
}

static int open_bundle(struct arena *a, const char *bundle, const char **ret_path, struct err *e)
{
	int dirfd, r;

	if (!bundle || !*bundle)
		bundle = ".";
	dirfd = sys_open(bundle, O_PATH | O_DIRECTORY, 0);
	if (dirfd < 0)
		return err_sys(e, -dirfd, bundle, "open the bundle");
	r = bundle_path(a, dirfd, bundle, ret_path, e);
	if (r == 0)
		return dirfd;
	fd_close(&dirfd);
	return r;
}

/* @r: what became of reading the configuration of the bundle at @path. Returns @r. */
static int explain_missing(int r, const char *config, const char *path, struct err *e)
{
	if (r == -ENOENT && !config)
		err_note(e, "no configuration in the bundle '%s' ('cleat spec' writes one)", path);
	return r;
}

int spec_load(struct arena *a, const char *bundle, const char *config, struct spec **ret,
	      struct err *e)
{
	const char *path = NULL;
	auto_fd dirfd = open_bundle(a, bundle, &path, e);

	if (dirfd < 0)
		return dirfd;
	return explain_missing(load(a, dirfd, config, path, ret, e), config, path, e);
}

int spec_load_copy(struct arena *a, int dirfd, const char *bundle, struct spec **ret, struct err *e)
{
	return load(a, dirfd, NULL, arena_strdup(a, bundle), ret, e);
}

/* --- to examine it: everything counts ---------------------------------------------------------- */

/* What stands in an environment is secret. */
static bool is_secret(const char *path)
{
	const char *env = strstr(path, ".env[");

	return env && (env == path + strlen("process") || str_starts(path, "hooks."));
}

static const char *decoded_text(struct arena *a, const struct ocispec_finding *f)
{
	if (is_secret(f->path))
		return arena_printf(a, "%s: expected a variable as NAME=value", f->path);
	return *f->path ? arena_printf(a, "%s: %s", f->path, f->text) : f->text;
}

static void leave_out(struct spec_report *r, enum spec_severity severity, size_t n)
{
	if (n && (!r->n_left_out || severity < r->left_out))
		r->left_out = severity;
	r->n_left_out += n;
}

static void take_decoded(struct arena *a, const struct ocispec_findings *found,
			 struct spec_report *ret)
{
	size_t n_error = found->n_error;

	for (const struct ocispec_finding *f = found->first; f; f = f->next) {
		struct spec_finding *new = vec_push(a, ret);

		*new = (struct spec_finding){
			.severity = f->kind == OCISPEC_ERROR ? SPEC_ERROR : SPEC_REMARK,
			.code = EINVAL,
			.place = f->place,
			.path = f->path,
			.text = decoded_text(a, f),
			.nearest = f->nearest,
			.decoded = true,
		};
		n_error -= f->kind == OCISPEC_ERROR;
	}
	leave_out(ret, SPEC_ERROR, n_error);
	leave_out(ret, SPEC_REMARK, found->n_lost - n_error);
}

/*
 * Where the decoder met an error, what follows from it is not said: neither of the value
 * itself and what is in it, nor of what it is part of.
 */
static bool is_consequence(const struct spec_report *r, size_t n_decoded,
			   const struct spec_finding *f)
{
	const char *path = f->path;
	bool needs_namespace = strstr(f->text, " needs a ") && str_ends(f->text, " namespace");

	for (size_t i = 0; i < n_decoded; i++) {
		const char *wrong = r->v[i].path;

		if (r->v[i].severity != SPEC_ERROR)
			continue;
		if (needs_namespace &&
		    (str_eq(wrong, "linux") || spec_path_is_below(wrong, NAMESPACES)))
			return true;
		if (spec_path_is_below(path, wrong) || spec_path_is_below(wrong, path))
			return true;
	}
	return false;
}

static int compare_places(const void *a, const void *b)
{
	const struct spec_finding *x = a, *y = b;

	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	if (x->place.column != y->place.column)
		return x->place.column < y->place.column ? -1 : 1;
	return strcmp(x->text, y->text);
}

void spec_report_add(struct arena *a, struct spec_report *r, struct spec_finding f)
{
	for (size_t i = 0; i < r->n; i++) {
		struct spec_finding *other = &r->v[i];
		bool same_path = *f.path && str_eq(other->path, f.path);

		/* "expected one of ..." says more than "unknown" */
		if (same_path && other->severity == SPEC_REMARK && f.severity < SPEC_REMARK &&
		    other->decoded)
			other->severity = f.severity;
		else if (!str_eq(other->text, f.text))
			continue;
		return;
	}
	if (r->n >= SPEC_MAX_FINDINGS) {
		leave_out(r, f.severity, 1);
		return;
	}
	spec_locate(r->spec->text, r->spec->text_len, f.path, &f.place);
	*(struct spec_finding *)vec_push(a, r) = f;
}

/*
 * What was left out stands behind the others, as one of them. Some of it may be the decoder's
 * word and a check's about the same value.
 */
void spec_report_sort(struct arena *a, struct spec_report *r)
{
	struct spec_finding *last;

	if (r->n > SPEC_MAX_FINDINGS)
		r->n = SPEC_MAX_FINDINGS;
	if (r->n)
		qsort(r->v, r->n, sizeof(*r->v), compare_places);
	if (!r->n_left_out)
		return;
	last = vec_push(a, r);
	*last = spec_finding_make(
		a, r->left_out,
		arena_printf(a, "up to %zu more findings are not listed", r->n_left_out));
	last->path = "";
	last->place = last[-1].place;
}

size_t spec_report_count(const struct spec_report *r, enum spec_severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->v[i].severity == severity;
	return n;
}

static void examine(struct arena *a, struct spec *s, struct spec_report *ret)
{
	struct ocispec_findings found = { 0 };
	const struct ocispec_decode_options opt = {
		.findings = &found,
		.collect_errors = true,
		.partial = true,
		.max_findings = SPEC_MAX_FINDINGS,
	};
	struct check c = { .arena = a, .strict = true };
	struct ocispec_error why = { 0 };
	size_t decoded;

	ret->spec = s;
	decode(a, s, &opt, &why);
	take_decoded(a, &found, ret);
	decoded = ret->n;
	if (!s->config)
		return;
	check(s, &c);
	for (size_t i = 0; i < c.n; i++)
		if (!is_consequence(ret, decoded, &c.v[i]))
			spec_report_add(a, ret, c.v[i]);
}

int spec_examine(struct arena *a, const char *bundle, const char *config, struct spec_report *ret,
		 struct err *e)
{
	struct spec_report report = { .name = config ? config : CONFIG_NAME };
	const char *path = NULL;
	auto_fd dirfd = open_bundle(a, bundle, &path, e);
	struct spec *s = NULL;
	int r = dirfd < 0 ? dirfd : read_text(a, dirfd, config, path, &s, e);

	if (r < 0)
		return dirfd < 0 ? r : explain_missing(r, config, path, e);
	examine(a, s, &report);
	spec_report_sort(a, &report);
	*ret = report;
	return 0;
}
