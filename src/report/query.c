// See query.h.
#include "report/query.h"

#include "base/nearest.h"
#include "base/number.h"
#include "report/config_lines.h"
#include "train/experiment.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// --- what a run is under a key ---

static const struct run_field NO_FIELD = {NULL, NAN};

static struct run_field word(const char *text) {
	struct run_field field = {*text ? text : NULL, NAN};
	if (!number_read(text, strlen(text), &field.number))
		field.number = NAN;
	return field;
}

static struct run_field number(double value, struct arena *arena) {
	char text[NUMBER_TEXT];
	if (isnan(value))
		return NO_FIELD;
	number_write(value, text);
	return (struct run_field){arena_string(arena, text), value};
}

static struct run_field count(size_t value, bool has, struct arena *arena) {
	return has ? number((double)value, arena) : NO_FIELD;
}

static bool is_one(const struct run_entry *run) {
	return run->finished && run->kind == RUN_ONE;
}

static struct run_field get_name(const struct run_entry *run, struct arena *arena) {
	(void)arena;
	return word(run->name);
}
static struct run_field get_id(const struct run_entry *run, struct arena *arena) {
	(void)arena;
	return (struct run_field){run->id, NAN}; // hexadecimal: 12e4 is no number
}
static struct run_field get_folder(const struct run_entry *run, struct arena *arena) {
	(void)arena;
	return (struct run_field){run->folder, NAN};
}
static struct run_field get_kind(const struct run_entry *run, struct arena *arena) {
	(void)arena;
	return word(run_kind_names[run->kind]);
}
static struct run_field get_finished(const struct run_entry *run, struct arena *arena) {
	(void)arena;
	return word(run->finished ? "true" : "false");
}
static struct run_field get_state(const struct run_entry *run, struct arena *arena) {
	if (!run->finished)
		return word("unfinished");
	if (run->kind == RUN_ONE)
		return word("finished");
	size_t parts = run->kind == RUN_SUMMARY ? run->runs : run->trials;
	return word(
	    arena_format(arena, "%zu %s%s", parts, run->kind == RUN_SUMMARY ? "run" : "trial", parts == 1 ? "" : "s"));
}
static struct run_field get_protocol(const struct run_entry *run, struct arena *arena) {
	(void)arena;
	return (struct run_field){*run->protocol ? run->protocol : NULL, NAN};
}
static struct run_field get_epochs(const struct run_entry *run, struct arena *arena) {
	return count(run->epochs, is_one(run), arena);
}
static struct run_field get_runs(const struct run_entry *run, struct arena *arena) {
	return count(run->runs, run->kind == RUN_SUMMARY, arena);
}
static struct run_field get_trials(const struct run_entry *run, struct arena *arena) {
	return count(run->trials, run->kind == RUN_SWEEP, arena);
}
static struct run_field get_best_epoch(const struct run_entry *run, struct arena *arena) {
	return count(run->best_epoch, is_one(run) && run->best_epoch, arena);
}
static struct run_field get_best_metric(const struct run_entry *run, struct arena *arena) {
	(void)arena;
	return word(run->best_metric);
}
static struct run_field get_best_value(const struct run_entry *run, struct arena *arena) {
	return number(run->best_value, arena);
}
static struct run_field get_ended(const struct run_entry *run, struct arena *arena) {
	char text[32] = "";
	time_t whole = isnan(run->ended) ? 0 : (time_t)run->ended;
	struct tm parts;
	if (!isnan(run->ended) && gmtime_r(&whole, &parts))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	return word(arena_string(arena, text));
}

