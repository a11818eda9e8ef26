// The synthetic format: exact sizes, distinct pairs, skew and long tail, the pinned fingerprint that every compiler and
// machine must reproduce, odd shapes, and whether attributes tell what a reader is promised that they tell.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/random.h"
#include "data/formats.h"
#include "data/synthetic.h"
#include "data/synthetic_model.h"

static struct dataset shop; // the preset sephora as it is, loaded once

static struct synthetic_params params_of(const char *preset) {
	struct synthetic_params params = {.noise = NAN, .seed = 2017};
	params.preset.row = registry_find(&synthetic_presets, preset);
	assert_non_null(params.preset.row);
	return params;
}

static struct synthetic_params shape(int64_t users, int64_t items, int64_t ratings) {
	struct synthetic_params params = params_of("sephora");
	params.users = users;
	params.items = items;
	params.ratings = ratings;
	return params;
}

static void load(const struct synthetic_params *params, struct dataset *ret) {
	struct data_config config = {0};
	struct error error = {0};
	*ret = (struct dataset){0};
	if (!format_synthetic.load(&config, params, ret, &error))
		fail_msg("%s", error.message);
}

static int load_shop(void **state) {
	(void)state;
	struct synthetic_params params = params_of("sephora");
	load(&params, &shop);
	return 0;
}

static int finish_shop(void **state) {
	(void)state;
	dataset_finish(&shop);
	return 0;
}

static size_t *count_by(const uint32_t *index, size_t count, size_t bins) {
	size_t *counts = calloc(bins, sizeof(*counts));
	assert_non_null(counts);
	for (size_t e = 0; e < count; e++) {
		assert_true(index[e] < bins);
		counts[index[e]]++;
	}
	return counts;
}

static size_t minimum(const size_t *values, size_t count) {
	size_t least = SIZE_MAX;
	for (size_t i = 0; i < count; i++)
		least = values[i] < least ? values[i] : least;
	return least;
}

// Users in order, no pair twice, whole stars, everybody and (where there are enough) everything rated.
static void assert_sound(const struct dataset *data, size_t users, size_t items, size_t ratings) {
	assert_int_equal(data->users.count, users);
	assert_int_equal(data->items.count, items);
	assert_int_equal(data->count, ratings);
	size_t *last_user = calloc(items, sizeof(*last_user));
	assert_non_null(last_user);
	for (size_t e = 0; e < ratings; e++) {
		assert_true(e == 0 || data->user[e] >= data->user[e - 1]);
		assert_true(data->item[e] < items);
		assert_true(last_user[data->item[e]] != data->user[e] + 1UL);
		last_user[data->item[e]] = data->user[e] + 1UL;
		assert_true(data->rating[e] >= 1 && data->rating[e] <= STARS && data->rating[e] == floorf(data->rating[e]));
	}
	free(last_user);
	size_t *by_user = count_by(data->user, ratings, users), *by_item = count_by(data->item, ratings, items);
	assert_true(minimum(by_user, users) >= 1);
	assert_true(ratings < items || minimum(by_item, items) >= 1);
	free(by_user);
	free(by_item);
}

static void sephora_has_the_promised_size(void **state) {
	(void)state;
	assert_sound(&shop, 500000, 800, 800000);
}

static int descending(const void *a, const void *b) {
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return (x < y) - (x > y);
}

static void sephora_is_skewed_as_a_review_site(void **state) {
	(void)state;
	static const double share[STARS] = {0.09, 0.07, 0.08, 0.14, 0.62};
	double seen[STARS] = {0};
	for (size_t e = 0; e < shop.count; e++)
		seen[(int)shop.rating[e] - 1] += 1.0 / (double)shop.count;
	for (size_t s = 0; s < STARS; s++)
		assert_true(fabs(seen[s] - share[s]) < 0.01);
}

