// Reads a results folder: NAME/ID folders, finished where metrics.json is there and whole. Nothing in a file is
// trusted: what has another type or is out of bounds makes the run an unfinished one.
#include "report/runs.h"

#include "base/file.h"
#include "report/config_lines.h"
#include "report/index.h"
#include "report/json.h"
#include "report/report.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { METRICS_MOST = 64 << 20, EPOCHS_MOST = 1000000000, NAMED_MOST = 4 };

const char *const run_kind_names[RUN_KINDS] = {"run", "summary", "sweep"};

static const struct cJSON *member(const struct cJSON *object, const char *name) {
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool read_string(struct arena *arena, const struct cJSON *object, const char *name, const char **ret) {
	const struct cJSON *value = member(object, name);
	if (!cJSON_IsString(value))
		return false;
	*ret = arena_string(arena, value->valuestring);
	return true;
}

static bool read_count(const struct cJSON *object, const char *name, size_t *ret) {
	const struct cJSON *value = member(object, name);
	if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0 && value->valuedouble <= EPOCHS_MOST) ||
	    value->valuedouble != floor(value->valuedouble))
		return false;
	*ret = (size_t)value->valuedouble;
	return true;
}

// A number, or null for one that is undefined.
static bool read_real(const struct cJSON *value, double *ret) {
	if (!cJSON_IsNumber(value) && !cJSON_IsNull(value))
		return false;
	*ret = cJSON_IsNumber(value) ? value->valuedouble : (double)NAN;
	return true;
}

static bool read_best(struct arena *arena, const struct cJSON *metrics, struct run_entry *entry) {
	const struct cJSON *best = member(metrics, "best");
	return read_count(best, "epoch", &entry->best_epoch) && read_real(member(best, "value"), &entry->best_value) &&
	       (cJSON_IsNull(member(best, "metric")) || read_string(arena, best, "metric", &entry->best_metric));
}

// Counts of users stand among a part's metrics.
static bool is_metric(const struct cJSON *value) {
	return value->string && strcmp(value->string, "ranked_users") != 0 && strcmp(value->string, "skipped_users") != 0;
}

// A number, or of a summary its mean with the interval.
static bool read_figure(const struct cJSON *value, bool summary, struct run_value *ret) {
	ret->low = ret->high = NAN;
	if (!summary)
		return read_real(value, &ret->value);
	return read_real(member(value, "mean"), &ret->value) && read_real(member(value, "low"), &ret->low) &&
	       read_real(member(value, "high"), &ret->high);
}

static bool read_final(struct arena *arena, const struct cJSON *metrics, struct run_entry *entry) {
	const struct cJSON *final = member(metrics, "final"), *part, *value;
	size_t count = 0;
	if (!cJSON_IsObject(final))
		return false;
	cJSON_ArrayForEach(part, final) count += cJSON_IsObject(part) ? (size_t)cJSON_GetArraySize(part) : 0;
	entry->final = arena_alloc(arena, (count + 1) * sizeof(*entry->final));
	cJSON_ArrayForEach(part, final) {
		if (!cJSON_IsObject(part) || !part->string)
			return false;
		cJSON_ArrayForEach(value, part) {
			if (!is_metric(value))
				continue;
			struct run_value *figure = &entry->final[entry->final_count++];
			figure->name = arena_format(arena, "%s.%s", part->string, value->string);
			if (!read_figure(value, entry->runs > 0, figure))
				return false;
		}
	}
	return true;
}

static bool read_metrics(struct arena *arena, const struct cJSON *metrics, struct run_entry *entry) {
	const char *schema;
	const struct cJSON *epochs = member(metrics, "epochs");
	if (!read_string(arena, metrics, "schema", &schema) || strcmp(schema, "aexp.metrics/1") != 0 ||
	    !cJSON_IsArray(epochs))
		return false;
	entry->epochs = (size_t)cJSON_GetArraySize(epochs);
	return read_string(arena, metrics, "backend", &entry->backend) &&
	       read_string(arena, metrics, "seed", &entry->seed) &&
	       read_string(arena, metrics, "protocol", &entry->protocol) && read_best(arena, metrics, entry) &&
	       read_final(arena, metrics, entry);
}

