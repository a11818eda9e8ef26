// The registry of models, their description, and scoring, a block of rows a thread.
#include "model/model.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct row *const rows[] = {
    &model_global_mean.row, &model_item_mean.row, &model_user_item_bias.row, &model_popularity.row,
    &model_item_knn.row,    &model_ease.row,      &model_pure_svd.row,
};
const struct registry model_registry = {"model", "models", rows, sizeof(rows) / sizeof(rows[0])};

static const struct key model_keys[] = {
    {.name = "kind",
     .type = KEY_TAG,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct model_config, kind),
     .registry = &model_registry,
     .doc = "Which model"},
};
const struct schema model_schema = SCHEMA(struct model_config, model_keys);

void fitted_tensor(struct fitted *fitted, const char *name, const float *data, size_t tensor_rows, size_t columns) {
	assert(fitted->tensors_count < MODEL_TENSORS_MOST);
	fitted->tensors[fitted->tensors_count++] = (struct tensor_facts){
	    .name = name, .shape = {tensor_rows, columns}, .dimensions = columns ? 2 : 1, .data = data};
}

void fitted_destroy(struct fitted *fitted) {
	if (!fitted)
		return;
	free(fitted->item);
	if (!fitted->borrowed)
		free(fitted->weight);
	free(fitted->vector[0]);
	free(fitted->vector[1]);
	*fitted = (struct fitted){0};
}

// --- back from a file ---

const float *stored_fit_tensor(const struct stored_fit *stored, const char *name, size_t tensor_rows, size_t columns,
                               struct error *error) {
	for (size_t i = 0; i < stored->tensors_count; i++) {
		const struct tensor_facts *t = &stored->tensors[i];
		if (!strcmp(t->name, name) && t->dimensions == (columns ? 2u : 1u) && t->shape[0] == tensor_rows &&
		    (!columns || t->shape[1] == columns))
			return t->data;
	}
	error_set(error, ERROR_DATA, "the model has no tensor \"%s\" of the shape that it needs", name);
	return NULL;
}

bool stored_fit_items(const struct stored_fit *stored, const char *name, struct fitted *ret, struct error *error) {
	*ret = (struct fitted){.items = stored->items, .base = stored->base};
	const float *from = stored_fit_tensor(stored, name, stored->items, 0, error);
	ret->item = from ? memory_array(stored->items, sizeof(*ret->item), "a model", error) : NULL;
	for (size_t i = 0; ret->item && i < stored->items; i++)
		ret->item[i] = (double)from[i];
	return ret->item;
}

bool stored_fit_square(const void *params, const struct stored_fit *stored, struct fitted *ret, struct error *error) {
	(void)params;
	size_t n = stored->items;
	*ret = (struct fitted){.items = n, .columns = n, .borrowed = true};
	ret->weight = (float *)(uintptr_t)stored_fit_tensor(stored, "item.weight", n, n, error); // only read
	return ret->weight;
}

// The model's own keys on one line: "neighbours = 100, shrink = 0.0".
static const char *describe_keys(const struct model_config *config, struct arena *arena) {
	struct text text = {0};
	if (config->kind.params)
		schema_write(&config->kind.row->params, config->kind.params, true, &text);
	char *line = arena_string(arena, text_string(&text));
	text_finish(&text);
	size_t length = strlen(line), filled = 0;
	for (size_t i = 0; i < length; i++) {
		if (line[i] == '\n')
			continue;
		bool last = line[i] == ';' && i + 2 >= length;
		if (!last)
			line[filled++] = line[i] == ';' ? ',' : line[i];
		if (line[i] == ';' && !last && filled < length)
			line[filled++] = ' ';
	}
	line[filled] = '\0';
	return line;
}

