// The embedded default data: a planted low-rank taste that user attributes partly explain. The model and its formula
// stand at the top of synthetic_model.c.
#ifndef AEXP_DATA_SYNTHETIC_H
#define AEXP_DATA_SYNTHETIC_H

#include "config/schema.h"

// The keys of format "synthetic".
struct synthetic_params {
	struct choice preset;                // row is a struct preset
	int64_t users, items, ratings, rank; // 0: the preset's
	double noise;                        // NAN: the preset's
	uint64_t seed;                       // of the data; does not follow the run's seed
};
extern const struct registry synthetic_presets;

// Replaces what was left out (0, NAN) by the preset's numbers, so that the resolved file spells them out. `params` is a
// struct synthetic_params. Doing it twice changes nothing.
void synthetic_resolve(void *params);

// Whether such data exists: at least one rating a user, and no more ratings than cells. ERROR_CONFIG, naming the
// numbers. `params` is a resolved struct synthetic_params.
bool synthetic_check(const void *params, struct error *error);

#endif
