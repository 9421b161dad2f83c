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

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "ocispec/decode.h"
#include "spec/check.h"
#include "sys/sys.h"

#define CONFIG_MAX  ((size_t)16 << 20)
#define CONFIG_NAME "config.json"

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

/* "config.json:3:5: process.args: expected a list, found 3" */
static int decode(struct arena *a, struct spec *s, const char *name, struct err *e)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	struct ocispec_error why = { 0 };
	void *config = NULL;
	int r = ocispec_decode(&oci_config_type, s->text, s->text_len, &alloc, NULL, &config, &why);

	if (r < 0)
		return err_code(e, why.code, why.path, "%s:%u:%u: %s%s%s", name, why.line,
				why.column, why.path, *why.path ? ": " : "", why.text);
	s->config = config;
	return 0;
}

static int check(struct spec *s, struct check *c)
{
	int r = check_version(s, c);

	if (r == 0)
		r = check_linux(s, c);
	if (r == 0)
		r = check_root(s, c);
	if (r == 0)
		r = check_annotations(s, c);
	if (r == 0)
		r = check_mounts(s, c);
	if (r == 0)
		r = check_hooks(s, c);
	if (r < 0 || !s->config->process)
		return r;
	s->has_process = true;
	return check_process(s->config->process, &s->process, c);
}

static void log_warnings(const struct check *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		log_warning("%s: %s", name, c->v[i]);
}

int spec_check_process(struct arena *a, const struct oci_process *oci, const struct spec *spec,
		       struct spec_process *ret, struct err *e)
{
	struct check c = { .arena = a, .e = e };
	int r = check_process(oci, ret, &c);

	(void)spec;
	log_warnings(&c, "process");
	return r;
}

static int load(struct arena *a, int dirfd, const char *name, const char *bundle, struct spec **ret,
		struct err *e)
{
	struct spec *s = arena_new(a, struct spec);
	struct check c = { .arena = a, .e = e };
	char *text = NULL;
	ssize_t n = file_read_at(dirfd, name, a, CONFIG_MAX, &text, e);
	int r;

	if (n < 0)
		return (int)n;
	s->bundle = bundle;
	s->text = text;
	s->text_len = (size_t)n;
	r = decode(a, s, name, e);
	if (r < 0)
		return r;
	r = check(s, &c);
	log_warnings(&c, name);
	if (r < 0)
		return err_note(e, "%s:%u:%u", name, c.place.line, c.place.column);
	s->warnings = c.v;
	s->n_warnings = c.n;
	*ret = s;
	return 0;
}

int spec_load(struct arena *a, const char *bundle, const char *config, struct spec **ret,
	      struct err *e)
{
	const char *path = NULL;
	auto_fd dirfd = -1;
	int r;

	if (!bundle || !*bundle)
		bundle = ".";
	dirfd = sys_open(bundle, O_PATH | O_DIRECTORY, 0);
	if (dirfd < 0)
		return err_sys(e, -dirfd, bundle, "open the bundle");
	r = bundle_path(a, dirfd, bundle, &path, e);
	return r < 0 ? r : load(a, dirfd, config ? config : CONFIG_NAME, path, ret, e);
}

int spec_load_copy(struct arena *a, int dirfd, const char *bundle, struct spec **ret, struct err *e)
{
	return load(a, dirfd, CONFIG_NAME, arena_strdup(a, bundle), ret, e);
}
