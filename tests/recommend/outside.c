// A run's figures on its test part, from what the program says to an outsider. `lists`: held-out users are given to
// `aexp recommend --json` with their input alone, and rankings are made of its lists. `cells`: pairs of known users and
// items are given to `aexp predict --csv`, and errors are made of its ratings. Both must be what metrics.json says.
// Usage: outside AEXP lists|cells CFG [KEY=VALUE]...
#include "base/file.h"
#include "base/number.h"
#include "base/process.h"
#include "eval/metric.h"
#include "report/json.h"
#include "train/result.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct outside {
	const char *aexp, *work;
	char *folder; // of the run
	struct experiment experiment;
	struct dataset dataset;
	struct matrices matrices;
	cJSON *metrics;
};

static void need(bool good, const char *what, const struct error *error) {
	if (good)
		return;
	printf("failed: %s: %s\n", what, error ? error->message : "");
	exit(1);
}

static void shell(struct text *command) {
	struct error error = {0};
	const char *argv[] = {"sh", "-c", text_string(command), NULL};
	need(process_run(&(struct command){.argv = argv}, NULL, NULL, &error), text_string(command), &error);
	text_finish(command);
}

// Runs the experiment, and reads what it left and its data once more.
static void begin(struct outside *o, int count, char **words) {
	struct text command = {0}, found = {0};
	struct error error = {0};
	struct errors errors = {0};
	text_format(&command, "'%s' run '%s' -q -o '%s/results' >/dev/null", o->aexp, words[0], o->work);
	for (int i = 1; i < count; i++)
		text_format(&command, " -s '%s'", words[i]);
	shell(&command);
	const char *argv[] = {"find", o->work, "-name", "metrics.json", NULL};
	need(process_run(&(struct command){.argv = argv}, &found, NULL, &error), "find", &error);
	found.data[strcspn(found.data, "\n")] = '\0';
	o->folder = path_folder(found.data);
	need(json_read(found.data, 1 << 24, &o->metrics, &error), "metrics.json", &error);
	char *cfg = path_join(o->folder, "experiment.cfg");
	need(experiment_read(cfg, NULL, 0, &o->experiment, &errors), "experiment.cfg", NULL);
	need(data_load(o->experiment.data, o->experiment.seed, &o->dataset, &error), "data", &error);
	need(matrices_create(o->experiment.data, &o->dataset, o->experiment.seed, &o->matrices, &error), "data", &error);
	text_finish(&found);
	free(cfg);
}

static void hold(const struct outside *o, const char *name, double value) {
	const cJSON *part = cJSON_GetObjectItem(cJSON_GetObjectItem(o->metrics, "final"), "test");
	const cJSON *figure = cJSON_GetObjectItem(part, name);
	need(cJSON_IsNumber(figure), name, NULL);
	printf("%s: %.9g outside, %.9g in metrics.json\n", name, value, figure->valuedouble);
	need(fabs(value - figure->valuedouble) <= 1e-6 * fmax(1, fabs(figure->valuedouble)), name, NULL);
}

// --- lists ---

static bool in_row(const struct csr *csr, size_t row, uint32_t column) {
	for (size_t k = csr->start[row]; k < csr->start[row + 1]; k++)
		if (csr->column[k] == column)
			return true;
	return false;
}

static size_t index_in(const uint32_t *of, size_t count, uint32_t id) {
	size_t i = 0;
	while (i < count && of[i] != id)
		i++;
	return i;
}

static void write_attributes(struct json *json, const struct attributes *all, size_t user) {
	json_object(json, "user", JSON_INLINE);
	for (size_t a = 0; a < all->count; a++) {
		const struct attribute *attribute = &all->items[a];
		if (attribute->numeric && !isnan(attribute->number[user]))
			json_real(json, attribute->name, attribute->number[user]);
		else if (!attribute->numeric && attribute->level[attribute->start[user]])
			json_string(json, attribute->name,
			            ids_name(&attribute->levels, attribute->level[attribute->start[user]] - 1));
	}
	json_end(json);
}

// The raw ratings that are input of a held-out user.
static void write_user(const struct outside *o, size_t user, struct text *text) {
	const struct matrices *m = &o->matrices;
	const struct dataset *d = &o->dataset;
	struct json json = {.text = text};
	json_object(&json, NULL, JSON_INLINE);
	json_string(&json, "id", matrices_user(m, user));
	json_object(&json, "ratings", JSON_INLINE);
	for (size_t i = 0; i < d->count; i++) {
		size_t item = d->user[i] == m->user_of[user] ? index_in(m->item_of, m->items, d->item[i]) : m->items;
		if (item < m->items && in_row(m->test.input, user, (uint32_t)item))
			json_real(&json, ids_name(&d->items, d->item[i]), (double)d->rating[i]);
	}
	json_end(&json);
	write_attributes(&json, &d->user_attributes, m->user_of[user]);
	json_end(&json);
	text_append(text, "\n");
}

static double measure(const struct outside *o, const struct metric_use *use, size_t user, const cJSON *items) {
	const struct csr *target = &o->matrices.test.target;
	uint8_t relevant[64] = {0};
	uint32_t item[64] = {0};
	struct ranking ranking = {.relevant = relevant, .item = item, .auc = NAN};
	const cJSON *entry;
	for (size_t k = target->start[user]; k < target->start[user + 1]; k++)
		ranking.relevant_count += target->liked[k];
	cJSON_ArrayForEach(entry, items) {
		const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(entry, "item"));
		uint32_t id = 0;
		need(name && ids_find(&o->dataset.items, name, strlen(name), &id), "an item of the list", NULL);
		item[ranking.length] = (uint32_t)index_in(o->matrices.item_of, o->matrices.items, id);
		for (size_t k = target->start[user]; k < target->start[user + 1]; k++)
			if (target->column[k] == item[ranking.length] && target->liked[k])
				relevant[ranking.length] = 1;
		ranking.length++;
	}
	return use->metric->over_ranking(&ranking, use->k);
}

