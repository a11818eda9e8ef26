// Whether a finished run is still what it was when it was written: its files by their hashes, and by what they say of
// each other. Data and weights are held against it by whoever can read them.
#ifndef AEXP_REPORT_INTEGRITY_H
#define AEXP_REPORT_INTEGRITY_H

#include "base/error.h"
#include "base/hash.h"

enum integrity { INTEGRITY_OK, INTEGRITY_CHANGED, INTEGRITY_MISSING, INTEGRITY_UNKNOWN, INTEGRITIES };
extern const char *const integrity_words[INTEGRITIES]; // "ok", "CHANGED", "MISSING", "unknown"

// Who is told: once for each file that is as it was, and for each thing that is not. `why`: "" where it is ok.
struct integrity_listener {
	void *context;
	void (*say)(void *context, const char *file, enum integrity verdict, const char *why);
};

// What a run's metrics.json says of what is not in its folder, to be held against that.
struct integrity_facts {
	char id[HASH_HEX], fingerprint[HASH_HEX], split[HASH_HEX], weights_hash[HASH_HEX]; // "" where it says nothing
};

// A run's folder. ERROR_DATA where its metrics.json cannot be read, without which nothing can be told.
bool integrity_check_run(const char *folder, const struct integrity_listener *listener, struct integrity_facts *ret,
                         struct error *error);
// A summary's: its figures are computed again from its runs; `each` is called with the folder of every run.
bool integrity_check_summary(const char *folder, const struct integrity_listener *listener,
                             void (*each)(void *context, const char *folder), struct error *error);

#endif