void model_describe(const struct model_config *config, const struct matrices *m, struct arena *arena,
                    struct graph_facts *ret) {
	static const char *const inputs[] = {"ratings"};
	const struct model *model = model_of(config);
	struct node_facts *node = arena_alloc(arena, sizeof(*node));
	*node = (struct node_facts){.name = model->row.name,
	                            .op = model->row.name,
	                            .detail = describe_keys(config, arena),
	                            .width = m->items,
	                            .inputs = inputs,
	                            .inputs_count = 1,
	                            .parameters = model->parameters(config->kind.params, m),
	                            .path = "sparse",
	                            .bytes = model->bytes(config->kind.params, m),
	                            .update = "in one go"};
	*ret = (struct graph_facts){
	    .nodes = node, .count = 1, .ratings_width = m->items, .parameters = node->parameters, .bytes = node->bytes};
}

// --- scores ---

enum { BLOCK_ROWS = 32 };

struct model_scorer {
	const struct fitted *fitted;
	const struct backend *backend;
	struct device *device;
	struct pool *pool;
	struct matrix weight;         // (items, columns)
	struct matrix hidden, scores; // (rows, columns) where it projects, (rows, items)
	const struct batch *batch;    // at hand
	struct far *far;              // where the device's memory is apart and there is a weight; else NULL
};

// What the device has of it: weight, hidden and scores as above, and the batch's ratings.
struct far {
	struct matrix weight, hidden, scores;
	struct rows_far {
		uint32_t *start, *column; // (rows + 1), (rows, items) at most
		real *value;
	} ratings;
};

static void far_destroy(struct model_scorer *s) {
	if (!s->far)
		return;
	void *const parts[] = {s->far->weight.data,   s->far->hidden.data,    s->far->scores.data,
	                       s->far->ratings.start, s->far->ratings.column, s->far->ratings.value};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		s->backend->release(s->device, parts[i]);
	free(s->far);
}

static bool far_array(const struct model_scorer *s, size_t count, size_t size, void *ret_pointer, struct error *error) {
	void *array = s->backend->allocate(s->device, count * size, error);
	memcpy(ret_pointer, &array, sizeof(array));
	return array;
}

static bool far_create(struct model_scorer *s, struct error *error) {
	struct far *far = s->far = memory_alloc(sizeof(*far));
	size_t most = s->scores.rows, cells = most * s->scores.columns;
	*far = (struct far){.weight = s->weight, .hidden = s->hidden, .scores = s->scores};
	far->weight.data = far->hidden.data = far->scores.data = NULL;
	if (!far_array(s, s->weight.rows * s->weight.columns, sizeof(real), &far->weight.data, error) ||
	    !far_array(s, cells, sizeof(real), &far->scores.data, error) ||
	    !far_array(s, most * s->hidden.columns, sizeof(real), &far->hidden.data, error) ||
	    !far_array(s, most + 1, sizeof(uint32_t), &far->ratings.start, error) ||
	    !far_array(s, cells, sizeof(uint32_t), &far->ratings.column, error) ||
	    !far_array(s, cells, sizeof(real), &far->ratings.value, error))
		return false;
	s->backend->upload(s->device, far->weight.data, s->weight.data, s->weight.rows * s->weight.columns * sizeof(real));
	return true;
}

bool model_scorer_create(const struct fitted *fitted, const struct backend *backend, struct device *device,
                         struct pool *pool, size_t most, struct model_scorer **ret, struct error *error) {
	struct model_scorer *s = memory_alloc(sizeof(*s));
	size_t items = fitted->items, columns = fitted->columns, numbers, hidden;
	*s = (struct model_scorer){.fitted = fitted,
	                           .backend = backend,
	                           .device = device,
	                           .pool = pool,
	                           .weight = {fitted->weight, items, columns, columns},
	                           .hidden = {NULL, most, columns, columns},
	                           .scores = {NULL, most, items, items}};
	*ret = s;
	bool good = (memory_product(most, items, &numbers) && memory_product(most, columns, &hidden)) ||
	            error_set(error, ERROR_RUN, "scores of %zu rows by %zu items do not fit into memory", most, items);
	good = good && (s->scores.data = memory_array(numbers, sizeof(real), "a block of scores", error));
	if (good && fitted->projects)
		good = (s->hidden.data = memory_array(hidden, sizeof(real), "a block of scores", error));
	good = good && (!backend->apart || !fitted->weight || far_create(s, error));
	if (!good) {
		model_scorer_destroy(s);
		*ret = NULL;
	}
	return good;
}