static bool read_summary(struct arena *arena, const struct cJSON *summary, struct run_entry *entry) {
	const char *schema;
	const struct cJSON *runs = member(summary, "runs");
	if (!read_string(arena, summary, "schema", &schema) || strcmp(schema, "aexp.summary/1") != 0 ||
	    !cJSON_IsArray(runs) || cJSON_GetArraySize(runs) == 0)
		return false;
	entry->kind = RUN_SUMMARY;
	entry->runs = (size_t)cJSON_GetArraySize(runs);
	return read_string(arena, summary, "backend", &entry->backend) &&
	       read_string(arena, summary, "protocol", &entry->protocol) && read_final(arena, summary, entry);
}

// The first objective's value of a trial that is among the best.
static double read_best_trial(const struct cJSON *sweep) {
	const struct cJSON *best = cJSON_GetArrayItem(member(sweep, "best"), 0), *trial;
	cJSON_ArrayForEach(trial, member(sweep, "trials")) {
		const struct cJSON *number = member(trial, "trial");
		const struct cJSON *value = cJSON_GetArrayItem(member(trial, "objectives"), 0);
		if (cJSON_IsNumber(best) && cJSON_IsNumber(number) && number->valuedouble == best->valuedouble)
			return cJSON_IsNumber(value) ? value->valuedouble : (double)NAN;
	}
	return NAN;
}

static bool read_sweep(struct arena *arena, const struct cJSON *sweep, struct run_entry *entry) {
	const char *schema;
	const struct cJSON *trials = member(sweep, "trials");
	const struct cJSON *objective = cJSON_GetArrayItem(member(sweep, "objectives"), 0);
	if (!read_string(arena, sweep, "schema", &schema) || strcmp(schema, "aexp.sweep/1") != 0 ||
	    !cJSON_IsArray(trials) || !read_string(arena, objective, "metric", &entry->best_metric))
		return false;
	entry->kind = RUN_SWEEP;
	entry->trials = (size_t)cJSON_GetArraySize(trials);
	entry->best_value = read_best_trial(sweep);
	return cJSON_IsNull(member(sweep, "protocol")) || read_string(arena, sweep, "protocol", &entry->protocol);
}

static bool read_file(struct arena *arena, const char *folder, const char *name,
                      bool (*read)(struct arena *, const struct cJSON *, struct run_entry *), struct run_entry *entry) {
	char *path = path_join(folder, name);
	struct error error = {0};
	struct cJSON *object = NULL;
	bool good = json_read(path, METRICS_MOST, &object, &error) && read(arena, object, entry);
	cJSON_Delete(object);
	free(path);
	return good;
}

static bool holds(const char *folder, const char *name) {
	char *path = path_join(folder, name);
	bool there = file_exists(path);
	free(path);
	return there;
}

bool run_folder_is_sweep(const char *folder) {
	return holds(folder, "sweep.json") || holds(folder, "given.cfg");
}

// What ends a run, a summary and a sweep, in the order in which they are looked for.
static const struct {
	const char *file;
	bool (*read)(struct arena *arena, const struct cJSON *object, struct run_entry *entry);
} ends[] = {{"metrics.json", read_metrics}, {"summary.json", read_summary}, {"sweep.json", read_sweep}};
enum { ENDS = sizeof(ends) / sizeof(ends[0]) };

