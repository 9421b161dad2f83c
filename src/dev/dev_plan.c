/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dev_plan - which nodes and links a container gets
 *
 * config-linux.md "Default Devices" and "Devices", runtime-linux.md "Dev symbolic
 * links". linux.devices comes over the defaults: an entry for /dev/null replaces the
 * default one, an entry for /dev/ptmx takes the place of the link. So does a mount on
 * /dev/stdout, or one on /dev/fd/9, which makes a directory of /dev/fd.
 *
 * A /dev that is bound from somewhere is not ours to fill: only what is configured for
 * other directories is made then.
 */
#include <sched.h>
#include <sys/stat.h>

#include "base/str.h"
#include "dev/dev.h"

#define MODE_DEFAULT 0666
#define MODE_BITS    07777
/* The kernel's 32 bits of a device number. */
#define MAJOR_MAX 0xfff
#define MINOR_MAX 0xfffff

static const struct dev_node default_nodes[] = {
	{ "/dev/null", S_IFCHR, 1, 3, MODE_DEFAULT, 0, 0, true },
	{ "/dev/zero", S_IFCHR, 1, 5, MODE_DEFAULT, 0, 0, true },
	{ "/dev/full", S_IFCHR, 1, 7, MODE_DEFAULT, 0, 0, true },
	{ "/dev/random", S_IFCHR, 1, 8, MODE_DEFAULT, 0, 0, true },
	{ "/dev/urandom", S_IFCHR, 1, 9, MODE_DEFAULT, 0, 0, true },
	{ "/dev/tty", S_IFCHR, 5, 0, MODE_DEFAULT, 0, 0, true },
};

static const struct dev_link default_links[] = {
	{ "/dev/ptmx", "pts/ptmx" },	      { "/dev/fd", "/proc/self/fd" },
	{ "/dev/stdin", "/proc/self/fd/0" },  { "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" },
};

/* Without empty components, "." and the slash at the end; NULL: no absolute path, or "..". */
static const char *clean_path(struct arena *a, const char *path)
{
	char *out = arena_alloc(a, strlen(path) + 2);
	size_t n = 0;

	if (path[0] != '/')
		return NULL;
	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");

		if (len == 2 && p[0] == '.' && p[1] == '.')
			return NULL;
		if (len && !(len == 1 && p[0] == '.')) {
			out[n++] = '/';
			memcpy(out + n, p, len);
			n += len;
		}
		p += len;
		p += strspn(p, "/");
	}
	return n ? out : NULL;
}

static bool in_dev(const char *path)
{
	return str_starts(path, "/dev/");
}

static bool is_bind(const struct oci_mount *m)
{
	if (m->type && str_eq(m->type, "bind"))
		return true;
	for (size_t i = 0; i < m->n_options; i++)
		if (str_eq(m->options[i], "bind") || str_eq(m->options[i], "rbind"))
			return true;
	return false;
}

/* What the last mount on /dev is decides. */
static bool dev_is_bound(struct arena *a, const struct oci_config *config)
{
	bool bound = false;

	for (size_t i = 0; i < config->n_mounts; i++) {
		const char *at = config->mounts[i]->destination;

		at = at ? clean_path(a, at) : NULL;
		if (at && str_eq(at, "/dev"))
			bound = is_bind(config->mounts[i]);
	}
	return bound;
}

static mode_t type_of(const char *word)
{
	switch (word[0]) {
	case 'b':
		return S_IFBLK;
	case 'p':
		return S_IFIFO;
	default:
		return S_IFCHR; /* "c", and "u": unbuffered */
	}
}

static int check_number(const struct oci_linux_device *d, size_t i, struct err *e)
{
	if (!d->has_major || !d->has_minor)
		return err_user(e, "linux.devices", "linux.devices[%zu]: '%s' needs %s", i, d->path,
				d->has_major ? "minor" : "major");
	if (d->major < 0 || d->major > MAJOR_MAX || d->minor < 0 || d->minor > MINOR_MAX)
		return err_user(e, "linux.devices",
				"linux.devices[%zu]: there is no device %lld:%lld", i,
				(long long)d->major, (long long)d->minor);
	return 0;
}

static int configured(struct arena *a, const struct oci_linux_device *d, size_t i,
		      struct dev_node *ret, struct err *e)
{
	const char *path = clean_path(a, d->path);
	mode_t type;

	if (strlen(d->type) != 1 || !strchr("cbup", d->type[0]))
		return err_user(e, "linux.devices", "linux.devices[%zu].type: unknown '%s'", i,
				d->type);
	type = type_of(d->type);
	if (!path)
		return err_user(e, "linux.devices",
				"linux.devices[%zu].path: '%s' is not absolute or has '..' in it",
				i, d->path);
	if (type != S_IFIFO && check_number(d, i, e) < 0)
		return -e->code;
	*ret = (struct dev_node){
		.path = path,
		.type = type,
		.major = type == S_IFIFO ? 0 : (unsigned)d->major,
		.minor = type == S_IFIFO ? 0 : (unsigned)d->minor,
		.mode = d->has_file_mode ? d->file_mode & MODE_BITS : MODE_DEFAULT,
		.uid = d->has_uid ? d->uid : 0,
		.gid = d->has_gid ? d->gid : 0,
	};
	return 0;
}

