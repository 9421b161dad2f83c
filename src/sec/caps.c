/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caps - the five capability sets, exactly as configured
 *
 * Raw system calls: what libcap would add is a table of names (spec/ has one) and a
 * constructor that asks the kernel six things at every start.
 *
 * Order, and why (capabilities(7)):
 *
 *  1. bounding set, while CAP_SETPCAP is effective. What the inheritable set is to
 *     hold beyond it must be put there before, for the kernel adds nothing to the
 *     inheritable set that the bounding set lacks.
 *  2. the ids change; KEEP_CAPS, set in 1, keeps the permitted set.
 *  3. park: permitted becomes the final set plus what the last steps need, the
 *     inheritable set is final, nothing is effective. From here on sets only shrink
 *     but for what comes back from permitted to effective.
 *  4. apply: the final sets, then ambient, which the kernel only lets in where
 *     permitted and inheritable both have it, then a look at what the kernel has.
 *
 * A filter that is loaded without no_new_privs comes between 3 and 4 and may forbid
 * what follows. So everything but the last narrowing is done before it, with
 * CAP_SYS_ADMIN still there: one capset(2) is all that comes after such a filter.
 *
 * What cannot be granted is left out with a warning (config.md, "capabilities").
 */
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "base/str.h"
#include "sec/caps.h"
#include "sec/sec.h"
#include "sys/sys.h"

#define BIT(cap) (1ULL << (cap))
#define ADMIN	 BIT(CAP_SYS_ADMIN)

struct sys_caps caps_grantable(const struct sys_caps *want, const struct sys_caps *now)
{
	struct sys_caps s;

	s.permitted = want->permitted & now->permitted;
	s.effective = want->effective & s.permitted;
	s.inheritable = want->inheritable & (now->inheritable | now->permitted);
	return s;
}

void caps_print(uint64_t set, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (int cap = 0; cap < 64; cap++) {
		const char *name = spec_cap_name(cap);
		int n;

		if (!(set & BIT(cap)))
			continue;
		if (name)
			n = snprintf(buf + used, size - used, "%s%s", used ? " " : "", name);
		else
			n = snprintf(buf + used, size - used, "%s%d", used ? " " : "", cap);
		if (n < 0 || (size_t)n >= size - used) {
			str_copy(buf + (size > 4 ? size - 4 : 0), size > 4 ? 4 : size, "...");
			return;
		}
		used += (size_t)n;
	}
}

static uint64_t warn_and_keep(const char *set, uint64_t want, uint64_t possible, const char *why)
{
	char names[512];

	if (want & ~possible) {
		caps_print(want & ~possible, names, sizeof(names));
		log_warning("process.capabilities.%s: left out, %s: %s", set, why, names);
	}
	return want & possible;
}

struct spec_caps caps_possible(const struct spec_caps *c, int last_cap)
{
	uint64_t known = last_cap > 0 && last_cap < 63 ? (2ULL << last_cap) - 1 : ~0ULL;
	const char *old = "this kernel does not know them";
	struct spec_caps r;

	r.bounding = warn_and_keep("bounding", c->bounding, known, old);
	r.permitted = warn_and_keep("permitted", c->permitted, known, old);
	r.inheritable = warn_and_keep("inheritable", c->inheritable, known, old);
	r.effective = warn_and_keep("effective", c->effective, r.permitted, "not permitted");
	r.ambient = warn_and_keep("ambient", c->ambient, r.permitted & r.inheritable,
				  "not both permitted and inheritable");
	return r;
}

static void warn_left_out(const struct sys_caps *want, const struct sys_caps *got)
{
	uint64_t missing = (want->permitted & ~got->permitted) |
			   (want->effective & ~got->effective) |
			   (want->inheritable & ~got->inheritable);
	char names[512];

	caps_print(missing, names, sizeof(names));
	log_warning("capabilities that cannot be granted here are left out: %s", names);
}

/* The sets, or as much of them as there is; what was set goes to @ret. */
static int sets_put_grantable(const struct sys_caps *want, struct sys_caps *ret, struct err *e)
{
	struct sys_caps now, got = *want;
	int r = sys_capset(want);

	if (r == -EPERM) {
		r = sys_capget(&now);
		if (r < 0)
			return err_sys(e, -r, NULL, "read the capability sets");
		got = caps_grantable(want, &now);
		r = sys_capset(&got);
		/* permitted but not in the bounding set: not to be made inheritable */
		if (r == -EPERM) {
			got.inheritable &= now.inheritable;
			r = sys_capset(&got);
		}
		if (r == 0)
			warn_left_out(want, &got);
	}
	if (r < 0)
		return err_sys(e, -r, NULL, "set the capability sets");
	*ret = got;
	return 0;
}

static int drop_one(int cap, struct err *e)
{
	int r = sys_prctl(PR_CAPBSET_DROP, (unsigned long)cap, 0, 0, 0);

	/* Without CAP_SETPCAP nothing can be dropped, but it may never have been there. */
	if (r == -EPERM && sys_prctl(PR_CAPBSET_READ, (unsigned long)cap, 0, 0, 0) == 0)
		return 0;
	if (r < 0 && r != -EINVAL)
		return err_sys(e, -r, spec_cap_name(cap), "drop from the bounding set");
	return r;
}

