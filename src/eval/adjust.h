// What happens between a raw prediction and a cell metric, in this order: back to the ratings' own scale, a default
// where the row or the column is unseen, clipping to a range. Rankings use the raw scores.
#ifndef AEXP_EVAL_ADJUST_H
#define AEXP_EVAL_ADJUST_H

#include "data/csr.h"

struct adjust {
	bool scales, has_cold, clips;
	double factor, shift;           // scales: value * factor + shift
	double cold;                    // has_cold: what an unseen row or column is given
	double low, high;               // clips
	const uint32_t *column_entries; // (columns) has_cold: train entries
};

// Adjusts the predictions at the target's cells (in their order). A cell is cold where EITHER its row has no entry in
// `input` or its column none in train. Both matrices are of one shape.
void adjust_predictions(const struct adjust *adjust, const struct csr *input, const struct csr *target,
                        float *prediction);
// The values that predictions are compared with, in the ratings' own scale: (count), to be freed; NULL where the target
// holds them already. ERROR_RUN when memory is out.
bool adjust_targets(const struct adjust *adjust, const struct csr *target, float **ret, struct error *error);
double adjust_value(const struct adjust *adjust, double value); // one value, scaled back

#endif
