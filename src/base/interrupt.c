/* SPDX-License-Identifier: Apache-2.0 */
#include "base/interrupt.h"

#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int source = -1;
static sigset_t taken;

void interrupt_by(int fd)
{
	source = fd;
}

int interrupt_fd(void)
{
	return source;
}

/* One that whoever started us ignores (nohup(1), a shell's job) comes all the same when blocked. */
static bool is_interrupt(int sig)
{
	struct sigaction now;

	return (sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT) &&
	       sigaction(sig, NULL, &now) == 0 && now.sa_handler != SIG_IGN;
}

int interrupt_take(void)
{
	struct signalfd_siginfo si;

	while (read(source, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		sigaddset(&taken, (int)si.ssi_signo);
		if (!is_interrupt((int)si.ssi_signo))
			continue;
		source = -1;
		return (int)si.ssi_signo;
	}
	return 0;
}

const sigset_t *interrupt_taken(void)
{
	return &taken;
}
