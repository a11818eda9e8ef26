// Memory and disk that are left: the tightest of the machine and all limits, from files as the kernel writes them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/space.h"

#define MIB (1024.0 * 1024)

static char root[64];

static int enter(void **state) {
	(void)state;
	strcpy(root, "/tmp/aexp-test-space-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int leave(void **state) {
	(void)state;
	return folder_remove(root, NULL) ? 0 : -1;
}

// A file below root, with its folders.
static void put(const char *path, const char *text) {
	struct text whole = {0};
	text_format(&whole, "%s%s", root, path);
	char *folder = path_folder(text_string(&whole));
	assert_true(folder_create(folder, NULL));
	assert_true(file_write(text_string(&whole), text, strlen(text), NULL));
	free(folder);
	text_finish(&whole);
}

static void assert_left(double bytes, const char *limit) {
	struct space_memory space;
	space_memory(root, &space);
	assert_string_equal(space.limit, limit);
	assert_true(space.bytes == bytes);
}

static void test_nothing_known(void **state) {
	(void)state;
	assert_left(INFINITY, "");
}

static void test_machine(void **state) {
	(void)state;
	put("/proc/meminfo",
	    "MemTotal:       4194304 kB\nMemFree: 1 kB\nMemAvailable:    1048576 kB\nSwapFree:  1024 kB\n");
	assert_left(1025 * MIB, "of this machine");
	put("/proc/meminfo", "MemTotal:       4194304 kB\nMemAvailable:    1048576 kB\n");
	assert_left(1024 * MIB, "of this machine");
}

static void test_version_2(void **state) {
	(void)state;
	put("/proc/meminfo", "MemAvailable:    1048576 kB\n");
	put("/proc/self/cgroup", "0::/user/job\n");
	put("/sys/fs/cgroup/user/job/memory.max", "max\n");
	put("/sys/fs/cgroup/user/job/memory.current", "1048576\n");
	assert_left(1024 * MIB, "of this machine");
	put("/sys/fs/cgroup/user/memory.max", "209715200\n"); // of the group above: 200 MiB, of which 150 are taken
	put("/sys/fs/cgroup/user/memory.current", "157286400\n");
	assert_left(50 * MIB, "of the cgroup");
	put("/sys/fs/cgroup/user/memory.stat", "anon 1\nfile 3\ninactive_file 20971520\nactive_file 7\n");
	assert_left(70 * MIB, "of the cgroup");
	put("/sys/fs/cgroup/user/job/memory.max", "1048576\n"); // over its limit by what cannot be given back
	put("/sys/fs/cgroup/user/job/memory.current", "2097152\n");
	assert_left(0, "of the cgroup");
}

static void test_version_1(void **state) {
	(void)state;
	put("/proc/self/cgroup", "5:devices:/\n4:cpu,memory:/a/b\n0::/\n");
	put("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
	put("/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "4096\n");
	put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "104857600\n");
	put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "94371840\n");
	put("/sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 1048576\n");
	assert_left(11 * MIB, "of the cgroup");
	put("/proc/self/cgroup", "4:memory_of_others:/a/b\n3:cpu\n\nrubbish\n");
	assert_left(INFINITY, "");
}

// In a process of its own, since limits cannot be raised again. The limit, 64 TiB, is more than a sanitizer maps.
static int limited(int resource, const char *limit) {
	pid_t child = fork();
	if (child == 0) {
		struct space_memory space;
		struct rlimit most = {.rlim_cur = (rlim_t)1 << 46, .rlim_max = RLIM_INFINITY};
		setrlimit((__rlimit_resource_t)resource, &most);
		space_memory(root, &space);
		_exit(strcmp(space.limit, limit) || space.bytes != 200 * MIB);
	}
	int status = -1;
	waitpid(child, &status, 0);
	return status;
}

static void test_limits(void **state) {
	(void)state;
	put("/proc/self/status", "Name:\taexp\nVmPeak:\t 999999 kB\nVmSize:\t 68719271936 kB\nVmData:\t 68719271936 kB\n");
	assert_int_equal(limited(RLIMIT_AS, "of ulimit -v"), 0);
	assert_int_equal(limited(RLIMIT_DATA, "of ulimit -d"), 0);
}

static void test_resident(void **state) {
	(void)state;
	double before, after, most;
	enum { SIZE = 64 << 20 };
	space_resident(&before, &most);
	assert_true(before > 0 && most >= before);
	char *memory = malloc(SIZE);
	assert_non_null(memory);
	for (size_t i = 0; i < SIZE; i += 1024)
		((volatile char *)memory)[i] = 1;
	space_resident(&after, &most);
	assert_true(after - before > 0.9 * SIZE && after - before < 8.0 * SIZE); // memcheck's own or a sanitizer's, too
	free(memory);
}

static void test_disk(void **state) {
	(void)state;
	struct space_disk here, below, none;
	struct text path = {0};
	text_format(&path, "%s/not/there/yet", root);
	assert_true(space_disk(root, &here));
	assert_true(here.bytes > 0 && here.files > 0);
	assert_true(space_disk(text_string(&path), &below));
	assert_true(fabs(here.bytes - below.bytes) < 0.5 * here.bytes);
	assert_true(space_disk("/proc", &none));
	assert_true(none.bytes == 0 && isinf(none.files)); // it has no blocks, and does not count files
	text_finish(&path);
}

static void test_taken(void **state) {
	(void)state;
	assert_true(space_taken("/not/there") == 0);
	assert_true(space_taken(root) == 0);
	put("/one", "12345");
	put("/two", "123");
	put("/folder/three", "1");
	assert_true(space_taken(root) == 8);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_nothing_known, enter, leave),
	    cmocka_unit_test_setup_teardown(test_machine, enter, leave),
	    cmocka_unit_test_setup_teardown(test_version_2, enter, leave),
	    cmocka_unit_test_setup_teardown(test_version_1, enter, leave),
	    cmocka_unit_test_setup_teardown(test_limits, enter, leave),
	    cmocka_unit_test_setup_teardown(test_resident, enter, leave),
	    cmocka_unit_test_setup_teardown(test_disk, enter, leave),
	    cmocka_unit_test_setup_teardown(test_taken, enter, leave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
