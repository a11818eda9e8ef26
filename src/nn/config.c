// Keys of graph nodes, loss and optimizer, and the registries that hold no code of their own.
#include "nn/config.h"

#include "nn/op.h"

static const struct path_row path_auto = {{.name = "auto", .doc = "The plan decides, from density and widths"},
                                          PATH_AUTO};
static const struct path_row path_sparse = {{.name = "sparse", .doc = "Cost follows the stored entries"}, PATH_SPARSE};
static const struct path_row path_dense = {{.name = "dense", .doc = "Dense products over all columns"}, PATH_DENSE};
static const struct row *const path_rows[] = {&path_auto.row, &path_sparse.row, &path_dense.row};
const struct registry path_registry = {"path", "paths", path_rows, 3};

static const struct row *const op_rows[] = {
    &op_dense.row,      &op_dropout.row,      &op_mask.row,     &op_noise.row, &op_batch_norm.row,
    &op_layer_norm.row, &op_l2_normalize.row, &op_concat.row,   &op_add.row,   &op_multiply.row,
    &op_activation.row, &op_embedding.row,    &op_gaussian.row,
};
const struct registry op_registry = {"op", "ops", op_rows, sizeof(op_rows) / sizeof(op_rows[0])};

static const struct key node_keys[] = {
    {.name = "name",
     .type = KEY_STRING,
     .offset = offsetof(struct node_config, name),
     .doc = "Name of the node; without one it is OP_N, N its place in the list"},
    {.name = "op",
     .type = KEY_TAG,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct node_config, op),
     .registry = &op_registry,
     .doc = "What the node does"},
    {.name = "input",
     .type = KEY_STRING,
     .offset = offsetof(struct node_config, input),
     .doc = "The node it reads, or \"ratings\" or \"user\"; without one the node above"},
    {.name = "inputs",
     .type = KEY_STRINGS,
     .offset = offsetof(struct node_config, inputs),
     .doc = "The nodes it reads, of an op that takes several"},
    {.name = "path",
     .type = KEY_CHOICE,
     .offset = offsetof(struct node_config, path),
     .fallback = "\"auto\"",
     .registry = &path_registry,
     .doc = "Overrides the plan's choice"},
};
const struct schema node_schema = SCHEMA(struct node_config, node_keys);

static const struct kl_scale kl_constant = {{.name = "constant", .doc = "The same for every row"}, false};
static const struct kl_scale kl_entries = {
    {.name = "entries", .doc = "Times the number of the row's input entries (RecVAE)"}, true};
static const struct row *const kl_scale_rows[] = {&kl_constant.row, &kl_entries.row};
const struct registry kl_scale_registry = {"scale", "kl_scales", kl_scale_rows, 2};

static const struct key kl_keys[] = {
    {.name = "cap",
     .type = KEY_REAL,
     .offset = offsetof(struct kl_config, cap),
     .fallback = "1.0",
     .min = 0,
     .max = 1e6,
     .doc = "Weight in the end"},
    {.name = "steps",
     .type = KEY_INTEGER,
     .offset = offsetof(struct kl_config, steps),
     .fallback = "0",
     .min = 0,
     .max = 1e9,
     .doc = "The weight is the steps done over this, at most cap; 0: cap at once"},
    {.name = "scale",
     .type = KEY_CHOICE,
     .offset = offsetof(struct kl_config, scale),
     .fallback = "\"constant\"",
     .registry = &kl_scale_registry,
     .doc = "What a row's weight is multiplied by"},
};
static const struct schema kl_schema = SCHEMA(struct kl_config, kl_keys);

