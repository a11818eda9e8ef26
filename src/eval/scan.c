// See scan.h. Candidates of a row are collected until there is no room; then the k best of them stay, and the k-th is
// the new bound. In items of any order that happens some times k ln(items / k) / room times.
#include "eval/scan.h"

#include "base/memory.h"
#include "eval/topk_kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)SCAN_BLOCK == (int)TOPK_BLOCK, "a piece is searched by the block");

// So many times k, which is what stays at most, and two blocks, since a whole block may come at once.
enum { ROOM_TIMES = 2 };

bool scan_init(struct scan *s, size_t rows, size_t k, struct scan_function function, struct error *error) {
	size_t room = topk_padded(ROOM_TIMES * k) + 2 * SCAN_BLOCK, numbers = 0;
	*s = (struct scan){.k = k, .room = room, .function = function};
	if (!memory_product(rows, room, &numbers))
		numbers = SIZE_MAX; // which cannot be had
	bool good = topk_init(&s->topk, room, k, error) &&
	            (s->row = memory_array(rows, sizeof(*s->row), "a ranking", error)) &&
	            (s->item = memory_array(numbers, sizeof(*s->item), "a ranking", error)) &&
	            (s->value = memory_array(numbers, sizeof(*s->value), "a ranking", error)) &&
	            (s->score = memory_array(room, sizeof(*s->score), "a ranking", error)) &&
	            (s->chosen = memory_array(2 * k, sizeof(*s->chosen), "a ranking", error)) &&
	            (s->every = memory_array(room, sizeof(*s->every), "a ranking", error));
	for (size_t i = 0; good && i < room; i++)
		s->every[i] = (uint32_t)i;
	return good;
}

void scan_finish(struct scan *s) {
	topk_finish(&s->topk);
	free(s->row);
	free(s->item);
	free(s->value);
	free(s->score);
	free(s->chosen);
	free(s->every);
	*s = (struct scan){0};
}

void scan_begin(struct scan *s, size_t rows) {
	s->rows = rows;
	for (size_t i = 0; i < rows; i++)
		s->row[i] = (struct scan_row){.least = -INFINITY};
}

// Scores of a row's candidates, s->score, ready for a choice.
static void score(struct scan *s, size_t row) {
	size_t count = s->row[row].count;
	float *value = s->value + row * s->room;
	if (s->function.of)
		s->function.of(s->function.context, value, count, s->score);
	else
		memcpy(s->score, value, count * sizeof(*value));
	topk_begin(&s->topk, s->score);
	topk_exclude(&s->topk, s->every + count, s->room - count);
}

// Only the k best stay, and hardly any others. What is not above the largest value that scores as the last of them
// comes behind k at least.
static void settle(struct scan *s, size_t row) {
	struct scan_row *r = &s->row[row];
	uint32_t *item = s->item + row * s->room;
	float *value = s->value + row * s->room, last = INFINITY;
	score(s, row);
	r->count = topk_pick(&s->topk, s->k, s->chosen);
	for (size_t i = 0; i < r->count; i++)
		last = s->score[s->chosen[i]] < last ? s->score[s->chosen[i]] : last;
	for (size_t i = 0; i < r->count; i++) {
		item[i] = item[s->chosen[i]];
		value[i] = value[s->chosen[i]];
		if (s->score[s->chosen[i]] == last && value[i] > r->least)
			r->least = value[i];
	}
}

void scan_leave_out(struct scan *s, size_t row, const uint32_t *items, size_t count) {
	s->row[row].out = items;
	s->row[row].out_end = items + count;
}

// What a row that comes soon will read and write: each row's lies where nothing of it has been for a piece of all rows.
static void fetch_ahead(const struct scan *s, size_t row) {
	enum { AHEAD = 4 };
	if (row + AHEAD >= s->rows)
		return;
	const struct scan_row *r = &s->row[row + AHEAD];
	size_t end = (row + AHEAD) * s->room + r->count;
	__builtin_prefetch(r->out);
	__builtin_prefetch(s->item + end, 1);
	__builtin_prefetch(s->value + end, 1);
}

void scan_add(struct scan *s, size_t row, size_t first, float *values, size_t count) {
	struct scan_row *r = &s->row[row];
	uint32_t *item = s->item + row * s->room;
	float *value = s->value + row * s->room;
	size_t padded = topk_padded(count);
	fetch_ahead(s, row);
	for (; r->out < r->out_end && *r->out < first + count; r->out++)
		values[*r->out - first] = -INFINITY;
	for (size_t at = 0; at < padded;) {
		at += s->topk.kernels->append_above(values + at, padded - at, r->least, (uint32_t)(first + at), s->room, item,
		                                    value, &r->count);
		if (r->count + SCAN_BLOCK > s->room)
			settle(s, row);
	}
}

size_t scan_take(struct scan *s, size_t row, uint32_t *ret_items, float *ret_scores) {
	score(s, row);
	size_t count = topk_take(&s->topk, s->k, s->chosen);
	for (size_t i = 0; i < count; i++) {
		ret_items[i] = s->item[row * s->room + s->chosen[i]];
		ret_scores[i] = s->score[s->chosen[i]];
	}
	return count;
}
