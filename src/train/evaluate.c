// See evaluate.h. Rows go through the scorer in blocks; never more than a block of rankings is in memory. A row that
// is ranked takes its cells from its scores; the others are computed at their target cells alone.
#include "train/evaluate.h"

#include "base/memory.h"
#include "eval/popularity.h"
#include "train/evaluate_users.h"
#include "train/outcome.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS_MAX = 1024, SLOTS = 4 * LEVELS_MAX };
static const size_t SCORES_MOST = (size_t)1 << 26; // numbers: 256 MiB

static bool asks(const struct experiment *experiment, bool rankings) {
	for (size_t i = 0; i < experiment->uses_count; i++)
		if (metric_ranks(experiment->uses[i].metric) == rankings)
			return true;
	return false;
}

bool evaluate_ranks(const struct experiment *experiment) {
	return asks(experiment, true);
}

// --- who predicts ---

static void network_cells(void *context, const struct batch *batch, float *ret) {
	network_predict_cells(context, batch, ret);
}

static struct matrix network_all(void *context, const struct batch *batch) {
	return network_predict_all(context, batch);
}

static void network_ranks(void *context, const struct batch *batch, const struct rank_ask *ask,
                          struct rank_answer *ret) {
	network_rank(context, batch, ask, ret);
}

struct scorer scorer_of_network(struct network *network) {
	return (struct scorer){.context = network,
	                       .cells = network_cells,
	                       .all = network_all,
	                       .rank = network->rank.k_most ? network_ranks : NULL};
}

// --- levels ---

struct level_set {
	float slot[SLOTS];
	bool used[SLOTS];
	size_t count;
};

// Open addressing; false where there is no room for one more. Both zeros are one level.
static bool add_level(struct level_set *set, float value) {
	uint32_t bits;
	value = value == 0 ? 0 : value;
	memcpy(&bits, &value, sizeof(bits));
	size_t at = (bits * UINT32_C(2654435761) >> 20) % SLOTS; // Knuth's multiplicative hash
	for (; set->used[at]; at = (at + 1) % SLOTS)
		if (set->slot[at] == value)
			return true;
	if (set->count == LEVELS_MAX)
		return false;
	set->used[at] = true;
	set->slot[at] = value;
	set->count++;
	return true;
}

static bool add_levels(const struct csr *csr, struct level_set *set) {
	for (size_t k = 0; k < csr_count(csr); k++)
		if (!add_level(set, csr->value[k]))
			return false;
	return true;
}

