// gaussian: the latent layer of a variational autoencoder. From a mean m and a log variance v it draws z = m + sd e
// exp(v / 2) in training, e standard normal, and is m at evaluation; the divergence of N(m, exp v) from its prior
// is added to the loss, weighted by loss.kl (Kingma and Welling 2014; Liang et al. 2018, Mult-VAE).
#include "nn/network.h"
#include "nn/onnx.h"
#include "nn/prior.h"

// The last two where the prior is a mixture: of a copy of the encoder (nn/copy.h).
enum { MEAN, LOG_VARIANCE, OLD_MEAN, OLD_LOG_VARIANCE, INPUTS_MOST };

struct gaussian_params {
	double sd;
	struct prior_config *prior;
};

static const struct key keys[] = {
    {.name = "sd",
     .type = KEY_REAL,
     .offset = offsetof(struct gaussian_params, sd),
     .fallback = "1.0",
     .min = 0,
     .max = 1e6,
     .doc = "The draw's standard deviation is this times exp(log variance / 2); 1: as published"},
    {.name = "prior",
     .type = KEY_GROUP,
     .offset = offsetof(struct gaussian_params, prior),
     .fallback = "\"standard\"",
     .schema = &prior_schema,
     .doc = "What the distribution is held against"},
};

static size_t width(const struct graph *graph, const struct node *node, struct errors *errors) {
	const struct gaussian_params *params = node->params;
	const struct prior *prior = (const struct prior *)params->prior->kind.row;
	const char *wrong = prior->wrong ? prior->wrong(params->prior->kind.params) : NULL;
	(void)graph;
	if (wrong)
		errors_add(errors, ERROR_CONFIG, value_child(node->from, "prior")->at, "the prior of node \"%s\": %s",
		           node->name, wrong);
	return op_same_width(node, "adds noise by", errors);
}

static struct matrix value_of(const struct pass *p, const struct node *node, const struct tile *tile) {
	struct matrix whole = pass_value(p, node);
	return pass_tile(p, node, &whole, tile);
}

static struct gaussian_values values_of(const struct pass *p, const struct node *node, const struct tile *tile) {
	const struct slot *slot = pass_slot(p, node);
	struct matrix noise = {slot->noise, p->batch->rows, node->width, slot->stride}, old_mean = {0}, old_variance = {0};
	if (node->inputs_count == INPUTS_MOST) {
		old_mean = value_of(p, node->inputs[OLD_MEAN], tile);
		old_variance = value_of(p, node->inputs[OLD_LOG_VARIANCE], tile);
	}
	return (struct gaussian_values){.old_mean = old_mean,
	                                .old_log_variance = old_variance,
	                                .mean = value_of(p, node->inputs[MEAN], tile),
	                                .log_variance = value_of(p, node->inputs[LOG_VARIANCE], tile),
	                                .noise = pass_tile(p, node, &noise, tile),
	                                .z = value_of(p, node, tile)};
}

static void run_draw(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct gaussian_params *params = step->node->params;
	struct gaussian_values values = values_of(p, step->node, tile);
	struct noise_draw draw = {.stream = pass_stream(p, step->node),
	                          .epoch = p->epoch,
	                          .row = p->on->row + tile->row,
	                          .unit = (uint32_t)tile->column,
	                          .sd = (real)params->sd};
	p->network->backend->gaussian(p->network->device, pass_noisy(p, step->node) ? &draw : NULL, &values);
}

// What a tile's distributions are held against.
static struct gaussian_prior prior_of(const struct pass *p, const struct node *node, const struct tile *tile,
                                      struct mixture *room) {
	const struct gaussian_params *params = node->params;
	const struct prior *prior = (const struct prior *)params->prior->kind.row;
	struct gaussian_prior ret = {.mixture = prior->mixture ? room : NULL};
	if (prior->mixture)
		prior->mixture(params->prior->kind.params, room);
	ret.weight = pass_divergence_weight(p, tile->row, &ret.start);
	return ret;
}