static void sephora_has_a_long_tail(void **state) {
	(void)state;
	size_t *by_item = count_by(shop.item, shop.count, 800), *by_user = count_by(shop.user, shop.count, 500000);
	qsort(by_item, 800, sizeof(*by_item), descending);
	size_t head = 0, single = 0, most = 0;
	for (size_t i = 0; i < 80; i++)
		head += by_item[i];
	for (size_t u = 0; u < 500000; u++) {
		single += by_user[u] == 1;
		most = by_user[u] > most ? by_user[u] : most;
	}
	assert_true((double)head > 0.4 * 800000);
	assert_true(by_item[0] < 800000 / 20); // no single product is the whole shop
	assert_true(by_item[799] < 100);
	assert_true(single > 250000 && single < 400000);
	assert_true(most > 30 && most < 200);
	free(by_item);
	free(by_user);
}

static void hash_ids(struct hash *hash, const struct ids *ids) {
	for (size_t i = 0; i < ids->count; i++)
		hash_string(hash, ids_name(ids, i));
}

static void hash_attributes(struct hash *hash, const struct attributes *attributes) {
	for (size_t a = 0; a < attributes->count; a++) {
		hash_string(hash, attributes->items[a].name);
		hash_ids(hash, &attributes->items[a].levels);
		for (size_t r = 0; r < attributes->rows; r++)
			hash_u64(hash, attributes->items[a].level[attributes->items[a].start[r]]);
	}
}

static void hash_of(const struct dataset *data, char ret_hex[HASH_HEX]) {
	struct hash hash;
	hash_init(&hash);
	hash_ids(&hash, &data->users);
	hash_ids(&hash, &data->items);
	for (size_t e = 0; e < data->count; e++)
		hash_u64(&hash, (uint64_t)data->user[e] << 32 | (uint64_t)data->item[e] << 8 | (uint64_t)data->rating[e]);
	for (size_t i = 0; i < data->items.count; i++)
		hash_string(&hash, data->titles[i]);
	hash_attributes(&hash, &data->user_attributes);
	hash_attributes(&hash, &data->item_attributes);
	hash_finish(&hash, ret_hex);
}

// Every machine, compiler and optimisation level must come to these. A change of the model changes them, and with them
// every published result on this data.
static void data_is_the_same_everywhere(void **state) {
	(void)state;
	char hex[HASH_HEX];
	hash_of(&shop, hex);
	assert_string_equal(hex, "3d0b6bd70216577aa68a54e5cea9c319");
	struct synthetic_params params = params_of("ml1m");
	struct dataset films;
	load(&params, &films);
	assert_sound(&films, 6040, 3706, 1000209);
	hash_of(&films, hex);
	assert_string_equal(hex, "74ddc7f39b9f9d091faafa5e6cc6008c");
	dataset_finish(&films);
}

static void names_are_readable(void **state) {
	(void)state;
	assert_string_equal(ids_name(&shop.users, 0), "u000001");
	assert_string_equal(ids_name(&shop.users, 499999), "u500000");
	assert_string_equal(ids_name(&shop.items, 799), "P0800");
	for (size_t i = 0; i < 800; i++) {
		char number[8];
		const struct attribute *category = &shop.item_attributes.items[0];
		const char *kind = ids_name(&category->levels, category->level[i] - 1);
		snprintf(number, sizeof(number), " %03zu", i + 1);
		assert_non_null(strstr(shop.titles[i], kind));
		assert_string_equal(shop.titles[i] + strlen(shop.titles[i]) - 4, number);
	}
}

