/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel - what parent, middle, init and `start` say to each other
 *
 * Typed messages on a SOCK_SEQPACKET pair: one datagram a message, a version in
 * each because the two ends of the gate may be different releases. Middle and init
 * use the same pair one after the other, never both. The parent is a server: the
 * table in serve.c says which message is legal when.
 */
#ifndef CLEAT_RUN_CHANNEL_H
#define CLEAT_RUN_CHANNEL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define CHANNEL_VERSION 1

enum msg_type {
	MSG_NONE = 0,
	/* from the children */
	MSG_MAP_IDS = 1, /* middle: write my id maps; answered by MSG_OK */
	MSG_INIT = 2,	 /* middle: here is init; number = pid, descriptor = pidfd */
	MSG_SOURCE = 3,	 /* init: open the source of mount operation <number>, or finish it
			   (descriptor); MSG_OK + tree */
	MSG_HOOKS = 4,	 /* init: mounts are done, run prestart and createRuntime; MSG_OK */
	MSG_CONSOLE = 5, /* init: here is the master of the terminal (descriptor) */
	MSG_READY = 6,	 /* init: at the gate */
	MSG_EXEC = 7,	 /* init: execve comes next; end of file means that it worked */
	MSG_ERROR = 8,	 /* the report of a failure; after MSG_EXEC a better one may follow */
	MSG_LOG = 9,	 /* a line for the log; number = level */
	MSG_CGROUP =
		10, /* middle, exec: the cgroup is busy; MSG_OK + one below it that init is in */
	MSG_LISTENER = 11, /* init: the seccomp listener comes, with this userfaultfd; handover.h */
	MSG_DEVICES = 12,  /* init: make the devices that I may not; MSG_OK + tree of them */
	/* to the children */
	MSG_OK = 32,	/* done as asked; number = 0, or a negative errno that init may handle */
	MSG_GO = 33,	/* identity is recorded: begin */
	MSG_START = 34, /* pass the gate */
	MSG_FETCH = 35, /* send descriptor <number> of yours: MSG_OK + that; handover.h */
};

#define MSG_LOG_MAX 1024

struct msg {
	uint16_t version;
	uint16_t type; /* enum msg_type */
	int32_t reserved;
	int64_t number;
	union {
		struct err err;
		char text[MSG_LOG_MAX];
	};
};

/* Send a message without a body; @fd: a descriptor that goes with it, or -1. 0 or -errno. */
int channel_send(int sock, enum msg_type type, int64_t number, int fd);
int channel_send_err(int sock, const struct err *e);
int channel_send_log(int sock, int level, const char *text);

/*
 * Receive one message. Returns 1, 0 when the other side is gone, or -errno (also for
 * a datagram that is no message of ours). *ret_fd gets the descriptor that came along,
 * or -1; the caller owns it. Strings are bounded and escaped.
 */
int channel_recv(int sock, struct msg *m, int *ret_fd, struct err *e);

const char *msg_type_name(int type);

#endif
