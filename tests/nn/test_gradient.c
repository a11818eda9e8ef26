// Gradients of whole graphs against central finite differences, in double precision: every op, activation, loss and
// reduction of the registries, on both CPU backends, and random graphs. A row that no graph here reaches is a failure.
#include "gradient_gaussian.h"
#include "gradient_ops.h"
#include "graph_test.h"

enum { ROWS = 12, BATCH = 9, ITEMS = 9, FEATURES = 5, ROW_COUNT_MAX = 64, EPOCH = 3 };

struct data {
	struct csr ratings, features, target;
};

// What the graphs of this test reached; by place in the registry.
static struct {
	bool op[ROW_COUNT_MAX], op_at_cells[ROW_COUNT_MAX], op_sparse[ROW_COUNT_MAX];
	bool activation_dense[ROW_COUNT_MAX], activation_cells[ROW_COUNT_MAX], activation_node[ROW_COUNT_MAX];
	bool loss[ROW_COUNT_MAX][ROW_COUNT_MAX]; // by reduction
	unsigned targets[ROW_COUNT_MAX];         // of each loss: bits 1 << TARGETS_*
	bool logits[2], clipped;                 // dense and at cells; a loss that could have had them, and has not
	bool path[ROW_COUNT_MAX], bias[2], l2[2], l2_bias, shared_all, shared_both;
	size_t elements, kinks;
} reached;

static struct data data;

static size_t place(const struct registry *registry, const struct row *row) {
	for (size_t i = 0; i < registry->count; i++)
		if (registry->rows[i] == row)
			return i;
	fail_msg("a row is not in its registry");
	return 0;
}

static void note_node(const struct node *node) {
	size_t op = place(&op_registry, &node->op->row);
	reached.op[op] = true;
	reached.op_at_cells[op] |= node->cells;
	reached.op_sparse[op] |= node->reads_rows || node->sparse;
	reached.path[place(&path_registry, node->config->path.row)] = true;
	if (node->activation) {
		size_t a = place(&activation_registry, &node->activation->row);
		bool *seen = node->op == &op_activation ? reached.activation_node
		             : node->cells              ? reached.activation_cells
		                                        : reached.activation_dense;
		seen[a] = true;
	}
	if (node->op == &op_dense) {
		reached.bias[node->parameters_count > 1] = true;
		reached.l2[node->parameters[0]->l2 > 0] = true;
		reached.l2_bias |= node->parameters_count > 1 && node->parameters[1]->l2 > 0;
		reached.shared_all |= node->tied && node->parameters[0]->touched == TOUCHED_ALL;
		reached.shared_both |= node->tied && node->parameters[0]->touched == TOUCHED_BOTH;
	}
}

static void note(const struct graph *graph) {
	for (size_t i = 0; i < graph->listed_count; i++)
		note_node(graph->listed[i]);
	size_t loss = place(&loss_registry, &graph->loss->row);
	reached.loss[loss][graph->reduction] = true;
	reached.targets[loss] |= 1u << graph->targets;
	reached.logits[graph->output->cells] |= graph->output->logits;
	reached.clipped |= graph->loss->of_logits != CELL_LOSS_COUNT && !graph->output->logits;
}

// --- one parameter ---

static double loss_at(struct network *n, const struct batch *batch, real *weight, double value) {
	double old = *weight;
	*weight = value;
	double loss = network_loss(n, batch, EPOCH, true);
	*weight = old;
	return loss;
}

static bool near(double a, double b, double absolute, double relative) {
	return fabs(a - b) <= absolute + relative * fmax(fabs(a), fabs(b));
}

// A kink lies on one side of the weight at most, so that the other side's difference is the gradient.
static void check_element(struct network *n, const struct batch *batch, real *weight, double gradient, const char *what,
                          const char *text) {
	const double h = 1e-6;
	double here = loss_at(n, batch, weight, *weight), above = loss_at(n, batch, weight, *weight + h),
		   below = loss_at(n, batch, weight, *weight - h), central = (above - below) / (2 * h);
	reached.elements++;
	if (near(central, gradient, 2e-8, 1e-6))
		return;
	double forward = (above - here) / h, backward = (here - below) / h;
	bool kink = !near(forward, backward, 1e-4, 1e-3);
	if (kink && (near(forward, gradient, 1e-5, 1e-4) || near(backward, gradient, 1e-5, 1e-4))) {
		reached.kinks++;
		return;
	}
	fail_msg("%s: gradient %.12g, difference %.12g (forward %.12g, backward %.12g) in\n%s", what, gradient, central,
	         forward, backward, text);
}