/* The place of @node in the list: a default's, or the next free one. */
static int put_node(struct dev_node *nodes, size_t *n, const struct dev_node *node, size_t i,
		    struct err *e)
{
	size_t at = 0;

	while (at < *n && !str_eq(nodes[at].path, node->path))
		at++;
	if (at < *n && !nodes[at].is_default &&
	    (nodes[at].type != node->type || nodes[at].major != node->major ||
	     nodes[at].minor != node->minor))
		return err_user(e, "linux.devices",
				"linux.devices[%zu]: '%s' is another device further up", i,
				node->path);
	nodes[at] = *node;
	if (at == *n)
		(*n)++;
	return 0;
}

/*
 * With the owner and the mode that were asked for, which must not be those of the host's
 * own node. An owner without an id on the host cannot be given one.
 */
static void plan_outside(const struct spec *spec, struct dev_node *nodes, struct dev_plan *p)
{
	for (size_t i = 0; i < p->n_nodes; i++) {
		struct dev_node *n = &nodes[i];

		if (!n->is_default && n->type != S_IFIFO &&
		    id_map_find(spec->uid_maps, spec->n_uid_maps, n->uid, &n->host_uid) &&
		    id_map_find(spec->gid_maps, spec->n_gid_maps, n->gid, &n->host_gid))
			n->outside = ++p->n_outside;
	}
}

static int plan_nodes(struct arena *a, const struct spec *spec, bool bound, bool rootless,
		      struct dev_plan *p, struct err *e)
{
	const struct oci_linux *lx = spec->config->linux;
	size_t n_configured = lx ? lx->n_devices : 0, n = 0;
	struct dev_node *nodes =
		arena_new_n(a, COUNT(default_nodes) + n_configured, struct dev_node);

	if (!bound) {
		memcpy(nodes, default_nodes, sizeof(default_nodes));
		n = COUNT(default_nodes);
	}
	for (size_t i = 0; i < n_configured; i++) {
		struct dev_node node = { .path = "" };
		int r = configured(a, lx->devices[i], i, &node, e);

		if (r == 0 && !(bound && in_dev(node.path)))
			r = put_node(nodes, &n, &node, i, e);
		if (r < 0)
			return r;
	}
	p->nodes = nodes;
	p->n_nodes = n;
	if (p->bind && !rootless)
		plan_outside(spec, nodes, p);
	return 0;
}

/* Whether a mount is on @path, or on something below it, and no later one hides all of /dev. */
static bool is_mounted(struct arena *a, const struct oci_config *config, const char *path)
{
	size_t n = strlen(path);
	bool mounted = false;

	for (size_t i = 0; i < config->n_mounts; i++) {
		const char *at = config->mounts[i]->destination;

		at = at ? clean_path(a, at) : NULL;
		if (at && str_eq(at, "/dev"))
			mounted = false;
		else if (at && str_starts(at, path) && (!at[n] || at[n] == '/'))
			mounted = true;
	}
	return mounted;
}

static void plan_links(struct arena *a, const struct oci_config *config, struct dev_plan *p)
{
	struct dev_link *links = arena_new_n(a, COUNT(default_links), struct dev_link);

	for (size_t i = 0; i < COUNT(default_links); i++) {
		const char *path = default_links[i].path;
		size_t k = 0;

		while (k < p->n_nodes && !str_eq(p->nodes[k].path, path))
			k++;
		if (k == p->n_nodes && !is_mounted(a, config, path))
			links[p->n_links++] = default_links[i];
	}
	p->links = links;
}

int dev_plan_make(struct arena *a, const struct spec *spec, const struct host *host,
		  struct dev_plan *ret, struct err *e)
{
	uint64_t namespaces = spec->ns_new | spec->ns_joined;
	bool has_mounts = namespaces & CLONE_NEWNS;
	bool bound = dev_is_bound(a, spec->config);
	bool rootless = host_is_rootless(host);
	struct dev_plan p = {
		.bind = namespaces & CLONE_NEWUSER || rootless,
		.console = has_mounts && spec->has_process && spec->process.terminal,
	};
	int r = plan_nodes(a, spec, bound, rootless, &p, e);

	if (r < 0)
		return r;
	if (!bound)
		plan_links(a, spec->config, &p);
	p.skip = !has_mounts || (!p.n_nodes && !p.n_links);
	*ret = p;
	return 0;
}
