// See model.h. The graph is planned again for the shape that the file keeps, so that it takes the same paths as in the
// run; only then are weights looked for, each by its name and shape, and nothing is allocated that the file does not
// hold.
#include "recommend/model.h"

#include "nn/op.h"
#include "recommend/lists.h"
#include "tensor/backend.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t SPARE_ENTRIES = (size_t)1 << 16; // of a block, beyond two rows of all items: a row and its like
static const size_t SCORES_MOST = (size_t)1 << 26;   // numbers that are kept of items as rows: 256 MiB

static bool refuse(const struct aexp_model *m, struct error *error, const char *why) {
	error_at(error, ERROR_DATA, (struct origin){.file = m->path}, "no model that can be used: %s", why);
	error_hint(error, "It should be the model.safetensors that `aexp run` left, with its metadata.");
	return false;
}

// --- what stands in the metadata ---

static bool read_names(struct aexp_model *m, const char *key, struct ids *ret, struct error *error) {
	cJSON *list, *item;
	if (!stored_json(&m->stored, key, &list, error))
		return false;
	bool good = cJSON_IsArray(list);
	cJSON_ArrayForEach(item, list) {
		const char *name = cJSON_GetStringValue(item);
		size_t count = ret->count;
		good = good && name && ids_add(ret, name, strlen(name)) == count; // else it was there already
		if (!good)
			break;
	}
	cJSON_Delete(list);
	return good || refuse(m, error, "its ids are no list of different words");
}

static bool read_titles(struct aexp_model *m, struct error *error) {
	cJSON *list, *item;
	size_t i = 0;
	if (!stored_text(&m->stored, "titles"))
		return true;
	if (!stored_json(&m->stored, "titles", &list, error))
		return false;
	bool good = cJSON_IsArray(list) && (size_t)cJSON_GetArraySize(list) == m->items;
	m->titles = good ? arena_alloc(&m->arena, (m->items + 1) * sizeof(*m->titles)) : NULL;
	cJSON_ArrayForEach(item, list) {
		const char *title = cJSON_GetStringValue(item);
		if (!good)
			break;
		m->titles[i++] = title && *title ? arena_string(&m->arena, title) : NULL;
	}
	cJSON_Delete(list);
	return good || refuse(m, error, "it has not a title for each item");
}

static bool read_popularity(struct aexp_model *m, struct error *error) {
	cJSON *list, *item;
	size_t i = 0;
	if (!stored_json(&m->stored, "popularity", &list, error))
		return false;
	bool good = cJSON_IsArray(list) && (size_t)cJSON_GetArraySize(list) == m->items;
	m->popularity = good ? arena_alloc(&m->arena, (m->items + 1) * sizeof(*m->popularity)) : NULL;
	cJSON_ArrayForEach(item, list) {
		size_t count = 0;
		good = good && stored_count(item, &count);
		if (!good)
			break;
		m->popularity[i++] = (float)count;
	}
	cJSON_Delete(list);
	return good || refuse(m, error, "it has not a popularity for each item");
}

// Numbers of a list; false where one is none, or not finite as a float, which rows are made of.
static bool read_numbers(const cJSON *list, struct arena *arena, double **ret, size_t *ret_count) {
	const cJSON *item;
	if (!cJSON_IsArray(list))
		return false;
	*ret_count = 0;
	*ret = arena_alloc(arena, ((size_t)cJSON_GetArraySize(list) + 1) * sizeof(**ret));
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsNumber(item) || !isfinite((float)item->valuedouble))
			return false;
		(*ret)[(*ret_count)++] = item->valuedouble;
	}
	return true;
}

static bool read_buckets(struct aexp_model *m, struct error *error) {
	cJSON *group;
	size_t thresholds = 0;
	if (!stored_text(&m->stored, "buckets"))
		return true;
	if (!stored_json(&m->stored, "buckets", &group, error))
		return false;
	bool good =
	    read_numbers(cJSON_GetObjectItemCaseSensitive(group, "thresholds"), &m->arena, &m->thresholds, &thresholds) &&
	    read_numbers(cJSON_GetObjectItemCaseSensitive(group, "values"), &m->arena, &m->values, &m->levels) &&
	    m->levels == thresholds + 1;
	cJSON_Delete(group);
	return good || refuse(m, error, "its buckets are not one value more than thresholds");
}

