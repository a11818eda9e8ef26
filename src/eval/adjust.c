// See adjust.h. AutoRec's authors give 3 to users and items without training ratings (Sedhain et al., WWW 2015); a
// known port gives it only where both are unseen, which is another figure.
#include "eval/adjust.h"

double adjust_value(const struct adjust *adjust, double value) {
	return adjust->scales ? value * adjust->factor + adjust->shift : value;
}

static double clip(const struct adjust *adjust, double value) {
	if (!adjust->clips)
		return value;
	return value < adjust->low ? adjust->low : value > adjust->high ? adjust->high : value; // NaN stays
}

void adjust_predictions(const struct adjust *adjust, const struct csr *input, const struct csr *target,
                        float *prediction) {
	if (!adjust->scales && !adjust->has_cold && !adjust->clips)
		return;
	for (size_t row = 0; row < target->rows; row++) {
		bool unseen = input->start[row + 1] == input->start[row];
		for (size_t i = target->start[row]; i < target->start[row + 1]; i++) {
			double value = adjust_value(adjust, (double)prediction[i]);
			if (adjust->has_cold && (unseen || adjust->column_entries[target->column[i]] == 0))
				value = adjust->cold;
			prediction[i] = (float)clip(adjust, value);
		}
	}
}

bool adjust_targets(const struct adjust *adjust, const struct csr *target, float **ret, struct error *error) {
	size_t count = csr_count(target);
	*ret = NULL;
	if (!adjust->scales)
		return true;
	float *value = memory_array(count, sizeof(*value), "the targets of a part", error);
	for (size_t i = 0; value && i < count; i++)
		value[i] = (float)adjust_value(adjust, (double)target->value[i]);
	*ret = value;
	return value;
}
