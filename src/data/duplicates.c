// Finding the pairs that were rated more than once: user by user, each item remembers its last rating.
#include "data/duplicates.h"

#include <stdlib.h>
#include <string.h>

#include "data/ratings.h"
#include "data/repeats.h"

// --- Rules ---

static bool settle_error(struct dataset *dataset, const struct repeat *repeats, size_t count, uint8_t *drop,
                         struct error *error) {
	(void)count, (void)drop;
	uint32_t earlier = repeats->earlier, later = repeats->later;
	struct origin first = loading_at(dataset->loading, earlier), again = loading_at(dataset->loading, later);
	error_at(error, ERROR_DATA, again, "user \"%s\" rated item \"%s\" twice",
	         ids_name(&dataset->users, dataset->user[later]), ids_name(&dataset->items, dataset->item[later]));
	if (first.file == NULL || again.file == NULL)
		return false;
	if (strcmp(first.file, again.file) == 0)
		error_hint(error, "First on line %zu, again on line %zu.", first.line, again.line);
	else
		error_hint(error, "First on line %zu of \"%s\", again on line %zu of \"%s\".", first.line, first.file,
		           again.line, again.file);
	return false;
}

static bool settle_last(struct dataset *dataset, const struct repeat *repeats, size_t count, uint8_t *drop,
                        struct error *error) {
	(void)dataset, (void)error;
	for (size_t i = 0; i < count; i++)
		drop[repeats[i].earlier] = 1;
	return true;
}

static bool settle_mean(struct dataset *dataset, const struct repeat *repeats, size_t count, uint8_t *drop,
                        struct error *error) {
	(void)error;
	for (size_t i = 0; i < count; i++) {
		const struct repeat *repeat = &repeats[i];
		drop[repeat->earlier] = 1;
		dataset->rating[repeat->later] = (float)(repeat->sum / repeat->count);
		if (dataset->time != NULL && dataset->time[repeat->later] < dataset->time[repeat->earlier])
			dataset->time[repeat->later] = dataset->time[repeat->earlier];
	}
	return true;
}

static const struct duplicates_rule rule_error = {
    .row = {"error", "It is an error, which names both lines", SCHEMA_NONE}, .settle = settle_error};
static const struct duplicates_rule rule_last = {
    .row = {"last", "The rating that stands last in the file counts", SCHEMA_NONE}, .settle = settle_last};
static const struct duplicates_rule rule_mean = {
    .row = {"mean", "Their mean counts, with the latest time", SCHEMA_NONE}, .settle = settle_mean};
static const struct row *const rules[] = {&rule_error.row, &rule_last.row, &rule_mean.row};
const struct registry duplicates_registry = {"duplicates", "duplicates", rules, sizeof rules / sizeof rules[0]};

// --- Finding ---

// The ratings of each user, in their order: user u's places are place[start[u]] ... place[start[u + 1] - 1].
static void group_by_user(const struct dataset *dataset, size_t *start, uint32_t *place) {
	for (size_t i = 0; i < dataset->count; i++)
		start[dataset->user[i] + 1]++;
	for (size_t u = 0; u < dataset->users.count; u++)
		start[u + 1] += start[u];
	for (size_t i = 0; i < dataset->count; i++)
		place[start[dataset->user[i]]++] = (uint32_t)i;
	for (size_t u = dataset->users.count; u > 0; u--) // each start has moved to the next one's
		start[u] = start[u - 1];
	start[0] = 0;
}

struct search {
	const struct dataset *dataset;
	size_t *start;          // (users + 1)
	uint32_t *place;        // (count)
	uint32_t *last;         // (items) place + 1 of the present user's last rating of it, 0 = none
	struct repeat *repeats; // NULL while they are only counted
	size_t found;
};

static void search(struct search *search) {
	const struct dataset *dataset = search->dataset;
	search->found = 0;
	for (size_t u = 0; u < dataset->users.count; u++) {
		for (size_t i = search->start[u]; i < search->start[u + 1]; i++) {
			uint32_t later = search->place[i], *last = &search->last[dataset->item[later]];
			if (*last != 0 && search->repeats != NULL)
				search->repeats[search->found] = (struct repeat){.earlier = *last - 1, .later = later};
			search->found += *last != 0;
			*last = later + 1;
		}
		for (size_t i = search->start[u]; i < search->start[u + 1]; i++)
			search->last[dataset->item[search->place[i]]] = 0;
	}
}

static int compare_repeats(const void *a, const void *b) {
	const struct repeat *x = a, *y = b;
	return (x->later > y->later) - (x->later < y->later);
}

// Adds up along each chain of repeats: what is earlier in one is later in the one before, which comes before it.
static void add_up(const struct dataset *dataset, struct repeat *repeats, size_t count) {
	qsort(repeats, count, sizeof *repeats, compare_repeats);
	for (size_t i = 0; i < count; i++) {
		struct repeat key = {.later = repeats[i].earlier};
		const struct repeat *before = bsearch(&key, repeats, i, sizeof *repeats, compare_repeats);
		double sum = before == NULL ? (double)dataset->rating[repeats[i].earlier] : before->sum;
		repeats[i].sum = sum + (double)dataset->rating[repeats[i].later];
		repeats[i].count = before == NULL ? 2 : before->count + 1;
	}
}

// --- Settling ---

static void drop_ratings(struct dataset *dataset, const uint8_t *drop) {
	size_t kept = 0;
	for (size_t i = 0; i < dataset->count; i++) {
		if (drop[i])
			continue;
		dataset->user[kept] = dataset->user[i];
		dataset->item[kept] = dataset->item[i];
		dataset->rating[kept] = dataset->rating[i];
		if (dataset->time != NULL)
			dataset->time[kept] = dataset->time[i];
		if (dataset->part != NULL)
			dataset->part[kept] = dataset->part[i];
		kept++;
	}
	dataset->count = kept;
}

static bool settle(const struct duplicates_rule *rule, struct search *found, struct dataset *dataset,
                   struct error *error) {
	size_t count = found->found;
	found->repeats = memory_array(count, sizeof *found->repeats, "repeated ratings", error);
	uint8_t *drop = found->repeats == NULL ? NULL : memory_array(dataset->count, 1, "repeated ratings", error);
	if (drop == NULL)
		return false;
	search(found);
	add_up(dataset, found->repeats, count);
	bool fine = rule->settle(dataset, found->repeats, count, drop, error);
	if (fine)
		drop_ratings(dataset, drop);
	free(drop);
	return fine;
}

static bool find_and_settle(const struct duplicates_rule *rule, struct dataset *dataset, struct error *error) {
	struct search found = {.dataset = dataset};
	const char *what = "the search for repeated ratings";
	found.start = memory_array(dataset->users.count + 1, sizeof *found.start, what, error);
	found.place = found.start == NULL ? NULL : memory_array(dataset->count, sizeof *found.place, what, error);
	found.last = found.place == NULL ? NULL : memory_array(dataset->items.count, sizeof *found.last, what, error);
	bool fine = found.last != NULL;
	if (fine) {
		group_by_user(dataset, found.start, found.place);
		search(&found); // counts
		fine = settle(rule, &found, dataset, error);
	}
	free(found.start);
	free(found.place);
	free(found.last);
	free(found.repeats);
	return fine;
}

bool duplicates_settle(const struct duplicates_rule *rule, struct dataset *dataset, struct error *error) {
	bool any;
	return repeats_exist(dataset, &any, error) && (!any || find_and_settle(rule, dataset, error));
}