static bool read_scale(struct aexp_model *m, struct error *error) {
	cJSON *group;
	if (!stored_text(&m->stored, "scale"))
		return true;
	if (!stored_json(&m->stored, "scale", &group, error))
		return false;
	const cJSON *low = cJSON_GetObjectItemCaseSensitive(group, "low"),
	            *high = cJSON_GetObjectItemCaseSensitive(group, "high");
	bool good = cJSON_IsNumber(low) && cJSON_IsNumber(high) && low->valuedouble < high->valuedouble &&
	            isfinite(high->valuedouble - low->valuedouble);
	if (good) {
		m->scale_low = low->valuedouble;
		m->scale_high = high->valuedouble;
	}
	cJSON_Delete(group);
	return good || refuse(m, error, "its scale is no range");
}

static bool read_levels(const cJSON *list, struct feature_coding *coding, struct ids *ret) {
	const cJSON *level;
	size_t count = 0;
	if (!cJSON_IsArray(list) || (size_t)cJSON_GetArraySize(list) != coding->columns || !coding->columns)
		return false;
	cJSON_ArrayForEach(level, list) {
		const char *name = cJSON_GetStringValue(level);
		if (!name || (count && ids_add(ret, name, strlen(name)) != count - 1))
			return false;
		count++;
	}
	return true;
}

static bool read_attribute(struct aexp_model *m, const cJSON *from, struct feature_coding *c, struct ids *levels) {
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(from, "name"));
	const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(from, "kind"));
	if (!name || !kind || !stored_count(cJSON_GetObjectItemCaseSensitive(from, "first_column"), &c->first_column) ||
	    !stored_count(cJSON_GetObjectItemCaseSensitive(from, "columns"), &c->columns) ||
	    c->first_column != m->features || c->columns > UINT32_MAX - m->features)
		return false;
	c->name = arena_string(&m->arena, name);
	c->numeric = !strcmp(kind, "numeric");
	m->features += c->columns;
	if (!c->numeric)
		return read_levels(cJSON_GetObjectItemCaseSensitive(from, "levels"), c, levels);
	const cJSON *mean = cJSON_GetObjectItemCaseSensitive(from, "mean"),
	            *deviation = cJSON_GetObjectItemCaseSensitive(from, "deviation");
	c->mean = cJSON_IsNumber(mean) ? mean->valuedouble : (double)NAN;
	c->deviation = cJSON_IsNumber(deviation) ? deviation->valuedouble : (double)NAN;
	return c->columns == 2 && isfinite(c->mean) && c->deviation > 0;
}

static bool read_coding(struct aexp_model *m, struct error *error) {
	cJSON *list, *item;
	if (!stored_json(&m->stored, "coding", &list, error))
		return false;
	bool good = cJSON_IsArray(list);
	size_t count = good ? (size_t)cJSON_GetArraySize(list) : 0;
	m->coding = arena_alloc(&m->arena, (count + 1) * sizeof(*m->coding));
	m->level_ids = arena_alloc(&m->arena, (count + 1) * sizeof(*m->level_ids));
	cJSON_ArrayForEach(item, list) {
		good = good && read_attribute(m, item, &m->coding[m->coding_count], &m->level_ids[m->coding_count]);
		if (!good)
			break;
		m->coding_count++;
	}
	cJSON_Delete(list);
	return good || refuse(m, error, "the coding of its side information makes no sense");
}

static bool read_above(struct aexp_model *m, struct error *error) {
	cJSON *above = NULL;
	m->above = -INFINITY;
	if (!stored_text(&m->stored, "above"))
		return true;
	if (!stored_json(&m->stored, "above", &above, error))
		return false;
	m->above = cJSON_IsNumber(above) ? above->valuedouble : (double)NAN;
	cJSON_Delete(above);
	return isfinite(m->above) || refuse(m, error, "what its ratings must be above is no number");
}

static bool read_metadata(struct aexp_model *m, struct error *error) {
	const char *format = stored_text(&m->stored, "format"), *rows = stored_text(&m->stored, "rows");
	if (!format || strcmp(format, "aexp.model/1") != 0 || !rows)
		return refuse(m, error, "its metadata does not say that it is one of aexp's");
	const char *name = stored_text(&m->stored, "name"), *id = stored_text(&m->stored, "id");
	m->name = name ? name : "";
	m->id = id ? id : "";
	m->items_as_rows = !strcmp(rows, "items");
	if (!read_names(m, "items", &m->item_ids, error) ||
	    (m->items_as_rows && !read_names(m, "users", &m->user_ids, error)))
		return false;
	m->items = m->item_ids.count;
	m->columns = m->items_as_rows ? m->user_ids.count : m->items;
	if (!m->items || m->items > INT32_MAX || !m->columns)
		return refuse(m, error, "it knows no item");
	return read_titles(m, error) && read_popularity(m, error) && read_buckets(m, error) && read_scale(m, error) &&
	       read_above(m, error) && read_coding(m, error);
}

