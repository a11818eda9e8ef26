// Training on from another run's weights: --continue-from, and the keys of `weights` that it stands for.
#ifndef AEXP_CLI_CONTINUED_H
#define AEXP_CLI_CONTINUED_H

#include "cli/cli.h"

// With the overrides that --continue-from comes to (the option itself is then NULL), or as they were. Failures are
// reported; the exit code. continued_finish either way.
struct continued {
	struct options options;
	char *path, *model, *weights; // the model's path, and the two overrides
};
int continued_init(const struct options *options, struct continued *ret);
void continued_finish(struct continued *continued);

// Whether the opened weights of an experiment, where they are a run's own, are of its items and users. ERROR_CONFIG.
bool continued_fits(const struct prepared *prepared, struct error *error);

#endif
