// The users of a run's own data, as its evaluation shows them to the model: their training ratings, or where whole
// users are held out the part of their ratings that is input.
#include "cli/trained.h"

#include "base/file.h"
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t *numbers_of(const uint32_t *of, size_t count, size_t ids) {
	uint32_t *number = memory_alloc((ids + 1) * sizeof(*number));
	memset(number, 0xff, ids * sizeof(*number));
	for (size_t i = 0; i < count; i++)
		number[of[i]] = (uint32_t)i;
	return number;
}

// Which ratings of the data set are whose.
static void list_by_user(struct known *k) {
	const struct dataset *d = &k->prepared.dataset;
	size_t users = k->prepared.matrices.users;
	k->start = memory_alloc((users + 2) * sizeof(*k->start));
	k->entry = memory_alloc((d->count + 1) * sizeof(*k->entry));
	for (size_t i = 0; i < d->count; i++)
		if (k->user_number[d->user[i]] != UINT32_MAX)
			k->start[k->user_number[d->user[i]] + 2]++;
	for (size_t u = 2; u < users + 2; u++)
		k->start[u] += k->start[u - 1];
	for (size_t i = 0; i < d->count; i++)
		if (k->user_number[d->user[i]] != UINT32_MAX)
			k->entry[k->start[k->user_number[d->user[i]] + 1]++] = (uint32_t)i;
}

int known_open(const struct trained *t, const struct options *options, struct known *ret) {
	struct error error = {0};
	*ret = (struct known){0};
	if (!t->folder) {
		error_set(&error, ERROR_CONFIG, "\"%s\" stands alone: users of the run's data need the run's folder", t->path);
		error_hint(&error, "Name the run, or give the users' ratings on standard input.");
		print_error(&error);
		return (int)error.code;
	}
	char *path = path_join(t->folder, "experiment.cfg");
	int code = prepare(path, options, false, &ret->prepared);
	if (code == 0 &&
	    (strcmp(ret->prepared.id, aexp_id(t->model)) != 0 || !model_attach(t->model, &ret->prepared.matrices))) {
		error_at(&error, ERROR_DATA, (struct origin){.file = path}, "the data is not what the model was trained on");
		print_error(&error);
		code = (int)error.code;
	}
	free(path);
	if (code)
		return code;
	const struct matrices *m = &ret->prepared.matrices;
	ret->user_number = numbers_of(m->user_of, m->users, m->dataset->users.count);
	ret->item_number = numbers_of(m->item_of, m->items, m->dataset->items.count);
	list_by_user(ret);
	return 0;
}

int known_open_for_vectors(const struct trained *t, const struct options *options, struct known *ret) {
	*ret = (struct known){0};
	return aexp_takes_new_users(t->model) || !t->folder ? 0 : known_open(t, options, ret);
}

void known_close(struct known *k) {
	prepared_finish(&k->prepared);
	free(k->start);
	free(k->entry);
	free(k->user_number);
	free(k->item_number);
}

bool known_find(const struct known *k, const char *id, size_t *ret_user) {
	uint32_t index;
	if (!ids_find(&k->prepared.dataset.users, id, strlen(id), &index) || k->user_number[index] == UINT32_MAX)
		return false;
	*ret_user = k->user_number[index];
	return true;
}

static bool has_entry(const struct csr *csr, size_t row, uint32_t column) {
	if (!csr->start)
		return false;
	size_t low = csr->start[row], high = csr->start[row + 1];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (csr->column[middle] < column)
			low = middle + 1;
		else
			high = middle;
	}
	return low < csr->start[row + 1] && csr->column[low] == column;
}

static bool is_input(const struct matrices *m, size_t user, uint32_t item) {
	if (m->items_as_rows)
		return has_entry(&m->train, item, (uint32_t)user);
	return has_entry(&m->train, user, item) || has_entry(&m->valid.own_input, user, item) ||
	       has_entry(&m->test.own_input, user, item);
}

// A cell of side information as a file would have it.
static const char *cell_text(const struct attribute *a, size_t row, struct arena *arena) {
	struct text text = {0};
	char number[NUMBER_TEXT];
	if (a->numeric) {
		number_write(a->number[row], number);
		return isnan(a->number[row]) ? "" : arena_string(arena, number);
	}
	for (size_t i = a->start[row]; i < a->start[row + 1]; i++)
		if (a->level[i])
			text_format(&text, "%s%s", text.length ? "|" : "", ids_name(&a->levels, a->level[i] - 1));
	const char *cell = arena_string(arena, text_string(&text));
	text_finish(&text);
	return cell;
}

static void take_attributes(const struct known *k, size_t row, struct arena *arena, struct aexp_user *ret) {
	const struct attributes *all = &k->prepared.dataset.user_attributes;
	struct aexp_attribute *attributes = arena_alloc(arena, (all->count + 1) * sizeof(*attributes));
	if (k->prepared.matrices.items_as_rows)
		return;
	for (size_t i = 0; i < all->count; i++)
		attributes[i] = (struct aexp_attribute){all->items[i].name, cell_text(&all->items[i], row, arena)};
	ret->attributes = attributes;
	ret->attributes_count = all->count;
}

void known_user(const struct known *k, const struct aexp_model *model, size_t user, struct arena *arena,
                struct aexp_user *ret) {
	const struct matrices *m = &k->prepared.matrices;
	const struct dataset *d = &k->prepared.dataset;
	size_t first = k->start[user], count = k->start[user + 1] - first;
	struct aexp_rating *ratings = arena_alloc(arena, (count + 1) * sizeof(*ratings));
	const char **out = arena_alloc(arena, (count + 1) * sizeof(*out));
	*ret = (struct aexp_user){.id = matrices_user(m, user), .ratings = ratings, .leave_out = out};
	for (size_t i = first; i < first + count; i++) {
		uint32_t item = k->item_number[d->item[k->entry[i]]];
		if (item == UINT32_MAX)
			continue;
		const char *name = aexp_item(model, item);
		if (is_input(m, user, item))
			ratings[ret->ratings_count++] = (struct aexp_rating){name, (double)d->rating[k->entry[i]]};
		else
			out[ret->leave_out_count++] = name;
	}
	take_attributes(k, m->user_of[user], arena, ret);
	if (m->items_as_rows || m->row_trained[user])
		ret->place = user + 1;
}