// `backend` and `seed` are keys of every file.
static const struct field {
	const char *name;
	struct run_field (*get)(const struct run_entry *run, struct arena *arena);
} fields[] = {
    {"name", get_name},
    {"id", get_id},
    {"folder", get_folder},
    {"kind", get_kind},
    {"state", get_state},
    {"finished", get_finished},
    {"protocol", get_protocol},
    {"epochs", get_epochs},
    {"runs", get_runs},
    {"trials", get_trials},
    {"best_epoch", get_best_epoch},
    {"best_metric", get_best_metric},
    {"best_value", get_best_value},
    {"ended", get_ended},
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static const struct field *find_field(const char *key) {
	for (size_t i = 0; i < FIELDS; i++)
		if (!strcmp(fields[i].name, key))
			return &fields[i];
	return NULL;
}

static const struct run_value *find_figure(const struct run_entry *run, const char *key) {
	for (size_t i = 0; i < run->final_count; i++)
		if (!strcmp(run->final[i].name, key))
			return &run->final[i];
	return NULL;
}

// The short form of a group that holds a kind: graph.taste.activation for graph.taste.activation.kind.
static const char *config_value(const char *config, const char *key, struct arena *arena) {
	static const char *const kinds[] = {"", ".kind", ".format"};
	const char *value = NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !value; i++)
		value = config_text_value(config, arena_format(arena, "%s%s", key, kinds[i]), arena);
	return value;
}

struct run_field query_field(const struct run_entry *run, const char *key, struct arena *arena) {
	const struct field *field = find_field(key);
	const struct run_value *figure = find_figure(run, key);
	if (field)
		return field->get(run, arena);
	if (figure)
		return number(figure->value, arena);
	const char *value = config_value(run->config, key, arena);
	return value ? word(value) : NO_FIELD;
}

// --- conditions ---

// Two-letter ones first.
static const struct {
	const char *sign;
	enum relation relation;
} signs[] = {
    {"<=", RELATION_AT_MOST}, {">=", RELATION_AT_LEAST}, {"!=", RELATION_IS_NOT}, {"==", RELATION_IS},
    {"<", RELATION_LESS},     {">", RELATION_MORE},      {"=", RELATION_IS},
};

static const char *trimmed(const char *text, size_t length, struct arena *arena) {
	while (length > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		length--;
	}
	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	bool quoted = length >= 2 && text[0] == '"' && text[length - 1] == '"';
	return arena_format(arena, "%.*s", (int)(length - 2 * quoted), text + quoted);
}

bool condition_read(const char *text, struct arena *arena, struct condition *ret, struct error *error) {
	size_t length = strcspn(text, "<>=!"), i = 0, count = sizeof(signs) / sizeof(signs[0]);
	while (i < count && strncmp(text + length, signs[i].sign, strlen(signs[i].sign)) != 0)
		i++;
	if (i < count) {
		const char *value = text + length + strlen(signs[i].sign);
		ret->relation = signs[i].relation;
		ret->key = trimmed(text, length, arena);
		ret->value = trimmed(value, strlen(value), arena);
		ret->number = word(ret->value).number;
	}
	if (i < count && *ret->key && *ret->value && !strpbrk(ret->key, " \t\"") && !strchr("<>=!", ret->value[0]))
		return true;
	error_set(error, ERROR_CONFIG, "\"%s\" is no condition", text);
	error_hint(error,
	           "Write KEY, one of < <= > >= = !=, and a value, as in optimizer.rate<0.01, in quotes for the shell.");
	return false;
}

// Whole numbers beyond what a double tells apart, as seeds are.
static bool are_long_integers(const char *a, const char *b) {
	enum { EXACT = 15 };
	size_t left = strlen(a), right = strlen(b);
	return strspn(a, "0123456789") == left && strspn(b, "0123456789") == right && (left > EXACT || right > EXACT);
}

static bool is(const struct condition *condition, const struct run_field *field) {
	if (!strcmp(field->text, condition->value))
		return true;
	if (!isnan(condition->number) && !isnan(field->number))
		return condition->number == field->number && !are_long_integers(condition->value, field->text);
	return fnmatch(condition->value, field->text, 0) == 0;
}

static bool in_order(const struct condition *condition, const struct run_field *field) {
	bool numbers = !isnan(condition->number) && !isnan(field->number);
	if (!numbers && (!isnan(condition->number) || !isnan(field->number)))
		return false;
	int words = numbers ? 0 : strcmp(field->text, condition->value);
	double difference = numbers ? field->number - condition->number : (double)words;
	switch (condition->relation) {
	case RELATION_LESS:
		return difference < 0;
	case RELATION_AT_MOST:
		return difference <= 0;
	case RELATION_MORE:
		return difference > 0;
	default:
		return difference >= 0;
	}
}

