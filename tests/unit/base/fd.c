/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "unit/unit.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

TEST(close_and_take)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), kept = fd, none = -1;

	errno = EXDEV;
	fd_close(&fd);
	CHECK_INT(errno, EXDEV);
	CHECK_INT(fd, -1);
	CHECK(!is_open(kept));
	fd_close(&fd);
	fd_close(&none);

	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	kept = fd;
	{
		auto_fd moved = fd_take(&fd);

		CHECK_INT(fd, -1);
		CHECK_INT(moved, kept);
		CHECK(is_open(kept));
	}
	CHECK(!is_open(kept));
}

TEST(close_now_while_deferring)
{
	int later = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int now = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int was[] = { later, now };

	fd_defer(true);
	fd_close(&later);
	fd_close_now(&now);
	fd_close_now(&now); /* empty by now */
	fd_defer(false);
	CHECK_INT(later, -1);
	CHECK_INT(now, -1);
	CHECK(is_open(was[0]));
	CHECK(!is_open(was[1]));
	close(was[0]);
}

TEST(cloexec_on_and_off)
{
	auto_fd fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK_INT(fd_set_cloexec(fd, false), 0);
	CHECK_INT(fcntl(fd, F_GETFD), 0);
	CHECK_INT(fd_set_cloexec(fd, true), 0);
	CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_INT(fd_set_cloexec(-1, true), -EBADF);
}

/* Every combination of the three closed. */
TEST(stdio_is_opened)
{
	for (int closed = 0; closed < 8; closed++) {
		int saved[3], got[3], r;

		for (int fd = 0; fd < 3; fd++)
			saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
		for (int fd = 0; fd < 3; fd++)
			if (closed >> fd & 1)
				close(fd);
		r = fd_open_stdio();
		for (int fd = 0; fd < 3; fd++) {
			struct stat st = { 0 };

			got[fd] = fstat(fd, &st) == 0 && fcntl(fd, F_GETFD) == 0 &&
				  (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR &&
				  st.st_rdev == makedev(1, 3);
		}
		for (int fd = 0; fd < 3; fd++) {
			dup2(saved[fd], fd);
			close(saved[fd]);
		}
		unit_row("closed: %d", closed);
		CHECK_INT(r, 0);
		for (int fd = 0; fd < 3; fd++)
			if (closed >> fd & 1)
				CHECK(got[fd]);
	}
}
