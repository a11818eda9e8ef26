// See checkpoint.h.
#include "train/checkpoint.h"

#include "base/file.h"
#include "base/hash.h"
#include "nn/op.h"
#include "nn/state.h"
#include "train/outcome.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[8] = "aexp.ckp";
enum { VERSION = 1, PHASES_KEPT = 2 };
static const char *const kept_phases[PHASES_KEPT] = {"train", "evaluate"}; // whose times go on

// --- the trainer ---

static void put_epoch(const struct trainer *t, const struct epoch_result *e, struct bytes_out *out) {
	bytes_put_double(out, e->train_loss);
	bytes_put_double(out, e->refed_loss);
	bytes_put_double(out, e->seconds);
	bytes_put_u64(out, e->valid.exists);
	for (size_t i = 0; i < t->experiment->uses_count; i++)
		bytes_put_double(out, e->valid.metric[i]);
	bytes_put_u64(out, e->valid.ranked_users);
	bytes_put_u64(out, e->valid.skipped_users);
}

static void take_epoch(const struct trainer *t, size_t epoch, struct bytes_in *in, struct epoch_result *ret) {
	*ret = (struct epoch_result){.epoch = epoch};
	ret->train_loss = bytes_take_double(in);
	ret->refed_loss = bytes_take_double(in);
	ret->seconds = bytes_take_double(in);
	ret->valid.exists = bytes_take_below(in, 2);
	for (size_t i = 0; i < t->experiment->uses_count; i++)
		ret->valid.metric[i] = bytes_take_double(in);
	ret->valid.ranked_users = bytes_take_u64(in);
	ret->valid.skipped_users = bytes_take_u64(in);
}

static const struct run_phase *phase_of(const struct run_result *r, const char *name) {
	static const struct run_phase none = {0};
	for (size_t i = 0; i < r->phases_count; i++)
		if (!strcmp(r->phases[i].name, name))
			return &r->phases[i];
	return &none;
}

static void put_result(const struct trainer *t, struct bytes_out *out) {
	const struct run_result *r = t->result;
	bytes_put_u64(out, r->epochs_count);
	for (size_t i = 0; i < r->epochs_count; i++)
		put_epoch(t, &r->epochs[i], out);
	bytes_put_u64(out, r->best_epoch);
	bytes_put_double(out, r->best_value);
	bytes_put_u64(out, r->stopped_early);
	bytes_put_u64(out, r->halvings_count);
	for (size_t i = 0; i < r->halvings_count; i++) {
		bytes_put_u64(out, r->halvings[i].epoch);
		bytes_put_u64(out, r->halvings[i].batch);
	}
	for (size_t i = 0; i < PHASES_KEPT; i++) {
		bytes_put_double(out, phase_of(r, kept_phases[i])->seconds);
		bytes_put_double(out, phase_of(r, kept_phases[i])->ratings);
	}
}

// ret: what is plain; its epochs (with room) belong to the caller.
static void take_result(const struct trainer *t, struct bytes_in *in, struct run_result *ret) {
	size_t most = experiment_epochs(t->experiment);
	ret->epochs_count = bytes_take_below(in, most + 1);
	if (ret->epochs_count > in->left / (5 * sizeof(double))) // what an epoch has at least
		in->failed = true;
	ret->epochs_count = in->failed ? 0 : ret->epochs_count;
	ret->epochs = memory_alloc((ret->epochs_count + 1) * sizeof(*ret->epochs));
	for (size_t i = 0; i < ret->epochs_count; i++)
		take_epoch(t, i + 1, in, &ret->epochs[i]);
	ret->best_epoch = bytes_take_below(in, ret->epochs_count + 1);
	ret->best_value = bytes_take_double(in);
	ret->stopped_early = bytes_take_below(in, 2);
	ret->halvings_count = bytes_take_below(in, HALVINGS_MOST + 1);
	for (size_t i = 0; i < ret->halvings_count; i++) {
		ret->halvings[i].epoch = bytes_take_below(in, most + 1);
		ret->halvings[i].batch = bytes_take_u64(in);
	}
	for (size_t i = 0; i < PHASES_KEPT; i++) {
		double seconds = bytes_take_double(in), ratings = bytes_take_double(in);
		run_add_phase(ret, kept_phases[i], seconds, ratings);
	}
}

