// What run.json says of the bytes of the files beside it, and of its own, so that a change can be told afterwards. The
// hashes are XXH3's of 128 bits: they tell what was damaged, mixed up or edited, not what somebody has forged.
//
// The last two members: "files": { NAME: hash, ... }, "hash": of all that stands before this member.
#ifndef AEXP_REPORT_SEAL_H
#define AEXP_REPORT_SEAL_H

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"

// Adds both to the text of run.json: of those files that are there in the folder. ERROR_DATA where one cannot be read.
bool seal_add(struct text *run_json, const char *const *names, size_t count, const char *folder, struct error *error);
// Of a text that has them: as they are, but for those of the files that are there in the folder. A text that has none
// (of an older version) stays without.
bool seal_renew(struct text *run_json, const char *const *names, size_t count, const char *folder, struct error *error);
// Whether the text is what its own hash says; *ret_there false where it has none.
bool seal_holds(const struct text *run_json, bool *ret_there);

#endif
