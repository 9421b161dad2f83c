/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - what is known of a container, in its directory
 *
 * One file, replaced atomically three times: intent, identity, created. So whoever is
 * killed in between leaves the record before. It is not synced to a disk, because the
 * state of another boot is void anyway: where the state root could survive a boot (it is
 * no tmpfs) the record carries the boot's id, and a record of another boot is taken as
 * an intent, which permits nothing that could hurt others.
 *
 * The version counts changes that an older reader would get wrong; new properties alone
 * do not, since unknown ones are skipped.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/auxv.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "container/internal.h"
#include "ocispec/decode.h"
#include "ocispec/encode.h"
#include "sys/sys.h"

#define RECORD_VERSION 1
#define RECORD_MODE    0600
#define BOOT_ID_FILE   "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE   64

static const char *const phase_names[] = {
	[RECORD_INTENT] = "intent",
	[RECORD_IDENTITY] = "identity",
	[RECORD_CREATED] = "created",
};

enum record_phase record_phase(const struct cleat_state_file *s)
{
	for (int i = RECORD_INTENT; s && i <= RECORD_CREATED; i++)
		if (str_eq(s->phase, phase_names[i]))
			return (enum record_phase)i;
	return RECORD_NONE;
}

/* --- making ----------------------------------------------------------------------------------- */

static const char *boot_id(struct arena *a)
{
	char buf[BOOT_ID_SIZE];

	return file_read_small(AT_FDCWD, BOOT_ID_FILE, buf, sizeof(buf)) > 0 ? arena_strdup(a, buf)
									     : NULL;
}

static bool outlives_boot(const struct dir *root)
{
	struct statfs fs;

	return sys_fstatfs(root->fd, &fs) < 0 || fs.f_type != TMPFS_MAGIC;
}

static void set_flag(bool *flag, bool *has, bool value)
{
	*flag = *has = value;
}

/* Names of devices that are going to be moved: they prove nothing, but tell where to look. */
static void note_net_devices(struct arena *a, struct cleat_state_file *s, const struct net_plan *p)
{
	s->net_devices = arena_new_n(a, p->n_devices, struct cleat_state_net_device *);
	for (size_t i = 0; i < p->n_devices; i++) {
		struct cleat_state_net_device *d = arena_new(a, struct cleat_state_net_device);

		d->from = p->devices[i].from;
		d->to = p->devices[i].to;
		s->net_devices[s->n_net_devices++] = d;
	}
}

struct cleat_state_file *record_new(struct arena *a, const struct dir *root,
				    const struct create_options *o, const struct plan *p)
{
	struct cleat_state_file *s = arena_new(a, struct cleat_state_file);
	const struct spec *spec = p->spec;

	s->version = RECORD_VERSION;
	s->has_version = true;
	s->oci_version = SPEC_OCI_VERSION;
	s->id = o->id;
	s->bundle = spec->bundle;
	s->rootfs = spec->rootfs_path;
	s->created = clock_rfc3339_now(arena_alloc(a, CLOCK_TEXT_SIZE));
	s->owner = (unsigned)getauxval(AT_EUID);
	s->has_owner = true;
	s->annotations = spec->config->annotations;
	if (outlives_boot(root))
		s->boot_id = boot_id(a);
	set_flag(&s->terminal, &s->has_terminal, spec->process.terminal);
	set_flag(&s->detached, &s->has_detached, o->detach);
	set_flag(&s->keep, &s->has_keep, o->keep);
	set_flag(&s->no_pivot, &s->has_no_pivot, o->no_pivot);
	set_flag(&s->no_new_keyring, &s->has_no_new_keyring, o->no_new_keyring);
	set_flag(&s->own_pid_namespace, &s->has_own_pid_namespace, spec->ns_new & CLONE_NEWPID);
	set_flag(&s->poststart_hooks, &s->has_poststart_hooks, p->hooks.n[HOOK_POSTSTART]);
	set_flag(&s->poststop_hooks, &s->has_poststop_hooks, p->hooks.n[HOOK_POSTSTOP]);
	note_net_devices(a, s, &p->net);
	rdt_record(a, &p->rdt, s);
	return s;
}

