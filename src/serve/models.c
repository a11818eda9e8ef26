// See models.h. Hazard pointers (Michael 2004), one for each thread: what is announced there is not freed.
#include "serve/models.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CACHE_LINE = 64 };
struct models_slot {
	alignas(CACHE_LINE) _Atomic(struct served *) used; // NULL: nothing
};

static void served_close(struct served *s) {
	if (!s)
		return;
	for (size_t i = 0; i < s->slots; i++)
		aexp_close(s->model[i]);
	free(s->model);
	free(s->popular);
	free(s);
}

static int more_popular_first(const void *a, const void *b, void *context) {
	const float *popularity = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	if (popularity[x] != popularity[y])
		return popularity[x] > popularity[y] ? -1 : 1;
	return (x > y) - (x < y);
}

static bool sort_items(struct served *s, struct error *error) {
	const struct aexp_model *m = s->model[0];
	s->popular = memory_array(m->items, sizeof(*s->popular), "the order of the items", error);
	for (size_t i = 0; s->popular && i < m->items; i++)
		s->popular[i] = (uint32_t)i;
	if (s->popular)
		qsort_r(s->popular, m->items, sizeof(*s->popular), more_popular_first, m->popularity);
	return s->popular;
}

static bool open_slots(struct served *s, const char *path, struct error *error) {
	for (size_t i = 0; i < s->slots; i++)
		if (!model_open(path, NULL, &s->model[i], error))
			return false;
	if (aexp_takes_new_users(s->model[0]))
		return sort_items(s, error);
	error_at(error, ERROR_CONFIG, (struct origin){.file = path}, "a row of this model is an item, not a user");
	error_hint(error, "There is nothing to compute for new users; train with data.rows = \"users\".");
	return false;
}

// What stands at the path before it is opened: a file that replaces it meanwhile is seen as a change.
static bool served_open(struct models *m, struct served **ret, struct error *error) {
	struct served *s = memory_alloc(sizeof(*s));
	if (stat(m->path, &m->seen) != 0)
		m->seen = (struct stat){0};
	s->slots = m->slots;
	s->model = memory_alloc(m->slots * sizeof(struct aexp_model *));
	if (open_slots(s, m->path, error)) {
		*ret = s;
		return true;
	}
	served_close(s);
	return false;
}

bool models_open(struct models *m, const char *path, size_t slots, struct error *error) {
	struct served *first;
	*m = (struct models){.path = path, .slots = slots};
	m->slot = memory_array(slots, sizeof(*m->slot), "the threads' models", error);
	if (!m->slot || !served_open(m, &first, error))
		return false;
	atomic_store(&m->current, first);
	return true;
}

void models_close(struct models *m) {
	served_close(atomic_load(&m->current));
	free(m->slot);
	*m = (struct models){0};
}

// Announced, and then still the current one: whoever replaced it since will see the announcement.
struct served *models_take(struct models *m, size_t slot) {
	struct served *s;
	do {
		s = atomic_load(&m->current);
		atomic_store(&m->slot[slot].used, s);
	} while (atomic_load(&m->current) != s);
	return s;
}

void models_leave(struct models *m, size_t slot) {
	atomic_store(&m->slot[slot].used, NULL);
}

static void wait_until_unused(const struct models *m, const struct served *old) {
	static const struct timespec moment = {.tv_nsec = 1000000};
	for (size_t i = 0; i < m->slots; i++)
		while (atomic_load(&m->slot[i].used) == old)
			nanosleep(&moment, NULL);
}

bool models_reload(struct models *m, struct error *error) {
	struct served *next;
	if (!served_open(m, &next, error)) {
		atomic_fetch_add(&m->failures, 1);
		return false;
	}
	struct served *old = atomic_exchange(&m->current, next);
	wait_until_unused(m, old);
	served_close(old);
	atomic_fetch_add(&m->reloads, 1);
	return true;
}

bool models_changed(const struct models *m) {
	struct stat now;
	return stat(m->path, &now) == 0 &&
	       (now.st_dev != m->seen.st_dev || now.st_ino != m->seen.st_ino || now.st_size != m->seen.st_size ||
	        now.st_mtim.tv_sec != m->seen.st_mtim.tv_sec || now.st_mtim.tv_nsec != m->seen.st_mtim.tv_nsec);
}