static bool asks_relevant(const struct outside *o, size_t user) {
	const struct csr *target = &o->matrices.test.target;
	for (size_t k = target->start[user]; k < target->start[user + 1]; k++)
		if (target->liked[k])
			return true;
	return false;
}

static void check_lists(struct outside *o) {
	struct text users = {0}, command = {0};
	struct error error = {0};
	char *in = path_join(o->work, "in"), *out = path_join(o->work, "out"), *data, *line;
	size_t size, count = 0;
	double sum[METRIC_USES_MAX] = {0};
	for (size_t user = 0; user < o->matrices.users; user++)
		if (asks_relevant(o, user))
			write_user(o, user, &users);
	need(file_write(in, users.data, users.length, &error), "in", &error);
	// moved: nothing but the file is there
	text_format(
	    &command,
	    "cp '%s/model.safetensors' '%s/moved' && '%s' recommend '%s/moved' --strict --json --top 20 <'%s' >'%s'",
	    o->folder, o->work, o->aexp, o->work, in, out);
	shell(&command);
	need(file_read(out, 1 << 26, &data, &size, &error), "out", &error);
	line = data;
	for (size_t user = 0; user < o->matrices.users; user++) {
		if (!asks_relevant(o, user))
			continue;
		char *end = strchr(line, '\n');
		need(end, "a line for each user", NULL);
		cJSON *answer = cJSON_ParseWithLength(line, (size_t)(end - line));
		const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "id"));
		need(id && !strcmp(id, matrices_user(&o->matrices, user)), "the user's id", NULL);
		for (size_t i = 0; i < o->experiment.uses_count; i++)
			if (o->experiment.uses[i].metric->over_ranking)
				sum[i] += measure(o, &o->experiment.uses[i], user, cJSON_GetObjectItem(answer, "items"));
		cJSON_Delete(answer);
		line = end + 1;
		count++;
	}
	need(count > 20, "enough users", NULL);
	for (size_t i = 0; i < o->experiment.uses_count; i++)
		if (o->experiment.uses[i].metric->over_ranking)
			hold(o, o->experiment.uses[i].name, sum[i] / (double)count);
	text_finish(&users);
	free(data);
	free(in);
	free(out);
}

// --- cells ---

// The test part's cells as pairs of ids, and what the data says of them.
static size_t write_pairs(const struct outside *o, struct text *text, double **ret_rating) {
	const struct matrices *m = &o->matrices;
	const struct csr *target = &m->test.target;
	size_t count = 0;
	*ret_rating = memory_alloc((csr_count(target) + 1) * sizeof(**ret_rating));
	text_append(text, "id,item\n");
	for (size_t row = 0; row < target->rows; row++)
		for (size_t k = target->start[row]; k < target->start[row + 1]; k++) {
			size_t user = m->items_as_rows ? target->column[k] : row, item = m->items_as_rows ? row : target->column[k];
			double range = m->scale_high - m->scale_low;
			text_format(text, "%s,%s\n", matrices_user(m, user), matrices_item(m, item));
			(*ret_rating)[count++] =
			    range > 0 ? (double)target->value[k] * range + m->scale_low : (double)target->value[k];
		}
	return count;
}

static void check_cells(struct outside *o) {
	struct text pairs = {0}, command = {0};
	struct error error = {0};
	char *in = path_join(o->work, "in"), *out = path_join(o->work, "out"), *data, *line;
	double *rating, squares = 0, distance = 0;
	size_t size, count = write_pairs(o, &pairs, &rating);
	need(count > 100, "enough cells", NULL);
	need(file_write(in, pairs.data, pairs.length, &error), "in", &error);
	text_format(&command, "'%s' predict '%s' --strict --csv <'%s' >'%s'", o->aexp, o->folder, in, out);
	shell(&command);
	need(file_read(out, 1 << 26, &data, &size, &error), "out", &error);
	line = data;
	for (size_t i = 0; i < count; i++) {
		line = strchr(line, '\n');
		need(line && line[1], "a line for each pair", NULL);
		const char *field = ++line;
		for (int comma = 0; comma < 3; comma++)
			field = strchr(field, ',') + 1;
		double predicted;
		need(number_read(field, strcspn(field, ","), &predicted), "a rating", NULL);
		squares += (predicted - rating[i]) * (predicted - rating[i]);
		distance += fabs(predicted - rating[i]);
	}
	hold(o, "rmse", sqrt(squares / (double)count));
	hold(o, "mae", distance / (double)count);
	text_finish(&pairs);
	free(rating);
	free(data);
	free(in);
	free(out);
}

int main(int argc, char **argv) {
	char folder[] = "/tmp/aexp-outside-XXXXXX";
	struct outside o = {.work = mkdtemp(folder), .aexp = argc > 3 ? argv[1] : ""};
	struct error error = {0};
	need(argc > 3 && o.work, "usage: outside AEXP lists|cells CFG [KEY=VALUE]...", NULL);
	begin(&o, argc - 3, argv + 3);
	(strcmp(argv[2], "lists") ? check_cells : check_lists)(&o);
	need(folder_remove(o.work, &error), "clean up", &error);
	cJSON_Delete(o.metrics);
	matrices_finish(&o.matrices);
	dataset_finish(&o.dataset);
	experiment_finish(&o.experiment);
	free(o.folder);
	return 0;
}
