// See evaluate_users.h. A user's metric over cells is the metric of those cells alone: a user's rmse is the root of
// their own mean squared error, their auc is undefined where all their cells are liked, or none.
#include "train/evaluate_users.h"

#include <string.h>

// The cells by user; owned where they had to be turned.
struct by_user {
	struct csr prediction, value; // of one pattern
	bool owned;
};

static void by_user_finish(struct by_user *b) {
	if (!b->owned)
		return;
	csr_finish(&b->prediction);
	csr_finish(&b->value);
}

static bool by_user_init(const struct user_cells *cells, struct by_user *ret, struct error *error) {
	struct csr prediction = *cells->target, value = *cells->target;
	// values are only read, through a type that others write through
	memcpy(&prediction.value, &cells->prediction, sizeof(prediction.value));
	memcpy(&value.value, &cells->value, sizeof(value.value));
	*ret = (struct by_user){.owned = cells->items_as_rows};
	if (ret->owned)
		return csr_transpose(&prediction, &ret->prediction, error) && csr_transpose(&value, &ret->value, error);
	ret->prediction = prediction;
	ret->value = value;
	return true;
}

static void measure_user(const struct user_cells *cells, const struct by_user *b, size_t user, double *ret_value) {
	size_t first = b->value.start[user];
	struct cells own = {.count = b->value.start[user + 1] - first,
	                    .prediction = b->prediction.value + first,
	                    .target = b->value.value + first,
	                    .liked = b->value.liked + first,
	                    .levels = cells->levels,
	                    .levels_count = cells->levels_count};
	for (size_t i = 0; i < cells->uses_count; i++)
		if (cells->uses[i].metric->over_cells)
			ret_value[i] = cells->uses[i].metric->over_cells(&own);
}

bool users_measure(const struct user_cells *cells, size_t users, const struct user_values *ranked,
                   struct user_values *ret, struct error *error) {
	struct by_user b = {0};
	size_t next = 0;
	if (cells->prediction && !by_user_init(cells, &b, error)) {
		by_user_finish(&b);
		return false;
	}
	for (size_t user = 0; user < users; user++) {
		bool ranks = next < ranked->count && ranked->user[next] == user;
		bool asked = cells->prediction && b.value.start[user + 1] > b.value.start[user];
		if (!ranks && !asked)
			continue;
		double *value = user_values_add(ret, (uint32_t)user);
		if (ranks)
			memcpy(value, ranked->value + next++ * ranked->uses, ranked->uses * sizeof(*value));
		if (asked)
			measure_user(cells, &b, user, value);
	}
	by_user_finish(&b);
	return true;
}