bool condition_holds(const struct condition *condition, const struct run_entry *run) {
	struct arena arena = {0};
	struct run_field field = query_field(run, condition->key, &arena);
	bool holds = false;
	if (field.text && condition->relation == RELATION_IS)
		holds = is(condition, &field);
	else if (field.text && condition->relation == RELATION_IS_NOT)
		holds = !is(condition, &field);
	else if (field.text)
		holds = in_order(condition, &field);
	arena_finish(&arena);
	return holds;
}

// --- which keys there are ---

static const char *after(const char *key, const char *part) {
	size_t length = strlen(part);
	return strncmp(key, part, length) == 0 && (key[length] == '.' || !key[length]) ? key + length : NULL;
}

static bool schema_has(const struct schema *schema, const char *key);

static bool has_tag(const struct schema *schema) {
	for (size_t i = 0; i < schema->count; i++)
		if (schema->keys[i].type == KEY_TAG)
			return true;
	return false;
}

// `rest` begins with the dot behind the key's name, or is empty.
static bool key_has(const struct key *key, const char *rest) {
	if (key->type == KEY_GROUP)
		return *rest ? schema_has(key->schema, rest + 1) : has_tag(key->schema);
	if (key->type == KEY_LIST) {
		const char *element = *rest ? strchr(rest + 1, '.') : NULL; // any name
		return element && schema_has(key->schema, element + 1);
	}
	return !*rest;
}

static bool schema_has(const struct schema *schema, const char *key) {
	for (size_t i = 0; i < schema->count; i++) {
		const struct key *one = &schema->keys[i];
		const char *rest = after(key, one->name);
		if (rest && key_has(one, rest))
			return true;
		for (size_t k = 0; one->type == KEY_TAG && k < one->registry->count; k++)
			if (schema_has(&one->registry->rows[k]->params, key))
				return true;
	}
	return false;
}

// The metric of a figure, as "ndcg@10" of "test.ndcg@10"; NULL where the key is of no part.
static const char *metric_in(const char *key) {
	static const char *const parts[] = {"train.", "valid.", "test."};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strncmp(key, parts[i], strlen(parts[i])))
			return key + strlen(parts[i]);
	return NULL;
}

static const struct metric *metric_of(const char *key, struct arena *arena) {
	const char *metric = metric_in(key);
	struct metric_use use = {0};
	struct errors errors = {0};
	if (metric)
		metric_use_read(metric, (struct origin){0}, arena, &use, &errors);
	errors_finish(&errors);
	return use.metric;
}

// Whether a run has an element of that name, where the key is one of a list: `graph.taste.` of graph.taste.units.
static bool has_element(const struct runs *runs, const char *key) {
	const char *dot = strchr(key, '.'), *end = dot ? strchr(dot + 1, '.') : NULL;
	size_t length = end ? (size_t)(end - key) + 1 : 0;
	for (size_t i = 0; i < runs->count; i++)
		for (const char *line = runs->items[i].config; *line; line += strcspn(line, "\n") + 1)
			if (strncmp(line, key, length) == 0)
				return true;
	return false;
}

static bool is_in_list(const char *key) {
	for (size_t i = 0; i < experiment_schema.count; i++)
		if (experiment_schema.keys[i].type == KEY_LIST && after(key, experiment_schema.keys[i].name))
			return true;
	return false;
}

// A name within a list may be anything, but where there are runs one of them has it.
static bool is_key(const struct runs *runs, const char *key) {
	return schema_has(&experiment_schema, key) && (!runs->count || !is_in_list(key) || has_element(runs, key));
}

static bool is_known(const struct runs *runs, const char *key, struct arena *arena) {
	if (find_field(key) || !strcmp(key, "train.loss") || metric_of(key, arena) || is_key(runs, key))
		return true;
	for (size_t i = 0; i < runs->count; i++)
		if (query_field(&runs->items[i], key, arena).text || find_figure(&runs->items[i], key))
			return true;
	return false;
}

