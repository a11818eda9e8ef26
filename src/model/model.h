// Recommenders that are fitted in one go: no graph, no epochs. Scores of all items come from a row's input alone, so
// that users who took no part in fitting are scored like everyone.
#ifndef AEXP_MODEL_MODEL_H
#define AEXP_MODEL_MODEL_H

#include "config/schema.h"
#include "data/data.h"
#include "nn/batch.h"
#include "nn/describe.h"

struct model_config {
	struct choice kind;
};
extern const struct registry model_registry;
extern const struct schema model_schema; // the `model` group

enum { MODEL_TENSORS_MOST = 4 };

// What a fit leaves. The score of item j for a row with input x (items) is
//     base + the row's bias + item[j]                                  without weight
//     (x weight)[j]                                                    with it
//     (x weight transpose(weight))[j]                                  with it, and `projects`
// where a row's bias, where `fits_rows`, is sum of (x_i - base - item[i]) over its entries / (reg_user + entries).
struct fitted {
	size_t items;
	double base;
	double *item; // (items) or NULL
	bool fits_rows;
	double reg_user;
	float *weight;  // (items, columns) contiguous, or NULL
	size_t columns; // items, or factors
	bool projects;
	bool borrowed;                                   // weight is someone else's memory
	float *vector[2];                                // memory of tensors that are nothing else
	struct tensor_facts tensors[MODEL_TENSORS_MOST]; // (tensors_count) what is stored of it
	size_t tensors_count;
};
void fitted_destroy(struct fitted *fitted); // NULL and half made are fine

// What is left of a fit in a file: its tensors, and what stands beside them.
struct stored_fit {
	const struct tensor_facts *tensors; // (tensors_count); their data outlives what is restored
	size_t tensors_count, items;
	double base;
};

struct model {
	struct row row;
	bool rates; // scores are on the scale of the targets; else cell metrics are undefined
	// What only the data can tell; NULL: nothing. `at`: of the group `model`.
	void (*check)(const void *params, const struct matrices *m, struct origin at, struct errors *errors);
	size_t (*parameters)(const void *params, const struct matrices *m);
	double (*bytes)(const void *params, const struct matrices *m); // of memory at most, while it is fitted
	// Fits on m->train, whose rows are users. *ret is zeroed before, and destroyed by fitted_destroy also after a
	// failure. ERROR_RUN when memory is out or a factorisation fails. The pool (may be NULL) changes no result.
	bool (*fit)(const void *params, const struct matrices *m, struct pool *pool, struct fitted *ret,
	            struct error *error);
	// The fit as it was, for scores alone; *ret as of fit. ERROR_DATA where a tensor is missing or has another shape.
	bool (*restore)(const void *params, const struct stored_fit *stored, struct fitted *ret, struct error *error);
};
static inline const struct model *model_of(const struct model_config *config) {
	return (const struct model *)config->kind.row; // its row comes first
}
// One node, with a name for its op; in the arena.
void model_describe(const struct model_config *config, const struct matrices *m, struct arena *arena,
                    struct graph_facts *ret);

// Scores of batches of up to `rows` rows.
struct model_scorer;
bool model_scorer_create(const struct fitted *fitted, const struct backend *backend, struct device *device,
                         struct pool *pool, size_t rows, struct model_scorer **ret, struct error *error);
void model_scorer_destroy(struct model_scorer *scorer); // NULL is fine
// (batch->rows, items), the scorer's own memory, until the next call. Does not depend on the number of threads.
struct matrix model_score(struct model_scorer *scorer, const struct batch *batch);

// for the rows of the registry
// The tensor of that name and shape (columns 0: a vector); NULL and ERROR_DATA where there is none.
const float *stored_fit_tensor(const struct stored_fit *stored, const char *name, size_t rows, size_t columns,
                               struct error *error);
// A vector of the items, as the fit had it.
bool stored_fit_items(const struct stored_fit *stored, const char *name, struct fitted *ret, struct error *error);
// Weights of items by items.
bool stored_fit_square(const void *params, const struct stored_fit *stored, struct fitted *ret, struct error *error);
extern const struct model model_global_mean, model_item_mean, model_user_item_bias, model_popularity, model_item_knn,
    model_ease, model_pure_svd;
void fitted_tensor(struct fitted *fitted, const char *name, const float *data, size_t rows,
                   size_t columns); // columns 0: a vector

#endif