static void check_parameter(struct network *n, const struct batch *batch, const struct parameter *p, const real *gradient,
                            const char *text) {
	char what[128];
	for (size_t i = 0; i < p->rows; i++) {
		for (size_t j = 0; j < p->columns; j++) {
			snprintf(what, sizeof(what), "%s: %s.%s (%zu, %zu)", n->backend->row.name, p->node->name, p->suffix, i, j);
			check_element(n, batch, &n->weights[parameter_place(p, i, j)], gradient[i * p->columns + j], what, text);
		}
	}
}

// --- one graph ---

static void scatter_weights(struct network *n) {
	uint64_t state = 11;
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		for (size_t i = 0; p->trainable && i < p->rows; i++)
			for (size_t j = 0; j < p->columns; j++)
				n->weights[parameter_place(p, i, j)] += draw_between(&state, -0.4, 0.4);
	}
}

static double penalty(const struct network *n) {
	double sum = 0;
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		for (size_t i = 0; i < p->rows; i++)
			for (size_t j = 0; j < p->columns; j++)
				sum += p->l2 * n->weights[parameter_place(p, i, j)] * n->weights[parameter_place(p, i, j)];
	}
	return sum;
}

static void check_network(struct network *n, const struct batch *batch, const char *text) {
	scatter_weights(n);
	double loss = network_gradients(n, batch, EPOCH);
	size_t count = n->graph->parameters_count;
	real **gradients = memory_alloc((count + 1) * sizeof(*gradients));
	for (size_t k = 0; k < count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		gradients[k] = memory_alloc(p->rows * p->columns * sizeof(real));
		if (p->trainable)
			network_gradient_of(n, batch, p, gradients[k]);
	}
	assert_true(near(loss + penalty(n), network_loss(n, batch, EPOCH, true), 1e-12, 1e-12));
	for (size_t k = 0; k < count; k++) {
		if (n->graph->parameters[k].trainable)
			check_parameter(n, batch, &n->graph->parameters[k], gradients[k], text);
		free(gradients[k]);
	}
	free(gradients);
}

static void check_on(const struct backend *backend, const struct graph *graph, bool same_target, const char *text) {
	static const uint32_t rows[BATCH] = { 11, 2, 3, 7, 0, 5, 8, 10, 4 }; // 3 and 8 are empty
	struct error error = { 0 };
	static const uint8_t trained[ROWS] = { 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1 };
	struct negatives negatives = { random_stream_make(7, "negatives", ""), (size_t)graph->loss_config->negatives, EPOCH };
	struct batch_source source = { .ratings = &data.ratings, .features = &data.features,
		                           .trained = trained, .target = same_target ? &data.ratings : &data.target,
		                           .negatives = negatives.per_entry ? &negatives : NULL };
	struct batch batch;
	assert_true(batch_create(&source, 1, BATCH, &batch, &error));
	batch_gather(&batch, &source, rows, BATCH);
	batch_transpose(&batch);
	struct network_room room = { .rows = BATCH, .cells = batch_cells_most(&batch),
		                         .rating_entries = batch_rating_entries_most(&batch),
		                         .feature_entries = batch_feature_entries_most(&batch), .gradients = true };
	struct device *device;
	assert_true(backend->open(backend, NULL, NULL, &device, &error));
	struct network *network;
	assert_true(network_create(graph, device, backend, 7, &room, &network, &error));
	check_network(network, &batch, text);
	network_destroy(network);
	backend->close(device);
	batch_destroy(&batch);
}

static void check(const char *text, bool same_target) {
	struct parsed parsed;
	parse_model(text, &parsed);
	struct graph graph = { 0 };
	struct graph_shape shape = { ITEMS, FEATURES, BATCH, 1, 1, 1, ROWS }; // sparse everywhere, unless a path says otherwise
	if (parsed.errors.count || !plan_model(&parsed, &shape, &graph))
		fail_msg("%s (%s) in\n%s", parsed.errors.items[0].message, parsed.errors.items[0].hint, text);
	note(&graph);
	check_on(&backend_reference, &graph, same_target, text);
	check_on(&backend_openblas, &graph, same_target, text);
	graph_finish(&graph);
	parsed_finish(&parsed);
}