static void put_progress(const struct trainer *t, struct bytes_out *out) {
	bytes_put_u64(out, t->at.first);
	bytes_put_u64(out, t->at.number);
	bytes_put_double(out, t->at.total);
	bytes_put_double(out, t->at.cells);
	bytes_put_double(out, t->refeed.loss);
	bytes_put_double(out, t->refeed.rows);
	bytes_put_double(out, t->ratings);
	bytes_put_u64(out, t->waited);
	bytes_put_double(out, t->schedule.best);
	bytes_put_u64(out, t->schedule.seen);
	bytes_put_u64(out, t->schedule.waited);
	bytes_put_u64(out, t->schedule.reductions);
}

static void take_progress(struct trainer *t, struct bytes_in *in) {
	size_t batch = t->graph->shape.batch;
	t->at.first = bytes_take_below(in, t->order.count + batch);
	t->at.number = bytes_take_u64(in);
	in->failed |= t->at.first % batch != 0 || t->at.number != (t->at.first ? t->at.first / batch + 1 : 0);
	t->at.total = bytes_take_double(in);
	t->at.cells = bytes_take_double(in);
	t->refeed.loss = bytes_take_double(in);
	t->refeed.rows = bytes_take_double(in);
	t->ratings = bytes_take_double(in);
	t->waited = bytes_take_u64(in);
	t->schedule.best = bytes_take_double(in);
	t->schedule.seen = bytes_take_below(in, 2);
	t->schedule.waited = bytes_take_u64(in);
	t->schedule.reductions = bytes_take_u64(in);
}

void trainer_put(struct trainer *t, struct bytes_out *out) {
	bool best = t->best && t->result->best_epoch;
	put_result(t, out);
	put_progress(t, out);
	network_state_put(t->network, out);
	bytes_put_u64(out, best);
	if (best)
		bytes_put(out, t->best, t->graph->weights * sizeof(real));
	if (t->descent)
		descent_put(t->descent, out);
}

// Weights of the best epoch, where there is one that they are kept of.
static const void *take_best(const struct trainer *t, size_t best_epoch, struct bytes_in *in) {
	bool best = t->best && best_epoch;
	bytes_take_equal(in, best);
	return best ? bytes_view(in, t->graph->weights * sizeof(real)) : NULL;
}

// What is taken of a result; the rest stays.
static void adopt(struct run_result *r, struct run_result *taken) {
	free(r->epochs);
	r->epochs = taken->epochs;
	r->epochs_count = taken->epochs_count;
	r->best_epoch = taken->best_epoch;
	r->best_value = taken->best_value;
	r->stopped_early = taken->stopped_early;
	r->halvings_count = taken->halvings_count;
	memcpy(r->halvings, taken->halvings, sizeof(r->halvings));
	for (size_t i = 0; i < taken->phases_count; i++)
		run_add_phase(r, taken->phases[i].name, taken->phases[i].seconds - phase_of(r, taken->phases[i].name)->seconds,
		              taken->phases[i].ratings - phase_of(r, taken->phases[i].name)->ratings);
}

bool trainer_take(struct trainer *t, struct bytes_in in) {
	struct trainer probe = *t;
	struct run_result taken = {0};
	take_result(t, &in, &taken);
	take_progress(&probe, &in);
	struct bytes_in network = in;
	network_state_take(t->network, &in, true);
	const void *best = take_best(t, taken.best_epoch, &in);
	struct bytes_in descent = in;
	if (t->descent)
		descent_take(t->descent, taken.epochs_count, &in, true);
	if (in.failed || in.left) {
		free(taken.epochs);
		return false;
	}
	network_state_take(t->network, &network, false);
	if (t->descent)
		descent_take(t->descent, taken.epochs_count, &descent, false);
	if (best)
		memcpy(t->best, best, t->graph->weights * sizeof(real));
	t->at = probe.at;
	t->refeed.loss = probe.refeed.loss;
	t->refeed.rows = probe.refeed.rows;
	t->ratings = probe.ratings;
	t->waited = probe.waited;
	t->schedule = probe.schedule;
	t->epochs_room = taken.epochs_count;
	adopt(t->result, &taken);
	return true;
}

static bool put_text(void *context, const void *data, size_t size) {
	text_append_bytes(context, data, size);
	return true;
}

