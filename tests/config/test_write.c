// Random files with every type of key: written, read and written again they are the same text, and libconfig itself,
// whose literals are not ours, reads the same numbers and strings from what was written.
#include <libconfig.h>

#include "support.h"

#include <inttypes.h>

#include "base/number.h"

static struct everything read_good(const char *text, struct arena *arena) {
	struct errors errors = {0};
	struct everything data = {0};
	struct value *tree = parse_text(text, strlen(text), arena, &errors);
	assert_errors(&errors, "");
	schema_read(&test_schema, tree, "", arena, &data, &errors);
	assert_errors(&errors, "");
	errors_finish(&errors);
	return data;
}

static double random_real(uint64_t *state) {
	uint64_t bits = draw(state);
	double value;
	memcpy(&value, &bits, sizeof value); // of any size, denormal too
	if (draw_below(state, 3) == 0 || !isfinite(value))
		value = (double)(int64_t)bits / (double)(1 + draw_below(state, 1000));
	return draw_below(state, 8) == 0 ? (double)draw_below(state, 10) : value;
}

static void put_real(uint64_t *state, struct text *text) {
	char number[NUMBER_TEXT];
	number_write(random_real(state), number);
	text_append(text, number);
}

static void put_string(uint64_t *state, struct text *text) {
	text_append(text, "\"");
	for (size_t i = draw_below(state, 12); i > 0; i--)
		text_format(text, "\\x%02zx", 1 + draw_below(state, 255));
	text_append(text, "\"");
}

static void put_node(uint64_t *state, struct text *text) {
	static const char *const inits[] = {"", "init = \"zeros\"; ", "init = { sd = 1e-3; }; ",
	                                    "init = { kind = \"zeros\" }; "};
	text_append(text, "{ ");
	if (draw_below(state, 2) == 0) {
		text_append(text, "name = ");
		put_string(state, text);
		text_append(text, "; ");
	}
	if (draw_below(state, 2) == 0) {
		text_format(text, "op = \"dropout\"; rate = 0.%zu; }", draw_below(state, 1000000));
		return;
	}
	text_append(text, "op = \"dense\"; ");
	if (draw_below(state, 2) == 0)
		text_format(text, "units = %zu; ", 1 + draw_below(state, 1048576));
	else
		text_append(text, "units = \"items\"; ");
	text_format(text, "%s}", inits[draw_below(state, 4)]);
}

// Puts up to four of what `put` writes, with commas.
static void put_list(uint64_t *state, struct text *text, const char *name, void (*put)(uint64_t *, struct text *)) {
	text_format(text, "\n%s = (", name);
	for (size_t i = draw_below(state, 5); i > 0; i--) {
		put(state, text);
		text_append(text, i > 1 ? ",\n" : "");
	}
	text_append(text, ")");
}

// A file that sets a random choice of keys; the seed that it sets is returned, any 64 bits.
static uint64_t invent(uint64_t *state, struct text *text) {
	static const char *const optimizers[] = {"\"sgd\"", "{ kind = \"sgd\"; nesterov = true; }",
	                                         "{ warmup = 7; rho = 0; }", "{ kind = \"plain\"; clip = true; }"};
	uint64_t seed = draw(state) >> draw_below(state, 64);
	text_format(text, "seed = %" PRIu64 ";\nname = ", seed);
	put_string(state, text);
	if (draw_below(state, 2) == 0) {
		text_append(text, "\nliked = ");
		put_real(state, text);
	}
	put_list(state, text, "thresholds", put_real);
	put_list(state, text, "metrics", put_string);
	put_list(state, text, "graph", put_node);
	text_format(text, "\noptimizer = %s\n", optimizers[draw_below(state, 4)]);
	if (draw_below(state, 2) == 0)
		text_append(text, "stop = { patience = 9223372036854775807; }; source = { path = \"${X}/y\"; user = \"u\"; };");
	return seed;
}

static void assert_libconfig_agrees(const char *text, const struct everything *data) {
	config_t config;
	config_init(&config);
	assert_int_equal(config_read_string(&config, text), CONFIG_TRUE);
	config_setting_t *root = config_root_setting(&config);
	assert_true((uint64_t)config_setting_get_int64(config_setting_get_member(root, "seed")) == data->seed);
	assert_string_equal(config_setting_get_string(config_setting_get_member(root, "name")), data->name);
	const config_setting_t *liked = config_setting_get_member(root, "liked");
	assert_int_equal(liked == NULL, isnan(data->liked));
	if (liked != NULL) {
		assert_int_equal(config_setting_type(liked), CONFIG_TYPE_FLOAT);
		assert_true(config_setting_get_float(liked) == data->liked);
	}
	const config_setting_t *thresholds = config_setting_get_member(root, "thresholds");
	assert_int_equal(config_setting_length(thresholds), data->thresholds.count);
	for (size_t i = 0; i < data->thresholds.count; i++)
		assert_true(config_setting_get_float_elem(thresholds, (int)i) == data->thresholds.items[i]);
	const config_setting_t *metrics = config_setting_get_member(root, "metrics");
	assert_int_equal(config_setting_length(metrics), data->metrics.count);
	for (size_t i = 0; i < data->metrics.count; i++)
		assert_string_equal(config_setting_get_string_elem(metrics, (int)i), data->metrics.items[i]);
	assert_int_equal(config_setting_length(config_setting_get_member(root, "graph")), data->graph.count);
	config_destroy(&config);
}

static void test_round(uint64_t *random) {
	struct arena arena = {0};
	struct text invented = {0}, first = {0}, second = {0}, id = {0}, id_again = {0};
	uint64_t seed = invent(random, &invented);
	struct everything data = read_good(text_string(&invented), &arena);
	assert_true(data.seed == seed);
	schema_write(&test_schema, &data, false, &first);
	struct everything again = read_good(text_string(&first), &arena);
	schema_write(&test_schema, &again, false, &second);
	assert_string_equal(text_string(&first), text_string(&second));
	schema_write(&test_schema, &data, true, &id);
	schema_write(&test_schema, &again, true, &id_again);
	assert_string_equal(text_string(&id), text_string(&id_again));
	assert_null(strstr(text_string(&id), "path ="));
	assert_libconfig_agrees(text_string(&first), &data);
	text_finish(&invented);
	text_finish(&first);
	text_finish(&second);
	text_finish(&id);
	text_finish(&id_again);
	arena_finish(&arena);
}

static void test_random_files(void **state) {
	(void)state;
	uint64_t random = 3;
	for (int round = 0; round < 2000; round++)
		test_round(&random);
}

int main(void) {
	setenv("X", "x", 1); // an unset variable in a path is an error
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_files)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