static void checkf(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void checkf(const char *format, ...) {
	char text[4096];
	va_list arguments;
	va_start(arguments, format);
	assert_in_range(vsnprintf(text, sizeof(text), format, arguments), 1, sizeof(text) - 1);
	va_end(arguments);
	check(text, false);
	check(text, true);
}

// --- graphs by hand ---

static void test_activations(void **state) {
	(void)state;
	for (size_t i = 0; i < activation_registry.count; i++) {
		const char *name = activation_registry.rows[i]->name;
		for (int dense = 0; dense < 2; dense++) {
			const char *path = dense ? "dense" : "sparse";
			checkf("graph: ( { op = \"dense\"; input = \"ratings\"; units = 4; activation = \"%s\"; path = \"%s\"; },\n"
			       "{ op = \"dense\"; units = \"items\"; activation = \"%s\"; path = \"%s\"; } );",
			       name, path, name, path);
			checkf("graph: ( { op = \"dense\"; input = \"ratings\"; units = 4; },\n"
			       "{ op = \"activation\"; activation = \"%s\"; },\n"
			       "{ op = \"dense\"; units = \"items\"; path = \"%s\"; },\n"
			       "{ op = \"activation\"; activation = \"%s\"; } );",
			       name, path, name);
		}
	}
	checkf("graph: ( { op = \"dense\"; input = \"ratings\"; units = 4; activation = { kind = \"leaky_relu\"; slope = 0.3; }; },\n"
	       "{ op = \"dense\"; units = \"items\"; activation = { kind = \"elu\"; alpha = 0.6; }; } );");
}

#define OUTPUT(nodes)                                                                                                       \
	"graph: ( { op = \"dense\"; input = \"ratings\"; units = 4; activation = \"tanh\"; },\n" nodes " );\n"

static void check_loss(const struct loss *loss, const struct targets_row *targets, const char *reduction, const char *path) {
	if (!(loss->allowed & 1u << targets->targets) || (targets->targets == TARGETS_ALL && !strcmp(path, "sparse")))
		return; // refused: not the loss's, or every cell counts
	checkf(OUTPUT("{ op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; path = \"%s\"; }")
	       "loss: { kind = \"%s\"; targets = \"%s\"; negatives = %d; reduction = \"%s\"; };",
	       path, loss->row.name, targets->row.name, targets->targets == TARGETS_SAMPLED, reduction);
}

static void test_losses(void **state) {
	(void)state;
	for (size_t i = 0; i < loss_registry.count; i++)
		for (size_t r = 0; r < reduction_registry.count; r++)
			for (size_t p = 0; p < path_registry.count; p++) {
				const struct loss *loss = (const struct loss *)loss_registry.rows[i];
				const char *path = path_registry.rows[p]->name, *reduction = reduction_registry.rows[r]->name;
				for (size_t t = 0; t < targets_registry.count; t++)
					check_loss(loss, (const struct targets_row *)targets_registry.rows[t], reduction, path);
			}
	// cross-entropy of what no sigmoid is known to stand before, and of a sigmoid in a node of its own
	for (size_t t = 0; t < targets_registry.count; t++) {
		checkf(OUTPUT("{ op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; }, { op = \"dropout\"; rate = 0.0; }")
		       "loss: { kind = \"bce\"; targets = \"%s\"; negatives = %d; };",
		       targets_registry.rows[t]->name, !strcmp(targets_registry.rows[t]->name, "sampled"));
		checkf(OUTPUT("{ op = \"dense\"; units = \"items\"; }, { op = \"activation\"; activation = \"sigmoid\"; }")
		       "loss: { kind = \"bce\"; targets = \"%s\"; negatives = %d; };",
		       targets_registry.rows[t]->name, !strcmp(targets_registry.rows[t]->name, "sampled"));
	}
	checkf("graph: ( { op = \"dense\"; input = \"ratings\"; units = \"items\"; activation = \"sigmoid\"; } );\nloss = \"bce\";");
	checkf(OUTPUT("{ op = \"dense\"; units = \"items\"; }") "loss: { kind = \"masked_huber\"; delta = 0.3; };");
	checkf(OUTPUT("{ op = \"dense\"; units = \"items\"; }")
	       "loss: { kind = \"weighted_mse\"; unobserved = 0.3; alpha = 2.5; reduction = \"rows\"; };");
}

static void test_bias_and_l2(void **state) {
	(void)state;
	for (int bias = 0; bias < 2; bias++)
		for (int dense = 0; dense < 2; dense++)
			checkf("graph: ( { op = \"dense\"; input = \"ratings\"; units = 4; l2 = 0.3; path = \"%s\"; %s },\n"
			       "{ op = \"dense\"; units = \"items\"; activation = \"tanh\"; l2 = 0.2; path = \"%s\"; %s } );",
			       dense ? "dense" : "sparse", bias ? "l2_bias = 0.1;" : "bias = false;", dense ? "dense" : "sparse",
			       bias ? "l2_bias = 0.4;" : "bias = false;");
}

static const char *const shapes[] = {
	// the seed's own
	"graph: ( { name = \"who\"; op = \"dense\"; input = \"user\"; units = 3; activation = \"relu\"; },\n"
	"{ name = \"who2\"; op = \"dropout\"; rate = 0.2; },\n"
	"{ name = \"taste\"; op = \"dense\"; input = \"ratings\"; units = 5; activation = \"relu\"; },\n"
	"{ name = \"norm\"; op = \"batch_norm\"; },\n"
	"{ name = \"taste2\"; op = \"dropout\"; rate = 0.2; },\n"
	"{ name = \"both\"; op = \"concat\"; inputs = [ \"who2\", \"taste2\" ]; },\n"
	"{ op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; } );",
	// dropout on sparse rows, one of them read twice, and dense
	"graph: ( { name = \"noise\"; op = \"dropout\"; input = \"ratings\"; rate = 0.4; },\n"
	"{ name = \"a\"; op = \"dense\"; input = \"noise\"; units = 4; activation = \"tanh\"; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"noise\"; units = 4; path = \"dense\"; },\n"
	"{ op = \"add\"; inputs = [ \"a\", \"b\" ]; },\n"
	"{ op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; } );",
	// dropout and activation after the output, at cells
	"graph: ( { op = \"dense\"; input = \"ratings\"; units = 4; activation = \"swish\"; },\n"
	"{ op = \"dense\"; units = \"items\"; }, { op = \"dropout\"; rate = 0.3; },\n"
	"{ op = \"activation\"; activation = \"swish\"; } );",
	// two outputs added, at cells
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 4; activation = \"tanh\"; },\n"
	"{ name = \"a\"; op = \"dense\"; input = \"h\"; units = \"items\"; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"h\"; units = \"items\"; activation = \"swish\"; bias = false; },\n"
	"{ op = \"add\"; inputs = [ \"a\", \"b\" ]; } );",
	// the same, but a batch norm in between asks for the whole
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 4; activation = \"tanh\"; },\n"
	"{ name = \"a\"; op = \"dense\"; input = \"h\"; units = \"items\"; }, { name = \"n\"; op = \"batch_norm\"; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"h\"; units = \"items\"; activation = \"swish\"; },\n"
	"{ op = \"add\"; inputs = [ \"n\", \"b\" ]; } );",
	// the inputs themselves in concat and add, made dense for it
	"graph: ( { name = \"c\"; op = \"concat\"; inputs = [ \"ratings\", \"user\" ]; },\n"
	"{ name = \"h\"; op = \"dense\"; units = \"items\"; }, { op = \"add\"; inputs = [ \"h\", \"ratings\" ]; } );",
	// a concat of concats, and a node that is read at several places
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 3; activation = \"swish\"; },\n"
	"{ name = \"u\"; op = \"dense\"; input = \"user\"; units = 2; activation = \"swish\"; },\n"
	"{ name = \"c\"; op = \"concat\"; inputs = [ \"h\", \"u\" ]; },\n"
	"{ name = \"d\"; op = \"concat\"; inputs = [ \"c\", \"h\", \"h\" ]; },\n"
	"{ op = \"dense\"; units = \"items\"; } );",
	// batch norm over data, and the output straight from the input
	"graph: ( { op = \"batch_norm\"; input = \"ratings\"; epsilon = 0.1; }, { op = \"dense\"; units = \"items\"; } );",
	"graph: ( { op = \"dense\"; input = \"ratings\"; units = \"items\"; } );",
};

#include "gradient_tie.h"

static void check_texts(const char *const *texts, size_t count) {
	for (size_t i = 0; i < count; i++) {
		checkf("%s", texts[i]);
		checkf("%s\nloss = \"mse\";", texts[i]);
		checkf("%s\nloss = \"multinomial\";", texts[i]);
		checkf("%s\nloss: { kind = \"multinomial\"; negatives = 1; };", texts[i]);
	}
}

static void test_shapes(void **state) {
	(void)state;
	check_texts(shapes, sizeof(shapes) / sizeof(shapes[0]));
}

static void test_tied(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(tied) / sizeof(tied[0]); i++) {
		checkf("%s", tied[i]);
		checkf("%s\nloss = \"mse\";", tied[i]);
	}
}

