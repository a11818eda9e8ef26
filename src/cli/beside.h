// The runs that experiment files ask for, beside each other: what -j does for run and verify.
#ifndef AEXP_CLI_BESIDE_H
#define AEXP_CLI_BESIDE_H

#include "cli/cli.h"

// Runs each file's runs (one a repeat and fold where it asks for several) in up to options->jobs processes; what is
// finished is found. A run that fails is named, and the others go on. ret_codes (arguments): the exit code of each
// file's first run that failed, 0 where none did: its results can be collected. ERROR_INTERRUPTED, or another code
// where nothing could be started.
int beside_run(const struct options *options, int *ret_codes);

#endif