static struct run_entry read_entry(struct arena *arena, const char *name, const char *id, const char *folder) {
	const struct run_entry unfinished = {.name = arena_string(arena, name),
	                                     .id = arena_string(arena, id),
	                                     .folder = arena_string(arena, folder),
	                                     .backend = "",
	                                     .seed = "",
	                                     .protocol = "",
	                                     .best_metric = "",
	                                     .best_value = NAN,
	                                     .ended = NAN,
	                                     .config = ""};
	struct run_entry entry = unfinished;
	for (size_t i = 0; i < ENDS && !entry.finished; i++) {
		entry = unfinished;
		entry.finished = read_file(arena, folder, ends[i].file, ends[i].read, &entry);
	}
	if (!entry.finished) {
		entry = unfinished;
		entry.kind = run_folder_is_sweep(folder) ? RUN_SWEEP : RUN_ONE;
	}
	return entry;
}

// Empty, cut, of a newer version, or another run's.
bool run_folder_is_sound(const char *folder, struct error *error) {
	for (size_t i = 0; i < ENDS; i++) {
		struct arena arena = {0};
		struct run_entry entry = {0};
		struct cJSON *object = NULL;
		char *path = path_join(folder, ends[i].file), *absolute = path_absolute(folder);
		bool there = file_exists(path), good = !there || json_read(path, METRICS_MOST, &object, error);
		const struct cJSON *id = member(object, "id");
		if (good && there && !ends[i].read(&arena, object, &entry))
			good = error_set(error, ERROR_RUN, "\"%s\" is not what this version of the program writes", path);
		else if (good && cJSON_IsString(id) && strcmp(id->valuestring, path_base(absolute)) != 0)
			good = error_set(error, ERROR_RUN, "\"%s\" is of the run %s", path, id->valuestring);
		cJSON_Delete(object);
		arena_finish(&arena);
		free(path);
		free(absolute);
		if (there || !good) {
			if (!good)
				error->code = ERROR_RUN;
			return good;
		}
	}
	return true;
}

// --- times ---

static struct run_time time_of(const char *folder) {
	struct run_time ret = {NAN, 0};
	char *path = path_join(folder, "run.json");
	struct error error = {0};
	struct cJSON *object = NULL;
	const struct cJSON *phase;
	double seconds;
	if (json_read(path, METRICS_MOST, &object, &error) && cJSON_IsNumber(member(object, "seconds"))) {
		ret.seconds = member(object, "seconds")->valuedouble;
		cJSON_ArrayForEach(phase, member(object, "phases")) {
			const struct cJSON *name = member(phase, "name");
			if (cJSON_IsString(name) && (!strcmp(name->valuestring, "train") || !strcmp(name->valuestring, "fit")) &&
			    read_real(member(phase, "seconds"), &seconds))
				ret.training += seconds;
		}
	}
	cJSON_Delete(object);
	free(path);
	return ret;
}

// The runs of a summary lie beside it.
static struct run_time time_of_runs(const char *folder) {
	struct run_time ret = {0, 0};
	char *path = path_join(folder, "summary.json"), *beside = path_folder(folder);
	struct error error = {0};
	struct cJSON *summary = NULL;
	const struct cJSON *run;
	if (!json_read(path, METRICS_MOST, &summary, &error))
		ret.seconds = NAN;
	cJSON_ArrayForEach(run, member(summary, "runs")) {
		const struct cJSON *id = member(run, "id");
		const char *name = cJSON_IsString(id) && json_is_id(id->valuestring) ? id->valuestring : NULL;
		char *one = name ? path_join(beside, name) : NULL;
		struct run_time time = one ? time_of(one) : (struct run_time){NAN, 0};
		ret.seconds += time.seconds;
		ret.training += time.training;
		free(one);
	}
	cJSON_Delete(summary);
	free(path);
	free(beside);
	return ret;
}

struct run_time runs_time(const struct run_entry *run) {
	return run->runs ? time_of_runs(run->folder) : time_of(run->folder);
}

// --- the folders ---

static bool is_run(const char *folder) {
	return holds(folder, "experiment.cfg") || holds(folder, "metrics.json");
}

