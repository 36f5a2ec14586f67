#include "core/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

void standard_open(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	/* A limit on the size of files is then an error of write(2), as a full disk is, and is said as one. */
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			/* The lowest free descriptor is this one. Nothing can be done, nor said, when it fails. */
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

int standard_flush(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return errno ? -errno : -EIO;
}
