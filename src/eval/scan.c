// See scan.h. Candidates of a row are collected until there is no room; then the k best of them stay, and the k-th is
// the new bound. In items of any order that happens some times k ln(items / k) / room times.
#include "eval/scan.h"

#include "base/memory.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// So many times k, which is what stays at most, and two blocks, since a whole block may come at once.
enum { ROOM_TIMES = 2 };

bool scan_init(struct scan *s, size_t rows, size_t k, struct scan_function function, struct error *error) {
	size_t room = topk_padded(ROOM_TIMES * k) + 2 * SCAN_BLOCK, numbers = 0;
	*s = (struct scan){.k = k, .room = room, .function = function};
	if (!memory_product(rows, room, &numbers))
		numbers = SIZE_MAX; // which cannot be had
	return topk_init(&s->topk, room > SCAN_EXPECTED_MOST ? room : SCAN_EXPECTED_MOST, k, error) &&
	       (s->row = memory_array(rows, sizeof(*s->row), "a ranking", error)) &&
	       (s->item = memory_array(numbers, sizeof(*s->item), "a ranking", error)) &&
	       (s->value = memory_array(numbers, sizeof(*s->value), "a ranking", error)) &&
	       (s->score = memory_array(room, sizeof(*s->score), "a ranking", error)) &&
	       (s->chosen = memory_array(2 * k, sizeof(*s->chosen), "a ranking", error));
}

void scan_finish(struct scan *s) {
	topk_finish(&s->topk);
	free(s->row);
	free(s->item);
	free(s->value);
	free(s->score);
	free(s->chosen);
	*s = (struct scan){0};
}

void scan_begin(struct scan *s, size_t rows) {
	s->rows = rows;
	for (size_t i = 0; i < rows; i++)
		s->row[i] = (struct scan_row){
		    -INFINITY, NAN, {.item = s->item + i * s->room, .value = s->value + i * s->room, .room = s->room}};
}

void scan_leave_out(struct scan *s, size_t row, const uint32_t *items, size_t count) {
	s->row[row].list.out = items;
	s->row[row].list.out_end = items + count;
}

// Below a value by more and more, and the score of each.
enum { STEPS = 16 };
static void score_below(const struct scan *s, float value, float ret_below[STEPS], float ret_score[STEPS]) {
	float step = fabsf(value) * 1e-5F + FLT_MIN;
	for (size_t i = 0; i < STEPS; i++, step *= 4)
		ret_below[i] = value - step;
	if (s->function.of)
		s->function.of(s->function.context, ret_below, STEPS, ret_score);
	else
		memcpy(ret_score, ret_below, STEPS * sizeof(*ret_score));
}

// The most that anything up to a value can score, of which this is the score.
static float most_up_to(const struct scan *s, float score) {
	return score + s->function.error * fabsf(score);
}

// The bound is a little below what k of the values reach, since they may be rounded otherwise, and scores less.
void scan_expect(struct scan *s, size_t row, const float *values, size_t count, const uint32_t *excluded,
                 size_t excluded_count) {
	float value[1], score[1], below[STEPS], scores[STEPS];
	assert(count <= SCAN_EXPECTED_MOST);
	topk_begin_some(&s->topk, values, count);
	topk_exclude(&s->topk, excluded, excluded_count);
	if (!topk_least(&s->topk, s->k, value))
		return;
	*score = *value;
	if (s->function.of)
		s->function.of(s->function.context, value, 1, score);
	score_below(s, *value, below, scores);
	for (size_t i = 0; i < STEPS; i++)
		if (most_up_to(s, scores[i]) < *score) {
			s->row[row].least = below[i];
			s->row[row].expected = most_up_to(s, scores[i]);
			return;
		}
}

// Scores of a row's candidates, ready for a choice.
static const float *score(struct scan *s, const struct topk_list *list) {
	const float *ret = list->value;
	if (s->function.of) {
		s->function.of(s->function.context, list->value, list->count, s->score);
		ret = s->score;
	}
	topk_begin_some(&s->topk, ret, list->count);
	return ret;
}

// A bound for what comes later, where `last` is the least score of k candidates, the least value that has it `value`,
// the largest `most`. What is not above the largest value that scores as the last of them comes behind k at least, or,
// where that rises but for rounding, what is not above one that scores so much less.
static float bound_of(const struct scan *s, float last, float value, float most) {
	float below[STEPS], scores[STEPS];
	if (s->function.error == 0)
		return most;
	score_below(s, value, below, scores);
	for (size_t i = 0; i < STEPS; i++)
		if (most_up_to(s, scores[i]) <= last)
			return below[i];
	return -INFINITY;
}

// Only the k best stay, and hardly any others.
static void settle(struct scan *s, struct scan_row *r) {
	struct topk_list *list = &r->list;
	const float *scores = score(s, list);
	float last = INFINITY, value = INFINITY, most = -INFINITY;
	size_t count = topk_pick(&s->topk, s->k, s->chosen);
	for (size_t i = 0; i < count; i++)
		last = scores[s->chosen[i]] < last ? scores[s->chosen[i]] : last;
	for (size_t i = 0; i < count; i++) {
		float own = list->value[s->chosen[i]];
		bool is_last = scores[s->chosen[i]] == last;
		most = is_last && own > most ? own : most;
		value = is_last && own < value ? own : value;
	}
	for (size_t i = 0; i < count; i++) { // forward: they ascend
		list->item[i] = list->item[s->chosen[i]];
		list->value[i] = list->value[s->chosen[i]];
	}
	list->count = count;
	r->least = fmaxf(r->least, bound_of(s, last, value, most));
}

// What a row that comes soon will read and write: each row's lies where nothing of it has been for a piece of all rows.
static void fetch_ahead(const struct scan *s, size_t row) {
	enum { AHEAD = 4 };
	if (row + AHEAD >= s->rows)
		return;
	const struct topk_list *list = &s->row[row + AHEAD].list;
	__builtin_prefetch(list->out);
	__builtin_prefetch(list->item + list->count, 1);
	__builtin_prefetch(list->value + list->count, 1);
}

void scan_add(struct scan *s, size_t row, size_t first, const float *values, size_t count) {
	struct scan_row *r = &s->row[row];
	size_t padded = topk_padded(count);
	fetch_ahead(s, row);
	for (size_t at = 0; at < padded;) {
		at += s->topk.kernels->append_above(values + at, padded - at, r->least, (uint32_t)(first + at), &r->list);
		if (r->list.count + SCAN_BLOCK > s->room)
			settle(s, r);
	}
}

size_t scan_take(struct scan *s, size_t row, uint32_t *ret_items, float *ret_scores, bool *ret_sure) {
	const struct topk_list *list = &s->row[row].list;
	const float *scores = score(s, list);
	size_t count = topk_take(&s->topk, s->k, s->chosen);
	for (size_t i = 0; i < count; i++) {
		ret_items[i] = list->item[s->chosen[i]];
		ret_scores[i] = scores[s->chosen[i]];
	}
	float expected = s->row[row].expected;
	*ret_sure = isnan(expected) || (count == s->k && ret_scores[count - 1] > expected);
	return count;
}