static void test_ops(void **state) {
	(void)state;
	check_texts(op_shapes, sizeof(op_shapes) / sizeof(op_shapes[0]));
}

static void test_gaussian(void **state) {
	(void)state;
	static const char *const losses[] = { "masked_mse", "mse" };
	for (size_t i = 0; i < sizeof(gaussian_shapes) / sizeof(gaussian_shapes[0]); i++)
		for (size_t r = 0; r < reduction_registry.count; r++)
			for (size_t k = 0; k < sizeof(kl_weights) / sizeof(kl_weights[0]); k++)
				checkf("%s\nloss: { kind = \"%s\"; reduction = \"%s\"; %s };", gaussian_shapes[i], losses[(i + r + k) % 2],
				       reduction_registry.rows[r]->name, kl_weights[k]);
}

// --- random graphs ---

struct sketch {
	uint64_t state;
	struct text text;
	char name[32][24];
	size_t width[32], used[32], count; // the two inputs first
};

static size_t pick(struct sketch *s) {
	size_t i = draw_below(&s->state, s->count);
	s->used[i]++;
	return i;
}

static const char *random_activation(struct sketch *s) {
	return activation_registry.rows[draw_below(&s->state, activation_registry.count)]->name;
}

static void open_node(struct sketch *s, const char *op, size_t width) {
	snprintf(s->name[s->count], sizeof(s->name[0]), "n%zu", s->count);
	s->width[s->count] = width;
	text_format(&s->text, "%s{ name = \"%s\"; op = \"%s\"; ", s->count > 2 ? ",\n" : "", s->name[s->count], op);
	s->count++;
}

