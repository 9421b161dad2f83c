/* SPDX-License-Identifier: Apache-2.0 */
/*
 * term_relay - between our own streams and the container's terminal
 *
 * Two directions, each with one buffer: a side is read only while its buffer has room and
 * written only while there is something in it, so a reader that is stuck stops the other
 * end and nothing else, and no descriptor is polled that nothing is wanted of (a closed
 * one would wake us for ever).
 *
 * Our streams are shared with whoever started us: making them non-blocking would reach the
 * shell. They are opened again, through /proc, as files of our own; where that is refused
 * the flag is set after all and taken back at the end.
 *
 * We keep a slave open ourselves. A program may close its terminal and open it again; the
 * end of the relay is the end of the container, which the caller watches.
 *
 * With a terminal of our own and in its foreground, that one is raw meanwhile: the
 * container's does the editing, the echo and the line ends. In the background what is typed
 * is somebody else's, and so are the settings. Nothing tells that the terminal has become
 * ours: SIGCONT does, from a shell that sends it to a job that runs (dash, not bash), and
 * else the next input is the occasion to look.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "proc/proc.h"
#include "sys/sys.h"

#define BUFFER_SIZE   16384
#define STUCK_MS      2000  /* without any progress, at the end */
#define FINISH_MAX_MS 30000 /* in all: a slow reader gets it, a trickle does not hold us */

struct buffer {
	char data[BUFFER_SIZE];
	size_t start, end;
};

struct stream {
	int fd;	       /* -1: done */
	bool borrowed; /* the number is not ours to close */
	int flags;     /* to be set again; -1: nothing to restore */
};

struct term_relay {
	struct stream in, out;
	int master, slave;
	int tty;	 /* ours; -1: none */
	bool background; /* it has a foreground, and we are not in it */
	int watch;	 /* readable when something new came to it meanwhile; -1: none */
	bool raw;
	bool known; /* what is to be put back: */
	struct termios saved;
	char last; /* byte that the container's terminal got, for the end of the input */
	struct buffer to_master, to_out;
};

/* --- buffers --------------------------------------------------------------------------------- */

static bool is_empty(const struct buffer *b)
{
	return b->start == b->end;
}

static bool has_room(const struct buffer *b)
{
	return b->end - b->start < BUFFER_SIZE;
}

static void make_room(struct buffer *b)
{
	memmove(b->data, b->data + b->start, b->end - b->start);
	b->end -= b->start;
	b->start = 0;
}

/* What one read gives. 1: something or later, 0: the end. */
static int fill(struct buffer *b, int fd)
{
	ssize_t n;

	make_room(b);
	n = sys_read(fd, b->data + b->end, BUFFER_SIZE - b->end);
	if (n == -EAGAIN)
		return 1;
	if (n <= 0) /* EIO: a terminal that was hung up */
		return 0;
	b->end += (size_t)n;
	return 1;
}

/* What one write takes. 1: go on, 0: nobody will ever take more. */
static int drain(struct buffer *b, int fd)
{
	ssize_t n = sys_write(fd, b->data + b->start, b->end - b->start);

	if (n == -EAGAIN)
		return 1;
	if (n < 0)
		return 0;
	b->start += (size_t)n;
	return 1;
}

static void discard(struct buffer *b)
{
	b->start = b->end = 0;
}

/* --- our own streams ------------------------------------------------------------------------- */

static struct stream stream_open(int number, int mode)
{
	struct stream s = { .fd = number, .borrowed = true, .flags = -1 };
	struct stat st;
	char name[40];
	int fd, flags = sys_fcntl(number, F_GETFL, 0);

	if (flags < 0 || sys_fstat(number, &st) < 0)
		return (struct stream){ .fd = -1, .flags = -1 };
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || flags & O_NONBLOCK)
		return s; /* never waits, or does not already */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", number);
	fd = S_ISSOCK(st.st_mode) ? -ENXIO : sys_open(name, mode | O_NONBLOCK | O_NOCTTY, 0);
	if (fd >= 0)
		return (struct stream){ .fd = fd, .flags = -1 };
	if (sys_fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0)
		s.flags = flags;
	return s;
}

