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
	float *scores; // (MODEL_HIDDEN_ROWS, COLUMNS)
};

struct listing {
	struct aexp_model *model;
	struct item_vectors vectors;
	const float *bias; // (items) or NULL: none, or one that is a row of the weights
	size_t inputs;     // width of the vectors, and 1 more where the bias is their last row: the input of that is 1
	size_t top, threads;
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
	bool plain = m->graph.output->activation->id == ACTIVATION_IDENTITY;
	struct scan_function function = {plain ? NULL : activate, m};
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
	if (l->bias)
		m->backend->spread(m->device, l->bias + first, &y);
	m->backend->gemm(m->device, false, v->by_item, &x, &w, l->bias ? 1 : 0, &y);
	for (size_t i = 0; columns % SCAN_BLOCK && i < b->rows; i++)
		for (size_t j = columns; j % SCAN_BLOCK; j++)
			ret[i * COLUMNS + j] = -INFINITY;
}

static void list_block(const struct listing *l, struct worker *w, const struct block *b) {
	scan_begin(&w->scan, b->rows);
	for (size_t i = 0; i < b->rows; i++)
		scan_leave_out(&w->scan, i, b->requests[i].out, b->requests[i].out_count);
	for (size_t first = 0; first < l->model->items; first += COLUMNS) {
		size_t left = l->model->items - first, columns = left < COLUMNS ? left : COLUMNS;
		multiply(l, b, first, columns, w->scores);
		for (size_t i = 0; i < b->rows; i++)
			scan_add(&w->scan, i, first, w->scores + i * COLUMNS, columns);
	}
	for (size_t i = 0; i < b->rows; i++)
		b->requests[i].count = scan_take(&w->scan, i, b->requests[i].item, b->requests[i].score);
}

// Every so many-th block.
static void list_share(void *context, size_t index) {
	const struct listing *l = context;
	for (size_t i = index; i < l->blocks_count; i += l->threads)
		list_block(l, &l->workers[index], &l->blocks[i]);
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
	}
	return good;
}
