// See lists.h.
#include "recommend/lists.h"

#include "eval/scan.h"
#include "nn/op.h"
#include "tensor/backend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A square of scores is to stay in a core's second-level cache; of more rows and columns the product is the faster.
enum { COLUMNS = 384, BLOCKS = 16 }; // BLOCKS: of users, whose hidden rows are kept

enum { TOP_MOST = 1024 }; // longer lists would keep more than they pass over

struct block {
	struct request *requests; // (rows)
	size_t rows;
	float *hidden; // (rows, inputs of the listing)
};

// One thread's.
struct worker {
	struct scan scan;
	float *scores;  // (MODEL_HIDDEN_ROWS, COLUMNS)
	bool surprised; // a user's list was not what favourites had it
};

// Items that stand in most lists so far, in any order, and their weights: a user's scores of these tell what it takes
// to be among that user's best.
struct favourites {
	uint32_t *item;  // (COLUMNS)
	uint16_t *place; // (items) in that order, from 1; 0: not among them
	float *weight;   // (inputs, COLUMNS) or, by item, (COLUMNS, inputs)
	float *bias;     // (COLUMNS) where the listing has one
	bool known, useless;
};

struct listing {
	struct aexp_model *model;
	struct item_vectors vectors;
	const float *bias; // (items) or NULL: none, or one that is a row of the weights
	size_t inputs;     // width of the vectors, and 1 more where the bias is their last row: the input of that is 1
	size_t top, threads;
	struct favourites favourites;
	struct worker *workers; // (threads)
	struct block *blocks;   // (BLOCKS)
	size_t blocks_count;
};

bool lists_can(const struct aexp_model *m, size_t top) {
	return top <= TOP_MOST && !m->items_as_rows && !m->backend->apart && model_has_hidden(m) &&
	       m->graph.output->activation->id != ACTIVATION_SWISH; // rises
}

static const float *find_bias(const struct aexp_model *m) {
	struct text name = {0};
	text_format(&name, "%s.bias", m->graph.output->name);
	const struct tensor_facts *bias = stored_tensor(&m->stored, text_string(&name));
	text_finish(&name);
	return bias ? bias->data : NULL;
}

static void activate(const void *context, float *value, size_t count, float *ret) {
	const struct aexp_model *m = context;
	struct matrix x = {value, 1, count, count}, y = {ret, 1, count, count};
	m->backend->activate(m->device, m->graph.output->activation->id, m->graph.output->activation_p, &x, &y);
}

static bool worker_init(struct worker *w, const struct aexp_model *m, size_t top, struct error *error) {
	// What is made of an exponential falls here and there, by 1.7e-7 at most of all floats; test_backends.c holds this.
	static const float ROUNDING = 4e-7F;
	enum activation_id id = m->graph.output->activation->id;
	bool plain = id == ACTIVATION_IDENTITY, exact = plain || id == ACTIVATION_RELU || id == ACTIVATION_LEAKY_RELU;
	struct scan_function function = {plain ? NULL : activate, m, exact ? 0 : ROUNDING};
	return scan_init(&w->scan, MODEL_HIDDEN_ROWS, top, function, error) &&
	       (w->scores = memory_array((size_t)MODEL_HIDDEN_ROWS * COLUMNS, sizeof(float), "a block of scores", error));
}

void lists_finish(struct listing *l) {
	if (!l)
		return;
	for (size_t i = 0; i < l->threads; i++) {
		scan_finish(&l->workers[i].scan);
		free(l->workers[i].scores);
	}
	for (size_t i = 0; i < BLOCKS; i++)
		free(l->blocks[i].hidden);
	free(l->favourites.item);
	free(l->favourites.place);
	free(l->favourites.weight);
	free(l->favourites.bias);
	free(l->workers);
	free(l->blocks);
	free(l);
}

// Kept from call to call: memory that is had anew costs as much as a tenth of the product.
static struct listing *listing_of(struct aexp_model *m, size_t top, struct error *error) {
	if (m->listing && m->listing->top == top)
		return m->listing;
	lists_finish(m->listing);
	struct listing *l = m->listing = memory_alloc(sizeof(*l));
	*l = (struct listing){.model = m, .bias = find_bias(m), .top = top, .threads = pool_threads(m->pool)};
	l->workers = memory_alloc(l->threads * sizeof(*l->workers));
	l->blocks = memory_alloc(BLOCKS * sizeof(*l->blocks));
	bool good = model_vectors(m, &l->vectors, error);
	l->inputs = l->vectors.width;
	if (good && !l->vectors.by_item && l->bias == l->vectors.data + l->vectors.width * m->items) { // as files have it
		l->inputs++;
		l->bias = NULL;
	}
	for (size_t i = 0; good && i < l->threads; i++)
		good = worker_init(&l->workers[i], m, top, error);
	if (good)
		return l;
	lists_finish(l);
	return m->listing = NULL;
}