static int ascending(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

bool evaluate_levels(const struct matrices *matrices, double **ret_levels, size_t *ret_count, struct error *error) {
	double *levels = memory_array(LEVELS_MAX, sizeof(*levels), "the target values", error);
	struct level_set *set = levels ? memory_array(1, sizeof(*set), "the target values", error) : NULL;
	size_t count = 0;
	if (!set) {
		free(levels);
		return false;
	}
	if (add_levels(&matrices->train, set) && add_levels(&matrices->valid.target, set) &&
	    add_levels(&matrices->test.target, set))
		for (size_t i = 0; i < SLOTS; i++)
			if (set->used[i])
				levels[count++] = (double)set->slot[i];
	free(set);
	qsort(levels, count, sizeof(*levels), ascending);
	*ret_levels = levels;
	*ret_count = count;
	return true;
}

// --- what is known of a part before any score ---

struct evaluation_part {
	struct batch_source source;
	// by user, transposed where a row is an item
	struct csr target, input, also_excluded; // also_excluded.start NULL: nothing
	bool owned;
	uint32_t *ranked; // (ranked_count) users with a relevant entry, ascending
	uint32_t *plain;  // (plain_count) rows that are only computed at their cells, ascending
	size_t ranked_count, plain_count;
	size_t skipped;      // users with a target, none of them relevant
	float *prediction;   // (cells) in the order of the source's target
	float *packed;       // (cells of a batch)
	float *scores;       // (score_users, items) where a row is an item
	uint32_t *item;      // (full_rows) where a row is an item
	struct there *there; // where the scorer ranks
	size_t score_users;
};

// A block of rankings that are made elsewhere: what is asked, and what comes back.
struct there {
	struct column_lists {
		uint32_t *start, *column; // (full_rows + 1), (room)
		size_t room;
	} out, marked;
	uint8_t *mark;          // (items) 0 between users
	size_t k;               // of each ranking
	uint32_t *item, *count; // (full_rows, k), (full_rows)
	double *pairs;          // (full_rows, 2)
};

static void there_destroy(struct there *t) {
	if (!t)
		return;
	free(t->out.start);
	free(t->out.column);
	free(t->marked.start);
	free(t->marked.column);
	free(t->mark);
	free(t->item);
	free(t->count);
	free(t->pairs);
	free(t);
}

static void part_finish(struct evaluation_part *p) {
	there_destroy(p->there);
	if (p->owned) {
		csr_finish(&p->target);
		csr_finish(&p->input);
		csr_finish(&p->also_excluded);
	}
	free(p->ranked);
	free(p->plain);
	free(p->prediction);
	free(p->packed);
	free(p->scores);
	free(p->item);
	*p = (struct evaluation_part){0};
}

// The part's input and target; train is asked for what it was given.
static void part_source(const struct matrices *m, int part, struct batch_source *ret) {
	const struct part *p = part == PART_VALID ? &m->valid : &m->test;
	*ret = (struct batch_source){.ratings = part == PART_TRAIN ? &m->train : p->input,
	                             .features = m->features.start ? &m->features : NULL,
	                             .target = part == PART_TRAIN ? &m->train : &p->target,
	                             .trained = m->row_trained};
}

static bool lists_by_user(const struct matrices *m, int part, struct evaluation_part *p, struct error *error) {
	const struct csr *also = part == PART_TEST && m->valid.target.start ? &m->valid.target : NULL;
	p->owned = m->items_as_rows;
	if (p->owned)
		return csr_transpose(p->source.target, &p->target, error) &&
		       csr_transpose(p->source.ratings, &p->input, error) &&
		       (!also || csr_transpose(also, &p->also_excluded, error));
	p->target = *p->source.target;
	p->input = *p->source.ratings;
	if (also)
		p->also_excluded = *also;
	return true;
}

static bool has_relevant(const struct csr *target, size_t user) {
	for (size_t k = target->start[user]; k < target->start[user + 1]; k++)
		if (target->liked[k])
			return true;
	return false;
}

static bool find_ranked(struct evaluation_part *p, struct error *error) {
	const struct csr *target = &p->target;
	p->ranked = memory_array(target->rows, sizeof(*p->ranked), "the users of a part", error);
	for (size_t user = 0; p->ranked && user < target->rows; user++) {
		if (has_relevant(target, user))
			p->ranked[p->ranked_count++] = (uint32_t)user;
		else
			p->skipped += target->start[user + 1] > target->start[user];
	}
	return p->ranked;
}

// All rows with targets, less those that are ranked: there, cells come with the scores.
static bool find_plain(const struct evaluation *e, struct evaluation_part *p, struct error *error) {
	const struct csr *target = p->source.target;
	size_t next = 0;
	p->plain = memory_array(target->rows, sizeof(*p->plain), "the rows of a part", error);
	if (!p->plain || (e->matrices->items_as_rows && p->ranked_count))
		return p->plain;
	for (size_t row = 0; row < target->rows; row++) {
		if (next < p->ranked_count && p->ranked[next] == row)
			next++;
		else if (target->start[row + 1] > target->start[row])
			p->plain[p->plain_count++] = (uint32_t)row;
	}
	return true;
}

// Room for the scores of as many ranked users as fit, one pass through the network for each such block.
static bool make_scores(const struct evaluation *e, struct evaluation_part *p, struct error *error) {
	size_t items = e->matrices->items, numbers = e->scores_most ? e->scores_most : SCORES_MOST;
	size_t most = numbers / items > 0 ? numbers / items : 1;
	p->score_users = p->ranked_count < most ? p->ranked_count : most;
	p->scores = memory_array(p->score_users * items, sizeof(*p->scores), "a block of rankings", error);
	p->item = p->scores ? memory_array(e->full_rows, sizeof(*p->item), "a block of rankings", error) : NULL;
	return p->item;
}

static bool make_there(const struct evaluation *e, struct evaluation_part *p, struct error *error) {
	const struct experiment *x = e->experiment;
	struct there *t = p->there = memory_alloc(sizeof(*t));
	size_t depth = metric_uses_depth(x->uses, x->uses_count, e->matrices->items), numbers;
	t->k = depth ? depth : 1;
	if (!memory_product(e->full_rows, t->k, &numbers))
		return error_set(error, ERROR_RUN, "a block of rankings does not fit into memory");
	return (t->out.start = memory_array(e->full_rows + 1, sizeof(*t->out.start), "a block of rankings", error)) &&
	       (t->marked.start = memory_array(e->full_rows + 1, sizeof(*t->marked.start), "a block of rankings", error)) &&
	       (t->mark = memory_array(e->matrices->items, 1, "a block of rankings", error)) &&
	       (t->item = memory_array(numbers, sizeof(*t->item), "a block of rankings", error)) &&
	       (t->count = memory_array(e->full_rows, sizeof(*t->count), "a block of rankings", error)) &&
	       (t->pairs = memory_array(2 * e->full_rows, sizeof(*t->pairs), "a block of rankings", error));
}

static bool part_init(const struct evaluation *e, int part, struct evaluation_part *p, struct error *error) {
	bool ranks = part != PART_TRAIN && e->collector;
	part_source(e->matrices, part, &p->source);
	if (ranks && (!lists_by_user(e->matrices, part, p, error) || !find_ranked(p, error)))
		return false;
	if (ranks && e->matrices->items_as_rows && p->ranked_count && !make_scores(e, p, error))
		return false;
	if (ranks && e->scorer.rank && !e->matrices->items_as_rows && !make_there(e, p, error))
		return false;
	if (e->no_cells || !asks(e->experiment, false))
		return true;
	p->prediction = memory_array(csr_count(p->source.target), sizeof(*p->prediction), "the predictions", error);
	p->packed = memory_array(batch_cells_most(e->batch), sizeof(*p->packed), "the predictions", error);
	return p->prediction && p->packed && find_plain(e, p, error);
}

// --- what that takes ---

static double csr_bytes(const struct csr *csr) {
	return sizeof(*csr->start) * (double)(csr->rows + 1) +
	       (sizeof(*csr->column) + sizeof(*csr->value) + sizeof(*csr->liked)) * (double)csr_count(csr);
}

// As lists_by_user and make_scores have it, where a row is an item.
static double turned_bytes(const struct matrices *m, const struct part *part) {
	double lists = csr_bytes(&part->target) + csr_bytes(part->input) + csr_bytes(&m->valid.target);
	size_t numbers = m->users < csr_count(&part->target) ? m->users : csr_count(&part->target);
	double scores = fmin((double)numbers * (double)m->items, fmax((double)SCORES_MOST, (double)m->items));
	return lists + sizeof(float) * scores;
}

// Values of single users, in an array that doubles; their cells by user.
static double users_bytes(const struct experiment *e, const struct matrices *m, const struct csr *target) {
	double values = 2 * sizeof(double) * (double)run_users_most(m, target) * (double)(e->uses_count + 1);
	return values + (m->items_as_rows ? 2 * csr_bytes(target) : 0);
}

static double part_bytes(const struct experiment *e, const struct matrices *m, int part, size_t rows) {
	const struct part *p = part == PART_VALID ? &m->valid : &m->test;
	const struct csr *target = part == PART_TRAIN ? &m->train : &p->target;
	// predictions, those of a batch, targets in their own scale, and what auc sorts
	size_t numbers = 1 + (m->scale_high > m->scale_low) + 2;
	double bytes = asks(e, false) ? sizeof(float) * ((double)numbers * (double)csr_count(target) + (double)rows) : 0;
	if (!target->start || part == PART_TRAIN)
		return target->start ? bytes : 0;
	bytes += 2 * sizeof(uint32_t) * (double)target->rows + users_bytes(e, m, target);
	return bytes + (evaluate_ranks(e) && m->items_as_rows ? turned_bytes(m, p) : 0);
}

double evaluation_measure(const struct experiment *e, const struct matrices *m, size_t rows, size_t threads) {
	enum { ITEM_BYTES = 24 }; // of a ranker: what topk, marks, keys and counts of the lists take
	double rankers = evaluate_ranks(e) ? ITEM_BYTES * (double)threads * (double)m->items : 0;
	double asked = part_bytes(e, m, PART_VALID, rows) + part_bytes(e, m, PART_TEST, rows);
	return rankers + fmax(asked, part_bytes(e, m, PART_VALID, rows) + part_bytes(e, m, PART_TRAIN, rows));
}

static uint32_t *count_columns(const struct csr *csr, struct error *error) {
	uint32_t *entries = memory_array(csr->columns, sizeof(*entries), "the train entries of columns", error);
	for (size_t k = 0; entries && k < csr_count(csr); k++)
		entries[csr->column[k]]++;
	return entries;
}

static bool adjust_begin(struct evaluation *e, struct error *error) {
	const struct evaluate_config *config = e->experiment->evaluate;
	e->adjust.factor = e->matrices->scale_high - e->matrices->scale_low;
	e->adjust.shift = e->matrices->scale_low;
	e->adjust.scales = e->adjust.factor > 0;
	if (!config)
		return true;
	if (config->clip.set) {
		e->adjust.clips = true;
		e->adjust.low = config->clip.items[0];
		e->adjust.high = config->clip.items[1];
	}
	e->adjust.cold = config->cold;
	e->adjust.has_cold = !isnan(config->cold);
	if (e->adjust.has_cold)
		e->adjust.column_entries = e->column_entries = count_columns(&e->matrices->train, error);
	return !e->adjust.has_cold || e->column_entries;
}

// --- threads that predict blocks of their own ---

struct evaluation_reader {
	struct network *network; // the first one's is the scorer's
	struct batch batch;
	float *packed; // (cells of the batch)
};

static bool reader_init(const struct evaluation *e, bool first, struct evaluation_reader *r, struct error *error) {
	if (first)
		r->network = e->sharing.network;
	else if (!network_create_reader(e->sharing.network, &e->sharing.room, &r->network, error))
		return false;
	return batch_create_like(e->batch, &r->batch, error) &&
	       (r->packed = memory_array(batch_cells_most(e->batch), sizeof(*r->packed), "the predictions", error));
}

static void readers_finish(struct evaluation *e) {
	for (size_t i = 0; i < e->readers_count; i++) {
		if (i)
			network_destroy(e->readers[i].network);
		batch_destroy(&e->readers[i].batch);
		free(e->readers[i].packed);
	}
	free(e->readers);
	e->readers = NULL;
	e->readers_count = 0;
}

// As they are first wanted: most runs that are short have no use for them.
static bool make_readers(struct evaluation *e, struct error *error) {
	size_t threads = pool_threads(e->pool);
	if (e->readers)
		return true;
	e->readers = memory_alloc(threads * sizeof(*e->readers));
	while (e->readers_count < threads) {
		size_t i = e->readers_count++; // half made ones are finished, too
		if (!reader_init(e, i == 0, &e->readers[i], error)) {
			readers_finish(e);
			return false;
		}
	}
	return true;
}

// --- beginning and end ---

static bool collector_begin(struct evaluation *e, struct error *error) {
	const struct experiment *x = e->experiment;
	if (!ranking_collector_create(x->uses, x->uses_count, e->matrices->items, e->pool, &e->collector, error))
		return false;
	if (!metric_uses_want_surprise(x->uses, x->uses_count))
		return true;
	e->surprise = surprise_create(e->matrices, error);
	ranking_collector_surprise(e->collector, e->surprise);
	return e->surprise;
}

bool evaluation_begin(struct evaluation *e, struct error *error) {
	e->parts = memory_alloc(PARTS * sizeof(*e->parts));
	if (!evaluate_levels(e->matrices, &e->levels, &e->levels_count, error) || !adjust_begin(e, error))
		return false;
	for (size_t i = 0; i < e->levels_count; i++)
		e->levels[i] = adjust_value(&e->adjust, e->levels[i]);
	return !evaluate_ranks(e->experiment) || collector_begin(e, error);
}

void evaluation_finish(struct evaluation *e) {
	for (int part = 0; e->parts && part < PARTS; part++)
		part_finish(&e->parts[part]);
	free(e->parts);
	free(e->levels);
	free(e->column_entries);
	free(e->surprise);
	ranking_collector_destroy(e->collector);
	readers_finish(e);
	e->parts = NULL;
	e->levels = NULL;
	e->column_entries = NULL;
	e->surprise = NULL;
	e->collector = NULL;
}

// --- predictions and rankings ---

static size_t at_most(size_t count, size_t most) {
	return count < most ? count : most;
}

// Full rows of scores, as the scorer gave them.
struct block {
	const struct evaluation *e;
	struct evaluation_part *p;
	struct matrix scores;
	const uint32_t *row; // (scores.rows): places in the data
	size_t first_user;   // where a row is an item: place among the ranked
	size_t users;
};

// The cells of one row of the block, from its scores.
static void take_cells(const struct block *b, size_t i) {
	const struct csr *target = b->p->source.target;
	const real *scores = b->scores.data + i * b->scores.stride;
	for (size_t k = target->start[b->row[i]]; k < target->start[b->row[i] + 1]; k++)
		b->p->prediction[k] = (float)scores[target->column[k]];
}

enum { TAKE_ROWS = 16 };

static void take_rows(void *context, size_t index) {
	const struct block *b = context;
	for (size_t i = index * TAKE_ROWS; i < at_most((index + 1) * TAKE_ROWS, b->scores.rows); i++)
		take_cells(b, i);
}

// What the batch's cells are predicted as goes where they stand in the data.
static void put_cells(const struct evaluation_part *p, const struct batch *batch, const float *packed) {
	const struct csr *target = p->source.target;
	const uint32_t *start = batch->target.start;
	for (size_t i = 0; i < batch->rows; i++)
		memcpy(p->prediction + target->start[batch->row[i]], packed + start[i],
		       (start[i + 1] - start[i]) * sizeof(*packed));
}

static void predict_plain_cells(const struct evaluation *e, struct evaluation_part *p) {
	for (size_t first = 0; first < p->plain_count; first += e->rows) {
		batch_gather(e->batch, &p->source, p->plain + first, at_most(p->plain_count - first, e->rows));
		e->scorer.cells(e->scorer.context, e->batch, p->packed);
		put_cells(p, e->batch, p->packed);
	}
}

// --- blocks that threads take one by one ---

struct share {
	const struct evaluation *e;
	struct evaluation_part *p;
	size_t first, end; // of the rows at hand
	atomic_size_t next;
};

// The next block's rows; false where there is none.
static bool take_block(struct share *s, size_t rows, size_t *ret_first, size_t *ret_count) {
	*ret_first = s->first + atomic_fetch_add_explicit(&s->next, rows, memory_order_relaxed);
	*ret_count = *ret_first < s->end ? at_most(s->end - *ret_first, rows) : 0;
	return *ret_count;
}

// A thread that gets less than some blocks may wait long for the others.
static bool has_shares(const struct evaluation *e, size_t count, size_t rows) {
	enum { BLOCKS_LEAST = 3 };
	size_t threads = pool_threads(e->pool);
	return e->sharing.network && threads > 1 && count > (BLOCKS_LEAST * threads - 1) * rows && rows <= RANKING_PORTION;
}

static void predict_share(void *context, size_t member) {
	struct share *s = context;
	struct evaluation_reader *r = &s->e->readers[member];
	for (size_t first, count; take_block(s, s->e->rows, &first, &count);) {
		batch_gather(&r->batch, &s->p->source, s->p->plain + first, count);
		network_read_cells(r->network, &r->batch, r->packed);
		put_cells(s->p, &r->batch, r->packed);
	}
}

static bool predict_plain_shares(struct evaluation *e, struct evaluation_part *p, struct error *error) {
	struct share share = {.e = e, .p = p, .end = p->plain_count};
	if (!make_readers(e, error))
		return false;
	network_ready(e->sharing.network, false);
	pool_team(e->pool, predict_share, &share);
	return true;
}

// Where the scorer has no other way: whole rows.
static void predict_plain_rows(const struct evaluation *e, struct evaluation_part *p) {
	for (size_t first = 0; first < p->plain_count; first += e->full_rows) {
		struct block b = {.e = e, .p = p, .row = p->plain + first};
		size_t count = at_most(p->plain_count - first, e->full_rows);
		batch_gather(e->batch, &p->source, b.row, count);
		b.scores = e->scorer.all(e->scorer.context, e->batch);
		pool_run(e->pool, (count + TAKE_ROWS - 1) / TAKE_ROWS, take_rows, &b);
	}
}

static void ask(const struct evaluation_part *p, size_t user, const float *scores, struct question *ret) {
	const struct csr *target = &p->target, *lists[] = {&p->input, &p->also_excluded};
	size_t first = target->start[user];
	*ret = (struct question){.scores = scores,
	                         .target = target->column + first,
	                         .liked = target->liked + first,
	                         .target_count = target->start[user + 1] - first};
	for (size_t i = 0; i < 2; i++) {
		if (!lists[i]->start)
			continue;
		ret->excluded[i].items = lists[i]->column + lists[i]->start[user];
		ret->excluded[i].count = lists[i]->start[user + 1] - lists[i]->start[user];
	}
}

static void rank_user_row(const void *context, struct ranker *ranker, size_t i, struct ranking *ret) {
	const struct block *b = context;
	struct question question;
	if (b->p->prediction)
		take_cells(b, i);
	ask(b->p, b->row[i], (const float *)(b->scores.data + i * b->scores.stride), &question);
	ranker_answer(ranker, &question, ret);
}

static void rank_user_rows(const struct evaluation *e, struct evaluation_part *p) {
	for (size_t first = 0; first < p->ranked_count; first += e->full_rows) {
		struct block b = {.e = e, .p = p, .row = p->ranked + first};
		size_t count = at_most(p->ranked_count - first, e->full_rows);
		batch_gather(e->batch, &p->source, b.row, count);
		b.scores = e->scorer.all(e->scorer.context, e->batch);
		ranking_collector_add(e->collector, count, rank_user_row, &b);
	}
}

// --- rankings that are made where the scores are ---

static void list_add(struct column_lists *l, size_t row, uint32_t column) {
	if (l->start[row + 1] == l->room) {
		l->room = l->room ? 2 * l->room : 1024;
		l->column = memory_resize(l->column, l->room * sizeof(*l->column));
	}
	l->column[l->start[row + 1]++] = column;
}

// What is no candidate of the block's i-th user, and what is relevant among the candidates.
static void list_user(const struct evaluation_part *p, size_t user, size_t i) {
	struct there *t = p->there;
	const struct csr *lists[] = {&p->input, &p->also_excluded}, *target = &p->target;
	t->out.start[i + 1] = t->out.start[i];
	t->marked.start[i + 1] = t->marked.start[i];
	for (size_t l = 0; l < 2; l++)
		for (size_t k = lists[l]->start ? lists[l]->start[user] : 0; lists[l]->start && k < lists[l]->start[user + 1];
		     k++) {
			uint32_t item = lists[l]->column[k];
			if (!t->mark[item])
				list_add(&t->out, i, item);
			t->mark[item] = 1;
		}
	for (size_t k = target->start[user]; k < target->start[user + 1]; k++)
		if (target->liked[k] && !t->mark[target->column[k]])
			list_add(&t->marked, i, target->column[k]);
	for (size_t k = t->out.start[i]; k < t->out.start[i + 1]; k++)
		t->mark[t->out.column[k]] = 0;
}

static void rank_given(const void *context, struct ranker *ranker, size_t i, struct ranking *ret) {
	const struct block *b = context;
	const struct there *t = b->p->there;
	size_t length = at_most(t->count[i], ranker->depth), first = t->marked.start[i];
	const struct given_ranking given = {.item = t->item + i * t->k,
	                                    .length = length,
	                                    .relevant = t->marked.column + first,
	                                    .relevant_count = t->marked.start[i + 1] - first,
	                                    .twice = t->pairs[2 * i],
	                                    .others = t->pairs[2 * i + 1]};
	ranker_take(ranker, &given, ret);
}

static void rank_user_rows_there(const struct evaluation *e, struct evaluation_part *p) {
	struct there *t = p->there;
	bool pairs = metric_uses_want_auc(e->experiment->uses, e->experiment->uses_count);
	for (size_t first = 0; first < p->ranked_count; first += e->full_rows) {
		struct block b = {.e = e, .p = p, .row = p->ranked + first};
		size_t count = at_most(p->ranked_count - first, e->full_rows);
		batch_gather(e->batch, &p->source, b.row, count);
		for (size_t i = 0; i < count; i++)
			list_user(p, b.row[i], i);
		struct rank_ask ask = {{t->out.start, t->out.column}, {pairs ? t->marked.start : NULL, t->marked.column}, t->k};
		struct rank_answer answer = {
		    .item = t->item, .count = t->count, .pairs = t->pairs, .cells = p->prediction ? p->packed : NULL};
		e->scorer.rank(e->scorer.context, e->batch, &ask, &answer);
		if (p->prediction)
			put_cells(p, e->batch, p->packed);
		ranking_collector_add(e->collector, count, rank_given, &b);
	}
}

static void rank_share(void *context, size_t member) {
	struct share *s = context;
	struct evaluation_reader *r = &s->e->readers[member];
	for (size_t first, count; take_block(s, s->e->full_rows, &first, &count);) {
		struct block b = {.e = s->e, .p = s->p, .row = s->p->ranked + first};
		batch_gather(&r->batch, &s->p->source, b.row, count);
		b.scores = network_read_all(r->network, &r->batch);
		ranking_collector_rank(s->e->collector, member, first - s->first, count, rank_user_row, &b);
	}
}

static bool rank_user_shares(struct evaluation *e, struct evaluation_part *p, struct error *error) {
	size_t portion = RANKING_PORTION / e->full_rows * e->full_rows;
	if (!make_readers(e, error))
		return false;
	network_ready(e->sharing.network, true);
	for (size_t first = 0; first < p->ranked_count; first += portion) {
		struct share share = {.e = e, .p = p, .first = first, .end = first + at_most(p->ranked_count - first, portion)};
		pool_team(e->pool, rank_share, &share);
		ranking_collector_join(e->collector, share.end - first);
	}
	return true;
}

enum { TURN_USERS = 16 };

// Some users' scores of the block's items: from (items, users) to (users, items).
static void turn_users(void *context, size_t index) {
	const struct block *b = context;
	size_t items = b->e->matrices->items, begin = index * TURN_USERS, end = at_most(begin + TURN_USERS, b->users);
	const uint32_t *user = b->p->ranked + b->first_user;
	for (size_t i = 0; i < b->scores.rows; i++) {
		const real *row = b->scores.data + i * b->scores.stride;
		for (size_t u = begin; u < end; u++)
			b->p->scores[u * items + b->row[i]] = (float)row[user[u]];
	}
}

// The scores of `users` ranked users from all item rows; with the first of them, the cells of all rows.
static void score_users(const struct evaluation *e, struct evaluation_part *p, size_t first_user, size_t users) {
	size_t items = e->matrices->items;
	for (size_t first = 0; first < items; first += e->full_rows) {
		struct block b = {.e = e, .p = p, .row = p->item, .first_user = first_user, .users = users};
		size_t count = at_most(items - first, e->full_rows);
		for (size_t i = 0; i < count; i++)
			p->item[i] = (uint32_t)(first + i);
		batch_gather(e->batch, &p->source, p->item, count);
		b.scores = e->scorer.all(e->scorer.context, e->batch);
		pool_run(e->pool, (users + TURN_USERS - 1) / TURN_USERS, turn_users, &b);
		if (p->prediction && first_user == 0)
			pool_run(e->pool, (count + TAKE_ROWS - 1) / TAKE_ROWS, take_rows, &b);
	}
}

static void rank_user_column(const void *context, struct ranker *ranker, size_t i, struct ranking *ret) {
	const struct block *b = context;
	struct question question;
	ask(b->p, b->p->ranked[b->first_user + i], b->p->scores + i * b->e->matrices->items, &question);
	ranker_answer(ranker, &question, ret);
}

static void rank_item_rows(const struct evaluation *e, struct evaluation_part *p) {
	for (size_t first = 0; first < p->ranked_count; first += p->score_users) {
		size_t count = at_most(p->ranked_count - first, p->score_users);
		score_users(e, p, first, count);
		struct block b = {.e = e, .p = p, .first_user = first};
		ranking_collector_add(e->collector, count, rank_user_column, &b);
	}
}

// --- a part ---

static bool rank_users(struct evaluation *e, struct evaluation_part *p, struct user_values *keep,
                       struct part_result *ret, struct error *error) {
	double values[METRIC_USES_MAX];
	bool good = true;
	ranking_collector_clear(e->collector);
	ranking_collector_keep(e->collector, keep);
	if (e->matrices->items_as_rows)
		rank_item_rows(e, p);
	else if (p->there)
		rank_user_rows_there(e, p);
	else if (e->sharing.room.full_rows && has_shares(e, p->ranked_count, e->full_rows))
		good = rank_user_shares(e, p, error);
	else
		rank_user_rows(e, p);
	ranking_collector_keep(e->collector, NULL);
	ranking_collector_result(e->collector, values, &ret->ranked_users, &ret->skipped_users);
	ret->skipped_users += p->skipped;
	for (size_t i = 0; i < e->experiment->uses_count; i++)
		if (metric_ranks(e->experiment->uses[i].metric))
			ret->metric[i] = values[i];
	for (size_t i = 0; keep && i < keep->count; i++)
		keep->user[i] = p->ranked[keep->user[i]];
	return good;
}

static bool predict_plain(struct evaluation *e, struct evaluation_part *p, struct error *error) {
	if (has_shares(e, p->plain_count, e->rows))
		return predict_plain_shares(e, p, error);
	(e->scorer.cells ? predict_plain_cells : predict_plain_rows)(e, p);
	return true;
}

// values: the targets in the ratings' own scale.
static void measure_cells(const struct evaluation *e, const struct evaluation_part *p, const float *values,
                          struct part_result *ret) {
	const struct csr *target = p->source.target;
	struct cells cells = {.count = csr_count(target),
	                      .prediction = p->prediction,
	                      .target = values,
	                      .liked = target->liked,
	                      .levels = e->levels,
	                      .levels_count = e->levels_count,
	                      .pool = e->pool};
	for (size_t i = 0; i < e->experiment->uses_count; i++) {
		const struct metric *metric = e->experiment->uses[i].metric;
		if (metric->over_cells)
			ret->metric[i] = metric->over_cells(&cells);
	}
}

// ranked: users with a ranking, joined with those who have cells into ret_users.
static bool join_users(const struct evaluation *e, const struct evaluation_part *p, const float *values,
                       const struct user_values *ranked, struct user_values *ret_users, struct error *error) {
	struct user_cells cells = {.uses = e->experiment->uses,
	                           .uses_count = e->experiment->uses_count,
	                           .target = p->source.target,
	                           .value = values,
	                           .prediction = p->prediction,
	                           .items_as_rows = e->matrices->items_as_rows,
	                           .levels = e->levels,
	                           .levels_count = e->levels_count};
	return users_measure(&cells, e->matrices->users, ranked, ret_users, error);
}

// All that needs no network any more once predictions and rankings are there.
static bool finish_part(const struct evaluation *e, const struct evaluation_part *p, const struct user_values *ranked,
                        struct part_result *ret, struct user_values *ret_users, struct error *error) {
	const struct csr *target = p->source.target;
	float *scaled = NULL;
	if (p->prediction) {
		if (!adjust_targets(&e->adjust, target, &scaled, error))
			return false;
		adjust_predictions(&e->adjust, p->source.ratings, target, p->prediction);
		measure_cells(e, p, scaled ? scaled : target->value, ret);
	}
	bool good = !ret_users || join_users(e, p, scaled ? scaled : target->value, ranked, ret_users, error);
	free(scaled);
	return good;
}

static bool evaluate(struct evaluation *e, int part, struct part_result *ret, struct user_values *ret_users,
                     struct error *error) {
	struct evaluation_part *p = &e->parts[part];
	struct batch_source source;
	struct user_values ranked = {.uses = e->experiment->uses_count};
	*ret = (struct part_result){0};
	for (size_t i = 0; i < METRIC_USES_MAX; i++)
		ret->metric[i] = NAN;
	part_source(e->matrices, part, &source);
	if (!source.target->start)
		return true;
	ret->exists = true;
	if (!p->source.target && !part_init(e, part, p, error))
		return false;
	bool ranks = part != PART_TRAIN && e->collector;
	bool good = (!ranks || rank_users(e, p, ret_users ? &ranked : NULL, ret, error)) &&
	            (!p->prediction || predict_plain(e, p, error)) && finish_part(e, p, &ranked, ret, ret_users, error);
	user_values_finish(&ranked);
	if (part != PART_VALID) // which is evaluated again
		part_finish(p);
	return good;
}

bool evaluate_part(struct evaluation *e, int part, struct part_result *ret, struct error *error) {
	return evaluate(e, part, ret, NULL, error);
}

bool evaluate_part_users(struct evaluation *e, int part, struct part_result *ret, struct user_values *ret_users,
                         struct error *error) {
	*ret_users = (struct user_values){.uses = e->experiment->uses_count};
	return evaluate(e, part, ret, ret_users, error);
}