// Room for all of it at once: it would double its memory otherwise.
void trainer_snap(struct trainer *t) {
	enum { MORE = 1 << 16 };
	struct text *text = &t->snapshot;
	size_t room = network_state_size(t->graph) + (t->best ? t->graph->weights * sizeof(real) : 0) + MORE;
	if (text->capacity < room) {
		text->data = memory_resize(text->data, room);
		text->capacity = room;
	}
	text->length = 0;
	trainer_put(t, &(struct bytes_out){.context = text, .put = put_text});
}

// --- the file ---

struct writing {
	struct file_writer file;
	struct hash hash;
};

static bool put_hashed(void *context, const void *data, size_t size) {
	struct writing *w = context;
	hash_bytes(&w->hash, data, size);
	return file_put(&w->file, data, size);
}

static void put_file(struct trainer *t, struct bytes_out *out) {
	const struct train_keep *keep = t->keeper.keep;
	bytes_put(out, MAGIC, sizeof(MAGIC));
	bytes_put_u64(out, VERSION);
	bytes_put_string(out, keep->program);
	bytes_put_string(out, t->backend->describe(t->device));
	bytes_put_string(out, keep->id);
	if (t->snapshot.length)
		bytes_put(out, t->snapshot.data, t->snapshot.length);
	else
		trainer_put(t, out);
}

static char *path_of(const struct keeper *k, uint64_t serial) {
	char name[32];
	snprintf(name, sizeof(name), "%08" PRIu64 ".ckpt", serial);
	return path_join(k->keep->folder, name);
}

static bool write_file(struct trainer *t, uint64_t serial, struct error *error) {
	const struct keeper *k = &t->keeper;
	struct writing w = {0};
	struct bytes_out out = {.context = &w, .put = put_hashed};
	char hex[HASH_HEX], *path = path_of(k, serial);
	bool good = folder_create(k->keep->folder, error) && file_open(path, &w.file, error);
	if (good) {
		hash_init(&w.hash);
		put_file(t, &out);
		hash_finish(&w.hash, hex);
		file_put(&w.file, hex, HASH_HEX - 1);
		good = file_close(&w.file, error);
	}
	free(path);
	return good;
}

// --- those that are there ---

static void note(const struct keeper *k, const char *path, const char *what) {
	struct text line = {0};
	text_format(&line, "%s: %s", path, what);
	if (k->keep->note)
		k->keep->note(k->keep->context, text_string(&line));
	text_finish(&line);
}

// The number of a file's name; 0: it is none of ours.
static uint64_t serial_of(const char *name) {
	char *end;
	if (name[0] < '0' || name[0] > '9')
		return 0;
	uint64_t serial = strtoull(name, &end, 10);
	return strcmp(end, ".ckpt") == 0 && serial < UINT32_MAX ? serial : 0;
}

// The largest number below `limit`; 0: none.
static uint64_t newest_below(const struct keeper *k, uint64_t limit) {
	DIR *folder = opendir(k->keep->folder);
	uint64_t newest = 0;
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		uint64_t serial = serial_of(entry->d_name);
		if (serial < limit && serial > newest)
			newest = serial;
	}
	if (folder)
		closedir(folder);
	return newest;
}

// What is not among the last: older ones, newer ones that were not taken, temporaries of a process that was killed.
static void drop_old(const struct keeper *k) {
	DIR *folder = opendir(k->keep->folder);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		uint64_t serial = serial_of(entry->d_name);
		bool last = serial <= k->serial && serial + CHECKPOINTS_KEPT > k->serial;
		if (serial ? last : !file_is_temporary(entry->d_name))
			continue;
		char *path = path_join(k->keep->folder, entry->d_name);
		unlink(path);
		free(path);
	}
	if (folder)
		closedir(folder);
}

static bool same_string(struct bytes_in *in, const char *text) {
	size_t length;
	const char *data = bytes_take_string(in, &length);
	return data && length == strlen(text) && !memcmp(data, text, length);
}

