// What users are asked about is read in bounded memory: however many are asked for at once and however much is said of
// each, no more is gathered than one user may take and one more. By either form.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recommend/asks.h"

enum { USERS = 7, MOST = 1024, MEBI = 1 << 20 };

// An endless reader would need a file of gigabytes: these lines are made as they are read.
struct source {
	bool csv;
	size_t users, size, done, at; // size: bytes that are said of each
};

static char byte_at(const struct source *s) {
	static const char json[] = "{\"user\":{\"a\":\"", end[] = "\"}}\n", csv[] = "id,item,rating,a\n";
	size_t at = s->at;
	if (s->csv && !s->done) {
		if (at < strlen(csv))
			return csv[at];
		at -= strlen(csv);
	}
	if (s->csv) { // u0,i,3,aaa...
		const char start[] = {'u', (char)('0' + s->done), ',', 'i', ',', '3', ','};
		return at < sizeof(start) ? start[at] : at + 1 < s->size ? 'a' : '\n';
	}
	return at < strlen(json) ? json[at] : at + strlen(end) < s->size ? 'a' : end[at + strlen(end) - s->size];
}

static size_t length_of(const struct source *s) {
	return s->size + (s->csv && !s->done ? strlen("id,item,rating,a\n") : 0);
}

static ssize_t read_source(void *context, char *data, size_t size) {
	struct source *s = context;
	size_t count = 0;
	for (; count < size && s->done < s->users; count++) {
		data[count] = byte_at(s);
		if (++s->at == length_of(s)) {
			s->at = 0;
			s->done++;
		}
	}
	return (ssize_t)count;
}

static void check(bool csv, size_t size, size_t most_at_once) {
	struct source source = {.csv = csv, .users = USERS, .size = size};
	struct asks asks = {.from = fopencookie(&source, "r", (cookie_io_functions_t){.read = read_source}),
	                    .name = "made"};
	size_t count, all = 0, most = 0;
	do {
		struct arena arena = {0};
		struct error error = {0};
		struct ask *users;
		if (!asks_next(&asks, MOST, &arena, &users, &count, &error))
			fail_msg("%s", error.message);
		all += count;
		most = count > most ? count : most;
		arena_finish(&arena);
	} while (count);
	assert_int_equal(all, USERS);
	assert_int_equal(most, most_at_once);
	fclose(asks.from);
	asks_close(&asks);
}

static void test_gathered(void **state) {
	(void)state;
	for (int csv = 0; csv < 2; csv++) {
		check(csv, 60 * MEBI, csv ? 1 : 2); // of CSV the line behind a user is read, too
		check(csv, 30 * MEBI, csv ? 2 : 3);
		check(csv, 100, USERS);
	}
}

// One that is above the bound by itself.
static void test_one(void **state) {
	(void)state;
	for (int csv = 0; csv < 2; csv++) {
		struct source source = {.csv = csv, .users = 1, .size = ASKS_USER_MOST + 2};
		struct asks asks = {.from = fopencookie(&source, "r", (cookie_io_functions_t){.read = read_source}),
		                    .name = "made"};
		struct arena arena = {0};
		struct error error = {0};
		struct ask *users;
		size_t count;
		assert_false(asks_next(&asks, MOST, &arena, &users, &count, &error));
		assert_non_null(strstr(error.message, "longer than 67108864 bytes"));
		arena_finish(&arena);
		fclose(asks.from);
		asks_close(&asks);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_gathered), cmocka_unit_test(test_one)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