static void attributes_have_their_levels(void **state) {
	(void)state;
	static const char *const names[] = {"skin_type", "skin_tone", "eye_color", "hair_color", "age_range"};
	static const size_t levels[] = {4, 9, 5, 6, 6};
	static const double missing[] = {0.02, 0.03, 0.04, 0.04, 0.08};
	assert_int_equal(shop.user_attributes.count, 5);
	assert_int_equal(shop.user_attributes.rows, 500000);
	for (size_t a = 0; a < 5; a++) {
		const struct attribute *attribute = &shop.user_attributes.items[a];
		assert_string_equal(attribute->name, names[a]);
		assert_int_equal(attribute->levels.count, levels[a]);
		assert_int_equal(attribute->start[500000], 500000);
		size_t *seen = count_by(attribute->level, 500000, levels[a] + 1);
		assert_true(fabs((double)seen[0] / 500000 - missing[a]) < 0.002);
		assert_true(minimum(seen, levels[a] + 1) > 2000);
		free(seen);
	}
}

// --- What attributes tell ---

enum { WIDTH = 1 + 5 + 4 + 9 + 5 + 6 + 6, ONES = 6 };

// The places of the ones in a user's row: a constant, and one level of each attribute (missing is one too).
static void encode(size_t user, size_t ret_place[ONES]) {
	size_t offset = 1;
	ret_place[0] = 0;
	for (size_t a = 0; a < ONES - 1; a++) {
		ret_place[a + 1] = offset + shop.user_attributes.items[a].level[user];
		offset += shop.user_attributes.items[a].levels.count + 1;
	}
	assert_int_equal(offset, WIDTH);
}

static double target(size_t entry) {
	return shop.rating[entry] > 3.5F ? 1.0 : 0.1;
}

static bool is_test(size_t entry) {
	return random_u32(random_stream_make(1, "test", ""), 0, entry, 0) % 10 == 0;
}

// Gauss-Jordan without pivoting: the matrix is positive definite. The solution comes in the last column.
static void solve(double m[WIDTH][WIDTH + 1]) {
	for (size_t p = 0; p < WIDTH; p++) {
		for (size_t c = WIDTH + 1; c-- > p;)
			m[p][c] /= m[p][p];
		for (size_t r = 0; r < WIDTH; r++)
			for (size_t c = WIDTH + 1; c-- > p && r != p;)
				m[r][c] -= m[r][p] * m[p][c];
	}
}

struct sums {
	double global, item, ridge; // squared errors on the test entries
	size_t tests;
};

// Ridge regression on the attributes, one item alone: what a linear user branch could learn from the training entries.
static void fit_item(const size_t *entries, size_t count, double global_mean, struct sums *sums) {
	double m[WIDTH][WIDTH + 1] = {{0}}, mean = 0, trained = 0;
	size_t place[ONES];
	for (size_t e = 0; e < count; e++) {
		mean += is_test(entries[e]) ? 0 : target(entries[e]);
		trained += !is_test(entries[e]);
	}
	mean = trained > 0 ? mean / trained : global_mean;
	for (size_t e = 0; e < count; e++) {
		encode(shop.user[entries[e]], place);
		for (size_t a = 0; a < ONES && !is_test(entries[e]); a++) {
			for (size_t b = 0; b < ONES; b++)
				m[place[a]][place[b]] += 1;
			m[place[a]][WIDTH] += target(entries[e]) - mean;
		}
	}
	for (size_t p = 0; p < WIDTH; p++)
		m[p][p] += 15;
	solve(m);
	for (size_t e = 0; e < count; e++) {
		if (!is_test(entries[e]))
			continue;
		double told = mean, wanted = target(entries[e]);
		encode(shop.user[entries[e]], place);
		for (size_t a = 0; a < ONES; a++)
			told += m[place[a]][WIDTH];
		sums->tests++;
		sums->global += (wanted - global_mean) * (wanted - global_mean);
		sums->item += (wanted - mean) * (wanted - mean);
		sums->ridge += (wanted - told) * (wanted - told);
	}
}