int record_write_as(struct arena *a, const struct dir *dir, const char *name,
		    struct cleat_state_file *s, enum record_phase phase, struct err *e)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	struct ocispec_error oe = { 0 };
	size_t len;
	char *text;
	int r;

	s->phase = phase_names[phase];
	r = ocispec_encode(&cleat_state_file_type, s, 0, &alloc, &text, &len, &oe);
	if (r < 0)
		return err_code(e, -r, oe.path, "write the record of the container: %s: %s",
				oe.path, oe.text);
	return file_replace_at(dir, name, RECORD_MODE, text, len, e);
}

int record_write(struct arena *a, const struct dir *dir, struct cleat_state_file *s,
		 enum record_phase phase, struct err *e)
{
	return record_write_as(a, dir, RECORD_NAME, s, phase, e);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int too_new(const char *id, unsigned version, struct err *e)
{
	err_code(e, EPROTONOSUPPORT, id,
		 "container '%s' belongs to a newer release: its state has version %u, and %d is "
		 "the newest known here",
		 id, version, RECORD_VERSION);
	return err_set_id(e, "container-newer");
}

/* What cannot be read as a record of ours may be one of a later release. */
static int check_version(struct arena *a, const char *id, const char *text, size_t len,
			 struct err *e)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	struct cleat_state_version *v;

	if (ocispec_decode(&cleat_state_version_type, text, len, &alloc, NULL, (void **)&v, NULL) <
	    0)
		return 0;
	return v->version > RECORD_VERSION ? too_new(id, v->version, e) : 0;
}

int record_decode(struct arena *a, const char *id, const char *text, size_t len,
		  struct cleat_state_file **ret, struct err *e)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	struct ocispec_error oe = { 0 };
	struct cleat_state_file *s;

	if (ocispec_decode(&cleat_state_file_type, text, len, &alloc, NULL, (void **)&s, &oe) < 0) {
		if (check_version(a, id, text, len, e) < 0)
			return -e->code;
		return err_user(e, id, "the state of container '%s' cannot be read: %s: %s", id,
				oe.path, oe.text);
	}
	if (s->version > RECORD_VERSION)
		return too_new(id, s->version, e);
	if (!str_eq(s->id, id))
		return err_user(e, id, "the state of container '%s' is that of '%s'", id, s->id);
	*ret = s;
	return 0;
}

/* Pids and inodes of another boot mean nothing: only the names are left. */
static void void_other_boot(struct cleat_state_file *s)
{
	char buf[BOOT_ID_SIZE];

	if (!s || !s->boot_id || file_read_small(AT_FDCWD, BOOT_ID_FILE, buf, sizeof(buf)) <= 0 ||
	    str_eq(s->boot_id, buf))
		return;
	s->phase = phase_names[RECORD_INTENT];
	s->has_pid = false;
	s->pid = 0;
}

int record_read_as(struct arena *a, int dirfd, const char *name, const char *id,
		   struct cleat_state_file **ret, struct err *e)
{
	auto_fd fd = sys_openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	ssize_t len;
	char *text;
	int r;

	*ret = NULL;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, -fd, id, "open the state of container");
	len = file_read_fd(fd, name, a, OCISPEC_MAX_SIZE, &text, e);
	if (len < 0)
		return err_note(e, "container '%s'", id);
	r = record_decode(a, id, text, (size_t)len, ret, e);
	if (r == -EINVAL) {
		/* it counts as none: what it named cannot be known */
		log_warning("%s", e->text);
		err_clear(e);
		return 0;
	}
	if (r == 0)
		void_other_boot(*ret);
	return r;
}

int record_read(struct arena *a, int dirfd, const char *id, struct cleat_state_file **ret,
		struct err *e)
{
	return record_read_as(a, dirfd, RECORD_NAME, id, ret, e);
}