// All that a run has; the strings stay in the arena.
static void offer_run(const struct run_entry *run, struct nearest *nearest, struct arena *arena) {
	char *rest = arena_string(arena, run->config);
	for (size_t i = 0; i < run->final_count; i++)
		nearest_offer(nearest, run->final[i].name);
	for (char *line; (line = strsep(&rest, "\n")) != NULL && *line;)
		nearest_offer(nearest, strsep(&line, "\t"));
}

static void offer_schema(const struct schema *schema, const char *before, struct nearest *nearest,
                         struct arena *arena) {
	for (size_t i = 0; i < schema->count; i++) {
		const struct key *key = &schema->keys[i];
		const char *name = arena_format(arena, "%s%s", before, key->name);
		if (key->type == KEY_GROUP)
			offer_schema(key->schema, arena_format(arena, "%s.", name), nearest, arena);
		else if (key->type != KEY_LIST)
			nearest_offer(nearest, name);
		for (size_t k = 0; key->type == KEY_TAG && k < key->registry->count; k++)
			offer_schema(&key->registry->rows[k]->params, before, nearest, arena);
	}
}

// Runs of one folder have much the same keys: so many, spread over all of them, will do.
enum { OFFERED_RUNS = 200 };

bool query_knows(const struct runs *runs, const char *key, struct error *error) {
	struct arena arena = {0};
	struct nearest nearest = {.word = key};
	bool known = is_known(runs, key, &arena);
	if (!known) {
		error_set(error, ERROR_CONFIG, "unknown key \"%s\"", key);
		for (size_t i = 0; i < FIELDS; i++)
			nearest_offer(&nearest, fields[i].name);
		for (size_t i = 0; i < runs->count; i += runs->count / OFFERED_RUNS + 1)
			offer_run(&runs->items[i], &nearest, &arena);
		offer_schema(&experiment_schema, "", &nearest, &arena);
		if (nearest.best)
			error_hint(error, "Did you mean \"%s\"?", nearest.best);
		else
			error_hint(error, "Keys are those of `aexp schema`, figures as test.rmse, and name, id, kind, epochs.");
	}
	arena_finish(&arena);
	return known;
}

// --- order ---

bool query_more_is_better(const char *key) {
	struct arena arena = {0};
	const struct metric *metric = metric_of(key, &arena);
	arena_finish(&arena);
	return metric && metric->higher_is_better;
}

struct sorted {
	struct run_entry run;
	struct run_field field;
	size_t place;
	int sign;
};

static int by_field(const void *a, const void *b) {
	const struct sorted *left = a, *right = b;
	bool numbers = !isnan(left->field.number) && !isnan(right->field.number);
	int order = 0;
	if (!left->field.text != !right->field.text)
		return left->field.text ? -1 : 1; // without it last, in either order
	if (!left->field.text)
		order = 0;
	else if (numbers)
		order = left->sign * ((left->field.number > right->field.number) - (left->field.number < right->field.number));
	else if (isnan(left->field.number) != isnan(right->field.number))
		order = left->sign * (isnan(left->field.number) ? 1 : -1);
	else
		order = left->sign * strcmp(left->field.text, right->field.text);
	return order ? order : (left->place > right->place) - (left->place < right->place);
}

void query_sort(struct runs *runs, const char *key, bool reverse) {
	struct arena arena = {0};
	struct sorted *items = memory_alloc((runs->count + 1) * sizeof(*items));
	int sign = query_more_is_better(key) != reverse ? -1 : 1;
	for (size_t i = 0; i < runs->count; i++)
		items[i] = (struct sorted){runs->items[i], query_field(&runs->items[i], key, &arena), i, sign};
	qsort(items, runs->count, sizeof(*items), by_field);
	for (size_t i = 0; i < runs->count; i++)
		runs->items[i] = items[i].run;
	free(items);
	arena_finish(&arena);
}