static void attributes_tell_part_of_the_taste(void **state) {
	(void)state;
	size_t *by_item = count_by(shop.item, shop.count, 800), *entries = malloc(shop.count * sizeof(*entries)), start = 0;
	double mean = 0;
	struct sums sums = {0};
	assert_non_null(entries);
	for (size_t e = 0; e < shop.count; e++)
		mean += target(e) / (double)shop.count;
	size_t place[800] = {0};
	for (size_t i = 1; i < 800; i++)
		place[i] = place[i - 1] + by_item[i - 1];
	for (size_t e = 0; e < shop.count; e++)
		entries[place[shop.item[e]]++] = e;
	for (size_t i = 0; i < 800; start += by_item[i++])
		fit_item(entries + start, by_item[i], mean, &sums);
	assert_true(sums.tests > 79000 && sums.tests < 81000);
	assert_true(sums.item < 0.93 * sums.global);
	assert_true(sums.ridge < 0.85 * sums.item);
	assert_true(sums.ridge > 0.70 * sums.item); // and there is something left to learn and to be humble about
	free(entries);
	free(by_item);
}

// --- Other shapes ---

static void odd_shapes_are_exact(void **state) {
	(void)state;
	static const int64_t shapes[][3] = {
	    {1, 1, 1},     {1, 1000, 1000}, {1, 1000, 1},     {1000, 1, 1000},   {30, 30, 900},      {30, 30, 899},
	    {30, 30, 30},  {30, 30, 31},    {500, 500, 500},  {5, 2000, 2000},   {1000, 3, 2999},    {2, 2, 3},
	    {7, 900, 900}, {400, 700, 701}, {3, 5000, 14000}, {2000, 17, 33000}, {1000, 1000, 2000}, {64, 64, 4095},
	};
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		struct synthetic_params params = shape(shapes[s][0], shapes[s][1], shapes[s][2]);
		struct dataset data;
		load(&params, &data);
		assert_sound(&data, (size_t)shapes[s][0], (size_t)shapes[s][1], (size_t)shapes[s][2]);
		dataset_finish(&data);
	}
}

static void random_shapes_are_exact(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(5, "test", "");
	for (uint64_t t = 0; t < 200; t++) {
		int64_t users = 1 + random_u32(stream, 0, t, 0) % 60, items = 1 + random_u32(stream, 0, t, 1) % 60;
		int64_t ratings = users + (int64_t)random_u32(stream, 0, t, 2) % (users * items - users + 1);
		struct synthetic_params params = shape(users, items, ratings);
		params.preset.row = synthetic_presets.rows[t % synthetic_presets.count];
		params.seed = t;
		params.rank = 1 + (int64_t)t % SYNTHETIC_RANK_MAX;
		params.noise = (double)(t % 3);
		struct dataset data;
		load(&params, &data);
		assert_sound(&data, (size_t)users, (size_t)items, (size_t)ratings);
		dataset_finish(&data);
	}
}

static void impossible_shapes_are_refused(void **state) {
	(void)state;
	static const struct {
		int64_t users, items, ratings;
		const char *message, *hint;
	} bad[] = {
	    {30, 20, 601, "601 ratings do not fit into 30 users x 20 items, 600 pairs",
	     "A user rates an item once: set ratings to at most users times items."},
	    {30, 20, 29, "29 ratings are too few for 30 users",
	     "Every user has at least one rating: set ratings to at least the number of users."},
	    {900, 0, 0, "800000 ratings do not fit into 900 users x 800 items, 720000 pairs",
	     "A user rates an item once: set ratings to at most users times items."},
	};
	for (size_t b = 0; b < sizeof(bad) / sizeof(bad[0]); b++) {
		struct synthetic_params params = shape(bad[b].users, bad[b].items, bad[b].ratings);
		struct data_config config = {0};
		struct dataset data = {0};
		struct error error = {0};
		assert_false(format_synthetic.load(&config, &params, &data, &error));
		assert_int_equal(error.code, ERROR_CONFIG);
		assert_string_equal(error.message, bad[b].message);
		assert_string_equal(error.hint, bad[b].hint);
		dataset_finish(&data);

		struct value root = {.type = VALUE_GROUP, .at = {.file = "a.cfg", .line = 7}};
		struct errors errors = {0};
		format_synthetic.check(&config, &params, &root, &errors);
		assert_int_equal(errors.count, 1);
		assert_string_equal(errors.items[0].message, bad[b].message);
		assert_string_equal(errors.items[0].hint, bad[b].hint);
		assert_string_equal(errors.items[0].file, "a.cfg");
		assert_int_equal(errors.items[0].line, 7);
		errors_finish(&errors);
	}
}