static void random_dense(struct sketch *s, size_t input, size_t width) {
	open_node(s, "dense", width);
	text_format(&s->text, "input = \"%s\"; units = %zu; activation = \"%s\"; bias = %s; l2 = %s; }", s->name[input], width,
	            random_activation(s), draw_below(&s->state, 3) ? "true" : "false", draw_below(&s->state, 3) ? "0.0" : "0.1");
}

static void two_inputs(struct sketch *s, const char *op, size_t a, size_t b, size_t width) {
	open_node(s, op, width);
	text_format(&s->text, "inputs = [ \"%s\", \"%s\" ]; }", s->name[a], s->name[b]);
}

static void random_add(struct sketch *s) {
	size_t a = pick(s), b = a;
	for (size_t i = 0; i < s->count; i++)
		if (i != a && s->width[i] == s->width[a])
			b = i;
	s->used[b]++;
	two_inputs(s, "add", a, b, s->width[a]);
}

static void random_node(struct sketch *s) {
	size_t a;
	switch (draw_below(&s->state, 8)) {
	case 0:
		random_add(s);
		break;
	case 1:
		a = pick(s);
		size_t b = pick(s);
		two_inputs(s, "concat", a, b, s->width[a] + s->width[b]);
		break;
	case 2:
		a = pick(s);
		open_node(s, "dropout", s->width[a]);
		text_format(&s->text, "input = \"%s\"; rate = 0.25; }", s->name[a]);
		break;
	case 3:
		a = pick(s);
		open_node(s, "batch_norm", s->width[a]);
		text_format(&s->text, "input = \"%s\"; epsilon = 0.05; }", s->name[a]);
		break;
	case 4:
		a = pick(s);
		open_node(s, "activation", s->width[a]);
		text_format(&s->text, "input = \"%s\"; activation = \"%s\"; }", s->name[a], random_activation(s));
		break;
	default:
		random_dense(s, pick(s), 2 + draw_below(&s->state, 3));
	}
}

