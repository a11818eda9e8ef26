// A model that was opened from its file: ids, buckets, the coding of side information, and what computes scores, by the
// graph that the run planned or the fit that it left. Users become rows here as the data's did.
#ifndef AEXP_RECOMMEND_MODEL_H
#define AEXP_RECOMMEND_MODEL_H

#include "model/model.h"
#include "nn/network.h"
#include "recommend/aexp.h"
#include "recommend/stored.h"
#include "train/experiment.h"

enum { MODEL_BLOCK_ROWS = 64, MODEL_HIDDEN_ROWS = 512 }; // that are computed together: every output, or what it reads

// Rows of one input, side by side as a batch wants them.
struct row_block {
	uint32_t *start;  // (MODEL_HIDDEN_ROWS + 1)
	uint32_t *column; // (room)
	real *value;      // (room)
	size_t room;
};

// One coded row: entries by ascending column.
struct row_entries {
	uint32_t *column;
	float *value;
	size_t count;
};

struct aexp_model {
	char *path;
	struct stored stored;
	struct arena arena;
	struct pool *pool, *own_pool; // own_pool: where it made one
	struct experiment experiment; // what of it a model needs
	struct graph graph;           // no nodes where there is none
	struct fitted fitted;         // then this
	const struct backend *backend;
	struct device *device;
	struct network *network;
	struct model_scorer *scorer;
	const char *name, *id;
	bool items_as_rows;
	size_t items, columns;         // columns: of a rating row; users where a row is an item
	struct ids item_ids, user_ids; // user_ids: the columns where a row is an item
	const char **titles;           // (items) or NULL
	float *popularity;             // (items)
	double *thresholds, *values;   // as of struct matrices
	size_t levels;
	double scale_low, scale_high;
	double above;                  // ratings up to this are no input; -INFINITY: all are
	struct feature_coding *coding; // (coding_count); levels are in level_ids
	struct ids *level_ids;         // (coding_count) names of levels 1, 2, ...
	size_t coding_count, features; // features: columns of side information
	// the block at hand
	struct row_block ratings, user, self;
	uint32_t *no_target; // (MODEL_HIDDEN_ROWS + 1) zeroes
	size_t rows, rows_most;
	struct arena *answers;   // (threads) of the last call
	struct arena *scratch;   // (threads) what a call needs while it works
	struct listing *listing; // what lists.c keeps; NULL: nothing yet
	// where a row is an item: the data of the run, which alone knows the rows; NULL: it is not there
	const struct matrices *data;
	float *by_user;     // (users, or MODEL_BLOCK_ROWS of them, items) scores made from item rows
	float *item_hidden; // (items, width of what the output reads) likewise
};

// As aexp_open, on a pool of the caller's, which outlives the model.
bool model_open(const char *path, struct pool *pool, struct aexp_model **ret, struct error *error);
// On a backend of the registry; NULL: the CPU's, wherever the model was trained. ERROR_BACKEND where it is not to be
// had.
bool model_open_on(const char *path, struct pool *pool, const struct backend *backend, struct aexp_model **ret,
                   struct error *error);
// The run's data, which outlives the model's use: where a row is an item, users of it can be asked for by their place.
// False where it is not the data that the model is about.
bool model_attach(struct aexp_model *model, const struct matrices *data);

// The last call's answers go, and what it needed for them; the next one has their memory.
void model_forget_answers(struct aexp_model *model);
void model_forget_scratch(struct aexp_model *model);

// What was unknown and how that is dealt with.
struct report {
	const struct aexp_how *how;
	const char *user;
};
// Notes it; under strict an error instead, and false.
bool report_unknown(const struct report *report, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The row of a user's ratings, less those that the filter takes (in ret_rated are all, by ascending item); and the row
// of what is known of them (*ret_known: something is); in the arena. ERROR_DATA: an item twice, a rating or an
// attribute that is no number.
bool code_ratings(const struct aexp_model *model, const struct aexp_user *user, const struct report *report,
                  struct arena *arena, struct row_entries *ret, struct row_entries *ret_rated, struct error *error);
bool code_attributes(const struct aexp_model *model, const struct aexp_user *user, const struct report *report,
                     struct arena *arena, struct row_entries *ret, bool *ret_known, struct error *error);

// A block of rows is filled one by one, up to `most` of them, then computed: up to MODEL_BLOCK_ROWS as block_scores,
// (rows, columns), up to MODEL_HIDDEN_ROWS as block_hidden, what a dense output reads of one dense input; the model's
// own memory until the next block.
void block_clear(struct aexp_model *model, size_t most);
// False where it does not fit any more, which never happens to the first. place: as of struct aexp_user.
bool block_add(struct aexp_model *model, const struct row_entries *ratings, const struct row_entries *user,
               size_t place);
struct matrix block_scores(struct aexp_model *model);
// The best of each row, where the scores are in memory of a device: (rows, k), best first. False: they are not, or the
// lists are too long for it, or what is left out of them all.
bool block_can_rank(const struct aexp_model *model, size_t k, size_t out);
void block_rank(struct aexp_model *model, const struct rank_ask *ask, struct rank_answer *ret);
struct matrix block_hidden(struct aexp_model *model);
bool model_has_hidden(const struct aexp_model *model); // whether there is such an output
// Where a row is an item: scores of up to MODEL_BLOCK_ROWS users by their places in the data. ret_row: (count) each
// one's (items), until the next call.
bool item_rows_scores(struct aexp_model *model, const size_t *user, size_t count, const float **ret_row,
                      struct error *error);
// Likewise what the output reads of each item's row: m->item_hidden. The output's input is dense.
bool item_rows_hidden(struct aexp_model *model, struct error *error);

// Vectors of the items in the learned space: (width, items) by rows, or transposed (items, width). ERROR_CONFIG where
// the model has none; where a row is an item, they are made of the data, and without it there are none. Of models of
// items by items `weights`: how near an item is to another stands in them as it is.
struct item_vectors {
	const float *data;
	size_t width;
	bool by_item; // (items, width)
	bool weights;
};
bool model_vectors(struct aexp_model *model, struct item_vectors *ret, struct error *error);
static inline float item_vector_at(const struct aexp_model *m, const struct item_vectors *v, size_t item, size_t k) {
	return v->by_item ? v->data[item * v->width + k] : v->data[k * m->items + item];
}

bool public_error(const struct error *from, struct aexp_error *ret); // always false
void private_error(const struct aexp_error *from, struct error *ret);

#endif
