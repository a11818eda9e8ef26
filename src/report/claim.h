// Claims on run folders: who is about to write one holds it, so that two programs that share a results folder never do
// the same work twice. A claim is a lock on a hidden file beside the folder, `.ID.lock`; the system releases it when
// its owner ends, however that happens.
#ifndef AEXP_REPORT_CLAIM_H
#define AEXP_REPORT_CLAIM_H

#include "base/error.h"

struct claim {
	int file; // -1: none
	char *path;
};
// Waits for the claim on a run folder; creates the folder above it. `wait` (may be NULL) is called once before waiting,
// where another has it, and `interrupted` (may be NULL) ends the waiting with ERROR_INTERRUPTED. What an owner that was
// killed has left behind half-made is removed. ERROR_RUN where the file cannot be made. claim_release either way.
bool claim_take(const char *folder, void (*wait)(void *context), bool (*interrupted)(void *context), void *context,
                struct claim *ret, struct error *error);
void claim_release(struct claim *claim);

#endif
