// See compare.h. Tests: paired t and Wilcoxon's signed ranks; Welch's t (Biometrika 34, 1947) where two summaries share
// no seeds.
#include "report/compare.h"

#include "base/file.h"
#include "base/number.h"
#include "report/json.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 1 << 30 };

const char *compared_value(const struct compared *compared, const char *key) {
	return config_lines_value(&compared->config, key);
}

bool compared_asks(const char *key) {
	static const char *const asking[] = {"data.filter.", "data.buckets.", "data.liked", "data.split.", "evaluate."};
	for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++)
		if (!strncmp(key, asking[i], strlen(asking[i])))
			return strcmp(key, "data.split.seed") != 0 && strcmp(key, "data.split.fold") != 0;
	return false;
}

// --- users.tsv ---

struct user_row {
	const char *part, *id;
	const double *value; // (metrics)
};
struct compared_users {
	const char **metric; // (metrics)
	size_t metrics;
	struct user_row *rows; // (count) by part and id
	size_t count;
};

static int by_user(const void *a, const void *b) {
	const struct user_row *left = a, *right = b;
	int order = strcmp(left->part, right->part);
	return order ? order : strcmp(left->id, right->id);
}

// The fields of the line that *text begins with, in the arena; *text goes to the next one.
static size_t read_line(char **text, struct arena *arena, char ***ret_fields) {
	char *line = strsep(text, "\n");
	size_t count = 1, used = 0;
	for (const char *c = line; *c; c++)
		count += *c == '\t';
	*ret_fields = arena_alloc(arena, count * sizeof(char *));
	for (char *field; (field = strsep(&line, "\t"));)
		(*ret_fields)[used++] = field;
	return count;
}

static size_t count_lines(const char *text) {
	size_t count = 0;
	for (; *text; text++)
		count += *text == '\n';
	return count;
}

// False where a line has another number of fields than the first, or a value is none.
static bool parse_users(char *text, struct arena *arena, struct compared_users *ret) {
	char **field;
	ret->rows = arena_alloc(arena, (count_lines(text) + 1) * sizeof(*ret->rows));
	size_t columns = read_line(&text, arena, &field);
	if (columns < 2)
		return false;
	ret->metrics = columns - 2;
	ret->metric = (const char **)field + 2;
	while (text && *text) {
		if (read_line(&text, arena, &field) != columns)
			return false;
		double *value = arena_alloc(arena, (ret->metrics + 1) * sizeof(*value));
		for (size_t k = 0; k < ret->metrics; k++) {
			const char *number = field[k + 2];
			value[k] = NAN;
			if (strcmp(number, "nan") != 0 && !number_read(number, strlen(number), &value[k]))
				return false;
		}
		ret->rows[ret->count++] = (struct user_row){field[0], field[1], value};
	}
	qsort(ret->rows, ret->count, sizeof(*ret->rows), by_user);
	return true;
}

static bool read_users(const char *folder, struct arena *arena, struct compared *ret, struct error *error) {
	char *path = path_join(folder, "users.tsv"), *data = NULL;
	size_t size;
	bool good = true;
	if (file_exists(path)) {
		ret->users = arena_alloc(arena, sizeof(*ret->users));
		good = file_read(path, FILE_MOST, &data, &size, error);
		if (good && !parse_users(arena_copy(arena, data, size + 1), arena, ret->users))
			good = error_at(error, ERROR_DATA, (struct origin){.file = path}, "not what a run leaves");
	}
	free(data);
	free(path);
	return good;
}

// --- a run ---

static bool read_object(const char *folder, const char *name, struct cJSON **ret, struct error *error) {
	char *path = path_join(folder, name);
	bool good = json_read(path, FILE_MOST, ret, error);
	free(path);
	return good;
}

// Runs of before there was a hash of the split have none.
static bool read_split(const char *folder, struct arena *arena, struct compared *ret, struct error *error) {
	struct cJSON *metrics = NULL;
	if (!read_object(folder, "metrics.json", &metrics, error))
		return false;
	const struct cJSON *split = cJSON_GetObjectItemCaseSensitive(metrics, "split");
	if (cJSON_IsString(split))
		ret->split = arena_string(arena, split->valuestring);
	cJSON_Delete(metrics);
	return true;
}

