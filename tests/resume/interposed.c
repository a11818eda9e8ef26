// For claims.sh, by LD_PRELOAD: a file system without locks (AEXP_TEST_FLOCK=none), or whose locks other machines do not
// see (=local: every lock can be had); another host's name (AEXP_TEST_HOST); and a wall clock that is an hour ahead of the
// system's (AEXP_TEST_CLOCK), as it is to who has read it before it was set back.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int flock(int file, int operation) {
	const char *mode = getenv("AEXP_TEST_FLOCK");
	(void)file, (void)operation;
	if (mode && !strcmp(mode, "local"))
		return 0;
	errno = ENOLCK;
	return -1;
}

int gethostname(char *name, size_t size) {
	const char *host = getenv("AEXP_TEST_HOST");
	strncpy(name, host ? host : "here", size);
	return 0;
}

int clock_gettime(clockid_t clock, struct timespec *ret) {
	int status = (int)syscall(SYS_clock_gettime, clock, ret);
	if (status == 0 && clock == CLOCK_REALTIME && getenv("AEXP_TEST_CLOCK"))
		ret->tv_sec += 3600;
	return status;
}
