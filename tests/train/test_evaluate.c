// Evaluation of a part against its definition: every score from one pass over all rows, metrics counted out the slow
// way. In both orientations, with held-out users, in blocks of any size and on several threads.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "train/evaluate.h"
#include "train/train.h"

enum { MSE, ACCURACY, NDCG, RECALL, HIT, USES }; // as in the file below
static const char experiment_text[] =
    "name = \"evaluate\"; seed = 5; backend = \"reference\";\n"
    "data: { source: { format = \"synthetic\"; users = 150; items = 70; ratings = 1500; };\n"
    "  buckets: { thresholds = [ 3.5 ]; values = [ 0.1, 1.0 ]; };\n"
    "  split: { kind = \"ratio\"; valid = 0.2; test = 0.3; }; };\n"
    "graph: ( { op = \"dense\"; input = \"ratings\"; units = 9; activation = \"relu\"; init = \"normal\"; },\n"
    "  { name = \"out\"; op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; init = \"normal\"; } );\n"
    "loss = \"masked_mse\"; train: { batch = 32; epochs = 1; };\n"
    "metrics = [ \"mse\", \"accuracy\", \"ndcg@5\", \"recall@3\", \"hit@1\" ];\n";
static const size_t cut[USES] = {[NDCG] = 5, [RECALL] = 3, [HIT] = 1};

struct world {
	struct experiment experiment;
	struct dataset dataset;
	struct matrices matrices;
	struct graph graph;
	struct pool *pool;
	struct device *device;
	struct network *network;
	struct network_room room;
	struct batch batch;
};