static const struct key loss_keys[] = {
    {.name = "kind",
     .type = KEY_TAG,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct loss_config, kind),
     .registry = &loss_registry,
     .doc = "What is minimised"},
    {.name = "targets",
     .type = KEY_CHOICE,
     .offset = offsetof(struct loss_config, targets),
     .registry = &targets_registry,
     .doc = "Which cells count; default: \"sampled\" with negatives, else the loss's own, \"observed\" of masked "
            "ones and \"all\" of the others"},
    {.name = "negatives",
     .type = KEY_INTEGER,
     .offset = offsetof(struct loss_config, negatives),
     .fallback = "0",
     .max = 1000,
     .doc = "Cells without a rating drawn for each rated one, anew each epoch; their target is 0"},
    {.name = "reduction",
     .type = KEY_CHOICE,
     .offset = offsetof(struct loss_config, reduction),
     .registry = &reduction_registry,
     .doc = "How the cells of a batch become one number; default: \"rows\" of multinomial, \"mean\" of the others"},
    {.name = "kl",
     .type = KEY_GROUP,
     .offset = offsetof(struct loss_config, kl),
     .schema = &kl_schema,
     .doc = "Weight of the divergence of `gaussian` nodes from their prior"},
};
const struct schema loss_schema = SCHEMA(struct loss_config, loss_keys);

static const struct key schedule_keys[] = {
    {.name = "kind",
     .type = KEY_TAG,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct schedule_config, kind),
     .registry = &schedule_registry,
     .doc = "How the rate goes over the epochs"},
    {.name = "warmup",
     .type = KEY_INTEGER,
     .offset = offsetof(struct schedule_config, warmup),
     .fallback = "0",
     .min = 0,
     .max = 1e9,
     .doc = "Optimizer steps over which the rate rises from 0"},
};
static const struct schema schedule_schema = SCHEMA(struct schedule_config, schedule_keys);

static const struct key optimizer_keys[] = {
    {.name = "kind",
     .type = KEY_TAG,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct optimizer_config, kind),
     .registry = &optimizer_registry,
     .doc = "How weights follow their gradients"},
    {.name = "clip_norm",
     .type = KEY_REAL,
     .flags = KEY_OPEN_MIN,
     .offset = offsetof(struct optimizer_config, clip_norm),
     .min = 0,
     .max = 1e9,
     .doc = "Gradients of the loss, not of L2, are scaled down to this norm, all together (PyTorch's clip_grad_norm_)"},
    {.name = "clip_value",
     .type = KEY_REAL,
     .flags = KEY_OPEN_MIN,
     .offset = offsetof(struct optimizer_config, clip_value),
     .min = 0,
     .max = 1e9,
     .doc = "Then each of their numbers is at most this on either side (clip_grad_value_)"},
    {.name = "schedule",
     .type = KEY_GROUP,
     .offset = offsetof(struct optimizer_config, schedule),
     .fallback = "\"constant\"",
     .schema = &schedule_schema,
     .doc = "What the learning rate is multiplied by as training goes on"},
};
const struct schema optimizer_schema = SCHEMA(struct optimizer_config, optimizer_keys);

static const struct key phase_keys[] = {
    {.name = "nodes",
     .type = KEY_STRINGS,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct phase_config, nodes),
     .doc = "The nodes that learn; each node with weights stands in one phase"},
    {.name = "epochs",
     .type = KEY_INTEGER,
     .offset = offsetof(struct phase_config, epochs),
     .fallback = "1",
     .min = 1,
     .max = 1e9,
     .doc = "How long, before the next phase begins"},
    {.name = "noise",
     .type = KEY_BOOL,
     .offset = offsetof(struct phase_config, noise),
     .fallback = "true",
     .doc = "Whether dropout, noise and mask change the ratings and side information meanwhile; inside the graph they "
            "do in any case"},
};
const struct schema phase_schema = SCHEMA(struct phase_config, phase_keys);

static const struct key activation_keys[] = {
    {.name = "kind",
     .type = KEY_TAG,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct activation_config, kind),
     .registry = &activation_registry,
     .doc = "The function"},
};
const struct schema activation_schema = SCHEMA(struct activation_config, activation_keys);

static const struct key init_keys[] = {
    {.name = "kind",
     .type = KEY_TAG,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct init_config, kind),
     .registry = &initializer_registry,
     .doc = "The distribution that weights are drawn from"},
};
const struct schema init_schema = SCHEMA(struct init_config, init_keys);
