// Rankings where the scores lie: what leaves the device is the best columns of each row, not the row.
#include "nn/network_private.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

// A list of columns for each row, on its way: (rows + 1) starts and the columns.
static struct sparse send(struct network *n, const struct rank_lists *lists, const struct batch *batch, uint32_t *to) {
	size_t rows = batch->rows;
	uint32_t count = lists->start[rows];
	n->backend->upload(n->device, to, lists->start, (rows + 1) * sizeof(*to));
	n->backend->upload(n->device, to + rows + 1, lists->column, count * sizeof(*to));
	return (struct sparse){rows, n->graph->output->width, to, to + rows + 1, NULL};
}

// Of the k items of each row, which are 0 where there are fewer.
static void pick_scores(struct network *n, const struct matrix *y, size_t k, size_t rows, float *ret) {
	struct rank_memory *m = &n->rank;
	uint32_t *each = memory_alloc((rows + 1) * sizeof(*each));
	for (size_t i = 0; i <= rows; i++)
		each[i] = (uint32_t)(i * k);
	n->backend->upload(n->device, m->each, each, (rows + 1) * sizeof(*each));
	struct sparse chosen = {rows, y->columns, m->each, m->item, NULL};
	n->backend->pick(n->device, &chosen, y, m->score);
	n->backend->download(n->device, ret, m->score, rows * k * sizeof(*ret));
	free(each);
}

void network_rank(struct network *n, const struct batch *batch, const struct rank_ask *ask, struct rank_answer *ret) {
	struct rank_memory *m = &n->rank;
	const struct backend *b = n->backend;
	assert(ask->k <= m->k_most && batch->rows <= m->rows && ask->out.start[batch->rows] <= m->out_most &&
	       (!ask->marked.start || ask->marked.start[batch->rows] <= m->out_most));
	struct matrix y = network_full(n, batch);
	struct sparse out = send(n, &ask->out, batch, m->out);
	b->topk(n->device, &y, &out, ask->k, m->item, m->count);
	if (ask->marked.start) {
		struct sparse marked = send(n, &ask->marked, batch, m->marked);
		b->rank_pairs(n->device, &y, &out, &marked, m->pairs);
		b->download(n->device, ret->pairs, m->pairs, 2 * batch->rows * sizeof(*m->pairs));
	}
	if (ret->score)
		pick_scores(n, &y, ask->k, batch->rows, ret->score);
	if (ret->cells) {
		const struct batch *on = b->apart ? &n->resident.batch : batch;
		b->pick(n->device, &on->target, &y, n->picked);
		b->download(n->device, ret->cells, n->picked, sparse_count(&batch->target) * sizeof(*ret->cells));
	}
	b->download(n->device, ret->item, m->item, batch->rows * ask->k * sizeof(*m->item));
	b->download(n->device, ret->count, m->count, batch->rows * sizeof(*m->count));
}
