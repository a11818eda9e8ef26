// Items in the learned space. Of a graph: what its last dense node weighs its input with for each item, (width, items):
// two items with the same vector are scored the same for everyone. Of models of items by items the weights themselves
// say how near two are; of pure_svd the factors. Where a row is an item: what that node reads of the item's own row.
#include "recommend/model.h"

#include "eval/topk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool no_vectors(struct error *error, const char *why) {
	error_set(error, ERROR_CONFIG, "this model has no vectors of items: %s", why);
	error_hint(error, "A graph whose last node is dense and reads another node has them, and so have pure_svd, ease "
	                  "and item_knn.");
	return false;
}

static bool vectors_of_fit(const struct aexp_model *m, struct item_vectors *ret, struct error *error) {
	const struct fitted *f = &m->fitted;
	if (!f->weight)
		return no_vectors(error, "it only counts or averages");
	*ret =
	    (struct item_vectors){.data = f->weight, .width = f->columns, .by_item = f->projects, .weights = !f->projects};
	return true;
}

static bool vectors_of_rows(struct aexp_model *m, struct item_vectors *ret, struct error *error) {
	const struct node *input = m->graph.output->inputs[0];
	if (input->sparse)
		return no_vectors(error, "its last node reads the ratings themselves");
	if (!m->data) {
		error_set(error, ERROR_CONFIG, "a row of this model is an item: its vectors are made of the run's data");
		error_hint(error, "Name the run, in place of its model.safetensors alone.");
		return false;
	}
	if (!item_rows_hidden(m, error))
		return false;
	*ret = (struct item_vectors){.data = m->item_hidden, .width = input->width, .by_item = true};
	return true;
}

bool model_vectors(struct aexp_model *m, struct item_vectors *ret, struct error *error) {
	if (!m->network)
		return vectors_of_fit(m, ret, error);
	const struct node *output = m->graph.output;
	if (strcmp(output->op->row.name, "dense") != 0)
		return no_vectors(error, "its last node is not dense");
	if (m->items_as_rows)
		return vectors_of_rows(m, ret, error);
	struct text name = {0};
	text_format(&name, "%s.weight", output->tied ? output->tied->name : output->name);
	const struct tensor_facts *weight = stored_tensor(&m->stored, text_string(&name));
	text_finish(&name);
	if (!weight || weight->dimensions != 2 || weight->shape[output->tied ? 0 : 1] != m->items)
		return no_vectors(error, "its last node has no weights of its own");
	*ret = (struct item_vectors){
	    .data = weight->data, .width = weight->shape[output->tied ? 1 : 0], .by_item = output->tied};
	return true;
}

// Cosines with one item's vector, dimension by dimension, as the vectors lie; (items)
static void cosines(const struct aexp_model *m, const struct item_vectors *v, size_t item, float *ret) {
	double *dot = memory_alloc((m->items + 1) * sizeof(*dot)), *square = memory_alloc((m->items + 1) * sizeof(*square));
	for (size_t a = 0; a < (v->by_item ? m->items : v->width); a++) {
		for (size_t b = 0; b < (v->by_item ? v->width : m->items); b++) {
			size_t j = v->by_item ? a : b, k = v->by_item ? b : a;
			double x = (double)item_vector_at(m, v, j, k);
			dot[j] += x * (double)item_vector_at(m, v, item, k);
			square[j] += x * x;
		}
	}
	for (size_t j = 0; j < m->items; j++) {
		double norms = sqrt(square[j]) * sqrt(square[item]);
		ret[j] = norms > 0 ? (float)(dot[j] / norms) : 0;
	}
	free(dot);
	free(square);
}

static bool find_nearest(struct aexp_model *m, uint32_t item, size_t top, struct aexp_list *ret, struct error *error) {
	struct item_vectors v;
	struct topk topk = {0};
	if (!model_vectors(m, &v, error))
		return false;
	top = top ? top : 10;
	top = top < m->items ? top : m->items;
	float *score = arena_alloc(&m->answers[0], m->items * sizeof(*score));
	uint32_t *found = arena_alloc(&m->answers[0], top * sizeof(*found));
	struct aexp_scored *items = arena_alloc(&m->answers[0], top * sizeof(*items));
	bool good = topk_init(&topk, m->items, top, error);
	if (good && v.weights)
		memcpy(score, v.data + (size_t)item * m->items, m->items * sizeof(*score));
	else if (good)
		cosines(m, &v, item, score);
	if (good) {
		topk_begin(&topk, score);
		topk_exclude(&topk, &item, 1);
		*ret = (struct aexp_list){AEXP_RATINGS, items, topk_take(&topk, top, found)};
		for (size_t k = 0; k < ret->count; k++)
			items[k] = (struct aexp_scored){
			    .item = aexp_item(m, found[k]), .title = aexp_title(m, found[k]), .score = score[found[k]]};
	}
	topk_finish(&topk);
	return good;
}

bool aexp_similar(struct aexp_model *m, const char *item, size_t top, struct aexp_list *ret_list,
                  struct aexp_error *ret_error) {
	struct error error = {0};
	uint32_t index;
	model_forget_answers(m);
	if (!ids_find(&m->item_ids, item, strlen(item), &index)) {
		error_set(&error, ERROR_DATA, "the model knows no item \"%s\"", item);
		return public_error(&error, ret_error);
	}
	return find_nearest(m, index, top, ret_list, &error) || public_error(&error, ret_error);
}
