// Files and paths: exact error texts, nothing left behind by a failed write, links never followed, folding of paths.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static size_t count_entries(const char *path) {
	DIR *folder = opendir(path);
	size_t count = 0;
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count - 2; // "." and ".."
}

struct place {
	char name[32];
	size_t open; // descriptors of the process when the test began
};

// Every test runs in a fresh folder, which is the working folder then, and must close what it opens.
static int enter(void **state) {
	struct place *place = malloc(sizeof *place);
	strcpy(place->name, "/tmp/aexp-test-file-XXXXXX");
	*state = place;
	place->open = count_entries("/proc/self/fd");
	return mkdtemp(place->name) != NULL && chdir(place->name) == 0 ? 0 : -1;
}

static int leave(void **state) {
	struct place *place = *state;
	struct error error;
	bool fine = chdir("/") == 0 && folder_remove(place->name, &error) && !file_exists(place->name);
	if (place->open != count_entries("/proc/self/fd")) {
		print_error("%zu descriptors open before, %zu after\n", place->open, count_entries("/proc/self/fd"));
		fine = false;
	}
	free(place);
	return fine ? 0 : -1;
}

static void expect_content(const char *path, const char *content) {
	char *data;
	size_t size;
	struct error error = {0};
	if (!file_read(path, 1 << 20, &data, &size, &error))
		fail_msg("%s", error.message);
	assert_int_equal(size, strlen(content));
	assert_string_equal(data, content);
	free(data);
}

static void put(const char *path, const char *content) {
	FILE *stream = fopen(path, "w");
	assert_non_null(stream);
	fputs(content, stream);
	fclose(stream);
}

static void reads_all_sizes(void **state) {
	(void)state;
	static const size_t sizes[] = {0, 1, 2, 16383, 16384, 16385, 32768, 100000, 1000003};
	struct error error = {0};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char *written = malloc(sizes[i] + 1), *data = NULL;
		for (size_t j = 0; j < sizes[i]; j++)
			written[j] = (char)(j * 7 + j / 256); // NULs too
		size_t size;
		assert_true(file_write("f", written, sizes[i], &error));
		assert_true(file_read("f", sizes[i], &data, &size, &error)); // exactly as long as allowed
		assert_int_equal(size, sizes[i]);
		assert_memory_equal(data, written, size);
		assert_int_equal(data[size], '\0');
		free(data);
		assert_true(file_read("f", SIZE_MAX, &data, &size, &error));
		assert_int_equal(size, sizes[i]);
		free(data);
		if (sizes[i] > 0) {
			char text[64];
			data = NULL;
			assert_false(file_read("f", sizes[i] - 1, &data, &size, &error));
			snprintf(text, sizeof text, "\"f\" is longer than %zu bytes", sizes[i] - 1);
			assert_string_equal(error.message, text);
			assert_int_equal(error.code, ERROR_DATA);
			assert_null(data);
		}
		free(written);
	}
}

static void *feed(void *path) {
	FILE *stream = fopen(path, "w");
	for (int i = 0; i < 30000; i++)
		fputs("0123456789", stream);
	fclose(stream);
	return NULL;
}

static void reads_what_has_no_size(void **state) {
	(void)state;
	char *data;
	size_t size;
	struct error error = {0};
	pthread_t writer;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	pthread_create(&writer, NULL, feed, (void *)"pipe");
	assert_true(file_read_any("pipe", SIZE_MAX, &data, &size, &error));
	pthread_join(writer, NULL);
	assert_int_equal(size, 300000);
	assert_memory_equal(data + 299990, "0123456789", 11);
	free(data);
	assert_false(file_read_any("/dev/zero", 100000, &data, &size, &error)); // endless
	assert_string_equal(error.message, "\"/dev/zero\" is longer than 100000 bytes");
	assert_true(file_read("/proc/self/status", 1 << 20, &data, &size, &error)); // says 0, holds more
	assert_true(size > 100);
	free(data);
}