// --- who computes ---

static void read_shape(const cJSON *graph, struct graph_shape *ret) {
	const cJSON *shape = cJSON_GetObjectItemCaseSensitive(graph, "shape");
	const struct {
		const char *key;
		double *to;
	} means[] = {{"ratings_entries", &ret->ratings_entries},
	             {"user_entries", &ret->user_entries},
	             {"target_entries", &ret->target_entries}};
	stored_count(cJSON_GetObjectItemCaseSensitive(shape, "batch"), &ret->batch);
	stored_count(cJSON_GetObjectItemCaseSensitive(shape, "rows"), &ret->rows);
	stored_count(cJSON_GetObjectItemCaseSensitive(shape, "refed"), &ret->refed);
	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		const cJSON *mean = cJSON_GetObjectItemCaseSensitive(shape, means[i].key);
		if (cJSON_IsNumber(mean) && isfinite(mean->valuedouble) && mean->valuedouble >= 0)
			*means[i].to = mean->valuedouble;
	}
}

// Every parameter has its tensor in the file, so that what is allocated for the weights is no more than the file holds.
static bool check_tensors(const struct aexp_model *m, struct error *error) {
	for (size_t k = 0; k < m->graph.parameters_count; k++) {
		const struct parameter *p = &m->graph.parameters[k];
		struct text name = {0};
		text_format(&name, "%s.%s", p->node->name, p->suffix);
		const struct tensor_facts *tensor = stored_tensor(&m->stored, text_string(&name));
		text_finish(&name);
		if (!p->node->copy_of && (!tensor || !parameter_is_tensor(p, tensor)))
			return refuse(m, error, "a tensor of its graph is missing, or has another shape");
	}
	return true;
}

static bool plan(struct aexp_model *m, struct error *error) {
	cJSON *facts;
	struct errors errors = {0};
	struct graph_shape shape = {
	    .ratings_width = m->columns, .user_width = m->features, .batch = 1, .rows = 1, .whole = m->backend->whole};
	if (!stored_json(&m->stored, "graph", &facts, error))
		return false;
	read_shape(facts, &shape);
	cJSON_Delete(facts);
	const struct experiment *e = &m->experiment;
	bool good = shape.rows < UINT32_MAX && shape.batch < UINT32_MAX &&
	            graph_plan(&e->graph, e->loss, e->optimizer, &e->train->alternate, &shape, e->tree, &m->graph, &errors);
	if (errors.count)
		*error = errors.items[0];
	else if (!good)
		refuse(m, error, "the shape of its graph makes no sense");
	errors_finish(&errors);
	if (errors.count || !good)
		error->code = ERROR_DATA;
	return good && check_tensors(m, error);
}

static bool make_network(struct aexp_model *m, struct error *error) {
	struct network_room room = {.rows = MODEL_HIDDEN_ROWS,
	                            .rating_entries = m->ratings.room,
	                            .feature_entries = m->user.room,
	                            .full_rows = MODEL_BLOCK_ROWS,
	                            .blank = true};
	if (m->backend->apart && !m->items_as_rows)
		room.rank_k = m->items < RANK_MOST ? m->items : RANK_MOST;
	if (!plan(m, error) ||
	    !network_create(&m->graph, m->device, m->backend, m->experiment.seed, &room, &m->network, error))
		return false;
	for (size_t i = 0; i < m->stored.tensors_count; i++)
		network_set_tensor(m->network, &m->stored.tensors[i]);
	network_renew(m->network);
	return true;
}

