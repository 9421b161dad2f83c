/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_features - the words for `features` (features-linux.md)
 *
 * They are what cleat itself knows and depend neither on the host nor on the release of
 * libseccomp. The arrays are filled from the tables, where each word stands once.
 */
#include "base/str.h"
#include "sec/sec.h"
#include "sec/seccomp_profile.h"

const char *const *seccomp_action_names(size_t *n)
{
	static const char *names[SECCOMP_N_ACTIONS];

	for (size_t i = 0; i < COUNT(names); i++)
		names[i] = seccomp_actions[i].name;
	*n = COUNT(names);
	return names;
}

const char *const *seccomp_arch_names(size_t *n)
{
	static const char *names[SECCOMP_N_ARCHS];

	for (size_t i = 0; i < COUNT(names); i++)
		names[i] = seccomp_archs[i].name;
	*n = COUNT(names);
	return names;
}

const char *const *seccomp_operator_names(size_t *n)
{
	static const char *names[SECCOMP_N_OPERATORS];

	for (size_t i = 0; i < COUNT(names); i++)
		names[i] = seccomp_operators[i].name;
	*n = COUNT(names);
	return names;
}

const char *const *seccomp_known_flags(size_t *n)
{
	static const char *names[SECCOMP_N_FLAGS];

	for (size_t i = 0; i < COUNT(names); i++)
		names[i] = seccomp_flags[i].name;
	*n = COUNT(names);
	return names;
}

/* Flags go to the kernel without the library in between, so all known ones are supported. */
const char *const *seccomp_supported_flags(size_t *n)
{
	return seccomp_known_flags(n);
}
