// Losses by name: a function of one cell (tensor/elementwise.h), and the pattern of cells that it is summed over; and
// what the keys of `loss` come to together.
#include "nn/op.h"

struct huber_params {
	double delta;
};
static const struct key huber_keys[] = {
    {.name = "delta",
     .type = KEY_REAL,
     .flags = KEY_OPEN_MIN,
     .offset = offsetof(struct huber_params, delta),
     .fallback = "1.0",
     .max = 1e6,
     .doc = "Half of the squared error up to this distance, delta times the distance less half of delta beyond it"},
};
static void huber_numbers(const void *params, struct loss_cells *ret) {
	ret->p = (real)((const struct huber_params *)params)->delta;
}

struct weighted_params {
	double unobserved, alpha;
};
static const struct key weighted_keys[] = {
    {.name = "unobserved",
     .type = KEY_REAL,
     .offset = offsetof(struct weighted_params, unobserved),
     .fallback = "0.1",
     .max = 1e6,
     .doc = "Weight of a cell without a rating"},
    {.name = "alpha",
     .type = KEY_REAL,
     .offset = offsetof(struct weighted_params, alpha),
     .fallback = "0.0",
     .max = 1e6,
     .doc = "A rated cell weighs 1 + alpha times its value"},
};
static void weighted_numbers(const void *params, struct loss_cells *ret) {
	const struct weighted_params *p = params;
	ret->unobserved = (real)p->unobserved;
	ret->alpha = (real)p->alpha;
}

enum { RATED = 1 << TARGETS_OBSERVED | 1 << TARGETS_SAMPLED, ALL = 1 << TARGETS_ALL };

static const struct loss masked_mse = {
    .row = {.name = "masked_mse", .doc = "Squared error over the rated cells alone (AutoRec; the seed's own loss)"},
    .id = CELL_LOSS_SQUARED,
    .of_logits = CELL_LOSS_COUNT,
    .allowed = RATED,
};
static const struct loss masked_bce = {
    .row = {.name = "masked_bce", .doc = "Binary cross-entropy over the rated cells alone; targets in 0 to 1"},
    .id = CELL_LOSS_BCE,
    .of_logits = CELL_LOSS_BCE_LOGITS,
    .allowed = RATED,
    .least = 0,
    .most = 1,
};
static const struct loss masked_mae = {
    .row = {.name = "masked_mae", .doc = "Absolute error over the rated cells alone"},
    .id = CELL_LOSS_ABSOLUTE,
    .of_logits = CELL_LOSS_COUNT,
    .allowed = RATED,
};
static const struct loss masked_huber = {
    .row = {.name = "masked_huber",
            .doc = "Huber's loss over the rated cells alone: squared where near, absolute where far",
            .params = SCHEMA(struct huber_params, huber_keys)},
    .id = CELL_LOSS_HUBER,
    .of_logits = CELL_LOSS_COUNT,
    .allowed = RATED,
    .numbers = huber_numbers,
};
static const struct loss mse = {
    .row = {.name = "mse", .doc = "Squared error over all cells, what is not rated counting as 0"},
    .id = CELL_LOSS_SQUARED,
    .of_logits = CELL_LOSS_COUNT,
    .targets = TARGETS_ALL,
    .allowed = RATED | ALL,
};
static const struct loss bce = {
    .row = {.name = "bce", .doc = "Binary cross-entropy over all cells, what is not rated counting as 0"},
    .id = CELL_LOSS_BCE,
    .of_logits = CELL_LOSS_BCE_LOGITS,
    .targets = TARGETS_ALL,
    .allowed = RATED | ALL,
    .least = 0,
    .most = 1,
};
static const struct loss weighted_mse = {
    .row = {.name = "weighted_mse",
            .doc = "Squared error over all cells, each with a weight of confidence (Hu, Koren and Volinsky 2008)",
            .params = SCHEMA(struct weighted_params, weighted_keys)},
    .id = CELL_LOSS_SQUARED,
    .of_logits = CELL_LOSS_COUNT,
    .targets = TARGETS_ALL,
    .allowed = ALL,
    .least = 0,
    .most = INFINITY,
    .numbers = weighted_numbers,
};

static const struct loss multinomial = {
    .row = {.name = "multinomial",
            .doc =
                "Cross-entropy of the soft-max over a row's cells, each counted by its rating (Mult-VAE, Liang et al. "
                "2018); with sampled targets the soft-max is over those"},
    .of_logits = CELL_LOSS_COUNT,
    .over_rows = true,
    .targets = TARGETS_ALL,
    .allowed = RATED | ALL,
    .reduction = REDUCTION_ROWS,
    .least = 0,
    .most = INFINITY,
};