static void set_up_text(struct world *w, const char *text, const char *const *overrides, size_t overrides_count) {
	char path[] = "/tmp/aexp-evaluate-XXXXXX";
	struct errors errors = {0};
	struct error error = {0};
	int descriptor = mkstemp(path);
	FILE *file = fdopen(descriptor, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	*w = (struct world){.pool = pool_create(3)};
	if (!experiment_read(path, overrides, overrides_count, &w->experiment, &errors))
		fail_msg("%s", errors.items[0].message);
	remove(path);
	assert_true(data_load(w->experiment.data, w->experiment.seed, &w->dataset, &error));
	assert_true(matrices_create(w->experiment.data, &w->dataset, w->experiment.seed, &w->matrices, &error));
	assert_true(train_plan(&w->experiment, &w->matrices, &w->graph, &errors));
	const struct backend *backend = (const struct backend *)w->experiment.backend.row;
	const struct matrices *m = &w->matrices;
	const struct csr *features = m->features.start ? &m->features : NULL;
	struct batch_source sources[] = {{&m->train, features, &m->train},
	                                 {m->valid.input, features, &m->valid.target},
	                                 {m->test.input, features, &m->test.target}};
	size_t rows = m->train.rows;
	assert_true(backend->open(backend, w->pool, NULL, &w->device, &error));
	assert_true(batch_create(sources, 3, rows, &w->batch, &error));
	struct network_room room = {.rows = rows,
	                            .cells = batch_cells_most(&w->batch),
	                            .rating_entries = batch_rating_entries_most(&w->batch),
	                            .feature_entries = batch_feature_entries_most(&w->batch),
	                            .full_rows = rows};
	w->room = room;
	assert_true(network_create(&w->graph, w->device, backend, w->experiment.seed, &room, &w->network, &error));
	errors_finish(&errors);
}

static void set_up(struct world *w, const char *const *overrides, size_t overrides_count) {
	set_up_text(w, experiment_text, overrides, overrides_count);
}

static void tear_down(struct world *w) {
	network_destroy(w->network);
	batch_destroy(&w->batch);
	((const struct backend *)w->experiment.backend.row)->close(w->device);
	pool_destroy(w->pool);
	graph_finish(&w->graph);
	matrices_finish(&w->matrices);
	dataset_finish(&w->dataset);
	experiment_finish(&w->experiment);
}

// --- the definition ---

// Everything by (user, item).
struct table {
	float *score, *value;
	bool *target, *liked, *excluded;
	bool user_seen[150], item_seen[70]; // by input, by train
};

static bool *flags(const struct matrices *m) {
	bool *array = calloc(m->users * m->items, sizeof(*array));
	assert_non_null(array);
	return array;
}

static size_t place(const struct matrices *m, size_t row, size_t column) {
	return m->items_as_rows ? column * m->items + row : row * m->items + column;
}

static void mark(const struct matrices *m, const struct csr *csr, bool *ret) {
	for (size_t row = 0; csr->start && row < csr->rows; row++)
		for (size_t k = csr->start[row]; k < csr->start[row + 1]; k++)
			ret[place(m, row, csr->column[k])] = true;
}

static void fill_scores(struct world *w, const struct batch_source *source, float *ret) {
	const struct matrices *m = &w->matrices;
	uint32_t *rows = calloc(m->train.rows, sizeof(*rows));
	assert_non_null(rows);
	for (size_t i = 0; i < m->train.rows; i++)
		rows[i] = (uint32_t)i;
	batch_gather(&w->batch, source, rows, m->train.rows);
	struct matrix all = network_predict_all(w->network, &w->batch);
	for (size_t i = 0; i < all.rows; i++)
		for (size_t j = 0; j < all.columns; j++)
			ret[place(m, i, j)] = (float)all.data[i * all.stride + j];
	free(rows);
}

static void make_table(struct world *w, int part, struct table *ret) {
	const struct matrices *m = &w->matrices;
	const struct part *p = part == PART_VALID ? &m->valid : &m->test;
	struct batch_source source = {part == PART_TRAIN ? &m->train : p->input, m->features.start ? &m->features : NULL,
	                              part == PART_TRAIN ? &m->train : &p->target};
	ret->score = calloc(m->users * m->items, sizeof(float));
	ret->value = calloc(m->users * m->items, sizeof(float));
	ret->target = flags(m);
	ret->liked = flags(m);
	ret->excluded = flags(m);
	assert_true(ret->score && ret->value);
	fill_scores(w, &source, ret->score);
	memset(ret->user_seen, 0, sizeof(ret->user_seen));
	memset(ret->item_seen, 0, sizeof(ret->item_seen));
	for (size_t row = 0; row < source.ratings->rows; row++)
		for (size_t k = source.ratings->start[row]; k < source.ratings->start[row + 1]; k++)
			ret->user_seen[m->items_as_rows ? source.ratings->column[k] : row] = true;
	for (size_t row = 0; row < m->train.rows; row++)
		for (size_t k = m->train.start[row]; k < m->train.start[row + 1]; k++)
			ret->item_seen[m->items_as_rows ? row : m->train.column[k]] = true;
	mark(m, source.target, ret->target);
	mark(m, source.ratings, ret->excluded);
	if (part == PART_TEST)
		mark(m, &m->valid.target, ret->excluded);
	for (size_t row = 0; row < source.target->rows; row++)
		for (size_t k = source.target->start[row]; k < source.target->start[row + 1]; k++) {
			ret->value[place(m, row, source.target->column[k])] = source.target->value[k];
			ret->liked[place(m, row, source.target->column[k])] = source.target->liked[k];
		}
}

static void free_table(struct table *t) {
	free(t->score);
	free(t->value);
	free(t->target);
	free(t->liked);
	free(t->excluded);
}

// What clip and cold make of a score.
static double adjusted(const struct world *w, const struct table *t, size_t user, size_t item) {
	const struct evaluate_config *config = w->experiment.evaluate;
	double score = (double)t->score[user * w->matrices.items + item];
	if (!config)
		return score;
	if (!isnan(config->cold) && (!t->user_seen[user] || !t->item_seen[item]))
		score = config->cold;
	return config->clip.set ? fmin(fmax(score, config->clip.items[0]), config->clip.items[1]) : score;
}

// From 1, among the candidates.
static size_t rank_of(const struct table *t, size_t first, size_t items, size_t item) {
	size_t rank = 1;
	for (size_t i = 0; i < items; i++)
		if (!t->excluded[first + i] && i != item)
			rank += t->score[first + i] > t->score[first + item] ||
			        (t->score[first + i] == t->score[first + item] && i < item);
	return rank;
}

// Adds a user's values; false where nothing relevant is a candidate.
static bool add_user(const struct table *t, size_t first, size_t items, double sum[USES]) {
	double relevant = 0, gain = 0, ideal = 0, found = 0, hit = 0;
	for (size_t item = 0; item < items; item++) {
		if (!t->target[first + item] || !t->liked[first + item] || t->excluded[first + item])
			continue;
		size_t rank = rank_of(t, first, items, item);
		relevant++;
		ideal += relevant <= (double)cut[NDCG] ? 1 / log2(relevant + 1) : 0;
		gain += rank <= cut[NDCG] ? 1 / log2((double)rank + 1) : 0;
		found += rank <= cut[RECALL];
		hit = rank <= cut[HIT] ? 1 : hit;
	}
	if (relevant == 0)
		return false;
	sum[NDCG] += gain / ideal;
	sum[RECALL] += found / relevant;
	sum[HIT] += hit;
	return true;
}

static void expect_part(struct world *w, int part, struct part_result *ret) {
	const struct matrices *m = &w->matrices;
	struct table t;
	double sum[USES] = {0}, cells = 0;
	make_table(w, part, &t);
	*ret = (struct part_result){.exists = true};
	for (size_t user = 0; user < m->users; user++) {
		bool asked = false;
		for (size_t k = user * m->items; k < (user + 1) * m->items; k++) {
			if (!t.target[k])
				continue;
			double score = adjusted(w, &t, user, k % m->items), difference = score - (double)t.value[k];
			asked = true;
			cells++;
			sum[MSE] += difference * difference;
			sum[ACCURACY] += (score > 0.55) == (t.value[k] > 0.55F);
		}
		bool ranked = part != PART_TRAIN && add_user(&t, user * m->items, m->items, sum);
		ret->ranked_users += ranked;
		ret->skipped_users += part != PART_TRAIN && asked && !ranked;
	}
	for (size_t i = 0; i < USES; i++)
		ret->metric[i] = sum[i] / (i < NDCG ? cells : (double)ret->ranked_users);
	free_table(&t);
}

// --- the comparison ---

static void check(struct world *w, struct evaluation *e, int part, const struct part_result *expected) {
	struct part_result result;
	struct error error;
	assert_true(evaluate_part(e, part, &result, &error));
	assert_true(result.exists);
	assert_int_equal(result.ranked_users, expected->ranked_users);
	assert_int_equal(result.skipped_users, expected->skipped_users);
	for (size_t i = 0; i < w->experiment.uses_count; i++) {
		if (part == PART_TRAIN && i >= NDCG)
			assert_true(isnan(result.metric[i]));
		else if (!(fabs(result.metric[i] - expected->metric[i]) < (i == MSE ? 1e-6 : 1e-12)))
			fail_msg("part %d, %s: %.17g instead of %.17g", part, w->experiment.uses[i].name, result.metric[i],
			         expected->metric[i]);
	}
}

// Users' values give the part's again: a mean over those who have a ranking, or over cells.
static void check_users(struct world *w, struct evaluation *e, int part, const struct part_result *expected) {
	struct part_result result;
	struct user_values users;
	struct error error;
	const struct csr *target = part == PART_VALID ? &w->matrices.valid.target : &w->matrices.test.target;
	double sum[USES] = {0}, weight[USES] = {0}, cells[150] = {0};
	for (size_t row = 0; row < target->rows; row++)
		for (size_t k = target->start[row]; k < target->start[row + 1]; k++)
			cells[w->matrices.items_as_rows ? target->column[k] : row]++;
	assert_true(evaluate_part_users(e, part, &result, &users, &error));
	assert_int_equal(users.uses, w->experiment.uses_count);
	for (size_t i = 0; i < users.count; i++)
		for (size_t use = 0; use < USES; use++) {
			double value = users.value[i * users.uses + use], counts = use < NDCG ? cells[users.user[i]] : 1;
			assert_true(i == 0 || users.user[i] > users.user[i - 1]);
			if (isnan(value))
				continue;
			sum[use] += value * counts;
			weight[use] += counts;
		}
	for (size_t use = 0; use < USES; use++)
		assert_true(fabs(sum[use] / weight[use] - expected->metric[use]) < 1e-6);
	assert_true(weight[NDCG] == (double)expected->ranked_users);
	assert_true(weight[MSE] == (double)csr_count(target));
	user_values_finish(&users);
}

// The network without its way to single cells.
static struct scorer scorer_of(struct network *network, bool cells) {
	struct scorer scorer = scorer_of_network(network);
	scorer.cells = cells ? scorer.cells : NULL;
	return scorer;
}

// Whether threads had blocks of their own.
static bool equals_the_definition(const char *const *overrides, size_t overrides_count) {
	static const size_t blocks[][3] = {{7, 3, 1000}, {64, 64, 70}, {150, 1, 0}}; // rows, full_rows, scores_most
	struct world w;
	struct part_result expected[PARTS];
	struct error error;
	bool shared = false;
	set_up(&w, overrides, overrides_count);
	for (int part = 0; part < PARTS; part++) {
		expect_part(&w, part, &expected[part]);
		assert_true(part == PART_TRAIN || !w.matrices.valid.target.start || expected[part].ranked_users > 5);
	}
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		for (size_t way = 0; way < 5; way++) { // in the last one each thread predicts blocks of its own
			bool threads = way % 2 || way == 4;
			struct evaluation_sharing sharing = {w.network, w.room};
			struct evaluation e = {.experiment = &w.experiment,
			                       .matrices = &w.matrices,
			                       .scorer = scorer_of(w.network, way < 2 || way == 4),
			                       .batch = &w.batch,
			                       .pool = threads ? w.pool : NULL,
			                       .rows = blocks[i][0] < w.matrices.train.rows ? blocks[i][0] : w.matrices.train.rows,
			                       .full_rows = blocks[i][1],
			                       .scores_most = blocks[i][2]};
			sharing.room.reads = true;
			e.sharing = way == 4 ? sharing : e.sharing;
			assert_true(evaluation_begin(&e, &error));
			for (int round = 0; round < 2; round++) // the second time with what was kept
				for (int part = 0; part < PARTS; part++)
					check(&w, &e, part, &expected[part]);
			for (int part = PART_VALID; part < PARTS; part++)
				if (expected[part].ranked_users > 0)
					check_users(&w, &e, part, &expected[part]);
			assert_true(way == 4 || e.readers_count == 0);
			shared |= e.readers_count == pool_threads(w.pool);
			evaluation_finish(&e);
		}
	tear_down(&w);
	return shared;
}

static void users_as_rows(void **state) {
	(void)state;
	assert_true(equals_the_definition(NULL, 0));
}

static void items_as_rows(void **state) {
	(void)state;
	const char *overrides[] = {"data.rows=items"};
	equals_the_definition(overrides, 1);
}

static void held_out_users(void **state) {
	(void)state;
	const char *overrides[] = {"data.split.kind=users"};
	equals_the_definition(overrides, 1);
}

static void clipped_with_a_default(void **state) {
	(void)state;
	const char *users[] = {"evaluate.clip=[ 0.3, 0.56 ]", "evaluate.cold=0.4", "data.source.ratings=300"};
	const char *items[] = {"evaluate.clip=[ 0.3, 0.56 ]", "evaluate.cold=0.4", "data.source.ratings=300",
	                       "data.rows=items"};
	equals_the_definition(users, 3);
	equals_the_definition(items, 4);
}

// Trained on 0 to 1, asked in stars: errors are 4 times as large, and clipping and the default are in stars.
static void scaled_back(void **state) {
	(void)state;
	static const char text[] =
	    "backend = \"reference\"; evaluate: { clip = [ 2.0, 5.0 ]; cold = 3.0; };\n"
	    "data: { source: { format = \"synthetic\"; users = 150; items = 70; ratings = 900; };\n"
	    "  scale: { low = 1.0; high = 5.0; }; split: { kind = \"ratio\"; valid = 0.2; test = 0.3; }; };\n"
	    "graph: ( { name = \"out\"; op = \"dense\"; input = \"ratings\"; units = \"items\"; } );\n"
	    "metrics = [ \"mse\", \"accuracy\" ];\n";
	struct world w;
	struct table t;
	struct part_result result;
	struct error error;
	double sum = 0, cells = 0, most = 0, right = 0;
	set_up_text(&w, text, NULL, 0);
	make_table(&w, PART_TEST, &t);
	for (size_t k = 0; k < w.matrices.users * w.matrices.items; k++) {
		if (!t.target[k])
			continue;
		bool seen = t.user_seen[k / w.matrices.items] && t.item_seen[k % w.matrices.items];
		double stars = fmin(fmax(seen ? 1 + 4 * (double)t.score[k] : 3, 2), 5), target = 1 + 4 * (double)t.value[k];
		sum += (stars - target) * (stars - target);
		right += fmin(fmax(ceil(stars - 0.5), 1), 5) == target;
		most = fmax(most, (double)t.value[k]);
		cells++;
	}
	assert_true(most == 1);
	struct evaluation e = {.experiment = &w.experiment,
	                       .matrices = &w.matrices,
	                       .scorer = scorer_of_network(w.network),
	                       .batch = &w.batch,
	                       .rows = w.matrices.train.rows,
	                       .full_rows = w.matrices.train.rows};
	assert_true(evaluation_begin(&e, &error));
	assert_true(evaluate_part(&e, PART_TEST, &result, &error));
	assert_true(fabs(result.metric[0] - sum / cells) < 1e-6 && sum / cells > 0.5);
	assert_true(fabs(result.metric[1] - right / cells) < 1e-12);
	evaluation_finish(&e);
	free_table(&t);
	tear_down(&w);
}

// All outputs are equal, as those of a dead unit: ties everywhere.
static void equal_scores(void **state) {
	(void)state;
	const char *overrides[] = {"graph.out.init=zeros"};
	equals_the_definition(overrides, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(users_as_rows),          cmocka_unit_test(items_as_rows), cmocka_unit_test(held_out_users),
	    cmocka_unit_test(clipped_with_a_default), cmocka_unit_test(equal_scores),  cmocka_unit_test(scaled_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
