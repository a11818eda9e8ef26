// See site.h.
#include "serve/site.h"

#include "base/number.h"
#include "report/json.h"
#include "serve/page.h"
#include "train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define JSON "application/json"

// --- errors ---

static void refuse(const struct error *error, enum status status, struct reply *ret) {
	ret->status = status;
	ret->type = JSON;
	ret->text.length = 0;
	inquiry_refuse(error, &ret->text);
}

static const struct {
	enum status status;
	const char *message, *hint;
} refusals[] = {
    {STATUS_BAD, "too many parameters", "There are top, include_rated, strict and explain."},
    {STATUS_UNKNOWN, "there is nothing at this path",
     "There are /recommend, /predict, /items, /model, /healthz, /metrics, and a page at /."},
    {STATUS_METHOD, "this path is not asked by that method",
     "Questions are sent with POST, all else is read with GET."},
    {STATUS_TOO_MUCH, "the question is too long", "Ask about fewer users at a time."},
    {STATUS_BUSY, "too many connections", "Come back in a moment."},
};

// --- questions ---

// The first ones: they become headers.
static void add_note(void *context, const char *user, const char *text) {
	enum { NOTES_MOST = 4096 };
	struct text *notes = context;
	if (notes->length < NOTES_MOST)
		text_format(notes, "user \"%s\": %s\n", user, text);
}

static bool read_question(const struct request *r, struct inquiry *q, struct error *error) {
	for (size_t i = 0; i < r->parameters_count; i++)
		if (!inquiry_set(q, r->parameters[2 * i], r->parameters[2 * i + 1], error))
			return false;
	return true;
}

static void answer_question(struct site *site, const struct request *r, bool predicts, struct reply *ret) {
	struct inquiry q = site->service.inquiry;
	struct error error = {0};
	enum status status = STATUS_BAD;
	q.predicts = predicts;
	q.from = "the question";
	q.how.note = add_note;
	q.how.context = &ret->notes;
	if (read_question(r, &q, &error)) {
		struct served *served = models_take(&site->service.models, r->thread);
		status = inquiry_answer(served->model[r->thread], &q, r->body, r->length, &ret->text, &error);
		models_leave(&site->service.models, r->thread);
	}
	if (status != STATUS_GOOD) {
		refuse(&error, status, ret);
		return;
	}
	const char *end = memchr(ret->text.data, '\n', ret->text.length);
	ret->status = STATUS_GOOD;
	ret->type = end + 1 == ret->text.data + ret->text.length ? JSON : "application/x-ndjson";
}

static void recommend(struct site *site, const struct request *r, struct reply *ret) {
	answer_question(site, r, false, ret);
}

static void predict(struct site *site, const struct request *r, struct reply *ret) {
	answer_question(site, r, true, ret);
}

// --- what the page asks ---

static void begin(struct json *json, struct reply *ret) {
	*json = (struct json){.text = &ret->text};
	ret->status = STATUS_GOOD;
	ret->type = JSON;
	json_object(json, NULL, JSON_INLINE);
}

static void end(struct json *json) {
	json_end(json);
	text_append(json->text, "\n");
}

static void write_item(const struct aexp_model *m, size_t item, struct json *json) {
	json_object(json, NULL, JSON_INLINE);
	json_string(json, "item", aexp_item(m, item));
	if (aexp_title(m, item))
		json_string(json, "title", aexp_title(m, item));
	json_count(json, "ratings", (size_t)m->popularity[item]);
	json_end(json);
}

static bool is_found(const struct aexp_model *m, size_t item, const char *words) {
	const char *title = aexp_title(m, item);
	return strcasestr(aexp_item(m, item), words) || (title && strcasestr(title, words));
}