static bool make_scorer(struct aexp_model *m, struct error *error) {
	cJSON *base = NULL;
	struct stored_fit fit = {m->stored.tensors, m->stored.tensors_count, m->items, 0};
	const struct model *model = model_of(m->experiment.model);
	if (m->items_as_rows)
		return refuse(m, error, "a model without a graph has users as rows");
	if (stored_text(&m->stored, "base") && !stored_json(&m->stored, "base", &base, error))
		return false;
	fit.base = cJSON_IsNumber(base) && isfinite(base->valuedouble) ? base->valuedouble : 0;
	bool old = !base && (model == &model_user_item_bias || model == &model_global_mean);
	cJSON_Delete(base);
	if (old)
		return refuse(m, error, "the mean of the ratings is not in it; run the experiment again with --force");
	return model->restore(m->experiment.model->kind.params, &fit, &m->fitted, error) &&
	       model_scorer_create(&m->fitted, m->backend, m->device, m->pool, MODEL_BLOCK_ROWS, &m->scorer, error);
}

static bool read_experiment(struct aexp_model *m, struct error *error) {
	const char *text = stored_text(&m->stored, "experiment");
	struct errors errors = {0};
	if (!text)
		return refuse(m, error, "its metadata has no experiment");
	if (!experiment_read_model(text, "the model's experiment", &m->experiment, &errors)) {
		*error = errors.items[0];
		error->code = ERROR_DATA;
		errors_finish(&errors);
		return false;
	}
	return true;
}

// --- blocks ---

static bool block_init(struct row_block *b, size_t room, struct error *error) {
	b->room = room;
	b->start = memory_array(MODEL_HIDDEN_ROWS + 1, sizeof(*b->start), "a block of users", error);
	b->column = b->start ? memory_array(room, sizeof(*b->column), "a block of users", error) : NULL;
	b->value = b->column ? memory_array(room, sizeof(*b->value), "a block of users", error) : NULL;
	return b->value;
}

static void block_finish(struct row_block *b) {
	free(b->start);
	free(b->column);
	free(b->value);
}

static bool make_blocks(struct aexp_model *m, struct error *error) {
	m->no_target = memory_array(MODEL_HIDDEN_ROWS + 1, sizeof(*m->no_target), "a block of users", error);
	return m->no_target && block_init(&m->ratings, 2 * m->columns + SPARE_ENTRIES, error) &&
	       block_init(&m->user, 2 * m->features + SPARE_ENTRIES, error) &&
	       block_init(&m->self, MODEL_HIDDEN_ROWS, error);
}

void block_clear(struct aexp_model *m, size_t most) {
	m->rows = 0;
	m->rows_most = most;
}

static bool fits(const struct aexp_model *m, const struct row_block *b, const struct row_entries *row) {
	return m->rows < m->rows_most && row->count <= b->room - b->start[m->rows];
}

static void append(struct aexp_model *m, struct row_block *b, const struct row_entries *row) {
	uint32_t first = b->start[m->rows];
	for (size_t k = 0; k < row->count; k++) {
		b->column[first + k] = row->column[k];
		b->value[first + k] = row->value[k];
	}
	b->start[m->rows + 1] = first + (uint32_t)row->count;
}

bool block_add(struct aexp_model *m, const struct row_entries *ratings, const struct row_entries *user, size_t place) {
	bool known = m->graph.row && place && place <= m->graph.shape.rows;
	uint32_t column = known ? (uint32_t)(place - 1) : 0;
	float value = known ? 1 : 0;
	if (!fits(m, &m->ratings, ratings) || !fits(m, &m->user, user))
		return false;
	append(m, &m->ratings, ratings);
	append(m, &m->user, user);
	append(m, &m->self, &(struct row_entries){&column, &value, 1});
	m->rows++;
	return true;
}

static struct sparse rows_of(const struct aexp_model *m, const struct row_block *b, size_t columns) {
	return (struct sparse){m->rows, columns, b->start, b->column, b->value};
}

static struct batch batch_of(const struct aexp_model *m) {
	return (struct batch){.rows = m->rows,
	                      .row = m->no_target,
	                      .ratings = rows_of(m, &m->ratings, m->columns),
	                      .user = rows_of(m, &m->user, m->features),
	                      .self = rows_of(m, &m->self, m->graph.shape.rows),
	                      .target = {m->rows, m->columns, m->no_target, m->ratings.column, m->ratings.value}};
}

struct matrix block_scores(struct aexp_model *m) {
	struct batch batch = batch_of(m);
	return m->network ? network_predict_all(m->network, &batch) : model_score(m->scorer, &batch);
}

bool block_can_rank(const struct aexp_model *m, size_t k, size_t out) {
	return m->network && m->backend->apart && !m->items_as_rows && k <= m->network->rank.k_most &&
	       out <= m->network->rank.out_most;
}