static void run_divergence(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct mixture mixture;
	struct gaussian_values values = values_of(p, step->node, tile);
	struct gaussian_prior prior = prior_of(p, step->node, tile, &mixture);
	p->network->backend->gaussian_divergence(p->network->device, &prior, &values,
	                                         pass_slot(p, step->node)->extra + tile->group * p->network->rows +
	                                             tile->row);
}

static void run_back(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct mixture mixture;
	struct gaussian_values values = values_of(p, node, tile);
	struct matrix from = pass_gradient(p, node), to = pass_gradient(p, step->input);
	struct matrix dz = pass_tile(p, node, &from, tile), d = pass_tile(p, step->input, &to, tile);
	struct gaussian_prior prior = prior_of(p, node, tile, &mixture);
	p->network->backend->gaussian_back(p->network->device, &prior, &values, step->at == LOG_VARIANCE, &dz, step->beta,
	                                   &d);
}

static void read_old(struct maker *m, const struct node *node) {
	for (size_t i = OLD_MEAN; i < node->inputs_count; i++)
		maker_elements(m, TENSOR_VALUE, node->inputs[i], false);
}

static bool reads_old(const void *params) {
	const struct gaussian_params *p = params;
	return ((const struct prior *)p->prior->kind.row)->mixture;
}

static void forward(struct maker *m, const struct node *node) {
	maker_step(m, node, run_draw, CUT_COLUMNS, node)->by_row = true;
	maker_elements(m, TENSOR_VALUE, node->inputs[MEAN], false);
	maker_elements(m, TENSOR_VALUE, node->inputs[LOG_VARIANCE], false);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
	if (!maker_kind(m)->loss)
		return;
	maker_step(m, node, run_divergence, CUT_COLUMNS, node)->by_row = true;
	maker_elements(m, TENSOR_VALUE, node->inputs[MEAN], false);
	maker_elements(m, TENSOR_VALUE, node->inputs[LOG_VARIANCE], false);
	read_old(m, node);
	maker_tensor(m, TENSOR_VALUE, node, READ_OWN);
	maker_tensor(m, TENSOR_EXTRA, node, WRITE_OWN);
}

static void backward(struct maker *m, const struct node *node) {
	for (size_t i = MEAN; i <= LOG_VARIANCE; i++) {
		const struct node *input = node->inputs[i];
		if (!maker_needs(m, input))
			continue;
		struct step *step = maker_step(m, node, run_back, CUT_COLUMNS, node);
		step->input = input;
		step->at = i;
		step->by_row = true;
		maker_elements(m, TENSOR_VALUE, node->inputs[MEAN], false);
		maker_elements(m, TENSOR_VALUE, node->inputs[LOG_VARIANCE], false);
		read_old(m, node);
		maker_tensor(m, TENSOR_VALUE, node, READ_OWN);
		maker_tensor(m, TENSOR_GRADIENT, node, READ_OWN);
		maker_elements(m, TENSOR_GRADIENT, input, true);
		maker_first_writes(m, input);
	}
}

static double flops(const struct graph *graph, const struct node *node) {
	(void)graph;
	return 20.0 * (double)node->width; // of which the most is exp and the draw
}

static void detail(const struct node *node, struct text *text) {
	const struct gaussian_params *params = node->params;
	text_format(text, "%s prior", params->prior->kind.row->name);
	if (params->sd != 1)
		text_format(text, ", sd %g", params->sd);
}

const struct op op_gaussian = {
    .row = {.name = "gaussian",
            .doc = "Draws from a normal distribution of the inputs' mean and log variance; the mean at evaluation",
            .params = SCHEMA(struct gaussian_params, keys)},
    .inputs_min = 2,
    .inputs_max = 2,
    .noise = true,
    .keeps_noise = true,
    .adds_loss = true,
    .reads_old = reads_old,
    .width = width,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .onnx = onnx_same, // the mean
    .detail = detail,
};