static void says_why_it_cannot_read(void **state) {
	(void)state;
	char *data = NULL;
	size_t size;
	struct error error = {0};
	assert_false(file_read("gone", 10, &data, &size, &error));
	assert_string_equal(error.message, "cannot read \"gone\": No such file or directory");
	assert_int_equal(error.code, ERROR_DATA);
	assert_false(file_read(".", 10, &data, &size, &error));
	assert_string_equal(error.message, "cannot read \".\": Is a directory");
	put("f", "");
	assert_false(file_read("f/g", 10, &data, &size, &error));
	assert_string_equal(error.message, "cannot read \"f/g\": Not a directory");
	assert_false(file_read("/proc/self/mem", 10, &data, &size, &error)); // opens, and then does not read
	assert_string_equal(error.message, "cannot read \"/proc/self/mem\": Input/output error");
	assert_false(file_read("", 10, &data, &size, NULL));
	assert_null(data);
}

static void writes_and_replaces(void **state) {
	(void)state;
	struct error error = {0};
	assert_true(file_write("f", "one", 3, &error));
	expect_content("f", "one");
	assert_true(file_write("f", "", 0, &error));
	expect_content("f", "");
	mode_t mask = umask(027);
	assert_true(file_write("g", "x", 1, &error));
	umask(mask);
	struct stat status;
	assert_int_equal(stat("g", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640); // what open would give, not a temporary file's 0600
	char name[256];
	memset(name, 'n', 255);
	name[255] = '\0';
	assert_true(file_write(name, "long", 4, &error)); // as long as a name may be
	expect_content(name, "long");
	assert_int_equal(symlink("f", "link"), 0);
	assert_true(file_write("link", "two", 3, &error)); // the link is replaced, what it names is left alone
	expect_content("link", "two");
	expect_content("f", "");
	assert_int_equal(count_entries("."), 4);
}

static void steps_over_leftovers(void **state) {
	(void)state;
	struct error error = {0};
	char name[64];
	for (int i = 0; i < 3; i++) { // of a killed process that had our number
		snprintf(name, sizeof name, ".tmp-%ld-%d", (long)gettid(), i);
		put(name, "left");
	}
	assert_true(file_write("f", "new", 3, &error));
	expect_content("f", "new");
	expect_content(name, "left");
	assert_int_equal(count_entries("."), 4);
}

static void a_failed_write_leaves_nothing(void **state) {
	(void)state;
	struct error error = {0};
	put("plain", "kept");
	assert_false(file_write("plain/f", "x", 1, &error)); // a path through a regular file
	assert_string_equal(error.message, "cannot write \"plain/f\": Not a directory");
	assert_int_equal(error.code, ERROR_RUN);
	assert_false(file_write("gone/f", "x", 1, &error));
	assert_string_equal(error.message, "cannot write \"gone/f\": No such file or directory");
	assert_false(file_write("", "x", 1, &error));
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_false(file_write("folder", "x", 1, &error)); // written, and then not renamed
	assert_string_equal(error.message, "cannot write \"folder\": Is a directory");
	assert_int_equal(count_entries("."), 2);
	assert_int_equal(count_entries("folder"), 0);
	expect_content("plain", "kept");
}

// A disk that is full half way: the limit on a file's size stands in for it.
static void a_full_disk_leaves_what_was(void **state) {
	(void)state;
	struct error error = {0};
	static char data[100000];
	put("f", "old");
	struct rlimit before, small;
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 50000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	bool fine = file_write("f", data, sizeof data, &error);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_DFL);
	assert_false(fine);
	assert_string_equal(error.message, "cannot write \"f\": File too large");
	expect_content("f", "old");
	assert_int_equal(count_entries("."), 1);
}

static void *write_often(void *name) {
	char text[64];
	for (int i = 0; i < 50; i++) {
		memset(text, 'a' + i % 26, sizeof text);
		if (!file_write(name, text, sizeof text, NULL))
			return (void *)"failed";
	}
	return NULL;
}

// Threads that write the same file never see each other's half-written bytes.
static void writers_do_not_meet(void **state) {
	(void)state;
	pthread_t writers[3];
	for (size_t i = 0; i < 3; i++)
		pthread_create(&writers[i], NULL, write_often, (void *)"shared");
	for (int i = 0; i < 200; i++) {
		char *data;
		size_t size;
		if (!file_read("shared", 1000, &data, &size, NULL))
			continue; // not there yet
		assert_int_equal(size, 64);
		for (size_t j = 1; j < size; j++)
			assert_int_equal(data[j], data[0]);
		free(data);
	}
	for (size_t i = 0; i < 3; i++) {
		void *result;
		pthread_join(writers[i], &result);
		assert_null(result);
	}
	assert_int_equal(count_entries("."), 1);
}

