// A small table and its side file, mutated at random: loading must give data or one error with a message, and nothing
// else (run it under the sanitizers). What loads must be sound.
#include "load_fixture.h"

#include <math.h>

#include "base/pool.h"
#include "base/random.h"

enum { ROUNDS = 1500, MOST = 600 };

static const char ratings[] =
    "user,item,rating,time\n"
    "u1,\"i,1\",4,100\r\nu1,i2,0,101\nu2,i2,-3.5,102\n\"u3\",i3,1e1,103\nu3,\"i\"\"4\",2,99\n";
static const char users[] = "id,kind,age,likes\nu1,a,30,x|y\nu2,,,\nu3,\"b,c\",-1,y\n";
static const char config[] =
    "source: { format = \"delimited\"; path = \"r.csv\"; columns: { time = 4; }; };\n"
    "duplicates = \"mean\";\n"
    "user_features: { path = \"u.csv\"; id = \"id\"; categorical = [ \"kind\" ]; numeric = [ \"age\" ]; multi = [ "
    "\"likes\" ]; };";

static const char pieces[] = {',', '"', '\n', '\r', '\0', '|',    '-',    '.',
                              'e', '9', '1',  'u',  ' ',  '\xEF', '\xC3', '\x80'};

// Changes, removes, doubles or inserts a byte or a run of bytes, a few times.
static size_t mutate(char *text, size_t size, struct random_stream stream, uint64_t round) {
	uint32_t changes = 1 + random_u32(stream, 0, round, 0) % 4;
	for (uint32_t i = 0; i < changes && size > 0; i++) {
		uint32_t draw = 1 + 4 * i;
		size_t at = random_u32(stream, 0, round, draw) % size, run = 1 + random_u32(stream, 0, round, draw + 1) % 12;
		char piece = pieces[random_u32(stream, 0, round, draw + 2) % sizeof pieces];
		run = run > size - at ? size - at : run;
		switch (random_u32(stream, 0, round, draw + 3) % 4) {
		case 0:
			text[at] = piece;
			break;
		case 1:
			memmove(text + at, text + at + run, size - at - run);
			size -= run;
			break;
		case 2:
			if (size + run > MOST)
				break;
			memmove(text + at + run, text + at, size - at);
			size += run;
			break;
		default:
			if (size + 1 > MOST)
				break;
			memmove(text + at + 1, text + at, size - at);
			text[at] = piece;
			size++;
		}
	}
	return size;
}

static void must_be_sound(const struct dataset *data) {
	assert_true(data->count > 0 && data->users.count > 0 && data->items.count > 0);
	for (size_t i = 0; i < data->count; i++) {
		assert_true(data->user[i] < data->users.count && data->item[i] < data->items.count);
		assert_true(isfinite(data->rating[i]));
		for (size_t j = 0; j < i; j++)
			assert_true(data->user[i] != data->user[j] || data->item[i] != data->item[j]);
	}
	for (size_t a = 0; a < data->user_attributes.count; a++) {
		const struct attribute *attribute = &data->user_attributes.items[a];
		for (size_t u = 0; u < data->users.count && !attribute->numeric; u++) {
			assert_true(attribute->start[u + 1] > attribute->start[u]);
			for (size_t i = attribute->start[u]; i < attribute->start[u + 1]; i++)
				assert_true(attribute->level[i] <= attribute->levels.count);
		}
	}
}

// The same table, cut into blocks of a few bytes on two threads, gives the same data or the same error.
static void must_agree(const struct data_config *keys, struct pool *pool, size_t block_bytes, bool loaded,
                       const struct dataset *expected, const struct error *expected_error) {
	struct dataset data;
	struct error error = {0};
	struct data_access access = {.pool = pool, .block_bytes = block_bytes};
	assert_int_equal(data_load_with(keys, &access, &data, &error), loaded);
	if (!loaded) {
		assert_string_equal(error.message, expected_error->message);
		assert_string_equal(error.hint, expected_error->hint);
		assert_int_equal(error.line, expected_error->line);
		return;
	}
	assert_string_equal(data.fingerprint, expected->fingerprint);
	dataset_finish(&data);
}

static void test_mutations(void **state) {
	struct fixture *f = *state;
	struct random_stream stream = random_stream_make(1, "test", "fuzz");
	struct pool *pool = pool_create(2);
	size_t loaded = 0;
	struct dataset data;
	struct error error;
	write_text(f, "r.csv", ratings);
	write_text(f, "u.csv", users);
	must_load(f, config);
	must_be_sound(&f->data);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		char text[MOST];
		bool side = round % 3 == 0;
		size_t size = side ? sizeof users - 1 : sizeof ratings - 1;
		memcpy(text, side ? users : ratings, size);
		write_bytes(f, side ? "u.csv" : "r.csv", text, mutate(text, size, stream, round));
		memset(&error, 0, sizeof error);
		bool fine = data_load(f->config, 1, &data, &error);
		must_agree(f->config, pool, 1 + round % 61, fine, &data, &error);
		if (fine) {
			must_be_sound(&data);
			dataset_finish(&data);
			loaded++;
		} else {
			assert_true(error.code == ERROR_DATA && error.message[0] != '\0');
		}
		write_text(f, side ? "u.csv" : "r.csv", side ? users : ratings);
	}
	pool_destroy(pool);
	assert_true(loaded > ROUNDS / 20 && loaded < ROUNDS * 19 / 20); // both ways are really taken
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_mutations, fixture_setup, fixture_teardown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