/*
 * Securebits of whoever started us must not reach the container, and KEEP_CAPS has to
 * be set for the change of ids: one call does both. Some may be locked.
 */
static int reset_securebits(struct err *e)
{
	int bits, r = sys_prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS, 0, 0, 0);

	if (r == 0)
		return 0;
	bits = sys_prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	if (bits < 0 || bits & ~(int)SECBIT_KEEP_CAPS)
		log_warning("the securebits 0x%x of the caller stay: %s", (unsigned)bits,
			    errno_text(-r));
	r = sys_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	return r < 0 ? err_sys(e, -r, NULL, "keep the capabilities over the change of ids") : 0;
}

/* Capabilities that are to be inheritable though not in the bounding set. */
static int put_inheritable(const struct sec_plan *p, struct err *e)
{
	struct sys_caps now, got;
	int r = sys_capget(&now);

	if (r < 0)
		return err_sys(e, -r, NULL, "read the capability sets");
	now.inheritable = p->caps.inheritable;
	return sets_put_grantable(&now, &got, e);
}

int sec_bounding_apply(const struct sec_plan *p, struct err *e)
{
	int last = p->last_cap > 0 ? p->last_cap : 63;

	if (p->caps.inheritable & ~p->caps.bounding && put_inheritable(p, e) < 0)
		return -e->code;
	for (int cap = 0; cap <= last; cap++) {
		int r = p->caps.bounding & BIT(cap) ? 0 : drop_one(cap, e);

		if (r == -EINVAL)
			break; /* the kernel knows no more */
		if (r < 0)
			return r;
	}
	return reset_securebits(e);
}

/*
 * Clearing is needed only where something could have stayed: what permitted and
 * inheritable do not both hold has left the ambient set by itself.
 */
static int put_ambient(uint64_t want, uint64_t possible, struct err *e)
{
	int r;

	if (possible == 0)
		return 0;
	r = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (r < 0 && !(r == -EINVAL && want == 0))
		return err_sys(e, -r, NULL, "clear the ambient capabilities");
	for (int cap = 0; cap < 64; cap++) {
		if (!(want & BIT(cap)))
			continue;
		r = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)cap, 0, 0);
		if (r < 0)
			return err_sys(e, -r, spec_cap_name(cap), "make ambient");
	}
	return 0;
}

int sec_caps_park(const struct sec_plan *p, bool keep_admin, struct err *e)
{
	const struct spec_caps *c = &p->caps;
	struct sys_caps got = { 0 }, want = {
		.permitted = c->permitted | (keep_admin ? ADMIN : 0),
		.inheritable = c->inheritable,
	};
	uint64_t possible;
	int r = sets_put_grantable(&want, &got, e);

	if (r < 0)
		return r;
	p->granted->permitted = c->permitted & got.permitted;
	p->granted->effective = c->effective & p->granted->permitted;
	p->granted->inheritable = got.inheritable;
	possible = p->granted->permitted & got.inheritable;
	p->granted->ambient = c->ambient & possible;
	return put_ambient(p->granted->ambient, got.permitted & got.inheritable, e);
}

int sec_caps_raise_admin(struct err *e)
{
	struct sys_caps s;
	int r = sys_capget(&s);

	if (r == 0) {
		s.effective |= ADMIN & s.permitted;
		r = sys_capset(&s);
	}
	return r < 0 ? err_sys(e, -r, "CAP_SYS_ADMIN", "raise") : 0;
}

static int ambient_get(uint64_t possible, uint64_t *ret)
{
	*ret = 0;
	for (int cap = 0; cap < 64; cap++) {
		int r = 0;

		if (possible & BIT(cap))
			r = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, (unsigned long)cap, 0,
				      0);
		if (r < 0)
			return r;
		if (r > 0)
			*ret |= BIT(cap);
	}
	return 0;
}

static int read_back(const struct sys_caps *want, uint64_t want_ambient, struct err *e)
{
	struct sys_caps is;
	uint64_t ambient = 0;
	int r = sys_capget(&is);

	if (r == 0)
		r = ambient_get(want->permitted & want->inheritable, &ambient);
	if (r < 0)
		return err_sys(e, -r, NULL, "read the capability sets back");
	if (is.permitted != want->permitted || is.effective != want->effective ||
	    is.inheritable != want->inheritable || ambient != want_ambient)
		return err_code(e, EPERM, NULL,
				"the kernel has other capability sets than were set: permitted "
				"%#llx, effective %#llx, inheritable %#llx, ambient %#llx",
				(unsigned long long)is.permitted, (unsigned long long)is.effective,
				(unsigned long long)is.inheritable, (unsigned long long)ambient);
	return 0;
}

int sec_caps_apply(const struct sec_plan *p, struct err *e)
{
	const struct sys_caps want = {
		.permitted = p->granted->permitted,
		.effective = p->granted->effective,
		.inheritable = p->granted->inheritable,
	};
	int r = sys_capset(&want);

	if (r < 0)
		return err_sys(e, -r, NULL, "set the capability sets");
	if (seccomp_is_wanted(&p->seccomp) && !sec_filter_is_last(p))
		return 0; /* the filter is in place, and nobody promised us more calls */
	return read_back(&want, p->granted->ambient, e);
}