bool compared_read(const char *folder, struct arena *arena, struct compared *ret, struct error *error) {
	*ret = (struct compared){.split = ""};
	runs_read_one(folder, arena, &ret->entry);
	if (!ret->entry.finished) {
		error_set(error, ERROR_CONFIG, "\"%s\" is not finished", folder);
		error_hint(error, "Run it to its end first.");
		return false;
	}
	if (ret->entry.kind == RUN_SWEEP) {
		error_set(error, ERROR_CONFIG, "\"%s\" is a sweep, not a run", folder);
		error_hint(error, "A sweep is compared by itself: aexp compare SWEEP.");
		return false;
	}
	if (!config_lines_read(folder, false, arena, &ret->config, error))
		return false;
	if (ret->entry.runs)
		return read_object(folder, "summary.json", &ret->summary, error);
	return read_split(folder, arena, ret, error) && read_users(folder, arena, ret, error);
}

void compared_finish(struct compared *compared) {
	cJSON_Delete(compared->summary);
	compared->summary = NULL;
}

// --- differences ---

// What pairs give: the differences (count), and where they are from.
struct pairs {
	double *difference;
	size_t count;
};

static size_t find_metric(const struct compared_users *users, const char *metric) {
	size_t i = 0;
	while (i < users->metrics && strcmp(users->metric[i], metric) != 0)
		i++;
	return i;
}

// figure: "test.ndcg@10". Users that both have, with a value in both.
static void pair_users(const struct compared_users *a, const struct compared_users *b, const char *figure,
                       struct pairs *ret) {
	size_t part = strcspn(figure, "."), i = 0, k = 0;
	size_t left = find_metric(a, figure + part + 1), right = find_metric(b, figure + part + 1);
	ret->difference = memory_alloc((a->count + 1) * sizeof(*ret->difference));
	while (left < a->metrics && right < b->metrics && i < a->count && k < b->count) {
		int order = by_user(&a->rows[i], &b->rows[k]);
		double difference = order ? (double)NAN : b->rows[k].value[right] - a->rows[i].value[left];
		if (!isnan(difference) && strlen(a->rows[i].part) == part && !strncmp(a->rows[i].part, figure, part))
			ret->difference[ret->count++] = difference;
		i += order <= 0;
		k += order >= 0;
	}
}

// The values of a figure in a summary, one a run; NULL where they are not as they should be.
static const struct cJSON *values_of(const struct compared *c, const char *figure) {
	size_t length = strcspn(figure, ".");
	char part[16] = "";
	if (length >= sizeof(part))
		return NULL;
	memcpy(part, figure, length);
	const struct cJSON *final = cJSON_GetObjectItemCaseSensitive(c->summary, "final");
	const struct cJSON *metric =
	    cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(final, part), figure + length + 1);
	const struct cJSON *values = cJSON_GetObjectItemCaseSensitive(metric, "values");
	return cJSON_IsArray(values) && (size_t)cJSON_GetArraySize(values) == c->entry.runs ? values : NULL;
}

static double value_at(const struct cJSON *values, size_t i) {
	const struct cJSON *value = cJSON_GetArrayItem(values, (int)i);
	return cJSON_IsNumber(value) ? value->valuedouble : (double)NAN;
}

static const struct cJSON *run_at(const struct compared *c, size_t i) {
	return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(c->summary, "runs"), (int)i);
}

static bool same_member(const struct cJSON *a, const struct cJSON *b, const char *name) {
	return cJSON_Compare(cJSON_GetObjectItemCaseSensitive(a, name), cJSON_GetObjectItemCaseSensitive(b, name), true) ||
	       (!cJSON_GetObjectItemCaseSensitive(a, name) && !cJSON_GetObjectItemCaseSensitive(b, name));
}

