// For claims.sh, by LD_PRELOAD: a file system without locks (AEXP_TEST_FLOCK=none), or whose locks other machines do not
// see (=local: every lock can be had); and another host's name (AEXP_TEST_HOST).
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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