void model_scorer_destroy(struct model_scorer *scorer) {
	if (!scorer)
		return;
	far_destroy(scorer);
	free(scorer->hidden.data);
	free(scorer->scores.data);
	free(scorer);
}

static double row_bias(const struct fitted *f, const struct sparse *input, size_t row) {
	size_t first = input->start[row], end = input->start[row + 1];
	double sum = 0;
	if (!f->fits_rows || first == end)
		return 0;
	for (size_t k = first; k < end; k++)
		sum += (double)input->value[k] - f->base - f->item[input->column[k]];
	return sum / (f->reg_user + (double)(end - first));
}

static void score_by_vector(const struct model_scorer *s, size_t first, size_t count) {
	const struct fitted *f = s->fitted;
	for (size_t i = first; i < first + count; i++) {
		double base = f->base + row_bias(f, &s->batch->ratings, i);
		real *to = s->scores.data + i * s->scores.stride;
		for (size_t j = 0; j < f->items; j++)
			to[j] = (real)(base + (f->item ? f->item[j] : 0));
	}
}

static void multiply(const struct model_scorer *s, const struct sparse *input, const struct matrix *weight,
                     const struct matrix *hidden, const struct matrix *to) {
	if (!s->fitted->projects) {
		s->backend->sparse_times(s->device, input, weight, NULL, 0, to);
		return;
	}
	s->backend->sparse_times(s->device, input, weight, NULL, 0, hidden);
	s->backend->gemm(s->device, false, true, hidden, weight, 0, to);
}

static void score_by_weight(const struct model_scorer *s, size_t first, size_t count) {
	struct sparse input = sparse_rows(&s->batch->ratings, first, count);
	struct matrix to = matrix_part(&s->scores, first, count, 0, s->fitted->items);
	struct matrix hidden = matrix_part(&s->hidden, first, count, 0, s->fitted->columns);
	multiply(s, &input, &s->weight, &hidden, &to);
}

// All rows at once, there and back.
static void score_far(const struct model_scorer *s) {
	const struct sparse *from = &s->batch->ratings;
	const struct far *far = s->far;
	const struct backend *b = s->backend;
	size_t entries = sparse_count(from), count = from->rows;
	b->upload(s->device, far->ratings.start, from->start, (count + 1) * sizeof(*from->start));
	b->upload(s->device, far->ratings.column, from->column, entries * sizeof(*from->column));
	b->upload(s->device, far->ratings.value, from->value, entries * sizeof(*from->value));
	struct sparse input = {count, from->columns, far->ratings.start, far->ratings.column, far->ratings.value};
	struct matrix to = matrix_part(&far->scores, 0, count, 0, far->scores.columns);
	struct matrix hidden = matrix_part(&far->hidden, 0, count, 0, far->hidden.columns);
	multiply(s, &input, &far->weight, &hidden, &to);
	b->download(s->device, s->scores.data, to.data, count * to.stride * sizeof(real));
}

static void score_block(void *context, size_t index) {
	const struct model_scorer *s = context;
	size_t first = index * BLOCK_ROWS, left = s->batch->rows - first;
	(s->fitted->weight ? score_by_weight : score_by_vector)(s, first, left < BLOCK_ROWS ? left : BLOCK_ROWS);
}

struct matrix model_score(struct model_scorer *s, const struct batch *batch) {
	assert(batch->rows <= s->scores.rows);
	s->batch = batch;
	if (s->far)
		score_far(s);
	else
		pool_run(s->pool, (batch->rows + BLOCK_ROWS - 1) / BLOCK_ROWS, score_block, s);
	return matrix_part(&s->scores, 0, batch->rows, 0, s->fitted->items);
}