// Joins what nothing reads, and ends in the width of a rating row.
static void random_end(struct sketch *s) {
	size_t loose = 0, last = s->count - 1, nodes = s->count;
	for (size_t i = 2; i < nodes; i++)
		loose += !s->used[i];
	if (loose > 1) {
		open_node(s, "concat", 0);
		text_format(&s->text, "inputs = [ ");
		for (size_t i = 2, seen = 0; i < nodes; i++)
			if (!s->used[i])
				text_format(&s->text, "%s\"%s\"", seen++ ? ", " : "", s->name[i]);
		text_format(&s->text, " ]; }");
		last = s->count - 1;
	}
	random_dense(s, last, ITEMS);
	if (draw_below(&s->state, 3) == 0) {
		random_dense(s, last, ITEMS);
		two_inputs(s, "add", s->count - 2, s->count - 1, ITEMS);
	}
}

static void test_random(void **state) {
	(void)state;
	enum { GRAPHS = 50 };
	for (size_t i = 0; i < GRAPHS; i++) {
		struct sketch s = { .state = 100 + i, .name = { "ratings", "user" }, .width = { ITEMS, FEATURES }, .count = 2 };
		text_append(&s.text, "graph: (\n");
		for (size_t k = 2 + draw_below(&s.state, 6); k > 0; k--)
			random_node(&s);
		random_end(&s);
		text_format(&s.text, " );\nloss: { kind = \"%s\"; reduction = \"%s\"; };", i % 3 ? "masked_mse" : "mse",
		            reduction_registry.rows[i % reduction_registry.count]->name);
		checkf("%s", text_string(&s.text));
		text_finish(&s.text);
	}
}

// --- nothing left out ---

static void expect_all(const struct registry *registry, const bool *seen, const char *where) {
	for (size_t i = 0; i < registry->count; i++)
		if (!seen[i])
			fail_msg("no graph of this test reaches %s \"%s\" %s", registry->what, registry->rows[i]->name, where);
}

static void test_reached(void **state) {
	(void)state;
	expect_all(&op_registry, reached.op, "at all");
	expect_all(&activation_registry, reached.activation_dense, "in a dense node");
	expect_all(&activation_registry, reached.activation_cells, "at cells");
	expect_all(&activation_registry, reached.activation_node, "in a node of its own");
	expect_all(&path_registry, reached.path, "at all");
	for (size_t i = 0; i < loss_registry.count; i++)
	{
		const struct loss *loss = (const struct loss *)loss_registry.rows[i];
		expect_all(&reduction_registry, reached.loss[i], loss->row.name);
		assert_int_equal(reached.targets[i], loss->allowed);
	}
	assert_true(reached.logits[0] && reached.logits[1] && reached.clipped);
	for (size_t i = 0; i < op_registry.count; i++) {
		const struct op *op = (const struct op *)op_registry.rows[i];
		if ((op->makes_cells || op->maps_cells) && !reached.op_at_cells[i])
			fail_msg("no graph of this test reaches op \"%s\" at cells", op->row.name);
		if (op->reads_sparse && !reached.op_sparse[i])
			fail_msg("no graph of this test reaches op \"%s\" with sparse rows", op->row.name);
	}
	assert_true(reached.bias[0] && reached.bias[1] && reached.l2[0] && reached.l2[1] && reached.l2_bias);
	assert_true(reached.shared_all && reached.shared_both);
	print_message("%zu elements, %zu at kinks\n", reached.elements, reached.kinks);
	assert_true(reached.kinks * 200 <= reached.elements);
}

static int set_up(void **state) {
	(void)state;
	uint64_t seed = 5;
	make_csr(&seed, ROWS, ITEMS, 0.4, &data.ratings);
	make_csr(&seed, ROWS, FEATURES, 0.5, &data.features);
	make_csr(&seed, ROWS, ITEMS, 0.3, &data.target);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	csr_finish(&data.ratings);
	csr_finish(&data.features);
	csr_finish(&data.target);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_activations), cmocka_unit_test(test_losses), cmocka_unit_test(test_bias_and_l2),
		cmocka_unit_test(test_tied), cmocka_unit_test(test_shapes), cmocka_unit_test(test_ops), cmocka_unit_test(test_gaussian), cmocka_unit_test(test_random), cmocka_unit_test(test_reached),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
