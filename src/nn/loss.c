// Losses by name: a function of one cell (tensor/elementwise.h), and the pattern of cells that it is summed over.
#include "nn/op.h"

static const struct loss losses[] = {
    {.row = {.name = "masked_mse", .doc = "Squared error over the rated cells alone (AutoRec; the seed's own loss)"},
     .id = CELL_LOSS_SQUARED},
    {.row = {.name = "masked_bce", .doc = "Binary cross-entropy over the rated cells alone; targets in 0 to 1"},
     .id = CELL_LOSS_BCE,
     .unit_targets = true},
    {.row = {.name = "mse", .doc = "Squared error over all cells, what is not rated counting as 0"},
     .id = CELL_LOSS_SQUARED,
     .targets = TARGETS_ALL},
};
static const struct row *const rows[] = {&losses[0].row, &losses[1].row, &losses[2].row};
const struct registry loss_registry = {"loss", "losses", rows, sizeof(rows) / sizeof(rows[0])};
