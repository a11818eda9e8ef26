// Claims on run folders: who is about to write one holds it, so that two programs that share a results folder never do
// the same work twice. A claim is a lock on a hidden file beside the folder, `.ID.lock`, which says who has it; the
// system releases it when its owner ends, however that happens.
//
// Not every file system knows such locks, and some keep them from other machines. So an owner also touches the file
// every few seconds: what another machine's owner has not touched for a while is taken over, and where there are no
// locks at all, what counts is a second file, `.ID.owner`, which only one can make.
#ifndef AEXP_REPORT_CLAIM_H
#define AEXP_REPORT_CLAIM_H

#include "base/error.h"

struct claim {
	int file;           // -1: none
	char *path, *owner; // of the two files
	struct heart *heart;
};
// Waits for the claim on a run folder; creates the folder above it. `wait` (may be NULL) is called once before waiting,
// with who has it ("host lab1, pid 4711, since 2026-11-26T19:00:00Z"; "" where that is not known), and `interrupted`
// (may be NULL) ends the waiting with ERROR_INTERRUPTED. What an owner that was killed has left behind half-made is
// removed. ERROR_RUN where the file cannot be made. claim_release either way.
bool claim_take(const char *folder, void (*wait)(void *context, const char *who), bool (*interrupted)(void *context),
                void *context, struct claim *ret, struct error *error);
void claim_release(struct claim *claim);
// Whether somebody holds the folder's claim, or ended without releasing it.
bool claim_is_there(const char *folder);

#endif