// Runs of one seed and fold.
static void pair_seeds(const struct compared *a, const struct compared *b, const char *figure, struct pairs *ret) {
	const struct cJSON *left = values_of(a, figure), *right = values_of(b, figure);
	ret->difference = memory_alloc((a->entry.runs + 1) * sizeof(*ret->difference));
	for (size_t i = 0; left && right && i < a->entry.runs; i++)
		for (size_t k = 0; k < b->entry.runs; k++) {
			double difference = value_at(right, k) - value_at(left, i);
			if (isnan(difference) || !same_member(run_at(a, i), run_at(b, k), "seed") ||
			    !same_member(run_at(a, i), run_at(b, k), "fold"))
				continue;
			ret->difference[ret->count++] = difference;
			break;
		}
}

static struct interval interval_in(const struct compared *c, const char *figure) {
	const struct cJSON *values = values_of(c, figure);
	double *value = memory_alloc((c->entry.runs + 1) * sizeof(*value));
	size_t count = 0;
	for (size_t i = 0; values && i < c->entry.runs; i++)
		if (!isnan(value_at(values, i)))
			value[count++] = value_at(values, i);
	struct interval interval = interval_of(value, count);
	free(value);
	return interval;
}

static void welch(const struct compared *a, const struct compared *b, const char *figure, struct compare_figure *ret) {
	struct interval left = interval_in(a, figure), right = interval_in(b, figure);
	double one = left.sd * left.sd / (double)left.count, two = right.sd * right.sd / (double)right.count;
	double error = sqrt(one + two);
	ret->test = COMPARE_WELCH;
	ret->interval = (struct interval){left.count + right.count, right.mean - left.mean, NAN, NAN, NAN};
	if (!(error > 0)) // one run, or all the same
		return;
	double df =
	    (one + two) * (one + two) / (one * one / (double)(left.count - 1) + two * two / (double)(right.count - 1));
	double half = student_t_quantile(0.975, df) * error;
	ret->interval.low = ret->interval.mean - half;
	ret->interval.high = ret->interval.mean + half;
	ret->t_p = student_t_two_sided(ret->interval.mean / error, df);
}

static void test_pairs(const struct pairs *pairs, enum compare_test test, struct compare_figure *ret) {
	ret->test = test;
	ret->interval = interval_of(pairs->difference, pairs->count);
	if (ret->interval.sd > 0) {
		double error = ret->interval.sd / sqrt((double)pairs->count);
		ret->t_p = student_t_two_sided(ret->interval.mean / error, (double)(pairs->count - 1));
	}
	ret->wilcoxon_p = wilcoxon_two_sided(pairs->difference, pairs->count);
}

static void test_figure(const struct compared *a, const struct compared *b, const char *figure,
                        struct compare_figure *ret) {
	struct pairs pairs = {0};
	if (strcmp(a->entry.protocol, b->entry.protocol) != 0)
		return;
	if (a->summary && b->summary) {
		pair_seeds(a, b, figure, &pairs);
		if (pairs.count > 1)
			test_pairs(&pairs, COMPARE_SEEDS, ret);
		else
			welch(a, b, figure, ret);
	} else if (a->users && b->users && *a->split && !strcmp(a->split, b->split)) {
		pair_users(a->users, b->users, figure, &pairs);
		if (pairs.count > 1)
			test_pairs(&pairs, COMPARE_USERS, ret);
	}
	free(pairs.difference);
}

const char *const compare_test_names[] = {"", "users", "seeds", "welch"};

bool compare_figure(const struct compared *first, const struct compared *other, size_t i, struct compare_figure *ret) {
	const struct run_value *figure = &first->entry.final[i];
	const struct run_entry *entry = &other->entry;
	size_t k = 0;
	while (k < entry->final_count && strcmp(entry->final[k].name, figure->name) != 0)
		k++;
	if (k == entry->final_count)
		return false;
	*ret = (struct compare_figure){.first = figure->value, .other = entry->final[k].value};
	ret->difference = ret->other - ret->first;
	ret->interval = (struct interval){0, NAN, NAN, NAN, NAN};
	ret->t_p = ret->wilcoxon_p = NAN;
	test_figure(first, other, figure->name, ret);
	return true;
}