void block_rank(struct aexp_model *m, const struct rank_ask *ask, struct rank_answer *ret) {
	struct batch batch = batch_of(m);
	network_rank(m->network, &batch, ask, ret);
}

struct matrix block_hidden(struct aexp_model *m) {
	struct batch batch = batch_of(m);
	return network_hidden(m->network, &batch);
}

bool model_has_hidden(const struct aexp_model *m) {
	const struct node *output = m->network ? m->graph.output : NULL;
	return output && !strcmp(output->op->row.name, "dense") && !output->inputs[0]->sparse;
}

// What is wanted of blocks of items, where a row is an item.
struct item_blocks {
	const size_t *user; // (count) whose scores; NULL: everybody's
	size_t count;
};

// One item after the other is a row; `take` has the first item of each block that is filled.
static void each_item_block(struct aexp_model *m,
                            void (*take)(struct aexp_model *m, const struct item_blocks *wanted, size_t first),
                            const struct item_blocks *wanted) {
	const struct csr *train = &m->data->train, *features = &m->data->features;
	for (size_t first = 0; first < m->items; first += m->rows) {
		block_clear(m, MODEL_BLOCK_ROWS);
		for (size_t item = first; item < m->items; item++) {
			size_t at = train->start[item], side = features->start ? features->start[item] : 0;
			struct row_entries row = {train->column + at, train->value + at, train->start[item + 1] - at}, about = {0};
			if (features->start)
				about = (struct row_entries){features->column + side, features->value + side,
				                             features->start[item + 1] - side};
			if (!block_add(m, &row, &about, item + 1))
				break;
		}
		take(m, wanted, first);
	}
}

// An item's outputs are what its users are given.
static void take_scores(struct aexp_model *m, const struct item_blocks *wanted, size_t first) {
	struct matrix scores = block_scores(m);
	for (size_t i = 0; i < scores.rows; i++)
		for (size_t u = 0; u < wanted->count; u++)
			m->by_user[u * m->items + first + i] =
			    scores.data[i * scores.stride + (wanted->user ? wanted->user[u] : u)];
}

static void take_hidden(struct aexp_model *m, const struct item_blocks *wanted, size_t first) {
	struct matrix hidden = block_hidden(m);
	(void)wanted;
	for (size_t i = 0; i < hidden.rows; i++)
		memcpy(m->item_hidden + (first + i) * hidden.columns, hidden.data + i * hidden.stride,
		       hidden.columns * sizeof(*m->item_hidden));
}

bool item_rows_hidden(struct aexp_model *m, struct error *error) {
	if (!m->item_hidden) {
		size_t width = m->graph.output->inputs[0]->width;
		m->item_hidden = memory_array(m->items * width, sizeof(*m->item_hidden), "the vectors of items", error);
		if (m->item_hidden)
			each_item_block(m, take_hidden, NULL);
	}
	return m->item_hidden;
}

// Everyone's scores are made at once and kept, where they fit.
bool item_rows_scores(struct aexp_model *m, const size_t *user, size_t count, const float **ret_row,
                      struct error *error) {
	size_t numbers;
	bool all = memory_product(m->columns, m->items, &numbers) && numbers <= SCORES_MOST;
	if (!m->by_user) {
		size_t rows = all ? m->columns : MODEL_BLOCK_ROWS;
		m->by_user = memory_array(rows * m->items, sizeof(*m->by_user), "a block of scores", error);
		if (!m->by_user)
			return false;
		if (all)
			each_item_block(m, take_scores, &(struct item_blocks){NULL, m->columns});
	}
	if (!all)
		each_item_block(m, take_scores, &(struct item_blocks){user, count});
	for (size_t u = 0; u < count; u++)
		ret_row[u] = m->by_user + (all ? user[u] : u) * m->items;
	return true;
}

// --- opening and closing ---

static bool open_all(struct aexp_model *m, struct error *error) {
	if (!stored_open(m->path, &m->stored, error) || !read_metadata(m, error) || !read_experiment(m, error) ||
	    !make_blocks(m, error))
		return false;
	const struct backend *trained = (const struct backend *)m->experiment.backend.row;
	if (!m->backend)
		m->backend = trained == &backend_reference ? trained : &backend_openblas;
	if (!backend_open(m->backend, m->pool, NULL, &m->backend, &m->device, error))
		return false;
	return m->experiment.model ? make_scorer(m, error) : make_network(m, error);
}

