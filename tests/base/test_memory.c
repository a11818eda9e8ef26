// Memory: alignment, zeroing, overflow, what is said when there is none, the arena's pieces, growing strings.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"

// The sanitizers' allocators end the program by default where malloc would return NULL.
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__asan_default_options(void) {
	return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void) {
	return "allocator_may_return_null=1";
}

static bool all_zero(const unsigned char *data, size_t size) {
	for (size_t i = 0; i < size; i++)
		if (data[i] != 0)
			return false;
	return true;
}

static void products_are_checked(void **state) {
	(void)state;
	static const struct {
		size_t a, b;
		bool fits;
	} cases[] = {
	    {0, SIZE_MAX, true},
	    {1, SIZE_MAX, true},
	    {2, SIZE_MAX, false},
	    {2, SIZE_MAX / 2, true},
	    {SIZE_MAX, SIZE_MAX, false},
	    {(size_t)1 << 32, ((size_t)1 << 32) - 1, true},
	    {(size_t)1 << 32, (size_t)1 << 32, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t product = 42;
		assert_int_equal(memory_product(cases[i].a, cases[i].b, &product), cases[i].fits);
		assert_true(product == (cases[i].fits ? cases[i].a * cases[i].b : 42)); // untouched on failure
		product = 42;
		assert_int_equal(memory_product(cases[i].b, cases[i].a, &product), cases[i].fits);
	}
}

static void arrays_are_zeroed_and_aligned(void **state) {
	(void)state;
	static const size_t counts[] = {0, 1, 7, 63, 64, 65, 1000, 100003};
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		struct error error = {0};
		unsigned char *dirty = memory_array(counts[i], 3, "test", &error);
		assert_non_null(dirty);
		memset(dirty, 255, counts[i] * 3);
		free(dirty); // so that the next one may get used memory
		unsigned char *data = memory_array(counts[i], 3, "test", &error);
		assert_non_null(data);
		assert_int_equal((uintptr_t)data % 64, 0);
		assert_true(all_zero(data, counts[i] * 3));
		free(data);
	}
}

static void arrays_fail_as_errors(void **state) {
	(void)state;
	struct error error = {0};
	assert_null(memory_array(SIZE_MAX / 2, 4, "the ratings", &error));
	assert_int_equal(error.code, ERROR_RUN);
	assert_string_equal(error.message, "out of memory for the ratings: 9223372036854775807 times 4 bytes wanted");
	assert_null(memory_array(SIZE_MAX, 1, "the ratings", &error)); // no overflow, and still more than there can be
	assert_null(memory_array((size_t)1 << 60, 4, "the weights", &error)); // the allocator's own no
	assert_string_equal(error.message, "out of memory for the weights: 4611686018427387904 bytes (4.0 EiB) wanted");
	assert_null(memory_array((size_t)1 << 60, 4, "the weights", NULL));
}

static void small_pieces(void **state) {
	(void)state;
	unsigned char *data = memory_alloc(100);
	assert_true(all_zero(data, 100));
	memset(data, 7, 100);
	data = memory_resize(data, 100000);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(data[i], 7);
	free(data);
	free(memory_alloc(0));
	free(memory_resize(NULL, 0));
	char *copy = memory_copy_string("");
	assert_string_equal(copy, "");
	free(copy);
	copy = memory_copy_string("abc");
	assert_string_equal(copy, "abc");
	free(copy);
}

// Runs what must end the program, in a child; its standard error comes back in text.
static int child_status(void (*dies)(void), char *text, size_t size) {
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		dies();
		_exit(99);
	}
	close(ends[1]);
	FILE *stream = fdopen(ends[0], "r");
	text[0] = '\0';
	char line[256];
	while (fgets(line, sizeof line, stream) != NULL) // the last line: a sanitizer may speak before
		snprintf(text, size, "%s", line);
	fclose(stream);
	int status;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void ask_too_much(void) {
	free(memory_alloc((size_t)1 << 62));
}

static void exhausted(void) {
	memory_exhausted(123);
}

static void ask_arena_too_much(void) {
	struct arena arena = {0};
	arena_alloc(&arena, SIZE_MAX - 5);
}

static void exhaustion_ends_the_program(void **state) {
	(void)state;
	char text[256];
	assert_int_equal(child_status(exhausted, text, sizeof text), 1);
	assert_string_equal(text, "aexp: out of memory (123 bytes wanted)\n");
	assert_int_equal(child_status(ask_too_much, text, sizeof text), 1);
	assert_string_equal(text, "aexp: out of memory (4611686018427387904 bytes wanted)\n");
	assert_int_equal(child_status(ask_arena_too_much, text, sizeof text), 1);
	assert_string_equal(text, "aexp: out of memory (18446744073709551610 bytes wanted)\n");
}

enum { PIECES = 3000 };