// A pipe that nobody writes to: the alarm would end the test.
static void pipes_are_not_waited_for(void **state) {
	(void)state;
	struct error error;
	struct file_map map;
	char *data;
	size_t size;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	alarm(20);
	assert_false(file_is_regular("pipe"));
	assert_false(file_read("pipe", 10, &data, &size, &error));
	assert_string_equal(error.message, "cannot read \"pipe\": No such device");
	assert_false(file_map("pipe", &map, &error));
	alarm(0);
}

static void publishes_files_and_folders(void **state) {
	(void)state;
	struct error error = {0};
	put("a", "1");
	put("b", "2");
	assert_true(file_publish("a", "b", &error));
	assert_false(file_exists("a"));
	expect_content("b", "1");
	assert_true(folder_create("t/inner", &error));
	put("t/inner/f", "3");
	assert_true(file_publish("t", "final", &error));
	expect_content("final/inner/f", "3");
	assert_false(file_exists("t"));
	assert_true(folder_create("u", &error));
	assert_false(file_publish("u", "final", &error)); // full
	assert_string_equal(error.message, "cannot rename \"u\" to \"final\": Directory not empty");
	assert_int_equal(error.code, ERROR_RUN);
	assert_true(file_is_folder("u"));
	assert_false(file_publish("gone", "x", &error));
	assert_string_equal(error.message, "cannot rename \"gone\" to \"x\": No such file or directory");
	assert_false(file_publish("b", "gone/x", &error));
	expect_content("b", "1");
}

static void creates_folders(void **state) {
	struct place *place = *state;
	struct error error = {0};
	static const char *const paths[] = {"a", "a", "a/b/c", "a//d///e", "f/", "./g/../h", "."};
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		assert_true(folder_create(paths[i], &error));
		assert_true(file_is_folder(paths[i]));
	}
	assert_true(folder_create("/", &error));
	char *full = path_join(place->name, "x/y");
	assert_true(folder_create(full, &error));
	assert_true(file_is_folder("x/y"));
	free(full);
	assert_int_equal(symlink("a", "link"), 0);
	assert_true(folder_create("link/through", &error));
	assert_true(file_is_folder("a/through"));
	put("plain", "");
	assert_false(folder_create("plain", &error));
	assert_string_equal(error.message, "cannot create the folder \"plain\": Not a directory");
	assert_int_equal(error.code, ERROR_RUN);
	assert_false(folder_create("plain/a/b", &error));
	assert_string_equal(error.message, "cannot create the folder \"plain/a/b\": Not a directory");
	assert_false(folder_create("", &error));
	assert_string_equal(error.message, "cannot create the folder \"\": No such file or directory");
}

static void removes_without_following(void **state) {
	(void)state;
	struct error error = {0};
	assert_true(folder_create("outside/deep", &error));
	put("outside/deep/f", "kept");
	assert_true(folder_create("d/e/f/g", &error));
	put("d/e/x", "");
	for (int i = 0; i < 500; i++) {
		char name[32];
		snprintf(name, sizeof name, "d/e/f/many-%d", i);
		put(name, "");
	}
	assert_int_equal(symlink("../../outside", "d/e/link"), 0);
	assert_int_equal(symlink("nowhere", "d/dangling"), 0);
	assert_int_equal(symlink("../outside/deep/f", "d/file"), 0);
	assert_int_equal(symlink(".", "d/self"), 0);
	assert_int_equal(mkfifo("d/pipe", 0600), 0);
	assert_true(folder_remove("d", &error));
	assert_false(file_exists("d"));
	expect_content("outside/deep/f", "kept");

	assert_true(folder_remove("d", &error)); // gone already
	assert_int_equal(symlink("outside", "link"), 0);
	assert_false(folder_remove("link", &error));
	assert_string_equal(error.message, "cannot remove the folder \"link\": Not a directory");
	assert_int_equal(error.code, ERROR_RUN);
	assert_false(folder_remove("link/", &error)); // the slash would follow
	expect_content("outside/deep/f", "kept");
	put("plain", "");
	assert_false(folder_remove("plain", &error));
	assert_true(file_exists("plain"));
	assert_true(folder_remove("outside//", &error));
	assert_false(file_exists("outside"));
}

