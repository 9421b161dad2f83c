/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_notify - the listener of a filter goes to the agent
 *
 * What is sent is the container process state of config-linux.md: one JSON object and
 * the descriptor with its first byte, on a connection that is closed after it.
 *
 * The descriptor is made in init, by the call that loads the filter; from then on any
 * call of init's may be one that waits for the agent, even the one by which init would
 * pass it on. So init makes none. Before, it asks userfaultfd(2) to watch a range of
 * its memory and gives that descriptor to its peer; after, it touches the page whose
 * place in the range is the number of the listener. The peer sees the fault, gets the
 * listener (run/handover.h), sends it to the agent and lets the touch succeed by filling
 * the page. When the peer dies instead, the kernel ends the watch and the page is empty:
 * then init must not go on.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>

#include "base/log.h"
#include "base/str.h"
#include "ocispec/encode.h"
#include "sec/sec.h"
#include "sys/sys.h"

/* An agent that does not read must not hold a container up for ever. */
#define AGENT_SECONDS 10

/* Listener numbers that can be told; at this point few descriptors are open. */
#define NUMBERS 1024

#define FILLED 1 /* the first byte of a page that the peer filled */

/* --- the message ------------------------------------------------------------------------ */

const char *seccomp_notify_state(struct arena *a, const struct oci_state *state,
				 const char *metadata)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	const char *fds[] = { "seccompFd" };
	const struct oci_container_process_state whole = {
		.oci_version = state->oci_version,
		.fds = fds,
		.n_fds = COUNT(fds),
		.pid = state->pid,
		.has_pid = true,
		.metadata = metadata,
		.state = (struct oci_state *)state,
	};
	char *text = NULL;

	/* Fails for a text that is not UTF-8 only, which the decoder rules out. */
	if (ocispec_encode(&oci_container_process_state_type, &whole, 0, &alloc, &text, NULL,
			   NULL) < 0)
		return "{}";
	return text;
}

static int connect_agent(const char *path, struct err *e)
{
	const struct timeval limit = { .tv_sec = AGENT_SECONDS };
	const char *name = strrchr(path, '/') + 1;
	char folder[4096];
	auto_fd dir = -1;
	auto_fd sock = -1;
	int r;

	if (!str_copy(folder, sizeof(folder), path))
		return err_sys(e, ENAMETOOLONG, path, "connect to the seccomp agent");
	folder[name - path] = '\0';
	dir = sys_open(folder, O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		return err_sys(e, -dir, folder, "open the folder of the seccomp agent's socket");
	sock = sys_socket(AF_UNIX, SOCK_STREAM, 0);
	if (sock < 0)
		return err_sys(e, -sock, path, "make a socket for the seccomp agent");
	if (setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return err_sys(e, errno, path, "set a deadline for the seccomp agent");
	r = sys_connect_unix(sock, dir, name);
	if (r < 0)
		return err_sys(e, r == -EAGAIN ? ETIMEDOUT : -r, path,
			       "failed to connect with seccomp agent specified in the seccomp "
			       "profile");
	return fd_take(&sock);
}

int seccomp_notify_send(const char *path, int listener, const char *state, struct err *e)
{
	auto_fd sock = connect_agent(path, e);
	size_t len = strlen(state), sent = 0;

	if (sock < 0)
		return sock;
	while (sent < len) {
		ssize_t n = sys_send_fds(sock, state + sent, len - sent, &listener, sent == 0,
					 MSG_NOSIGNAL);

		if (n < 0)
			return err_sys(e, n == -EAGAIN ? ETIMEDOUT : (int)-n, path,
				       "send the listener to the seccomp agent");
		sent += (size_t)n;
	}
	return 0;
}

/* --- from init to its peer -------------------------------------------------------------- */

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Memory that begins at a multiple of its size, so that an address tells the page's place. */
static char *map_range(void)
{
	size_t size = NUMBERS * page_size();
	char *p = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	p += size - (uintptr_t)p % size;
	return mprotect(p, size, PROT_READ) < 0 ? NULL : p;
}

int seccomp_handover_make(struct seccomp_handover *ret, struct err *e)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register watch = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	auto_fd fd = sys_userfaultfd(O_NONBLOCK | UFFD_USER_MODE_ONLY);
	int r = fd;

	ret->pages = map_range();
	if (r >= 0 && !ret->pages)
		r = -errno;
	watch.range.start = (uintptr_t)ret->pages;
	watch.range.len = NUMBERS * page_size();
	if (r >= 0)
		r = sys_ioctl(fd, UFFDIO_API, &api);
	if (r >= 0)
		r = sys_ioctl(fd, UFFDIO_REGISTER, &watch);
	return r < 0 ? err_sys(e, -r, NULL, "prepare to hand the seccomp listener over")
		     : fd_take(&fd);
}

bool seccomp_handover_give(const struct seccomp_handover *h, int listener)
{
	volatile const char *page = h->pages + (size_t)listener * page_size();

	return listener >= 0 && listener < NUMBERS && *page == FILLED;
}

static int wait_for_touch(int watch, int pidfd, struct err *e)
{
	struct pollfd fds[] = { { watch, POLLIN, 0 }, { pidfd, POLLIN, 0 } };
	int r = sys_ppoll(fds, COUNT(fds), AGENT_SECONDS * 1000);

	if (r < 0)
		return err_sys(e, -r, NULL, "wait for the seccomp listener");
	if (fds[0].revents & POLLIN)
		return 0;
	return err_code(e, r == 0 ? ETIMEDOUT : ESRCH, NULL,
			r == 0 ? "the seccomp listener did not come"
			       : "the container's process ended before the seccomp listener came");
}

int seccomp_handover_await(int watch, int pidfd, uint64_t *ret_page, struct err *e)
{
	struct uffd_msg m;
	size_t size = page_size();
	ssize_t n;

	if (wait_for_touch(watch, pidfd, e) < 0)
		return -e->code;
	n = sys_read(watch, &m, sizeof(m));
	if (n != sizeof(m) || m.event != UFFD_EVENT_PAGEFAULT)
		return err_sys(e, n < 0 ? (int)-n : EPROTO, NULL, "learn of the seccomp listener");
	*ret_page = m.arg.pagefault.address & ~(uint64_t)(size - 1);
	return (int)(m.arg.pagefault.address % (NUMBERS * size) / size);
}

int seccomp_handover_finish(int watch, uint64_t page, struct err *e)
{
	size_t size = page_size();
	char *filled = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_copy copy = { .dst = page, .src = (uintptr_t)filled, .len = size };
	int r = -ENOMEM;

	if (filled != MAP_FAILED) {
		filled[0] = FILLED;
		r = sys_ioctl(watch, UFFDIO_COPY, &copy);
		munmap(filled, size);
	}
	return r < 0 ? err_sys(e, -r, NULL, "let the container's process go on") : 0;
}
