// Soft-max over the cells of a row, for the multinomial loss, as plainly as can be.
#include "tensor/reference.h"

// One row's cells within a part: where the next one stands, and its target. False at the end.
struct walk {
	const struct loss_cells *cells;
	size_t first, columns, at; // at: place in the part, or with packed in the target's entries
	uint32_t k, end;
	bool packed;
};

static struct walk walk_row(const struct loss_cells *cells, bool packed, size_t first, size_t columns, size_t i) {
	struct walk w = {cells, first, columns, 0, cells->target->start[i], cells->target->start[i + 1], packed};
	while (!packed && w.k < w.end && cells->target->column[w.k] < first)
		w.k++;
	return w;
}

static bool walk_next(struct walk *w, size_t *ret_place, real *ret_target) {
	const struct sparse *t = w->cells->target;
	if (w->packed) {
		if (w->k == w->end)
			return false;
		*ret_place = w->k;
		*ret_target = t->value[w->k++];
		return true;
	}
	while (w->at < w->columns) {
		bool stored = w->k < w->end && t->column[w->k] == w->first + w->at;
		*ret_place = w->at++;
		*ret_target = stored ? t->value[w->k] : 0;
		w->k += stored;
		if (stored || w->cells->all)
			return true;
	}
	return false;
}

void reference_softmax_parts(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                             const struct matrix *x, const struct matrix *kept, struct softmax_part *ret) {
	(void)device;
	for (size_t i = 0; i < cells->target->rows; i++) {
		const struct walk begin = walk_row(cells, packed, first, x->columns, i);
		size_t row = packed ? 0 : i, place;
		real t;
		ret[i] = (struct softmax_part){.most = -INFINITY};
		for (struct walk w = begin; walk_next(&w, &place, &t);) {
			double value = (double)*at(x, row, place);
			ret[i].most = value > ret[i].most ? value : ret[i].most;
			ret[i].dot += (double)t * value;
			ret[i].weight += (double)t;
		}
		for (size_t j = 0; !packed && j < x->columns; j++)
			*at(kept, row, j) = 0;
		for (struct walk w = begin; walk_next(&w, &place, &t);) {
			double e = exp((double)*at(x, row, place) - ret[i].most);
			*at(kept, row, place) = (real)e;
			ret[i].sum += e;
		}
	}
}

void reference_softmax_back(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                            const struct softmax_factors *factors, const struct matrix *gradient) {
	(void)device;
	for (size_t i = 0; i < cells->target->rows; i++) {
		struct walk w = walk_row(cells, packed, first, gradient->columns, i);
		size_t place;
		for (real t; walk_next(&w, &place, &t);) {
			real *g = at(gradient, packed ? 0 : i, place);
			*g = (real)((double)factors[i].exponential * *g - (double)factors[i].target * t);
		}
	}
}
