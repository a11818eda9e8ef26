// Lists and predictions: users in blocks of rows through the model, then the best of each user's row on the pool's
// threads; lists of many users another way, see lists.h. Reasons: a user's row once more for each rating, without it.
#include "recommend/lists.h"

#include "eval/adjust.h"
#include "eval/topk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const basis_names[] = {
    [AEXP_RATINGS] = "ratings",       [AEXP_RATINGS_AND_ATTRIBUTES] = "ratings and attributes",
    [AEXP_ATTRIBUTES] = "attributes", [AEXP_POPULARITY] = "popularity",
    [AEXP_NOTHING] = "nothing known",
};

const char *aexp_basis_name(enum aexp_basis basis) {
	return basis_names[basis];
}

enum { TOP = 10 };
enum { MANY = 32, MANY_MOST = 8192 }; // users that lists.c is for, and at a time

struct work {
	struct aexp_model *model;
	const struct aexp_how *how;
	const struct aexp_user *users; // (count) those at hand
	struct request *requests;      // (count)
	struct aexp_list *lists;       // (count)
	size_t count, top;
	struct topk *topk; // (threads)
	size_t threads;
	bool asked; // the items that users ask about, in place of the best
};

// --- from a user to a request ---

static bool find_items(const struct work *w, const char *const *names, size_t count, const struct report *report,
                       uint32_t *ret, size_t *ret_count, struct error *error) {
	for (size_t i = 0; i < count; i++) {
		if (ids_find(&w->model->item_ids, names[i], strlen(names[i]), &ret[*ret_count]))
			++*ret_count;
		else if (!report_unknown(report, error, "item \"%s\" is unknown", names[i]))
			return false;
	}
	return true;
}

static bool check_place(const struct aexp_model *m, const struct aexp_user *user, struct error *error) {
	if (!m->items_as_rows || (m->data && user->place && user->place <= m->columns))
		return true;
	error_set(error, ERROR_CONFIG, "a row of this model is an item, not a user: it has nothing for new users");
	error_hint(error, "Users of the run's own data can be asked for by --user, --all or their pairs, from the run's "
	                  "folder; or train with data.rows = \"users\".");
	return false;
}

static enum aexp_basis basis_of(const struct work *w, const struct request *r, bool about) {
	if (r->ratings.count)
		return about ? AEXP_RATINGS_AND_ATTRIBUTES : AEXP_RATINGS;
	return about ? AEXP_ATTRIBUTES : w->asked ? AEXP_NOTHING : AEXP_POPULARITY;
}