// The most rated first; those whose id or title holds the words of ?search.
static void list_items(struct site *site, const struct request *r, struct reply *ret) {
	struct inquiry q = {.how.top = 20};
	struct error error = {0};
	struct json json;
	const char *words = "";
	for (size_t i = 0; i < r->parameters_count; i++) {
		const char *name = r->parameters[2 * i], *value = r->parameters[2 * i + 1];
		bool searches = !strcmp(name, "search");
		if (searches)
			words = value;
		else if (strcmp(name, "top") != 0)
			error_set(&error, ERROR_CONFIG, "there is no parameter \"%s\"", name);
		else
			inquiry_set(&q, name, value, &error);
	}
	if (error.code) {
		refuse(&error, STATUS_BAD, ret);
		return;
	}
	struct served *served = models_take(&site->service.models, r->thread);
	const struct aexp_model *m = served->model[r->thread];
	begin(&json, ret);
	json_array(&json, "items", JSON_INLINE);
	for (size_t i = 0, found = 0; i < m->items && found < q.how.top; i++)
		if (is_found(m, served->popular[i], words)) {
			write_item(m, served->popular[i], &json);
			found++;
		}
	json_end(&json);
	end(&json);
	models_leave(&site->service.models, r->thread);
}

static void write_attribute(const struct aexp_model *m, size_t a, struct json *json) {
	enum { LEVELS_MOST = 100 }; // more are nothing to choose from
	const struct feature_coding *c = &m->coding[a];
	if (!c->numeric && m->level_ids[a].count > LEVELS_MOST)
		return;
	json_object(json, NULL, JSON_INLINE);
	json_string(json, "name", c->name);
	if (!c->numeric) {
		json_array(json, "values", JSON_INLINE);
		for (size_t i = 0; i < m->level_ids[a].count; i++)
			json_string(json, NULL, ids_name(&m->level_ids[a], i));
		json_end(json);
	}
	json_end(json);
}

// The ratings that a visitor chooses from: of the data the file knows the scale at most, or where buckets begin.
static void write_choices(const struct aexp_model *m, struct json *json) {
	bool scaled = m->scale_high > m->scale_low;
	bool many = m->levels > 1 && m->thresholds[m->levels - 2] >= 5;
	double low = scaled ? m->scale_low : 1, high = scaled ? m->scale_high : many ? 10 : 5;
	double step = high - low <= 10 ? 1 : (high - low) / 10;
	json_array(json, "choices", JSON_INLINE);
	for (size_t i = 0; low + (double)i * step <= high; i++)
		json_real(json, NULL, low + (double)i * step);
	json_end(json);
}

static void write_model(const struct aexp_model *m, struct json *json) {
	json_string(json, "name", aexp_name(m));
	json_string(json, "id", aexp_id(m));
	json_count(json, "items", aexp_items(m));
}

static void describe(struct site *site, const struct request *r, struct reply *ret) {
	struct served *served = models_take(&site->service.models, r->thread);
	const struct aexp_model *m = served->model[r->thread];
	struct json json;
	begin(&json, ret);
	write_model(m, &json);
	write_choices(m, &json);
	json_array(&json, "attributes", JSON_INLINE);
	for (size_t a = 0; m->graph.user && a < m->coding_count; a++)
		write_attribute(m, a, &json);
	json_end(&json);
	end(&json);
	models_leave(&site->service.models, r->thread);
}

static void page(struct site *site, const struct request *r, struct reply *ret) {
	(void)site, (void)r;
	ret->status = STATUS_GOOD;
	ret->type = "text/html; charset=utf-8";
	text_append(&ret->text, (const char *)embedded_page_html);
}

// --- how it is ---

static void health(struct site *site, const struct request *r, struct reply *ret) {
	struct served *served = models_take(&site->service.models, r->thread);
	bool stopping = atomic_load(&site->stopping);
	struct json json;
	begin(&json, ret);
	ret->status = stopping ? STATUS_BUSY : STATUS_GOOD;
	json_string(&json, "status", stopping ? "stopping" : "ok");
	json_object(&json, "model", JSON_INLINE);
	write_model(served->model[r->thread], &json);
	json_end(&json);
	end(&json);
	models_leave(&site->service.models, r->thread);
}

// Bytes in memory; NAN where the system does not tell.
static double resident(void) {
	unsigned long pages;
	FILE *file = fopen("/proc/self/statm", "re");
	bool known = file && fscanf(file, "%*u %lu", &pages) == 1;
	if (file)
		fclose(file);
	return known ? (double)pages * (double)sysconf(_SC_PAGESIZE) : (double)NAN;
}

