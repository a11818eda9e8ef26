// See pattern.h. A counting sort over the columns that occur.
#include "tensor/pattern.h"

void pattern_place(const struct sparse *s, uint32_t touched, const struct transposed_room *m) {
	uint32_t *restrict start = m->start, filled = 0;
	for (uint32_t i = 0; i < touched; i++) { // counts become first places
		uint32_t count = start[i];
		start[i] = filled;
		filled += count;
	}
	for (uint32_t i = 0; i < s->rows; i++) {
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++) {
			uint32_t place = start[m->slot[s->column[k]]]++;
			m->row[place] = i;
			m->entry[place] = k;
		}
	}
	for (uint32_t i = touched; i > 0; i--) // each place has moved on to the next one's first
		start[i] = start[i - 1];
	start[0] = 0;
}

uint32_t pattern_transpose(const struct sparse *s, const struct transposed_room *m) {
	uint32_t entries = s->start[s->rows], touched = 0;
	for (uint32_t k = 0; k < entries; k++) {
		uint32_t column = s->column[k];
		if (m->stamp[column] != m->number) {
			m->stamp[column] = m->number;
			m->slot[column] = touched;
			m->column[touched] = column;
			m->start[touched++] = 0;
		}
		m->start[m->slot[column]]++;
	}
	pattern_place(s, touched, m);
	return touched;
}

static uint32_t join_columns(const struct transposed_room *m, uint32_t touched, const struct transposed *t,
                             uint32_t *ret_place) {
	size_t count = t->counted ? *t->counted : t->count;
	for (size_t i = 0; i < count; i++) {
		uint32_t column = t->column[i];
		if (m->stamp[column] != m->number) {
			m->stamp[column] = m->number;
			m->slot[column] = touched;
			m->column[touched++] = column;
		}
		ret_place[i] = m->slot[column];
	}
	return touched;
}

uint32_t pattern_join(const struct transposed *a, const struct transposed *b, uint32_t *ret_a, uint32_t *ret_b,
                      const struct transposed_room *ret) {
	return join_columns(ret, join_columns(ret, 0, a, ret_a), b, ret_b);
}