static const struct row *const rows[] = {
    &masked_mse.row, &masked_bce.row, &masked_mae.row,   &masked_huber.row,
    &mse.row,        &bce.row,        &weighted_mse.row, &multinomial.row,
};
const struct registry loss_registry = {"loss", "losses", rows, sizeof(rows) / sizeof(rows[0])};

static const struct targets_row observed = {{.name = "observed", .doc = "The cells that are rated"}, TARGETS_OBSERVED};
static const struct targets_row sampled = {
    {.name = "sampled", .doc = "Rated cells, and for each of them some others, drawn anew each epoch, as 0"},
    TARGETS_SAMPLED};
static const struct targets_row all = {{.name = "all", .doc = "Every cell, what is not rated counting as 0"},
                                       TARGETS_ALL};
static const struct row *const targets_rows[] = {&observed.row, &sampled.row, &all.row};
const struct registry targets_registry = {"targets", "targets", targets_rows, 3};

static const struct reduction_row mean = {
    {.name = "mean", .doc = "Sum over the batch's target cells, divided by their number"}, REDUCTION_MEAN};
static const struct reduction_row sum = {{.name = "sum", .doc = "Sum over the batch's target cells"}, REDUCTION_SUM};
static const struct reduction_row row_mean = {
    {.name = "row_mean", .doc = "Mean over the batch's rows of each row's mean"}, REDUCTION_ROW_MEAN};
static const struct reduction_row over_rows = {
    {.name = "rows", .doc = "Sum over the batch's target cells, divided by the number of its rows"}, REDUCTION_ROWS};
static const struct row *const reduction_rows[] = {&mean.row, &sum.row, &row_mean.row, &over_rows.row};
const struct registry reduction_registry = {"reduction", "reductions", reduction_rows, 4};

static const struct loss *row_of(const struct loss_config *config) {
	return (const struct loss *)config->kind.row;
}

enum targets loss_targets(const struct loss_config *config) {
	const struct targets_row *row = (const struct targets_row *)config->targets.row;
	return row ? row->targets : config->negatives ? TARGETS_SAMPLED : row_of(config)->targets;
}

enum reduction loss_reduction(const struct loss_config *config) {
	const struct reduction_row *row = (const struct reduction_row *)config->reduction.row;
	return row ? row->reduction : row_of(config)->reduction;
}

void loss_settle(struct loss_config *config) {
	for (size_t i = 0; i < targets_registry.count; i++)
		if (((const struct targets_row *)targets_rows[i])->targets == loss_targets(config))
			config->targets.row = targets_rows[i];
	for (size_t i = 0; i < reduction_registry.count; i++)
		if (((const struct reduction_row *)reduction_rows[i])->reduction == loss_reduction(config))
			config->reduction.row = reduction_rows[i];
}

void loss_check(const struct loss_config *config, const struct value *tree, struct errors *errors) {
	const struct loss *loss = row_of(config);
	enum targets targets = loss_targets(config);
	const char *name = NULL;
	for (size_t i = 0; i < targets_registry.count; i++)
		if (((const struct targets_row *)targets_rows[i])->targets == targets)
			name = targets_rows[i]->name;
	if (!(loss->allowed & 1u << targets)) {
		struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(tree, "loss.targets"),
		                                 "loss \"%s\" cannot have targets \"%s\"", loss->row.name, name);
		error_hint(error, loss->allowed & RATED ? "It is a loss over rated cells; \"mse\" and \"bce\" take any targets."
		                                        : "Its weights are those of rated cells and of all others.");
	} else if (config->negatives && targets != TARGETS_SAMPLED) {
		struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(tree, "loss.negatives"),
		                                 "negatives are drawn, but targets are \"%s\"", name);
		error_hint(error, "Say targets = \"sampled\", or leave out one of the two.");
	} else if (!config->negatives && targets == TARGETS_SAMPLED) {
		struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(tree, "loss.targets"),
		                                 "targets are \"sampled\", but no negatives are drawn");
		error_hint(error, "Say how many for each rated cell: negatives = 5.");
	}
}

bool loss_takes(const struct loss *loss, double target) {
	return loss->least == loss->most || (target >= loss->least && target <= loss->most);
}

const char *loss_needs(const struct loss *loss) {
	return isinf(loss->most) ? "of at least 0" : "from 0 to 1";
}
