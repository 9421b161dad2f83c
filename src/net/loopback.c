/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loopback - lo in a new network namespace
 *
 * One ioctl is enough: the kernel gives lo its addresses when it comes up.
 */
#include <linux/if.h>
#include <linux/sockios.h>
#include <sys/socket.h>

#include "net/net.h"
#include "sys/sys.h"

int net_loopback_up(struct err *e)
{
	auto_fd fd = sys_socket(AF_UNIX, SOCK_DGRAM, 0); /* any kind takes it */
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int r = fd < 0 ? fd : sys_ioctl(fd, SIOCSIFFLAGS, &request);

	return r < 0 ? err_sys(e, -r, "lo", "set up the interface") : 0;
}
