/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_mux - the calls behind socketcall(2) and ipc(2)
 *
 * First arguments are from linux/net.h and linux/ipc.h, numbers from the kernel's
 * table of x86. A unit test compares them with libseccomp's.
 */
#include <seccomp.h>
#include <stdlib.h>

#include "base/str.h"
#include "sec/seccomp_calls.h"

const struct seccomp_mux seccomp_muxes[] = {
	{ "socket", "socketcall", 1, 359 },
	{ "bind", "socketcall", 2, 361 },
	{ "connect", "socketcall", 3, 362 },
	{ "listen", "socketcall", 4, 363 },
	{ "accept", "socketcall", 5, -1 },
	{ "getsockname", "socketcall", 6, 367 },
	{ "getpeername", "socketcall", 7, 368 },
	{ "socketpair", "socketcall", 8, 360 },
	{ "send", "socketcall", 9, -1 },
	{ "recv", "socketcall", 10, -1 },
	{ "sendto", "socketcall", 11, 369 },
	{ "recvfrom", "socketcall", 12, 371 },
	{ "shutdown", "socketcall", 13, 373 },
	{ "setsockopt", "socketcall", 14, 366 },
	{ "getsockopt", "socketcall", 15, 365 },
	{ "sendmsg", "socketcall", 16, 370 },
	{ "recvmsg", "socketcall", 17, 372 },
	{ "accept4", "socketcall", 18, 364 },
	{ "recvmmsg", "socketcall", 19, 337 },
	{ "sendmmsg", "socketcall", 20, 345 },
	{ "semop", "ipc", 1, -1 },
	{ "semget", "ipc", 2, 393 },
	{ "semctl", "ipc", 3, 394 },
	{ "semtimedop", "ipc", 4, -1 },
	{ "msgsnd", "ipc", 11, 400 },
	{ "msgrcv", "ipc", 12, 401 },
	{ "msgget", "ipc", 13, 399 },
	{ "msgctl", "ipc", 14, 402 },
	{ "shmat", "ipc", 21, 397 },
	{ "shmdt", "ipc", 22, 398 },
	{ "shmget", "ipc", 23, 395 },
	{ "shmctl", "ipc", 24, 396 },
};
const size_t seccomp_n_muxes = COUNT(seccomp_muxes);

/* No architecture has more numbers than this in use, counted from its first one. */
#define NUMBERS 1024
/* The MIPS tables begin at multiples of this. */
#define MIPS_STEP 1000

const struct seccomp_mux *seccomp_mux_find(const char *name)
{
	for (size_t i = 0; i < COUNT(seccomp_muxes); i++)
		if (str_eq(seccomp_muxes[i].name, name))
			return &seccomp_muxes[i];
	return NULL;
}

/* The slow way: the library translates numbers into names without stand-ins. */
static int search_number(uint32_t token, const char *name)
{
	int first = seccomp_syscall_resolve_name_arch(token, "read") / MIPS_STEP * MIPS_STEP;

	for (int nr = first; nr < first + NUMBERS; nr++) {
		char *found = seccomp_syscall_resolve_num_arch(token, nr);
		bool same = found && str_eq(found, name);

		free(found);
		if (same)
			return nr;
	}
	return -1;
}

int seccomp_mux_direct(uint32_t token, const struct seccomp_mux *mux)
{
	/* The one architecture that stands beside the machine's own in everyday profiles. */
	if (token == SCMP_ARCH_X86)
		return mux->direct;
	return search_number(token, mux->name);
}