bool model_open(const char *path, struct pool *pool, struct aexp_model **ret, struct error *error) {
	return model_open_on(path, pool, NULL, ret, error);
}

bool model_open_on(const char *path, struct pool *pool, const struct backend *backend, struct aexp_model **ret,
                   struct error *error) {
	struct aexp_model *m = memory_alloc(sizeof(*m));
	m->path = memory_copy_string(path);
	m->pool = pool;
	m->backend = backend;
	m->answers = memory_alloc(pool_threads(pool) * sizeof(*m->answers));
	m->scratch = memory_alloc(pool_threads(pool) * sizeof(*m->scratch));
	if (open_all(m, error)) {
		*ret = m;
		return true;
	}
	aexp_close(m);
	return false;
}

// So many bytes a thread are kept from call to call: memory from the system costs more to have than to fill.
enum { ARENA_KEPT = 16 << 20 };

void model_forget_answers(struct aexp_model *m) {
	for (size_t i = 0; i < pool_threads(m->pool); i++)
		arena_recycle(&m->answers[i], ARENA_KEPT);
}

void model_forget_scratch(struct aexp_model *m) {
	for (size_t i = 0; i < pool_threads(m->pool); i++)
		arena_recycle(&m->scratch[i], ARENA_KEPT);
}

bool model_attach(struct aexp_model *m, const struct matrices *data) {
	size_t features = data->features.start ? data->features.columns : 0;
	if (data->items != m->items || data->items_as_rows != m->items_as_rows || features != m->features ||
	    (m->items_as_rows && data->users != m->columns))
		return false;
	m->data = data;
	return true;
}

bool public_error(const struct error *from, struct aexp_error *ret) {
	struct error shown = *from;
	if (!ret)
		return false;
	ret->code = (enum aexp_code)from->code;
	shown.hint[0] = '\0';
	error_format(&shown, ret->message, sizeof(ret->message));
	memcpy(ret->hint, from->hint, sizeof(ret->hint));
	return false;
}

void private_error(const struct aexp_error *from, struct error *ret) {
	*ret = (struct error){0};
	error_set(ret, (enum error_code)from->code, "%s", from->message);
	if (from->hint[0])
		error_hint(ret, "%s", from->hint);
}

bool aexp_open(const char *path, size_t threads, struct aexp_model **ret, struct aexp_error *error) {
	struct error cause = {0};
	struct pool *pool = pool_create(threads);
	if (!model_open(path, pool, ret, &cause)) {
		pool_destroy(pool);
		return public_error(&cause, error);
	}
	(*ret)->own_pool = pool;
	return true;
}

void aexp_close(struct aexp_model *m) {
	if (!m)
		return;
	struct pool *pool = m->own_pool;
	network_destroy(m->network);
	model_scorer_destroy(m->scorer);
	fitted_destroy(&m->fitted);
	if (m->device)
		m->backend->close(m->device);
	graph_finish(&m->graph);
	experiment_finish(&m->experiment);
	for (size_t i = 0; m->level_ids && i <= m->coding_count; i++) // one more may be half read
		ids_finish(&m->level_ids[i]);
	ids_finish(&m->item_ids);
	ids_finish(&m->user_ids);
	block_finish(&m->ratings);
	block_finish(&m->user);
	block_finish(&m->self);
	free(m->no_target);
	free(m->by_user);
	free(m->item_hidden);
	lists_finish(m->listing);
	for (size_t i = 0; i < pool_threads(m->pool); i++) {
		arena_finish(&m->answers[i]);
		arena_finish(&m->scratch[i]);
	}
	free(m->answers);
	free(m->scratch);
	arena_finish(&m->arena);
	stored_close(&m->stored);
	free(m->path);
	free(m);
	pool_destroy(pool);
}

const char *aexp_name(const struct aexp_model *m) {
	return m->name;
}

const char *aexp_id(const struct aexp_model *m) {
	return m->id;
}

size_t aexp_items(const struct aexp_model *m) {
	return m->items;
}

const char *aexp_item(const struct aexp_model *m, size_t index) {
	return index < m->items ? ids_name(&m->item_ids, index) : NULL;
}

const char *aexp_title(const struct aexp_model *m, size_t index) {
	return m->titles && index < m->items ? m->titles[index] : NULL;
}

bool aexp_takes_new_users(const struct aexp_model *m) {
	return !m->items_as_rows;
}
