// Schedules of the learning rate by name. Each gives a factor of the optimizer's rate for a whole epoch; epochs count
// from 1, so that the first one has the full rate. As PyTorch's StepLR, MultiStepLR, CosineAnnealingLR (Loshchilov and
// Hutter 2017, without restarts) and ReduceLROnPlateau.
#include "nn/schedule.h"

#include <math.h>

struct step_params {
	int64_t every;
	double factor;
};
struct at_params {
	struct reals epochs;
	double factor;
};
struct cosine_params {
	double floor;
};
struct plateau_params {
	double factor;
	int64_t patience;
	double min_delta;
};

#define FACTOR(params, text, line)                                                                                     \
	{                                                                                                                  \
		.name = "factor", .type = KEY_REAL, .offset = offsetof(struct params, factor), .fallback = text, .min = 0,     \
		.max = 1, .flags = KEY_OPEN_MIN | KEY_OPEN_MAX, .doc = line                                                    \
	}

static const struct key step_keys[] = {
    {.name = "every",
     .type = KEY_INTEGER,
     .offset = offsetof(struct step_params, every),
     .fallback = "10",
     .min = 1,
     .max = 1e9,
     .doc = "Epochs after which the rate falls"},
    FACTOR(step_params, "0.1", "What it is multiplied by"),
};
static const struct key at_keys[] = {
    {.name = "epochs",
     .type = KEY_REALS,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct at_params, epochs),
     .min = 1,
     .max = 1e9,
     .doc = "After each of these epochs the rate falls"},
    FACTOR(at_params, "0.1", "What it is multiplied by each time"),
};
static const struct key cosine_keys[] = {
    {.name = "floor",
     .type = KEY_REAL,
     .offset = offsetof(struct cosine_params, floor),
     .fallback = "0.0",
     .min = 0,
     .max = 1,
     .doc = "The share of the rate that it goes down to"},
};
static const struct key plateau_keys[] = {
    FACTOR(plateau_params, "0.1", "What the rate is multiplied by"),
    {.name = "patience",
     .type = KEY_INTEGER,
     .offset = offsetof(struct plateau_params, patience),
     .fallback = "5",
     .min = 1,
     .max = 1e9,
     .doc = "Evaluated epochs without improvement before it falls (as in early_stop; PyTorch waits one more)"},
    {.name = "min_delta",
     .type = KEY_REAL,
     .offset = offsetof(struct plateau_params, min_delta),
     .fallback = "0.0",
     .min = 0,
     .max = 1e9,
     .doc = "A change up to this is no improvement"},
};

static double constant_factor(const void *params, const struct schedule_state *s) {
	(void)params, (void)s;
	return 1;
}

static double step_factor(const void *params, const struct schedule_state *s) {
	const struct step_params *p = params;
	return pow(p->factor, (double)((s->epoch - 1) / (size_t)p->every));
}

static double at_factor(const void *params, const struct schedule_state *s) {
	const struct at_params *p = params;
	double factor = 1;
	for (size_t i = 0; i < p->epochs.count; i++)
		factor *= p->epochs.items[i] <= (double)(s->epoch - 1) ? p->factor : 1;
	return factor;
}

static double cosine_factor(const void *params, const struct schedule_state *s) {
	const double floor_share = ((const struct cosine_params *)params)->floor;
	double half_turn = acos(-1.0) * (double)(s->epoch - 1) / (double)s->epochs;
	return floor_share + (1 - floor_share) * (1 + cos(half_turn)) / 2;
}

static double plateau_factor(const void *params, const struct schedule_state *s) {
	return pow(((const struct plateau_params *)params)->factor, (double)s->reductions);
}

static void plateau_watch(const void *params, struct schedule_state *s, double value, bool higher_is_better) {
	const struct plateau_params *p = params;
	double gain = higher_is_better ? value - s->best : s->best - value;
	if (isnan(value))
		return;
	if (!s->seen || gain > p->min_delta) {
		s->best = value;
		s->seen = true;
		s->waited = 0;
	} else if (++s->waited >= (size_t)p->patience) {
		s->reductions++;
		s->waited = 0;
	}
}

static const struct schedule schedules[] = {
    {.row = {.name = "constant", .doc = "The same rate in every epoch"}, .factor = constant_factor},
    {.row = {"step", "The rate falls every few epochs", SCHEMA(struct step_params, step_keys)}, .factor = step_factor},
    {.row = {"at", "The rate falls after certain epochs", SCHEMA(struct at_params, at_keys)}, .factor = at_factor},
    {.row = {"cosine", "The rate goes down half a cosine over all epochs (Loshchilov and Hutter 2017)",
             SCHEMA(struct cosine_params, cosine_keys)},
     .factor = cosine_factor},
    {.row = {"plateau",
             "The rate falls when the watched figure no longer improves: early_stop's metric, else the first metric of "
             "the validation part, else the loss",
             SCHEMA(struct plateau_params, plateau_keys)},
     .factor = plateau_factor,
     .watch = plateau_watch},
};
static const struct row *const rows[] = {&schedules[0].row, &schedules[1].row, &schedules[2].row, &schedules[3].row,
                                         &schedules[4].row};
const struct registry schedule_registry = {"schedule", "schedules", rows, sizeof(rows) / sizeof(rows[0])};

static const struct schedule *schedule_of(const struct schedule_config *config) {
	return (const struct schedule *)config->kind.row;
}

double schedule_factor(const struct schedule_config *config, const struct schedule_state *state) {
	return schedule_of(config)->factor(config->kind.params, state);
}

void schedule_watch(const struct schedule_config *config, struct schedule_state *state, double value,
                    bool higher_is_better) {
	if (schedule_of(config)->watch)
		schedule_of(config)->watch(config->kind.params, state, value, higher_is_better);
}

double schedule_warmup(const struct schedule_config *config, uint32_t step) {
	return step < config->warmup ? (double)step / (double)config->warmup : 1;
}

bool schedule_is_constant(const struct schedule_config *config) {
	return schedule_of(config) == &schedules[0] && config->warmup == 0;
}
