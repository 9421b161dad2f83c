/* SPDX-License-Identifier: Apache-2.0 */
/* request - inside the room: CRIU's messages and the numbers of their fields */
#ifndef CLEAT_CRIU_REQUEST_H
#define CLEAT_CRIU_REQUEST_H

#include "criu/criu.h"
#include "criu/wire.h"

enum criu_message { /* of requests and responses */
		    CRIU_MSG_EMPTY = 0,
		    CRIU_MSG_DUMP = 1,
		    CRIU_MSG_RESTORE = 2,
		    CRIU_MSG_NOTIFY = 6,
		    CRIU_MSG_VERSION = 10,
		    CRIU_MSG_PRE_DUMP = 13, /* one that no further request follows */
};

/* A request without options. */
void request_plain(struct wire *w, enum criu_message type);
/* The answer to a notification. */
void request_noted(struct wire *w, bool success);
/* What was asked for, in full. -EINVAL: page_server is no address with a port. */
int request_encode(struct wire *w, const struct criu_request *q, struct err *e);

struct response {
	enum criu_message type;
	bool success;
	int code;	     /* cr_errno; 0: none */
	const char *message; /* cr_errmsg; NULL: none */
	pid_t restored;
	const char *script; /* of a notification */
	pid_t pid;
	unsigned major, minor, sublevel;
};

/* Texts go into the arena. Returns 0 or -EPROTO. */
int response_decode(struct arena *a, const void *data, size_t len, struct response *ret);

#endif
