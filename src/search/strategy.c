// See strategy.h: the registry, and what all strategies share.
#include "search/strategy.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

static const struct row *const rows[] = {&strategy_grid.row, &strategy_random.row, &strategy_sobol.row,
                                         &strategy_tpe.row};
const struct registry strategy_registry = {
    .what = "strategy", .plural = "strategies", .rows = rows, .count = sizeof(rows) / sizeof(rows[0])};

const char *const trial_state_names[] = {"open", "finished", "stopped", "failed"};

bool search_create(const struct sweep_config *config, struct arena *arena, struct search *ret, struct error *error) {
	*ret = (struct search){.config = config, .objectives = config->objective.count, .trials = (size_t)config->trials};
	space_create(config, arena, &ret->space);
	if (config->kind.row != &strategy_grid.row)
		return true;
	if (!grid_create(&ret->space, config->trials ? (size_t)config->trials : GRID_MOST, &ret->grid, error))
		return false;
	ret->trials = ret->grid.count;
	return true;
}

void search_finish(struct search *search) {
	grid_finish(&search->grid);
}

size_t search_needs(const struct search *search, size_t trial) {
	const struct strategy *strategy = (const struct strategy *)search->config->kind.row;
	size_t lag = (size_t)search->config->lag;
	return strategy->learns && trial + 1 > lag ? trial + 1 - lag : 0;
}

void search_propose(const struct search *search, size_t trial, const struct known_trial *known, struct setting *ret) {
	const struct strategy *strategy = (const struct strategy *)search->config->kind.row;
	memset(ret, 0, search->space.count * sizeof(*ret));
	strategy->propose(search, trial, known, ret);
	space_settle(&search->space, ret);
}

double search_uniform(const struct search *search, const char *purpose, size_t trial, size_t axis, uint32_t draw) {
	struct random_stream stream = random_stream_make(search->config->seed, purpose, search->space.axes[axis].label);
	return random_uniform(stream, 0, trial, draw);
}

// --- grid and random ---

static void grid_propose(const struct search *search, size_t trial, const struct known_trial *known,
                         struct setting *ret) {
	(void)known;
	memcpy(ret, search->grid.points + trial * search->space.count, search->space.count * sizeof(*ret));
}
const struct strategy strategy_grid = {
    .row = {.name = "grid", .doc = "Every combination, the last axis fastest; of a range `points` values"},
    .propose = grid_propose};

static void random_propose(const struct search *search, size_t trial, const struct known_trial *known,
                           struct setting *ret) {
	(void)known;
	for (size_t i = 0; i < search->space.count; i++)
		axis_share(&search->space.axes[i], search_uniform(search, "sweep random", trial, i, 0), &ret[i]);
}
const struct strategy strategy_random = {
    .row = {.name = "random", .doc = "Each axis drawn evenly over its scale, independently"},
    .propose = random_propose};

// --- fronts ---

static double sortable(double loss) {
	return isnan(loss) ? INFINITY : loss;
}

bool losses_dominate(const double *a, const double *b, size_t objectives) {
	bool better = false;
	for (size_t i = 0; i < objectives; i++) {
		if (sortable(a[i]) > sortable(b[i]))
			return false;
		better = better || sortable(a[i]) < sortable(b[i]);
	}
	return better;
}

void losses_fronts(const double *losses, size_t count, size_t objectives, size_t *ret) {
	size_t left = count;
	for (size_t i = 0; i < count; i++)
		ret[i] = SIZE_MAX;
	for (size_t front = 0; left; front++) {
		for (size_t i = 0; i < count; i++) {
			if (ret[i] < front)
				continue;
			bool dominated = false;
			for (size_t k = 0; !dominated && k < count; k++)
				dominated =
				    ret[k] >= front && losses_dominate(losses + k * objectives, losses + i * objectives, objectives);
			if (!dominated) {
				ret[i] = front;
				left--;
			}
		}
	}
}