static int no_dots(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

// In the order of bytes: alphasort follows the locale.
static int by_name(const struct dirent **a, const struct dirent **b) {
	return strcmp((*a)->d_name, (*b)->d_name);
}

// Calls found for each folder in `folder`, in order. False with errno where it cannot be listed.
static bool each_folder(const char *folder, void (*found)(void *context, const char *name, const char *path),
                        void *context) {
	struct dirent **entries;
	int count = scandir(folder, &entries, no_dots, by_name);
	for (int i = 0; i < count; i++) {
		char *path = path_join(folder, entries[i]->d_name);
		if (file_is_folder(path))
			found(context, entries[i]->d_name, path);
		free(path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return count >= 0;
}

// What the walk over NAME and ID carries.
struct walk {
	struct arena *arena;
	struct run_place *places; // (count)
	size_t count, capacity;
	const char *name;   // of the experiment's folder that is open
	int64_t fresh_from; // a change from this time on, in ns, is fresh
};

// On file systems with the coarsest clocks two changes in one second look the same.
static const int64_t FRESH_NANOSECONDS = 2000000000;

static int64_t changed(const struct stat *status) {
	return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

// Time, size and inode of a file; zeros where there is none.
static void stamp_file(const char *folder, const char *name, int64_t ret[3]) {
	char *path = path_join(folder, name);
	struct stat status;
	ret[0] = ret[1] = ret[2] = 0;
	if (stat(path, &status) == 0) {
		ret[0] = changed(&status);
		ret[1] = (int64_t)status.st_size;
		ret[2] = (int64_t)status.st_ino;
	}
	free(path);
}

// False where the folder is gone.
static bool stamp_place(const struct walk *walk, struct run_place *place) {
	struct stat status;
	if (stat(place->folder, &status) != 0)
		return false;
	place->stamp[0] = changed(&status);
	place->fresh = place->stamp[0] >= walk->fresh_from;
	stamp_file(place->folder, "experiment.cfg", &place->stamp[1]);
	for (size_t i = 0; i < ENDS; i++)
		stamp_file(place->folder, ends[i].file, &place->stamp[4 + 3 * i]);
	for (size_t i = 0; i < INDEX_FILES; i++)
		place->fresh = place->fresh || place->stamp[1 + 3 * i] >= walk->fresh_from;
	return place->stamp[1] || place->stamp[4]; // as is_run
}

static void found_run(void *context, const char *id, const char *path) {
	struct walk *walk = context;
	struct run_place place = {.folder = path};
	if (!stamp_place(walk, &place))
		return;
	if (walk->count == walk->capacity) {
		walk->capacity = walk->capacity ? 2 * walk->capacity : 64;
		walk->places = memory_resize(walk->places, walk->capacity * sizeof(*walk->places));
	}
	place.name = walk->name;
	place.id = arena_string(walk->arena, id);
	place.folder = arena_string(walk->arena, path);
	walk->places[walk->count++] = place;
}

static void found_name(void *context, const char *name, const char *path) {
	struct walk *walk = context;
	walk->name = arena_string(walk->arena, name);
	each_folder(path, found_run, walk); // one that cannot be listed has no runs to show
}

static const char *read_config(const char *folder, struct arena *arena) {
	struct arena own = {0};
	struct config_lines lines;
	struct error error;
	struct text text = {0};
	if (config_lines_read(folder, true, &own, &lines, &error))
		config_lines_write(&lines, &text);
	const char *config = arena_string(arena, text_string(&text));
	text_finish(&text);
	arena_finish(&own);
	return config;
}

static void read_place(struct arena *arena, const struct run_place *place, struct run_entry *ret) {
	*ret = read_entry(arena, place->name, place->id, place->folder);
	ret->config = read_config(place->folder, arena);
}

static double end_of(const struct run_place *place, const struct run_entry *entry) {
	return entry->finished ? 1e-9 * (double)place->stamp[4 + 3 * (size_t)entry->kind] : (double)NAN;
}

bool runs_read_on(const char *results, struct pool *pool, struct runs *ret, struct error *error) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret = (struct runs){0};
	struct walk walk = {.arena = &ret->arena,
	                    .fresh_from = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - FRESH_NANOSECONDS};
	bool there = each_folder(results, found_name, &walk), good = there || errno == ENOENT;
	if (!good)
		error_set(error, ERROR_RUN, "cannot list the results folder \"%s\": %s", results, strerror(errno));
	if (good && walk.count) {
		ret->items = memory_alloc(walk.count * sizeof(*ret->items));
		ret->count = walk.count;
		index_read(results, walk.places, walk.count, pool, &ret->arena, read_place, ret->items, &ret->note);
	}
	for (size_t i = 0; i < ret->count; i++)
		ret->items[i].ended = end_of(&walk.places[i], &ret->items[i]);
	free(walk.places);
	return good;
}

bool runs_read(const char *results, struct runs *ret, struct error *error) {
	return runs_read_on(results, NULL, ret, error);
}

void runs_finish(struct runs *runs) {
	free(runs->items);
	arena_finish(&runs->arena);
	*runs = (struct runs){0};
}

// RUN is the beginning of an ID, of NAME/ID, or a whole NAME.
struct search {
	const char *run, *name, *what; // "run" or "sweep"
	bool (*is_one)(const char *folder);
	size_t length, matches;
	char *folder;      // of the first match
	struct text named; // the matches, for the message
};

// Whether NAME/ID begins with what is searched for; there is a / in it.
static bool both_fit(const struct search *search, const char *id) {
	size_t length = strlen(search->name);
	return search->length > length && !strncmp(search->run, search->name, length) && search->run[length] == '/' &&
	       !strncmp(id, search->run + length + 1, search->length - length - 1);
}

// The name is asked first: looking into ten thousand folders takes its time.
static void match_run(void *context, const char *id, const char *path) {
	struct search *search = context;
	bool fits =
	    strncmp(id, search->run, search->length) == 0 || strcmp(search->name, search->run) == 0 || both_fit(search, id);
	if (!fits || !search->is_one(path))
		return;
	if (search->matches++ == 0)
		search->folder = memory_copy_string(path);
	if (search->matches <= NAMED_MOST)
		text_format(&search->named, "%s%s/%s", search->matches > 1 ? ", " : "", search->name, id);
}

static void match_name(void *context, const char *name, const char *path) {
	struct search *search = context;
	search->name = name;
	each_folder(path, match_run, search);
}

static bool resolve(const char *results, struct search *search, char **ret_folder, struct error *error) {
	if (*search->run && search->is_one(search->run)) {
		*ret_folder = memory_copy_string(search->run);
		return true;
	}
	search->length = strlen(search->run);
	if (search->length > 0)
		each_folder(results, match_name, search);
	if (search->matches == 1)
		*ret_folder = search->folder;
	else
		free(search->folder);
	if (search->matches > 1) {
		error_set(error, ERROR_CONFIG, "\"%s\" is the beginning of %zu %ss: %s%s", search->run, search->matches,
		          search->what, text_string(&search->named), search->matches > NAMED_MOST ? ", ..." : "");
		error_hint(error, "Give more digits, or NAME/ID.");
	} else if (search->matches == 0) {
		error_set(error, ERROR_CONFIG, "no %s \"%s\" in \"%s\"", search->what, search->run, results);
		error_hint(error, "`aexp list` shows what is there.");
	}
	text_finish(&search->named);
	return search->matches == 1;
}

bool runs_resolve(const char *results, const char *run, char **ret_folder, struct error *error) {
	struct search search = {.run = run, .what = "run", .is_one = is_run};
	return resolve(results, &search, ret_folder, error);
}

bool runs_resolve_sweep(const char *results, const char *sweep, char **ret_folder, struct error *error) {
	struct search search = {.run = sweep, .what = "sweep", .is_one = run_folder_is_sweep};
	return resolve(results, &search, ret_folder, error);
}

void runs_read_one(const char *folder, struct arena *arena, struct run_entry *ret) {
	char *absolute = path_absolute(folder), *parent = path_folder(absolute);
	*ret = read_entry(arena, path_base(parent), path_base(absolute), folder);
	free(parent);
	free(absolute);
}
