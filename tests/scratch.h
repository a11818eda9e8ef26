// A file of a test program's own: made before its tests and removed after them, as their group's setup and teardown.
#ifndef AEXP_TESTS_SCRATCH_H
#define AEXP_TESTS_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/aexp-test-XXXXXX";

static int make(void **state) {
	(void)state;
	int file = mkstemp(path);
	return file < 0 ? -1 : close(file);
}

static int unmake(void **state) {
	(void)state;
	return unlink(path);
}

#endif
