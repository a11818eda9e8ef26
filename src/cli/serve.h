// --serve, of recommend and predict.
#ifndef AEXP_CLI_SERVE_H
#define AEXP_CLI_SERVE_H

#include "cli/cli.h"

#define TAKES_SERVE (TAKES(serve) | TAKES(http) | TAKES(host) | TAKES(connections) | TAKES(timeout))
#define HELP_SERVE                                                                                                     \
	"--serve stays: a line of JSON in, a line out, errors as {\"error\": ...}; with --http PORT over\n"                \
	"HTTP, with a page at / to try it. SIGHUP, or another file in its place: the model is opened\n"                    \
	"anew; SIGTERM, SIGINT: it ends.\n"

// Whether options say what goes with --serve alone, or not with it; then it is reported.
bool serve_misused(const struct options *options);
int serve(const struct options *options, bool predicts); // the exit code

#endif