// --- what the output reads ---

// As many of the requests as fit, in order.
static bool fill_block(struct listing *l, struct block *b, struct request *requests, size_t count,
                       struct error *error) {
	struct aexp_model *m = l->model;
	block_clear(m, MODEL_HIDDEN_ROWS);
	*b = (struct block){.requests = requests, .hidden = b->hidden};
	while (b->rows < count &&
	       block_add(m, &requests[b->rows].ratings, &requests[b->rows].about, requests[b->rows].user->place))
		b->rows++;
	struct matrix hidden = block_hidden(m);
	if (!b->hidden)
		b->hidden = memory_array(MODEL_HIDDEN_ROWS * l->inputs, sizeof(*b->hidden), "a block of users", error);
	for (size_t i = 0; b->hidden && i < b->rows; i++) {
		float *row = b->hidden + i * l->inputs;
		memcpy(row, hidden.data + i * hidden.stride, hidden.columns * sizeof(*row));
		if (l->inputs > hidden.columns)
			row[hidden.columns] = 1;
	}
	return b->hidden;
}

// --- scores ---

static void product(const struct listing *l, const struct matrix *x, const struct matrix *w, const float *bias,
                    const struct matrix *y) {
	const struct aexp_model *m = l->model;
	if (bias)
		m->backend->spread(m->device, bias, y);
	m->backend->gemm(m->device, false, l->vectors.by_item, x, w, bias ? 1 : 0, y);
}

// Scores before the activation of the block's users and items [first, first + columns); padded.
static void multiply(const struct listing *l, const struct block *b, size_t first, size_t columns, float *ret) {
	const struct aexp_model *m = l->model;
	const struct item_vectors *v = &l->vectors;
	struct matrix x = {b->hidden, b->rows, l->inputs, l->inputs}, y = {ret, b->rows, columns, COLUMNS}, w;
	float *weight = (float *)(uintptr_t)v->data;
	if (v->by_item)
		w = (struct matrix){weight + first * v->width, columns, v->width, v->width};
	else
		w = (struct matrix){weight + first, l->inputs, columns, m->items};
	product(l, &x, &w, l->bias ? l->bias + first : NULL, &y);
	for (size_t i = 0; columns % SCAN_BLOCK && i < b->rows; i++)
		for (size_t j = columns; j % SCAN_BLOCK; j++)
			ret[i * COLUMNS + j] = -INFINITY;
}

// Places among the favourites of what is no candidate.
static size_t find_excluded(const struct favourites *f, const struct request *r, uint32_t *ret) {
	size_t count = 0;
	for (size_t i = 0; i < r->out_count; i++) {
		uint16_t place = f->place[r->out[i]];
		ret[count] = (uint32_t)place - 1;
		count += place > 0;
	}
	return count;
}

static void expect(const struct listing *l, struct worker *w, const struct block *b) {
	uint32_t excluded[COLUMNS + 1];
	const struct favourites *f = &l->favourites;
	struct matrix x = {b->hidden, b->rows, l->inputs, l->inputs}, y = {w->scores, b->rows, COLUMNS, COLUMNS};
	struct matrix weight = {f->weight, l->inputs, COLUMNS, COLUMNS};
	if (l->vectors.by_item)
		weight = (struct matrix){f->weight, COLUMNS, l->inputs, l->inputs};
	product(l, &x, &weight, l->bias ? f->bias : NULL, &y);
	for (size_t i = 0; i < b->rows; i++) {
		size_t count = find_excluded(f, &b->requests[i], excluded);
		scan_expect(&w->scan, i, w->scores + i * COLUMNS, COLUMNS, excluded, count);
	}
}

static bool scan_block(const struct listing *l, struct worker *w, const struct block *b, bool expects) {
	bool sure = true, all = true;
	scan_begin(&w->scan, b->rows);
	for (size_t i = 0; i < b->rows; i++)
		scan_leave_out(&w->scan, i, b->requests[i].out, b->requests[i].out_count);
	if (expects)
		expect(l, w, b);
	for (size_t first = 0; first < l->model->items; first += COLUMNS) {
		size_t left = l->model->items - first, columns = left < COLUMNS ? left : COLUMNS;
		multiply(l, b, first, columns, w->scores);
		for (size_t i = 0; i < b->rows; i++)
			scan_add(&w->scan, i, first, w->scores + i * COLUMNS, columns);
	}
	for (size_t i = 0; i < b->rows; i++) {
		struct request *r = &b->requests[i];
		r->count = scan_take(&w->scan, i, r->item, r->score, &sure);
		all = all && sure;
	}
	return all;
}

