// What a sweep will be: every trial is read and planned before the first one runs.
#include "cli/sweeper.h"

#include "search/halving.h"
#include "train/order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERRORS_SHOWN = 20 };

void forecast_create(struct forecast *f, size_t trials) {
	*f = (struct forecast){.seconds = memory_alloc((trials + 1) * sizeof(double)),
	                       .bytes = memory_alloc((trials + 1) * sizeof(double))};
	for (size_t i = 0; i < trials; i++)
		f->seconds[i] = f->bytes[i] = NAN;
}

void forecast_finish(struct forecast *f) {
	free(f->seconds);
	free(f->bytes);
}

// Of those that are known the mean, for those that are not.
static double mean_seconds(const struct forecast *f, const struct sweep *sweep) {
	double sum = 0;
	size_t count = 0;
	for (size_t i = 0; i < sweep->search.trials; i++)
		if (!isnan(f->seconds[i])) {
			sum += f->seconds[i];
			count++;
		}
	return count ? sum / (double)count : (double)NAN;
}

static double scaled(const struct forecast *f, double seconds) {
	return f->predicted > 0 && f->measured > 0 ? seconds * f->measured / f->predicted : seconds;
}

double forecast_trial(const struct forecast *f, const struct sweep *sweep, size_t index) {
	return scaled(f, isnan(f->seconds[index]) ? mean_seconds(f, sweep) : f->seconds[index]);
}

double forecast_rest(const struct forecast *f, const struct sweep *sweep) {
	double sum = 0, mean = mean_seconds(f, sweep);
	for (size_t i = 0; i < sweep->begun; i++)
		if (sweep->trials[i].state == TRIAL_OPEN)
			sum += isnan(f->seconds[i]) ? mean : f->seconds[i];
	return scaled(f, sum);
}

double forecast_bytes(const struct forecast *f, const struct sweep *sweep) {
	double most = 0;
	for (size_t i = 0; i < sweep->search.trials; i++)
		most = fmax(most, isnan(f->bytes[i]) ? 0 : f->bytes[i]);
	return most;
}

// --- planning ---

struct planner {
	struct sweep *sweep;
	struct options options; // with the overrides of one trial
	struct prepared prepared;
	struct forecast *forecast;
	size_t errors; // that were printed
	int code;      // of the first
};

static double csr_bytes(const struct csr *csr) {
	return (double)csr_count(csr) * (sizeof(*csr->column) + sizeof(*csr->value) + sizeof(*csr->liked)) +
	       (double)csr->rows * sizeof(*csr->start);
}

static void predict(struct planner *p, double *ret_seconds, double *ret_bytes) {
	const struct experiment *e = &p->prepared.experiment;
	const struct matrices *m = &p->prepared.matrices;
	struct graph_facts facts;
	train_describe(e, m, &p->prepared.graph, &facts);
	double batch = e->model ? 1 : (double)p->prepared.graph.shape.batch;
	double steps = ceil((double)order_rows_in_use(&m->train) / batch) * (double)experiment_epochs(e);
	*ret_seconds = e->model ? (double)NAN : 1e-9 * facts.ns * steps * (double)e->repeats;
	*ret_bytes = facts.bytes + csr_bytes(&m->train) + csr_bytes(&m->valid.target) + csr_bytes(&m->test.target) +
	             (double)p->prepared.dataset.count * (2 * sizeof(uint32_t) + sizeof(float));
}

static void print_problems(struct planner *p, const char *what, const struct errors *errors) {
	if (!p->code)
		p->code = (int)errors->items[0].code;
	for (size_t i = 0; i < errors->count && p->errors <= ERRORS_SHOWN; i++, p->errors++) {
		if (p->errors < ERRORS_SHOWN) {
			fprintf(stderr, "%s: ", what);
			print_error(&errors->items[i]);
		} else {
			fprintf(stderr, "aexp: more trials are wrong; the rest is not shown\n");
		}
	}
}

// Something that the objective wants and this trial's data has not.
static void check_part(const struct planner *p, struct errors *errors) {
	const struct strings *objective = &p->sweep->search.config->objective;
	for (size_t i = 0; i < objective->count; i++)
		if (!strncmp(objective->items[i], "valid.", 6) && !p->prepared.matrices.valid.target.start)
			error_hint(errors_add(errors, ERROR_CONFIG, objective->at[i], "\"%s\": there is no validation part",
			                      objective->items[i]),
			           "Give data.split a valid share.");
}

static bool plan_point(struct planner *p, const struct setting *point, const char *what, double *ret_seconds,
                       double *ret_bytes) {
	struct errors errors = {0};
	struct error error = {0};
	struct strings overrides;
	struct arena arena = {0};
	space_overrides(&p->sweep->search.space, point, &arena, &overrides);
	p->options.overrides = overrides.items;
	p->options.overrides_count = overrides.count;
	bool good = prepare_again(p->sweep->given, &p->options, &p->prepared, &errors);
	if (good)
		check_part(p, &errors);
	if (good && !train_backend_check(&p->prepared.experiment, p->options.pool, NULL, &error))
		errors_push(&errors, &error);
	good = !errors.count;
	if (good)
		predict(p, ret_seconds, ret_bytes);
	else
		print_problems(p, what, &errors);
	errors_finish(&errors);
	arena_finish(&arena);
	return good;
}

static void plan_trial(struct planner *p, size_t index) {
	char what[64];
	snprintf(what, sizeof(what), "trial %zu", index + 1);
	sweep_propose(p->sweep, index);
	plan_point(p, p->sweep->trials[index].point, what, &p->forecast->seconds[index], &p->forecast->bytes[index]);
}

// What later trials may be is not known: each level of each axis, and both ends of each range, beside the first trial's
// other settings.
static void plan_ends(struct planner *p) {
	const struct space *space = &p->sweep->search.space;
	struct setting *point = memory_alloc(space->count * sizeof(*point));
	sweep_propose(p->sweep, 0);
	for (size_t i = 0; i < space->count; i++) {
		const struct axis *axis = &space->axes[i];
		for (size_t level = 0; level < (axis->levels ? axis->levels : 2); level++) {
			double seconds, bytes;
			memcpy(point, p->sweep->trials[0].point, space->count * sizeof(*point));
			for (size_t k = 0; k < axis->when_count; k++)
				point[axis->when[k].axis].level = axis->when[k].level;
			point[i].level = level;
			if (!axis->levels)
				point[i].number = level ? axis->high : axis->low;
			space_settle(space, point);
			struct arena arena = {0};
			char *what = arena_format(&arena, "%s=%s", axis->label, setting_text(axis, &point[i], &arena));
			plan_point(p, point, what, &seconds, &bytes);
			arena_finish(&arena);
		}
	}
	free(point);
}

int sweep_plan(struct sweep *sweep, const struct options *options, struct forecast *forecast) {
	const struct strategy *strategy = (const struct strategy *)sweep->search.config->kind.row;
	struct planner p = {.sweep = sweep, .options = *options, .forecast = forecast};
	p.options.results = sweep->results;
	for (size_t i = 0; i < sweep->search.trials && p.errors <= ERRORS_SHOWN; i++)
		if (sweep->trials[i].state == TRIAL_OPEN && !search_needs(&sweep->search, i))
			plan_trial(&p, i);
	if (strategy->learns)
		plan_ends(&p);
	prepared_finish(&p.prepared);
	return p.code;
}