// Why it is not taken; NULL: it is.
static const char *take_file(const struct keeper *k, struct trainer *t, const struct file_map *map) {
	enum { DIGITS = HASH_HEX - 1 };
	struct bytes_in in = {.data = map->data, .left = map->size};
	const char *magic = bytes_view(&in, sizeof(MAGIC));
	if (!magic || memcmp(magic, MAGIC, sizeof(MAGIC)) || map->size < sizeof(MAGIC) + DIGITS)
		return "is no checkpoint";
	struct hash hash;
	char hex[HASH_HEX];
	hash_init(&hash);
	hash_bytes(&hash, map->data, map->size - DIGITS);
	hash_finish(&hash, hex);
	if (memcmp(hex, map->data + map->size - DIGITS, DIGITS) != 0)
		return "is damaged";
	in.left -= DIGITS;
	if (!bytes_take_equal(&in, VERSION))
		return "is of another version of the program";
	if (!same_string(&in, k->keep->program))
		return "was made by another build of the program, whose numbers may differ";
	if (!same_string(&in, t->backend->describe(t->device)))
		return "was made with another backend, whose numbers may differ";
	if (!same_string(&in, k->keep->id))
		return "is another run's";
	return trainer_take(t, in) ? NULL : "is damaged";
}

static bool take_one(const struct keeper *k, struct trainer *t, uint64_t serial) {
	struct file_map map = {0};
	struct error error = {0};
	char *path = path_of(k, serial);
	const char *why = file_map(path, &map, &error) ? take_file(k, t, &map) : error.message;
	if (why)
		note(k, path, why);
	file_unmap(&map);
	free(path);
	return !why;
}

bool keeper_take(struct trainer *t) {
	struct keeper *k = &t->keeper;
	if (!k->keep)
		return false;
	for (uint64_t serial = UINT64_MAX; (serial = newest_below(k, serial)) > 0;) {
		if (!take_one(k, t, serial))
			continue;
		k->serial = serial;
		return true;
	}
	return false;
}

// --- when ---

// Until one has been written: what a slow disk takes.
static const double FIRST_COST = 0.02, BYTES_A_SECOND = 2e8;

// What a link would lead to is not ours to clear.
static bool leads_elsewhere(const struct train_keep *keep) {
	struct stat status;
	if (!keep || lstat(keep->folder, &status) != 0 || !S_ISLNK(status.st_mode))
		return false;
	note(&(struct keeper){.keep = keep}, keep->folder,
	     "is a link, not a folder: no checkpoints are kept, and none is taken");
	return true;
}

void keeper_begin(struct trainer *t) {
	struct keeper *k = &t->keeper;
	bool none = t->experiment->train->checkpoint->share == 0 || leads_elsewhere(t->observer->keep);
	double bytes = (double)network_state_size(t->graph);
	if (t->descent)
		bytes += descent_size(t->descent->n, t->descent->params);
	*k = (struct keeper){.keep = none ? NULL : t->observer->keep, .last = train_seconds()};
	k->cost = FIRST_COST + bytes / BYTES_A_SECOND;
}

bool keeper_due_after_epoch(const struct trainer *t) {
	const struct keeper *k = &t->keeper;
	double share = t->experiment->train->checkpoint->share;
	return k->keep && (share >= 1 || (train_seconds() - k->last) * share >= k->cost);
}

// Where training may go back to the last epoch's end, a checkpoint is of that.
bool keeper_due_in_epoch(const struct trainer *t) {
	const struct keeper *k = &t->keeper;
	return k->keep && !t->snapshot.length &&
	       train_seconds() - k->last >= 60 * t->experiment->train->checkpoint->minutes;
}

bool keeper_write(struct trainer *t) {
	struct keeper *k = &t->keeper;
	struct error error = {0};
	double start = train_seconds();
	bool begun = !t->descent || t->descent->iterations; // before its first step it knows nothing
	if (!k->keep || !begun || (!t->snapshot.length && network_not_finite(t->network, NULL)))
		return false;
	bool good = write_file(t, k->serial + 1, &error);
	k->last = train_seconds();
	k->cost = k->last - start;
	if (good) {
		k->serial++;
		drop_old(k);
	} else if (!k->told) {
		k->told = true;
		if (k->keep->note)
			k->keep->note(k->keep->context, error.message);
	}
	return good;
}

bool keeper_interrupt(struct trainer *t, size_t epoch, struct error *error) {
	bool kept = keeper_write(t);
	error_set(error, ERROR_INTERRUPTED, "interrupted in epoch %zu", epoch);
	if (kept)
		error_hint(error, "The same command goes on from there.");
	else if (t->keeper.serial)
		error_hint(error, "The same command goes on from the last checkpoint.");
	return false;
}
