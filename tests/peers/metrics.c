// Every metric of the registry on cells and rankings that a test gives on standard input, for metrics.py:
//   cells N LEVELS                   then LEVELS levels, then N lines "prediction target liked"
//   ranks USERS ITEMS USES           then USES names; ITEMS surprises; for each user ITEMS scores, then
//                                    "N" and N pairs "item liked", "N" and N excluded items
// Prints a line "NAME VALUE" each, of rankings also "users COUNT" and "skipped COUNT".
#include "eval/metrics.h"

#include "base/memory.h"
#include "base/number.h"
#include "eval/baseline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double next_number(void) {
	char word[64], *end;
	if (scanf("%63s", word) != 1)
		exit(2);
	double value = strtod(word, &end);
	return value;
}

static size_t next_count(void) {
	return (size_t)next_number();
}

static void print_value(const char *name, double value) {
	char text[NUMBER_TEXT];
	number_write(value, text);
	printf("%s %s\n", name, text);
}

static void measure_cells(struct pool *pool) {
	size_t count = next_count(), levels_count = next_count();
	float *prediction = memory_alloc((count + 1) * sizeof(*prediction)),
	      *target = memory_alloc((count + 1) * sizeof(*target));
	uint8_t *liked = memory_alloc(count + 1);
	double *levels = memory_alloc((levels_count + 1) * sizeof(*levels));
	for (size_t i = 0; i < levels_count; i++)
		levels[i] = next_number();
	for (size_t i = 0; i < count; i++) {
		prediction[i] = (float)next_number();
		target[i] = (float)next_number();
		liked[i] = next_number() != 0;
	}
	struct cells cells = {count, prediction, target, liked, levels, levels_count, pool};
	for (size_t i = 0; i < metric_registry.count; i++) {
		const struct metric *metric = (const struct metric *)metric_registry.rows[i];
		if (metric->over_cells)
			print_value(metric->row.name, metric->over_cells(&cells));
	}
	free(prediction);
	free(target);
	free(liked);
	free(levels);
}

struct users {
	float *scores; // (users, items)
	struct question *question;
};

static void rank_user(const void *context, struct ranker *ranker, size_t index, struct ranking *ret) {
	const struct users *users = context;
	ranker_answer(ranker, &users->question[index], ret);
}

static void read_user(struct arena *arena, size_t items, float *scores, struct question *q) {
	for (size_t i = 0; i < items; i++)
		scores[i] = (float)next_number();
	q->scores = scores;
	q->target_count = next_count();
	uint32_t *target = arena_alloc(arena, (q->target_count + 1) * sizeof(*target));
	uint8_t *liked = arena_alloc(arena, q->target_count + 1);
	for (size_t i = 0; i < q->target_count; i++) {
		target[i] = (uint32_t)next_count();
		liked[i] = next_number() != 0;
	}
	q->excluded[0].count = next_count();
	uint32_t *excluded = arena_alloc(arena, (q->excluded[0].count + 1) * sizeof(*excluded));
	for (size_t i = 0; i < q->excluded[0].count; i++)
		excluded[i] = (uint32_t)next_count();
	q->target = target;
	q->liked = liked;
	q->excluded[0].items = excluded;
}

static void measure_rankings(struct pool *pool) {
	size_t count = next_count(), items = next_count(), uses_count = next_count(), ranked, skipped;
	struct arena arena = {0};
	struct metric_use uses[METRIC_USES_MAX];
	struct errors errors = {0};
	struct error error;
	char name[64];
	for (size_t i = 0; i < uses_count; i++)
		if (scanf("%63s", name) != 1 || !metric_use_read(name, (struct origin){0}, &arena, &uses[i], &errors))
			exit(2);
	double *surprise = arena_alloc(&arena, (items + 1) * sizeof(*surprise)), values[METRIC_USES_MAX];
	for (size_t i = 0; i < items; i++)
		surprise[i] = next_number();
	struct users users = {arena_alloc(&arena, (count * items + 1) * sizeof(float)),
	                      arena_alloc(&arena, (count + 1) * sizeof(struct question))};
	for (size_t i = 0; i < count; i++)
		read_user(&arena, items, users.scores + i * items, &users.question[i]);
	struct ranking_collector *collector;
	if (!ranking_collector_create(uses, uses_count, items, pool, &collector, &error))
		exit(1);
	ranking_collector_surprise(collector, surprise);
	ranking_collector_add(collector, count, rank_user, &users);
	ranking_collector_result(collector, values, &ranked, &skipped);
	for (size_t i = 0; i < uses_count; i++)
		print_value(uses[i].name, values[i]);
	print_value("users", (double)ranked);
	print_value("skipped", (double)skipped);
	ranking_collector_destroy(collector);
	arena_finish(&arena);
}

int main(int argc, char **argv) {
	struct pool *pool = pool_create(3);
	char word[16];
	if (argc > 1 && !strcmp(argv[1], "names")) {
		for (size_t i = 0; i < metric_registry.count; i++) {
			const struct metric *metric = (const struct metric *)metric_registry.rows[i];
			printf("%s %s %d\n", metric->row.name, metric->over_cells ? "cells" : "ranks", metric->takes_k);
		}
	} else if (scanf("%15s", word) == 1 && !strcmp(word, "cells")) {
		measure_cells(pool);
	} else {
		measure_rankings(pool);
	}
	pool_destroy(pool);
	return 0;
}
