// aexp verify --integrity RUN...
#ifndef AEXP_CLI_INTEGRITY_H
#define AEXP_CLI_INTEGRITY_H

#include "cli/cli.h"

// Looks at each run and lists what it finds, a line a file. 3 where the data of one cannot be read, else 1 where
// something is not what it was; 2 where an argument is no finished run.
int verify_integrity(const struct options *options);

#endif