static void write_figures(struct site *site, struct text *text) {
	struct models *models = &site->service.models;
	counters_figure(text, "aexp_connections", "gauge", "Open connections.", (double)atomic_load(&site->connections));
	counters_figure(text, "aexp_threads", "gauge", "Threads that answer.", (double)models->slots);
	counters_figure(text, "aexp_reloads_total", "counter", "Times that the model was opened anew.",
	                (double)atomic_load(&models->reloads));
	counters_figure(text, "aexp_reload_failures_total", "counter", "Times that the old model stayed.",
	                (double)atomic_load(&models->failures));
	counters_figure(text, "process_resident_memory_bytes", "gauge", "Resident memory.", resident());
}

static void metrics(struct site *site, const struct request *r, struct reply *ret) {
	ret->status = STATUS_GOOD;
	ret->type = "text/plain; version=0.0.4; charset=utf-8";
	struct served *served = models_take(&site->service.models, r->thread);
	text_append(&ret->text, "# HELP aexp_model_info The model that is served.\n# TYPE aexp_model_info gauge\n"
	                        "aexp_model_info{");
	counters_label(&ret->text, "name", aexp_name(served->model[r->thread]));
	text_append(&ret->text, ",");
	counters_label(&ret->text, "id", aexp_id(served->model[r->thread]));
	text_append(&ret->text, "} 1\n");
	models_leave(&site->service.models, r->thread);
	counters_write(&site->counters, &ret->text);
	write_figures(site, &ret->text);
}

// --- the table ---

static const struct site_path {
	const char *path;
	bool posts;
	void (*answer)(struct site *site, const struct request *r, struct reply *ret);
} paths[] = {
    {"/recommend", true, recommend},
    {"/predict", true, predict},
    {"/healthz", false, health},
    {"/metrics", false, metrics},
    {"/model", false, describe},
    {"/items", false, list_items},
    {"/", false, page},
};
enum { PATHS = sizeof(paths) / sizeof(paths[0]) };
_Static_assert(sizeof(paths) / sizeof(paths[0]) < COUNTERS_PATHS_MOST, "and one for all others");

static const struct site_path *find(const char *path) {
	for (size_t i = 0; i < PATHS; i++)
		if (!strcmp(paths[i].path, path))
			return &paths[i];
	return NULL;
}

const struct site_path *site_find(const char *path, const char *method, enum status *ret_why) {
	const struct site_path *found = find(path);
	bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");
	*ret_why = !found ? STATUS_UNKNOWN : STATUS_METHOD;
	return found && (found->posts ? !strcmp(method, "POST") : reads) ? found : NULL;
}

const char *site_methods(const char *path) {
	const struct site_path *found = find(path);
	return found && found->posts ? "POST" : "GET, HEAD";
}

static void count(const struct site_path *path, struct site *site, size_t thread, enum status status, double seconds) {
	counters_add(&site->counters, thread, path ? (size_t)(path - paths) : PATHS, status, seconds);
}

void site_answer(const struct site_path *path, struct site *site, const struct request *r, struct reply *ret) {
	double began = train_seconds();
	path->answer(site, r, ret);
	count(path, site, r->thread, ret->status, train_seconds() - began);
}

void site_refuse(const char *path, struct site *site, size_t thread, enum status status, struct reply *ret) {
	struct error error = {0};
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].status == status) {
			error_set(&error, ERROR_DATA, "%s", refusals[i].message);
			error_hint(&error, "%s", refusals[i].hint);
		}
	refuse(&error, status, ret);
	count(find(path), site, thread, status, (double)NAN);
}

bool site_open(struct site *site, const struct service_config *config, size_t threads, struct error *error) {
	*site = (struct site){.names[PATHS] = "other"};
	for (size_t i = 0; i < PATHS; i++)
		site->names[i] = paths[i].path;
	return counters_init(&site->counters, threads, site->names, PATHS + 1, error) &&
	       service_open(&site->service, config, threads, error);
}

void site_close(struct site *site) {
	service_close(&site->service);
	counters_finish(&site->counters);
}