static void tells_what_is_there(void **state) {
	(void)state;
	put("f", "");
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(symlink("gone", "dangling"), 0);
	assert_int_equal(symlink("d", "to-d"), 0);
	assert_true(file_exists("f") && file_exists("d") && file_exists("dangling") && file_exists("to-d"));
	assert_false(file_exists("gone") || file_exists("f/x") || file_exists(""));
	assert_true(file_is_folder("d") && file_is_folder("to-d"));
	assert_false(file_is_folder("f") || file_is_folder("dangling") || file_is_folder("gone"));
}

static void paths_join(void **state) {
	(void)state;
	static const char *const cases[][3] = {
	    {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"},     {"", "b", "b"},          {"/", "b", "/b"},
	    {".", "b", "./b"}, {"a", "", "a/"},    {"a", "b/c", "a/b/c"}, {"a", "../b", "a/../b"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *path = path_join(cases[i][0], cases[i][1]);
		assert_string_equal(path, cases[i][2]);
		free(path);
	}
}

static void paths_come_apart(void **state) {
	(void)state;
	static const struct {
		const char *path, *folder, *base, *stem;
	} cases[] = {
	    {"a/b.cfg", "a", "b.cfg", "b"},
	    {"b.cfg", ".", "b.cfg", "b"},
	    {"/b.cfg", "/", "b.cfg", "b"},
	    {"a/b.c/d", "a/b.c", "d", "d"},
	    {"a//b.tar.gz", "a", "b.tar.gz", "b.tar"},
	    {"//b", "/", "b", "b"},
	    {".hidden", ".", ".hidden", ".hidden"},
	    {"a/.hidden.cfg", "a", ".hidden.cfg", ".hidden"},
	    {"a/", "a", "", ""},
	    {"", ".", "", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *folder = path_folder(cases[i].path), *stem = path_stem(cases[i].path);
		assert_string_equal(folder, cases[i].folder);
		assert_string_equal(path_base(cases[i].path), cases[i].base);
		assert_string_equal(stem, cases[i].stem);
		free(folder);
		free(stem);
	}
}

static void paths_become_absolute(void **state) {
	static const char *const absolute[][2] = {
	    {"/a/b", "/a/b"},       {"/", "/"},           {"//a//b/", "/a/b"},
	    {"/a/./b", "/a/b"},     {"/a/../b", "/b"},    {"/../../a", "/a"},
	    {"/a/b/../../..", "/"}, {"/a/...", "/a/..."}, {"/a/..b/.c", "/a/..b/.c"},
	};
	for (size_t i = 0; i < sizeof absolute / sizeof absolute[0]; i++) {
		char *path = path_absolute(absolute[i][0]);
		assert_string_equal(path, absolute[i][1]);
		free(path);
	}
	static const char *const relative[][2] = {
	    {"a", "/a"}, {"./a/../b/", "/b"}, {".", ""}, {"", ""}, {"link/..", ""},
	};
	char here[4096];
	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(symlink("/usr/bin", "link"), 0); // folded as text: the link is not asked
	for (size_t i = 0; i < sizeof relative / sizeof relative[0]; i++) {
		char *path = path_absolute(relative[i][0]), *expected;
		assert_true(asprintf(&expected, "%s%s", here, relative[i][1]) > 0);
		assert_string_equal(path, expected);
		free(path);
		free(expected);
	}
	(void)state;
}

static void variables_are_replaced(void **state) {
	(void)state;
	setenv("AEXP_TEST_A", "/data/set", 1);
	setenv("AEXP_TEST_B", "${AEXP_TEST_A}", 1); // a value is not expanded again
	setenv("AEXP_TEST_EMPTY", "", 1);
	unsetenv("AEXP_TEST_GONE");
	static const char *const fine[][2] = {
	    {"a/b", "a/b"},
	    {"", ""},
	    {"${AEXP_TEST_A}", "/data/set"},
	    {"${AEXP_TEST_A}/x/${AEXP_TEST_A}y", "/data/set/x//data/sety"},
	    {"$AEXP_TEST_A/$$/}{", "$AEXP_TEST_A/$$/}{"},
	    {"$${AEXP_TEST_A}", "$/data/set"},
	    {"${AEXP_TEST_B}", "${AEXP_TEST_A}"},
	    {"a${AEXP_TEST_EMPTY}b", "ab"},
	};
	struct error error = {0};
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
		char *path;
		assert_true(path_expand(fine[i][0], &path, &error));
		assert_string_equal(path, fine[i][1]);
		free(path);
	}
	static const char *const bad[][2] = {
	    {"${AEXP_TEST_GONE}/u.data", "environment variable \"AEXP_TEST_GONE\" is not set"},
	    {"${AEXP_TEST_A}/${AEXP_TEST_GONE}", "environment variable \"AEXP_TEST_GONE\" is not set"},
	    {"${}", "environment variable \"\" is not set"},
	    {"a/${AEXP_TEST_A", "\"${\" without \"}\" in \"a/${AEXP_TEST_A\""},
	    {"${", "\"${\" without \"}\" in \"${\""},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char *path = NULL;
		assert_false(path_expand(bad[i][0], &path, &error));
		assert_string_equal(error.message, bad[i][1]);
		assert_int_equal(error.code, ERROR_CONFIG);
		assert_null(path);
	}
}

// Piece by piece: nothing stands under the name before the end, and nothing is left of what is given up.
static void writes_piece_by_piece(void **state) {
	(void)state;
	struct file_writer writer = {0};
	struct error error = {0};
	char *data;
	size_t size;
	assert_true(file_open("whole", &writer, &error));
	assert_true(file_put(&writer, "ab", 2));
	assert_false(file_exists("whole"));
	assert_true(file_is_temporary(writer.temporary));
	assert_true(file_put(&writer, "c", 1));
	assert_true(file_close(&writer, &error));
	assert_true(file_read("whole", 10, &data, &size, &error));
	assert_string_equal(data, "abc");
	free(data);
	file_discard(&writer);
	assert_true(file_open("whole", &writer, &error));
	assert_true(file_put(&writer, "x", 1));
	file_discard(&writer);
	assert_true(file_read("whole", 10, &data, &size, &error));
	assert_string_equal(data, "abc");
	free(data);
	assert_false(file_open("no folder/whole", &writer, &error));
	assert_non_null(strstr(error.message, "cannot write"));
	file_discard(&writer);
}

// Temporaries of who is dead go, and those of the living stay, unless all are meant.
static void drops_temporaries(void **state) {
	(void)state;
	struct error error = {0};
	char own[64];
	snprintf(own, sizeof(own), ".tmp-%ld-3", (long)getpid());
	assert_true(file_write(".tmp-2147483646-0", "", 0, &error)); // more than any pid can be
	assert_true(file_write(own, "", 0, &error));
	assert_true(file_write("kept", "", 0, &error));
	folder_drop_temporaries(".", false);
	assert_false(file_exists(".tmp-2147483646-0"));
	assert_true(file_exists(own));
	folder_drop_temporaries(".", true);
	assert_false(file_exists(own));
	assert_true(file_exists("kept"));
	folder_drop_temporaries("nowhere", true);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
	const struct CMUnitTest tests[] = {
	    IN_A_FOLDER(reads_all_sizes),
	    IN_A_FOLDER(reads_what_has_no_size),
	    IN_A_FOLDER(says_why_it_cannot_read),
	    IN_A_FOLDER(writes_and_replaces),
	    IN_A_FOLDER(steps_over_leftovers),
	    IN_A_FOLDER(a_failed_write_leaves_nothing),
	    IN_A_FOLDER(a_full_disk_leaves_what_was),
	    IN_A_FOLDER(writers_do_not_meet),
	    IN_A_FOLDER(writes_piece_by_piece),
	    IN_A_FOLDER(drops_temporaries),
	    IN_A_FOLDER(pipes_are_not_waited_for),
	    IN_A_FOLDER(publishes_files_and_folders),
	    IN_A_FOLDER(creates_folders),
	    IN_A_FOLDER(removes_without_following),
	    IN_A_FOLDER(tells_what_is_there),
	    IN_A_FOLDER(paths_become_absolute),
	    cmocka_unit_test(paths_join),
	    cmocka_unit_test(paths_come_apart),
	    cmocka_unit_test(variables_are_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