// Lists are the same whatever was expected: where a user's could be others, all are made again.
static void list_block(const struct listing *l, struct worker *w, const struct block *b) {
	if (scan_block(l, w, b, l->favourites.known))
		return;
	w->surprised = true;
	scan_block(l, w, b, false);
}

// Every so many-th block.
static void list_share(void *context, size_t index) {
	const struct listing *l = context;
	for (size_t i = index; i < l->blocks_count; i += l->threads)
		list_block(l, &l->workers[index], &l->blocks[i]);
}

// --- favourites ---

static int most_first(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x < y) - (x > y);
}

// Those of `count` lists; *ret_share: what part of the lists they make up.
static bool choose_favourites(struct listing *l, const struct request *requests, size_t count, double *ret_share,
                              struct error *error) {
	size_t items = l->model->items, listed = 0, held = 0;
	uint64_t *times = memory_array(items, sizeof(*times), "the favourites of lists", error); // and the item below
	if (!times)
		return false;
	for (size_t item = 0; item < items; item++)
		times[item] = (uint32_t)~item;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < requests[i].count; k++, listed++)
			times[requests[i].item[k]] += UINT64_C(1) << 32;
	qsort(times, items, sizeof(*times), most_first);
	for (size_t i = 0; i < COLUMNS; i++) {
		l->favourites.item[i] = ~(uint32_t)times[i];
		held += times[i] >> 32;
	}
	*ret_share = listed ? (double)held / (double)listed : 0;
	free(times);
	return true;
}

static void take_weights(struct listing *l) {
	struct favourites *f = &l->favourites;
	const struct item_vectors *v = &l->vectors;
	for (size_t j = 0; j < COLUMNS; j++) {
		size_t item = f->item[j];
		f->place[item] = (uint16_t)(j + 1);
		if (l->bias)
			f->bias[j] = l->bias[item];
		for (size_t k = 0; k < l->inputs; k++) // the last row may be the bias
			f->weight[v->by_item ? j * l->inputs + k : k * COLUMNS + j] =
			    v->data[v->by_item ? item * v->width + k : k * l->model->items + item];
	}
}

static bool favourites_init(struct favourites *f, const struct listing *l, struct error *error) {
	static const char what[] = "the favourites of lists";
	return (f->item = memory_array(COLUMNS, sizeof(*f->item), what, error)) &&
	       (f->place = memory_array(l->model->items, sizeof(*f->place), what, error)) &&
	       (f->weight = memory_array(l->inputs * COLUMNS, sizeof(*f->weight), what, error)) &&
	       (f->bias = memory_array(COLUMNS, sizeof(*f->bias), what, error));
}

// From the first lists that were made, if most of what is in them is among so few.
static bool learn_favourites(struct listing *l, const struct request *requests, size_t count, struct error *error) {
	static const double SHARE_LEAST = 0.5;
	struct favourites *f = &l->favourites;
	double share;
	if (f->known || f->useless || l->top > COLUMNS / 2 || l->model->items < 4 * COLUMNS)
		return true;
	f->useless = true;
	if (!favourites_init(f, l, error) || !choose_favourites(l, requests, count, &share, error))
		return false;
	f->useless = share < SHARE_LEAST;
	f->known = !f->useless;
	if (f->known)
		take_weights(l);
	return true;
}

bool lists_make(struct aexp_model *m, struct request *requests, size_t count, size_t top, struct error *error) {
	struct listing *l = listing_of(m, top, error);
	bool good = l;
	for (size_t first = 0; good && first < count;) {
		for (l->blocks_count = 0; good && l->blocks_count < BLOCKS && first < count; l->blocks_count++) {
			struct block *b = &l->blocks[l->blocks_count];
			good = fill_block(l, b, requests + first, count - first, error);
			first += b->rows;
		}
		if (good)
			pool_run(m->pool, l->threads, list_share, l);
		for (size_t i = 0; good && i < l->threads; i++)
			if (l->workers[i].surprised) {
				l->favourites.useless = true;
				l->favourites.known = false;
			}
	}
	return good && learn_favourites(l, requests, count, error);
}
