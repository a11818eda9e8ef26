// aexp data: statistics of the data after filter, buckets and split.
#include "cli/cli.h"

#include "base/number.h"
#include "report/json.h"

#include <stdio.h>
#include <string.h>

static const char *const part_names[PARTS] = {"train", "valid", "test"};

static void print_count(const char *label, size_t value) {
	char text[NUMBER_TEXT];
	number_write_count(value, text);
	printf("%-10s %s\n", label, text);
}

static void print_histogram(const struct data_statistics *s) {
	enum { WIDTH = 40 };
	size_t most = 1;
	for (size_t i = 0; i < s->histogram_count; i++)
		most = s->histogram[i] > most ? s->histogram[i] : most;
	printf("\nratings%s\n", s->histogram_binned ? " (20 equal bins, by lower edge)" : "");
	for (size_t i = 0; i < s->histogram_count; i++) {
		char count[NUMBER_TEXT], bar[WIDTH + 1] = "";
		number_write_count(s->histogram[i], count);
		memset(bar, '#', s->histogram[i] * WIDTH / most);
		printf("%10.6g %14s  %s\n", s->histogram_value[i], count, bar);
	}
	if (s->buckets)
		printf("\nafter buckets\n");
	for (size_t i = 0; i < s->buckets; i++) {
		char count[NUMBER_TEXT];
		number_write_count(s->bucket[i], count);
		printf("%10.6g %14s\n", s->bucket_value[i], count);
	}
}

static void print_parts(const struct data_statistics *s) {
	printf("\n%-6s %14s %12s %10s %12s %12s\n", "part", "ratings", "users", "items", "cold users", "cold items");
	for (int p = 0; p < PARTS; p++)
		if (s->part[p].ratings || p == PART_TRAIN)
			printf("%-6s %14zu %12zu %10zu %12zu %12zu\n", part_names[p], s->part[p].ratings, s->part[p].users,
			       s->part[p].items, s->part[p].cold_users, s->part[p].cold_items);
	if (s->input_ratings)
		printf("input of held-out users: %zu ratings\n", s->input_ratings);
}

static void print_features(const struct matrices *m) {
	if (!m->coding_count)
		return;
	printf("\nside information of %s: %zu columns\n", m->items_as_rows ? "items" : "users", m->features.columns);
	for (size_t i = 0; i < m->coding_count; i++) {
		const struct feature_coding *c = &m->coding[i];
		if (c->numeric)
			printf("  %-16s number, mean %.6g, deviation %.6g\n", c->name, c->mean, c->deviation);
		else
			printf("  %-16s %zu levels\n", c->name, c->columns - 1);
	}
}

static void print_statistics(const struct prepared *p, const struct data_statistics *s) {
	const char *format = p->experiment.data->source->format.row->name;
	printf("%s  (%s)  fingerprint %s\n\n", p->experiment.name, format, p->dataset.fingerprint);
	print_count("users", s->users);
	print_count("items", s->items);
	print_count("ratings", s->ratings);
	printf("%-10s %.6g %%\n%-10s %.7g\n%-10s %g to %g\n", "density", 100 * s->density, "mean", s->mean, "range",
	       s->minimum, s->maximum);
	printf("\n%-16s %12s %12s %12s\n", "with", "1 rating", "2 ratings", "3 or more");
	printf("%-16s %12zu %12zu %12zu\n", "users", s->users_with[0], s->users_with[1], s->users_with[2]);
	printf("%-16s %12zu %12zu %12zu\n", "items", s->items_with[0], s->items_with[1], s->items_with[2]);
	print_histogram(s);
	print_parts(s);
	print_features(&p->matrices);
}

static void json_histogram(struct json *json, const char *key, const double *values, const size_t *counts,
                           size_t count) {
	json_array(json, key, JSON_INLINE);
	for (size_t i = 0; i < count; i++) {
		json_object(json, NULL, JSON_INLINE);
		json_real(json, "value", values[i]);
		json_count(json, "count", counts[i]);
		json_end(json);
	}
	json_end(json);
}

static void print_json(const struct prepared *p, const struct data_statistics *s) {
	struct text text = {0};
	struct json json = {.text = &text};
	json_object(&json, NULL, JSON_LINES);
	json_string(&json, "experiment", p->experiment.name);
	json_string(&json, "fingerprint", p->dataset.fingerprint);
	json_count(&json, "users", s->users);
	json_count(&json, "items", s->items);
	json_count(&json, "ratings", s->ratings);
	json_real(&json, "density", s->density);
	json_real(&json, "mean", s->mean);
	json_real(&json, "minimum", s->minimum);
	json_real(&json, "maximum", s->maximum);
	json_histogram(&json, "histogram", s->histogram_value, s->histogram, s->histogram_count);
	json_histogram(&json, "buckets", s->bucket_value, s->bucket, s->buckets);
	json_object(&json, "parts", JSON_LINES);
	for (int part = 0; part < PARTS; part++) {
		json_object(&json, part_names[part], JSON_INLINE);
		json_count(&json, "ratings", s->part[part].ratings);
		json_count(&json, "users", s->part[part].users);
		json_count(&json, "items", s->part[part].items);
		json_count(&json, "cold_users", s->part[part].cold_users);
		json_count(&json, "cold_items", s->part[part].cold_items);
		json_end(&json);
	}
	json_end(&json);
	json_count(&json, "input_ratings", s->input_ratings);
	json_end(&json);
	printf("%s\n", text_string(&text));
	text_finish(&text);
}

static int run(const struct options *options) {
	struct prepared p;
	struct data_statistics statistics;
	struct error error = {0};
	int code = prepare(options->arguments[0], options, false, &p);
	if (code == 0) {
		if (data_statistics(p.experiment.data, &p.matrices, &statistics, &error)) {
			(options->json ? print_json : print_statistics)(&p, &statistics);
			data_statistics_finish(&statistics);
		} else {
			print_error(&error);
			code = (int)error.code;
		}
	}
	prepared_finish(&p);
	return code;
}

const struct verb verb_data = {
    .name = "data",
    .usage = "data CFG",
    .doc = "prints statistics of the data after filter, buckets and split",
    .help = "",
    .takes = TAKES(overrides) | TAKES(no_cache) | TAKES(json),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