// Random sizes; every piece is filled with its own byte, and all must still hold theirs at the end.
static void arena_joins(void **state) {
	(void)state;
	struct arena arena = {0}, other = {0}, empty = {0};
	const char *first = arena_string(&other, "first");
	arena_join(&arena, &other); // into an empty one
	assert_null(other.blocks);
	arena_alloc(&other, 100000);
	const char *second = arena_string(&other, "second");
	arena_join(&arena, &other);
	arena_join(&arena, &empty);
	const char *third = arena_string(&arena, "third"); // it goes on
	assert_string_equal(first, "first");
	assert_string_equal(second, "second");
	assert_string_equal(third, "third");
	arena_finish(&other);
	arena_finish(&arena);
}

static void fill_arena(struct arena *arena, struct random_stream stream) {
	unsigned char *pieces[PIECES];
	size_t sizes[PIECES];
	for (uint32_t i = 0; i < PIECES; i++) {
		uint32_t value = random_u32(stream, 0, 0, i);
		sizes[i] = value % 100 == 0 ? value % 100000 : value % 200;
		pieces[i] = arena_alloc(arena, sizes[i]);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		assert_true(all_zero(pieces[i], sizes[i]));
		memset(pieces[i], (int)(i % 251) + 1, sizes[i]);
	}
	for (size_t i = 0; i < PIECES; i++)
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(pieces[i][j], i % 251 + 1);
}

static void arena_pieces_do_not_overlap(void **state) {
	(void)state;
	struct arena arena = {0};
	fill_arena(&arena, random_stream_make(1, "test", "arena"));
	arena_finish(&arena);
	assert_null(arena.blocks);
	arena_finish(&arena);
}

// What comes again is zeroed, however much of it was in use before, and no more is kept than may be.
static void arena_serves_again(void **state) {
	(void)state;
	struct arena arena = {0}, none = {0};
	arena_recycle(&none, 1000);
	assert_null(none.spare);
	for (int round = 0; round < 4; round++) {
		char name[] = {(char)('a' + round), '\0'};
		fill_arena(&arena, random_stream_make(1, "test", name));
		arena_recycle(&arena, 1 << 20);
		assert_null(arena.blocks);
		assert_non_null(arena.spare);
		const void *kept = arena.spare, *piece = arena_alloc(&arena, 100);
		assert_true((const char *)piece > (const char *)kept && (const char *)piece < (const char *)kept + 200);
	}
	arena_alloc(&arena, 1 << 21); // an own block, which does not stay
	arena_recycle(&arena, 1 << 22);
	arena_recycle(&arena, 0); // what was kept before is not what this is about
	assert_non_null(arena.spare);
	arena_finish(&arena);
	assert_null(arena.spare);
	arena_alloc(&arena, 10);
	arena_recycle(&arena, 10);
	assert_null(arena.spare);
	arena_finish(&arena);
}

static void arena_strings(void **state) {
	(void)state;
	struct arena arena = {0};
	char *a = arena_string(&arena, "abc"), *b = arena_format(&arena, "%s-%d", "x", 12), *c = arena_string(&arena, "");
	int numbers[] = {1, 2, 3}, *copy = arena_copy(&arena, numbers, sizeof numbers);
	assert_non_null(arena_copy(&arena, NULL, 0));
	assert_ptr_not_equal(arena_alloc(&arena, 0), arena_alloc(&arena, 0));
	assert_string_equal(a, "abc");
	assert_string_equal(b, "x-12");
	assert_string_equal(c, "");
	assert_memory_equal(copy, numbers, sizeof numbers);
	char *wide = arena_format(&arena, "%070000d", 5); // more than a block
	assert_int_equal(strlen(wide), 70000);
	arena_finish(&arena);
}

static void texts_grow(void **state) {
	(void)state;
	struct text text = {0};
	assert_string_equal(text_string(&text), "");
	text_append(&text, "");
	assert_string_equal(text_string(&text), "");
	size_t length = 0;
	char expected[20000] = "";
	for (int i = 0; i < 1000; i++) {
		text_append(&text, "ab");
		text_format(&text, "%d,", i);
		text_append_bytes(&text, "xyz", 2);
		length += (size_t)sprintf(expected + length, "ab%d,xy", i);
		assert_int_equal(text.length, length);
		assert_int_equal(text.data[length], '\0');
	}
	assert_string_equal(text_string(&text), expected);
	text_append_bytes(&text, "\0q", 2); // bytes, not only text
	assert_int_equal(text.length, length + 2);
	text_append_bytes(&text, NULL, 0);
	assert_memory_equal(text.data + length, "\0q", 3);
	text_finish(&text);
	assert_string_equal(text_string(&text), "");
	text_format(&text, "%0500d", 1);
	assert_int_equal(text.length, 500);
	text_finish(&text);
	text_finish(&text);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(products_are_checked),
	    cmocka_unit_test(arrays_are_zeroed_and_aligned),
	    cmocka_unit_test(arrays_fail_as_errors),
	    cmocka_unit_test(small_pieces),
	    cmocka_unit_test(exhaustion_ends_the_program),
	    cmocka_unit_test(arena_joins),
	    cmocka_unit_test(arena_pieces_do_not_overlap),
	    cmocka_unit_test(arena_serves_again),
	    cmocka_unit_test(arena_strings),
	    cmocka_unit_test(texts_grow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