static void resolving_keeps_what_was_written(void **state) {
	(void)state;
	struct synthetic_params params = params_of("ml20m");
	params.items = 12;
	params.noise = 0;
	for (int twice = 0; twice < 2; twice++) {
		synthetic_resolve(&params);
		assert_int_equal(params.users, 138493);
		assert_int_equal(params.items, 12);
		assert_int_equal(params.ratings, 20000263);
		assert_int_equal(params.rank, 8);
		assert_true(params.noise == 0);
		assert_int_equal(params.seed, 2017);
	}
	params = params_of("sephora");
	synthetic_resolve(&params);
	assert_int_equal(params.rank, 4);
	assert_true(params.noise == 0.7);
}

static struct value value_of(const char *name, enum value_type type, int64_t integer) {
	return (struct value){.name = name, .type = type, .at = {.file = "a.cfg", .line = 2}, .as.integer = integer};
}

// What is left out reads as the preset's, and the resolved text spells it out.
static void resolved_text_spells_everything(void **state) {
	(void)state;
	struct value items = value_of("items", VALUE_INTEGER, 90), noise = value_of("noise", VALUE_INTEGER, 0);
	struct value *keys[] = {&items, &noise};
	struct value none = value_of(NULL, VALUE_GROUP, 0), some = none;
	none.as.children.items = NULL;
	none.as.children.count = 0;
	some.as.children.items = keys;
	some.as.children.count = 2;
	const struct {
		const struct value *group;
		const char *text;
	} cases[] = {
	    {&none, "preset = \"sephora\";\nusers = 500000;\nitems = 800;\nratings = 800000;\nrank = 4;\n"
	            "noise = 0.7;\nseed = 2017;\n"},
	    {&some, "preset = \"sephora\";\nusers = 500000;\nitems = 90;\nratings = 800000;\nrank = 4;\n"
	            "noise = 0.0;\nseed = 2017;\n"},
	};
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct synthetic_params params = {0};
		struct errors errors = {0};
		struct arena arena = {0};
		struct text text = {0};
		assert_true(schema_read(&format_synthetic.row.params, cases[c].group, "", &arena, &params, &errors));
		synthetic_resolve(&params);
		schema_write(&format_synthetic.row.params, &params, false, &text);
		assert_string_equal(text_string(&text), cases[c].text);
		text_finish(&text);
		arena_finish(&arena);
		errors_finish(&errors);
	}
}

static void presets_are_whole(void **state) {
	(void)state;
	for (size_t p = 0; p < synthetic_presets.count; p++) {
		const struct preset *preset = (const struct preset *)synthetic_presets.rows[p];
		double stars = 0, told = 0;
		for (size_t s = 0; s < STARS; s++)
			stars += preset->star_share[s];
		for (size_t t = 0; t < preset->trait_count; t++)
			told += preset->traits[t].share;
		assert_true(fabs(stars - 1) < 1e-12);
		assert_true(fabs(preset->quality + preset->taste + preset->bias - 1) < 1e-12);
		assert_true(told < 1 && preset->trait_count <= TRAITS_MAX);
		struct synthetic_params params = params_of(preset->row.name);
		synthetic_resolve(&params);
		assert_true(synthetic_check(&params, NULL));
	}
}

// --- What depends on what ---