static int ascending(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void leave_out(const struct work *w, struct request *r, struct arena *arena) {
	const struct aexp_user *user = r->user;
	r->out = r->rated.column;
	r->out_count = r->rated.count;
	if (!user->leave_out_count)
		return;
	r->out_count = 0;
	r->out = arena_alloc(arena, (r->rated.count + user->leave_out_count + 1) * sizeof(*r->out));
	for (size_t k = 0; k < r->rated.count; k++)
		r->out[r->out_count++] = r->rated.column[k];
	for (size_t k = 0; k < user->leave_out_count; k++) { // what is unknown cannot be recommended anyway
		const char *name = user->leave_out[k];
		r->out_count += ids_find(&w->model->item_ids, name, strlen(name), &r->out[r->out_count]);
	}
	qsort(r->out, r->out_count, sizeof(*r->out), ascending);
}

static bool request_make(const struct work *w, const struct aexp_how *how, const struct aexp_user *user,
                         struct arena *arena, struct request *r, struct error *error) {
	const struct aexp_model *m = w->model;
	struct report report = {how, user->id ? user->id : ""};
	bool about;
	*r = (struct request){.user = user};
	if (!check_place(m, user, error) || !code_ratings(m, user, &report, arena, &r->ratings, &r->rated, error) ||
	    !code_attributes(m, user, &report, arena, &r->about, &about, error))
		return false;
	r->basis = basis_of(w, r, about);
	if (w->asked) {
		r->item = arena_alloc(arena, (user->asked_count + 1) * sizeof(*r->item));
		r->score = arena_alloc(arena, (user->asked_count + 1) * sizeof(*r->score));
		return find_items(w, user->asked, user->asked_count, &report, r->item, &r->count, error);
	}
	r->item = arena_alloc(arena, w->top * sizeof(*r->item));
	r->score = arena_alloc(arena, w->top * sizeof(*r->score));
	if (!how->include_rated)
		leave_out(w, r, arena);
	return true;
}

// --- from scores to lists ---

static void choose(const struct work *w, struct topk *topk, struct request *r) {
	if (!w->asked) {
		topk_begin(topk, r->row);
		topk_exclude(topk, r->out, r->out_count);
		r->count = topk_take(topk, w->top, r->item);
	}
	for (size_t k = 0; k < r->count; k++)
		r->score[k] = r->row[r->item[k]];
}

// Every so many-th request.
static void choose_share(void *context, size_t index) {
	const struct work *w = context;
	for (size_t i = index; i < w->count; i += w->threads)
		choose(w, &w->topk[index], &w->requests[i]);
}

static void choose_all(struct work *w) {
	for (size_t i = 0; i < w->count; i++)
		if (w->requests[i].basis == AEXP_POPULARITY)
			w->requests[i].row = w->model->popularity;
	pool_run(w->model->pool, w->threads, choose_share, w);
}

// --- reasons ---

struct reason {
	uint32_t item;
	float contribution;
};

static int strongest_first(const void *a, const void *b) {
	const struct reason *x = a, *y = b;
	if (x->contribution != y->contribution)
		return x->contribution > y->contribution ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

static void without(const struct row_entries *row, size_t k, struct row_entries *ret) {
	ret->count = row->count - 1;
	memcpy(ret->column, row->column, k * sizeof(*ret->column));
	memcpy(ret->value, row->value, k * sizeof(*ret->value));
	memcpy(ret->column + k, row->column + k + 1, (ret->count - k) * sizeof(*ret->column));
	memcpy(ret->value + k, row->value + k + 1, (ret->count - k) * sizeof(*ret->value));
}

// ret (ratings, items of the list): the whole row's scores less those without each rating. All of them, the whole one
// too, come from blocks that are alike, so that rounding tells nothing.
static void leave_each_out(struct work *w, const struct request *r, struct arena *arena, float *ret) {
	size_t n = r->ratings.count;
	struct row_entries part = {arena_alloc(arena, n * sizeof(uint32_t)), arena_alloc(arena, n * sizeof(float)), 0};
	for (size_t first = 0; first < n;) {
		struct aexp_model *m = w->model;
		block_clear(m, MODEL_BLOCK_ROWS);
		block_add(m, &r->ratings, &r->about, r->user->place);
		for (size_t k = first; k < n; k++) {
			without(&r->ratings, k, &part);
			if (!block_add(m, &part, &r->about, r->user->place))
				break;
		}
		struct matrix scores = block_scores(m);
		for (size_t i = 1; i < scores.rows; i++)
			for (size_t j = 0; j < r->count; j++)
				ret[(first + i - 1) * r->count + j] =
				    scores.data[r->item[j]] - scores.data[i * scores.stride + r->item[j]];
		first += scores.rows - 1;
	}
}

// The reasons for one item: ratings that push it up, or that pull it down where so many do not.
static size_t reasons_for(const struct work *w, const struct request *r, const float *contribution, size_t j,
                          struct arena *arena, struct aexp_reason **ret) {
	size_t n = r->ratings.count, most = w->how->reasons < n ? w->how->reasons : n, count = 0;
	struct reason *all = arena_alloc(arena, n * sizeof(*all));
	for (size_t k = 0; k < n; k++)
		all[k] = (struct reason){r->ratings.column[k], contribution[k * r->count + j]};
	qsort(all, n, sizeof(*all), strongest_first);
	*ret = arena_alloc(&w->model->answers[0], (most + 1) * sizeof(**ret));
	for (; count < most && all[count].contribution > 0; count++)
		(*ret)[count] = (struct aexp_reason){aexp_item(w->model, all[count].item),
		                                     aexp_title(w->model, all[count].item), all[count].contribution};
	return count;
}

static void explain(struct work *w, const struct request *r, struct aexp_scored *items) {
	struct arena arena = {0};
	if (!w->how->reasons || !r->ratings.count || !r->count)
		return;
	float *contribution = arena_alloc(&arena, r->ratings.count * r->count * sizeof(*contribution));
	leave_each_out(w, r, &arena, contribution);
	for (size_t j = 0; j < r->count; j++) {
		struct aexp_reason *reasons;
		items[j].reasons_count = reasons_for(w, r, contribution, j, &arena, &reasons);
		items[j].reasons = reasons;
	}
	arena_finish(&arena);
}

// --- blocks ---

// What cell metrics would see of a score (eval/adjust.h).
static float rating_of(const struct work *w, const struct request *r, size_t k) {
	const struct aexp_model *m = w->model;
	const struct evaluate_config *e = m->experiment.evaluate;
	bool rates = !m->experiment.model || model_of(m->experiment.model)->rates;
	struct adjust adjust = {
	    .scales = m->scale_high > m->scale_low, .factor = m->scale_high - m->scale_low, .shift = m->scale_low};
	if (!w->asked || m->levels || !rates)
		return NAN;
	double rating = adjust_value(&adjust, (double)r->score[k]);
	if (e && !isnan(e->cold) && (!r->ratings.count || m->popularity[r->item[k]] == 0))
		rating = e->cold;
	if (e && e->clip.set && e->clip.count == 2)
		rating = fmin(fmax(rating, e->clip.items[0]), e->clip.items[1]);
	return (float)rating;
}

static void list_fill(const struct work *w, const struct request *r, struct arena *arena, struct aexp_list *ret) {
	const struct aexp_model *m = w->model;
	struct aexp_scored *items = arena_alloc(arena, (r->count + 1) * sizeof(*items));
	for (size_t k = 0; k < r->count; k++)
		items[k] = (struct aexp_scored){.item = aexp_item(m, r->item[k]),
		                                .title = aexp_title(m, r->item[k]),
		                                .score = r->score[k],
		                                .rating = rating_of(w, r, k)};
	*ret = (struct aexp_list){r->basis, items, r->count};
}

// Every so many-th.
static void fill_share(void *context, size_t index) {
	const struct work *w = context;
	for (size_t i = index; i < w->count; i += w->threads)
		list_fill(w, &w->requests[i], &w->model->answers[index], &w->lists[i]);
}

static void lists_fill(struct work *w) {
	pool_run(w->model->pool, w->count < w->threads ? w->count : w->threads, fill_share, w);
	for (size_t i = 0; w->how->reasons && i < w->count; i++)
		explain(w, &w->requests[i], (struct aexp_scored *)(uintptr_t)w->lists[i].items);
}

static bool score_all(struct work *w, struct error *error) {
	size_t user[MODEL_BLOCK_ROWS];
	const float *row[MODEL_BLOCK_ROWS];
	if (!w->model->items_as_rows) {
		struct matrix scores = block_scores(w->model);
		for (size_t i = 0; i < w->count; i++)
			w->requests[i].row = scores.data + i * scores.stride;
		return true;
	}
	for (size_t i = 0; i < w->count; i++)
		user[i] = w->requests[i].user->place - 1;
	if (!item_rows_scores(w->model, user, w->count, row, error))
		return false;
	for (size_t i = 0; i < w->count; i++)
		w->requests[i].row = row[i];
	return true;
}

// --- lists where the scores are ---

// A few rows' lists one after the other.
struct out_lists {
	uint32_t start[MODEL_BLOCK_ROWS + 1];
	uint32_t *column; // of start[rows]
};

static void gather_out(const struct work *w, struct out_lists *ret) {
	ret->start[0] = 0;
	for (size_t i = 0; i < w->count; i++)
		ret->start[i + 1] = ret->start[i] + (uint32_t)w->requests[i].out_count;
	ret->column = memory_alloc((ret->start[w->count] + 1) * sizeof(*ret->column));
	for (size_t i = 0; i < w->count; i++)
		memcpy(ret->column + ret->start[i], w->requests[i].out, w->requests[i].out_count * sizeof(*ret->column));
}

// Whether they can be made there, all that is left out of them included.
static bool can_rank(const struct work *w) {
	size_t out = 0;
	for (size_t i = 0; i < w->count; i++)
		out += w->requests[i].out_count;
	return !w->asked && block_can_rank(w->model, w->top, out);
}

// Lists of those who are more than their popularity; the others are chosen here.
static void rank_all(struct work *w) {
	struct out_lists out;
	size_t rows = w->count, k = w->top;
	gather_out(w, &out);
	uint32_t *item = memory_alloc(rows * k * sizeof(*item)), *count = memory_alloc(rows * sizeof(*count));
	float *score = memory_alloc(rows * k * sizeof(*score));
	struct rank_ask ask = {.out = {out.start, out.column}, .k = k};
	block_rank(w->model, &ask, &(struct rank_answer){.item = item, .count = count, .score = score});
	for (size_t i = 0; i < rows; i++) {
		struct request *r = &w->requests[i];
		if (r->basis == AEXP_POPULARITY) {
			r->row = w->model->popularity;
			choose(w, &w->topk[0], r);
			continue;
		}
		r->count = count[i];
		memcpy(r->item, item + i * k, r->count * sizeof(*item));
		memcpy(r->score, score + i * k, r->count * sizeof(*score));
	}
	free(out.column);
	free(item);
	free(count);
	free(score);
}

// As many of the users as fit into a block.
static bool do_block(struct work *w, size_t left, struct error *error) {
	static const struct row_entries none = {0};
	struct aexp_model *m = w->model;
	block_clear(m, MODEL_BLOCK_ROWS);
	w->count = 0;
	while (w->count < left && w->count < MODEL_BLOCK_ROWS) {
		struct request *r = &w->requests[w->count];
		if (!request_make(w, w->how, &w->users[w->count], &w->model->scratch[0], r, error))
			return false;
		if (!block_add(m, m->items_as_rows ? &none : &r->ratings, &r->about, r->user->place))
			break;
		w->count++;
	}
	if (can_rank(w)) {
		rank_all(w);
	} else {
		if (!score_all(w, error))
			return false;
		choose_all(w);
	}
	if (!m->backend->sync(m->device, error))
		return false;
	lists_fill(w);
	return true;
}

// --- many at once ---

// What is unknown is an error here, so that nothing is reported by several threads: such a request is made again.
static void make_share(void *context, size_t index) {
	const struct work *w = context;
	struct aexp_how silent = *w->how;
	silent.strict = true;
	for (size_t i = index; i < w->count; i += w->threads)
		w->requests[i].failed =
		    !request_make(w, &silent, &w->users[i], &w->model->scratch[index], &w->requests[i], &(struct error){0});
}

// Those whose list is no matter of scores, or holds less than it could, which scores that are no numbers bring about.
static bool is_left(const struct work *w, const struct request *r) {
	return r->basis == AEXP_POPULARITY || (r->count < w->top && r->count + r->out_count < w->model->items);
}

// Alone, from its whole row.
static void choose_alone(struct work *w, struct request *r) {
	block_clear(w->model, MODEL_BLOCK_ROWS);
	block_add(w->model, &r->ratings, &r->about, r->user->place);
	r->row = r->basis == AEXP_POPULARITY ? w->model->popularity : block_scores(w->model).data;
	choose(w, &w->topk[0], r);
}

static bool do_many(struct work *w, size_t left, struct error *error) {
	w->count = left < MANY_MOST ? left : MANY_MOST;
	pool_run(w->model->pool, w->threads, make_share, w);
	for (size_t i = 0; i < w->count; i++)
		if (w->requests[i].failed &&
		    !request_make(w, w->how, &w->users[i], &w->model->scratch[0], &w->requests[i], error))
			return false;
	if (!lists_make(w->model, w->requests, w->count, w->top, error))
		return false;
	for (size_t i = 0; i < w->count; i++)
		if (is_left(w, &w->requests[i]))
			choose_alone(w, &w->requests[i]);
	lists_fill(w);
	return true;
}

static bool check_reasons(const struct aexp_model *m, const struct aexp_how *how, struct error *error) {
	if (!how->reasons || !m->items_as_rows)
		return true;
	error_set(error, ERROR_CONFIG, "a row of this model is an item: a user's other ratings are no input of its score");
	error_hint(error, "Leaving one of them out changes nothing, so there are no reasons; train with data.rows = "
	                  "\"users\" to have some. --similar has the items near to one.");
	return false;
}

static bool work_begin(struct work *w, size_t count, struct error *error) {
	struct aexp_model *m = w->model;
	size_t threads = pool_threads(m->pool);
	w->top = w->how->top ? w->how->top : TOP;
	w->top = w->top < m->items ? w->top : m->items;
	size_t most = count < MANY_MOST ? count : MANY_MOST;
	w->requests = memory_alloc((most > MODEL_BLOCK_ROWS ? most : MODEL_BLOCK_ROWS) * sizeof(*w->requests));
	w->topk = memory_alloc(threads * sizeof(*w->topk));
	for (; w->threads < threads; w->threads++)
		if (!w->asked && !topk_init(&w->topk[w->threads], m->items, w->top, error))
			return false;
	return true;
}

static void work_finish(struct work *w) {
	for (size_t i = 0; i < w->threads; i++)
		topk_finish(&w->topk[i]);
	free(w->topk);
	free(w->requests);
}

static bool answer(struct aexp_model *m, const struct aexp_user *users, size_t count, const struct aexp_how *how,
                   bool asked, struct aexp_list *ret_lists, struct aexp_error *ret_error) {
	struct work w = {.model = m, .how = how, .users = users, .lists = ret_lists, .asked = asked};
	struct error error = {0};
	model_forget_scratch(m);
	model_forget_answers(m);
	if (!check_reasons(m, how, &error))
		return public_error(&error, ret_error);
	bool good = work_begin(&w, count, &error), many = !asked && count >= MANY && lists_can(m, w.top);
	for (size_t left = count; good && left; left -= w.count) {
		good = many ? do_many(&w, left, &error) : do_block(&w, left, &error);
		model_forget_scratch(m);
		w.users += w.count;
		w.lists += w.count;
	}
	work_finish(&w);
	return good || public_error(&error, ret_error);
}

bool aexp_recommend(struct aexp_model *model, const struct aexp_user *users, size_t count, const struct aexp_how *how,
                    struct aexp_list *ret_lists, struct aexp_error *error) {
	return answer(model, users, count, how, false, ret_lists, error);
}

bool aexp_predict(struct aexp_model *model, const struct aexp_user *users, size_t count, const struct aexp_how *how,
                  struct aexp_list *ret_lists, struct aexp_error *error) {
	return answer(model, users, count, how, true, ret_lists, error);
}