static void stream_close(struct stream *s)
{
	if (s->fd >= 0 && s->flags >= 0)
		sys_fcntl(s->fd, F_SETFL, s->flags);
	if (!s->borrowed)
		fd_close(&s->fd);
	s->fd = -1;
}

/* --- our own terminal ------------------------------------------------------------------------ */

static int find_tty(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd))
			return fd;
	return -1;
}

/*
 * One that is not the controlling terminal has no background: BuildKit and CRI-O give us such
 * a one, and rely on it being raw.
 */
static bool tty_is_others(int tty)
{
	pid_t foreground = tcgetpgrp(tty);

	return foreground >= 0 && foreground != getpgrp();
}

/* Again, where a shell had it meanwhile; not every one then puts settings of its own. */
static void tty_make_raw(struct term_relay *t)
{
	struct termios raw;

	if (!t->known)
		t->known = tcgetattr(t->tty, &t->saved) == 0;
	if (!t->known)
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	t->raw = tcsetattr(t->tty, TCSANOW, &raw) == 0;
}

static void tty_restore(struct term_relay *t)
{
	if (t->raw && !tty_is_others(t->tty))
		tcsetattr(t->tty, TCSANOW, &t->saved);
	t->raw = false;
}

static void copy_size(int tty, int master)
{
	struct winsize size;

	if (tty >= 0 && sys_ioctl(tty, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		sys_ioctl(master, TIOCSWINSZ, &size);
}

void term_take_size(int master)
{
	copy_size(find_tty(), master);
}

void term_relay_resize(struct term_relay *t)
{
	copy_size(t->tty, t->master);
}

void term_relay_foreground(struct term_relay *t)
{
	t->background = t->tty >= 0 && tty_is_others(t->tty);
	if (t->background) {
		t->raw = false; /* whoever has it now has set it */
		if (t->watch < 0)
			t->watch = sys_epoll_make(t->tty, EPOLLIN | EPOLLET);
	} else {
		fd_close(&t->watch);
		if (t->tty >= 0)
			tty_make_raw(t);
	}
	term_relay_resize(t); /* the background hears of no change */
}

static bool input_is_others(const struct term_relay *t)
{
	return t->background && t->tty == STDIN_FILENO;
}

/* --- the relay ------------------------------------------------------------------------------- */

int term_relay_start(struct arena *a, int master, struct term_relay **ret, struct err *e)
{
	struct term_relay *t = arena_new(a, struct term_relay);
	int r;

	t->master = master;
	t->last = '\n';
	t->slave =
		sys_ioctl(master, TIOCGPTPEER, (void *)(uintptr_t)(O_RDWR | O_NOCTTY | O_CLOEXEC));
	r = sys_fcntl(master, F_GETFL, 0);
	if (r >= 0)
		r = sys_fcntl(master, F_SETFL, r | O_NONBLOCK);
	if (r < 0) {
		fd_close(&t->master);
		fd_close(&t->slave);
		return err_sys(e, -r, NULL, "make the terminal non-blocking");
	}
	t->in = stream_open(STDIN_FILENO, O_RDONLY);
	t->out = stream_open(STDOUT_FILENO, O_WRONLY);
	t->tty = find_tty();
	t->watch = -1;
	term_relay_foreground(t);
	*ret = t;
	return 0;
}

static void want(struct pollfd *fds, size_t *n, int fd, short events)
{
	if (fd >= 0 && events)
		fds[(*n)++] = (struct pollfd){ .fd = fd, .events = events };
}

size_t term_relay_poll(struct term_relay *t, struct pollfd *fds)
{
	short master = 0;
	size_t n = 0;

	if (has_room(&t->to_out))
		master |= POLLIN;
	if (!is_empty(&t->to_master))
		master |= POLLOUT;
	want(fds, &n, t->master, master);
	want(fds, &n, t->in.fd, has_room(&t->to_master) && !input_is_others(t) ? POLLIN : 0);
	want(fds, &n, t->out.fd, is_empty(&t->to_out) ? 0 : POLLOUT);
	want(fds, &n, t->watch, POLLIN);
	return n;
}

/*
 * Our input has ended: say so in the terminal's own way. Where it edits lines, the first
 * character after a line that is not complete only ends that line.
 */
static void end_input(struct term_relay *t)
{
	struct termios tio;
	struct buffer *b = &t->to_master;
	char last = is_empty(b) ? t->last : b->data[b->end - 1];
	int times;

	stream_close(&t->in);
	if (t->master < 0 || tcgetattr(t->master, &tio) < 0)
		return;
	make_room(b);
	times = tio.c_lflag & ICANON && last != '\n' ? 2 : 1;
	while (times-- > 0 && has_room(b))
		b->data[b->end++] = (char)tio.c_cc[VEOF];
}

/* EIO is also what a terminal gives to its background; one that is hung up has none. */
static void handle_in(struct term_relay *t)
{
	if (fill(&t->to_master, t->in.fd))
		return;
	term_relay_foreground(t);
	if (!input_is_others(t))
		end_input(t);
}

static void handle_watch(struct term_relay *t)
{
	struct epoll_event event;

	sys_epoll_take(t->watch, &event);
	term_relay_foreground(t);
}

static void end_output(struct term_relay *t)
{
	stream_close(&t->out);
	discard(&t->to_out);
}

static void end_master(struct term_relay *t)
{
	fd_close(&t->master);
	discard(&t->to_master);
}

static void handle_master(struct term_relay *t, short events)
{
	if (events & POLLOUT && !is_empty(&t->to_master)) {
		size_t before = t->to_master.start;

		if (!drain(&t->to_master, t->master)) {
			end_master(t);
			return;
		}
		if (t->to_master.start > before)
			t->last = t->to_master.data[t->to_master.start - 1];
	}
	if (events & (POLLIN | POLLHUP | POLLERR) && has_room(&t->to_out) &&
	    !fill(&t->to_out, t->master))
		end_master(t);
	if (t->out.fd < 0)
		discard(&t->to_out); /* nobody wants it; the container need not wait */
}

int term_relay_handle(struct term_relay *t, const struct pollfd *fds, size_t n, struct err *e)
{
	(void)e;
	for (size_t i = 0; i < n; i++) {
		if (!fds[i].revents)
			continue;
		if (fds[i].fd == t->master)
			handle_master(t, fds[i].revents);
		else if (fds[i].fd == t->watch)
			handle_watch(t);
		else if (fds[i].fd == t->in.fd)
			handle_in(t);
		else if (fds[i].fd == t->out.fd && !drain(&t->to_out, t->out.fd))
			end_output(t);
	}
	return 0;
}

/* --- the end --------------------------------------------------------------------------------- */

/* One turn: as much as moves within @timeout_ms. Returns false when nothing did. */
static bool finish_turn(struct term_relay *t, int64_t timeout_ms)
{
	struct pollfd fds[2];
	size_t n = 0;

	/* Polling a master also brings forward what is still on its way to it. */
	want(fds, &n, t->master, has_room(&t->to_out) ? POLLIN : 0);
	want(fds, &n, t->out.fd, is_empty(&t->to_out) ? 0 : POLLOUT);
	if (!n || sys_ppoll(fds, n, timeout_ms) <= 0)
		return false;
	return term_relay_handle(t, fds, n, NULL) == 0;
}

static void flush(struct term_relay *t)
{
	int64_t end = clock_now_ms() + FINISH_MAX_MS;

	while (clock_now_ms() < end)
		if (!finish_turn(t, is_empty(&t->to_out) ? 0 : STUCK_MS))
			return;
}

void term_relay_finish(struct term_relay *t)
{
	flush(t);
	tty_restore(t);
	fd_close(&t->watch);
	stream_close(&t->in);
	stream_close(&t->out);
	fd_close(&t->master);
	fd_close(&t->slave);
}
