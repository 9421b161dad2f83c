/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring - a session keyring for the container
 *
 * Without one of its own the container's process holds that of whoever started
 * cleat, and with it the keys of a login session: a keyring that cannot be had is an
 * error, and --no-new-keyring is how to go without. The exceptions are a kernel
 * without keys and an outer sandbox that refuses keyctl(2), for there the container
 * cannot reach any key either. See session-keyring(7), keyctl(2).
 *
 * The name lets a process that enters the container later join the same keyring.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "sec/labels.h"
#include "sec/sec.h"
#include "sys/sys.h"

#define KEY_USERS_MAX (1 << 20)

/* What the kernel gives a new session keyring: all to the possessor but setattr ... */
#define PERM_NEW 0x3f130000u
/* ... and what makes it findable by name: search for its owner, or for everybody. */
#define PERM_USER_SEARCH  0x00080000u
#define PERM_OTHER_SEARCH 0x00000008u

/* "1000:     3 3/3 3/200 37/20000": of a user, what counts for the quota, and how much fits. */
static bool read_quota(struct arena *a, const char **ret_keys, const char **ret_bytes)
{
	enum { UID, USAGE, INSTANCES, KEYS, BYTES, WORDS };
	char *text, *save = NULL;
	uint32_t uid;

	if (file_read_at(AT_FDCWD, "/proc/key-users", a, KEY_USERS_MAX, &text, NULL) < 0)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *words[WORDS], *rest = NULL;
		int n = 0;

		while (n < WORDS && (words[n] = strtok_r(n ? NULL : line, ": ", &rest)))
			n++;
		if (n < WORDS || str_to_u32(words[UID], &uid) < 0 || uid != geteuid())
			continue;
		*ret_keys = words[KEYS];
		*ret_bytes = words[BYTES];
		return true;
	}
	return false;
}

static int quota_error(const char *name, struct err *e)
{
	const char *keys = "?", *bytes = "?";
	auto_arena a = arena_make();

	read_quota(&a, &keys, &bytes);
	err_sys(e, EDQUOT, name,
		"user %u has used up its kernel keys (%s keys, %s bytes; --no-new-keyring needs "
		"none): make the session keyring",
		(unsigned)geteuid(), keys, bytes);
	return err_set_id(e, "quota-keys");
}

/*
 * Anybody may have made a keyring of this name that others can search, and the kernel
 * joins the first one it finds. Returns whether it is ours.
 */
static bool is_ours(long key)
{
	const char *const type = "keyring;";
	/* "keyring;<uid>;<gid>;<permissions>;<name>"; of one that does not fit nothing comes */
	char text[NAME_MAX + 64] = "", *uid = text + strlen(type), *end;
	uint32_t owner;
	long n = sys_keyctl(KEYCTL_DESCRIBE, (unsigned long)key, (unsigned long)text,
			    sizeof(text) - 1);

	if (n < 0 || !str_starts(text, type))
		return false;
	end = strchr(uid, ';');
	if (!end)
		return false;
	*end = '\0';
	return str_to_u32(uid, &owner) == 0 && owner == geteuid();
}

static int make_findable(const struct sec_plan *p, long key, struct err *e)
{
	/* In a user namespace the one who enters need not have the owner's id. */
	unsigned perm = PERM_NEW | (p->user_ns ? PERM_OTHER_SEARCH : PERM_USER_SEARCH);
	long r = sys_keyctl(KEYCTL_SETPERM, (unsigned long)key, perm, 0);

	return r < 0 ? err_sys(e, (int)-r, p->keyring_name, "set the permissions of the keyring")
		     : 0;
}

int sec_keyring_join(const struct sec_plan *p, struct err *e)
{
	long key;

	if (!p->new_keyring)
		return 0;
	if (p->selinux && selinux_key_create(p->selinux, e) < 0)
		return -e->code;
	key = sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)p->keyring_name, 0, 0);
	if (key >= 0 && is_ours(key))
		return make_findable(p, key, e);
	if (key >= 0) {
		log_warning("the keyring '%s' belongs to somebody else; an unnamed one is used",
			    p->keyring_name);
		key = sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0);
	}
	if (key >= 0)
		return 0;
	if (key == -ENOSYS || key == -EPERM) {
		log_warning("no session keyring: keyctl: %s", errno_text((int)-key));
		return 0;
	}
	if (key == -EDQUOT)
		return quota_error(p->keyring_name, e);
	return err_sys(e, (int)-key, p->keyring_name, "join the session keyring");
}
