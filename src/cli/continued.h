// Training on from another run's weights: --continue-from, and the keys of `continues` that it stands for.
#ifndef AEXP_CLI_CONTINUED_H
#define AEXP_CLI_CONTINUED_H

#include "cli/cli.h"
#include "recommend/stored.h"

// With the overrides that --continue-from comes to (the option itself is then NULL), or as they were. Failures are
// reported; the exit code. continued_finish either way.
struct continued {
	struct options options;
	char *path, *model, *weights; // the model's path, and the two overrides
};
int continued_init(const struct options *options, struct continued *ret);
void continued_finish(struct continued *continued);

// The weights that an experiment with `continues` begins with, as long as ret is open; stored_close either way. False
// where the file is another one by now, or of other items.
bool continued_open(const struct prepared *prepared, struct stored *ret, struct error *error);

#endif