static void seed_and_noise_change_what_they_should(void **state) {
	(void)state;
	struct synthetic_params params = shape(300, 50, 3000);
	struct dataset a, b, c;
	load(&params, &a);
	params.noise = 2;
	load(&params, &b);
	params.seed = 2018;
	load(&params, &c);
	assert_memory_equal(a.item, b.item, 3000 * sizeof(*a.item));
	assert_memory_not_equal(a.rating, b.rating, 3000 * sizeof(*a.rating));
	assert_memory_not_equal(b.item, c.item, 3000 * sizeof(*a.item));
	dataset_finish(&a);
	dataset_finish(&b);
	dataset_finish(&c);
}

// The stars of a user and an item are the same however many ratings there are.
static void stars_belong_to_the_pair(void **state) {
	(void)state;
	struct synthetic_params params = shape(100, 40, 4000);
	struct dataset all, some;
	float stars[100][40];
	load(&params, &all);
	for (size_t e = 0; e < 4000; e++)
		stars[all.user[e]][all.item[e]] = all.rating[e];
	params.ratings = 700;
	load(&params, &some);
	for (size_t e = 0; e < 700; e++)
		assert_true(some.rating[e] == stars[some.user[e]][some.item[e]]);
	dataset_finish(&all);
	dataset_finish(&some);
}

// The alias table holds for each item its part of the popularity, no more and no less.
static void alias_table_is_the_popularity(void **state) {
	(void)state;
	for (size_t items = 1; items < 3000; items = 3 * items + 1) {
		struct error error = {0};
		struct picker picker;
		double *part = calloc(items, sizeof(*part)), total = 0;
		assert_non_null(part);
		assert_true(picker_create((const struct preset *)synthetic_presets.rows[2], items, 9, &picker, &error));
		for (size_t i = 0; i < items; i++) {
			double own = (double)picker.coin[i] / 4294967296.0;
			part[i] += own / (double)items;
			part[picker.alias[i]] += (1 - own) / (double)items;
			total += (double)picker.weight[i];
		}
		for (size_t i = 0; i < items; i++)
			assert_true(fabs(part[i] - (double)picker.weight[i] / total) < 1e-9);
		picker_finish(&picker);
		free(part);
	}
}

// Where the experiment reads side information from a file of its own, none is made.
static void side_information_gives_way_to_a_file(void **state) {
	(void)state;
	struct synthetic_params params = shape(50, 20, 200);
	struct features_config file = {.path = "users.csv"}, own = {0};
	struct data_config config = {.user_features = &file, .item_features = &own};
	struct dataset data = {0}, whole;
	struct error error = {0};
	assert_true(format_synthetic.load(&config, &params, &data, &error));
	assert_int_equal(data.user_attributes.count, 0);
	assert_int_equal(data.item_attributes.count, 1);
	load(&params, &whole);
	assert_memory_equal(data.rating, whole.rating, 200 * sizeof(*data.rating));
	dataset_finish(&data);
	dataset_finish(&whole);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sephora_has_the_promised_size),
	    cmocka_unit_test(sephora_is_skewed_as_a_review_site),
	    cmocka_unit_test(sephora_has_a_long_tail),
	    cmocka_unit_test(data_is_the_same_everywhere),
	    cmocka_unit_test(names_are_readable),
	    cmocka_unit_test(attributes_have_their_levels),
	    cmocka_unit_test(attributes_tell_part_of_the_taste),
	    cmocka_unit_test(odd_shapes_are_exact),
	    cmocka_unit_test(random_shapes_are_exact),
	    cmocka_unit_test(impossible_shapes_are_refused),
	    cmocka_unit_test(resolving_keeps_what_was_written),
	    cmocka_unit_test(resolved_text_spells_everything),
	    cmocka_unit_test(presets_are_whole),
	    cmocka_unit_test(seed_and_noise_change_what_they_should),
	    cmocka_unit_test(stars_belong_to_the_pair),
	    cmocka_unit_test(alias_table_is_the_popularity),
	    cmocka_unit_test(side_information_gives_way_to_a_file),
	};
	return cmocka_run_group_tests(tests, load_shop, finish_shop);
}
