// Ending trials early: successive halving without waiting for a whole rung (ASHA; Li et al., "A system for massively
// parallel hyperparameter tuning", MLSys 2020), and hyperband (Li et al., JMLR 18, 2018) as brackets of it.
// Trials are judged after min_epochs * reduction^k epochs. Unlike in the paper nothing is promoted later: a trial goes
// on at once or ends, by the trials of lower number alone, so that the same sweep ends the same trials however it is
// run.
#ifndef AEXP_SEARCH_HALVING_H
#define AEXP_SEARCH_HALVING_H

#include "search/config.h"

struct halving {
	struct row row;
	bool brackets; // trials are spread over brackets, each with a first rung of its own
};
extern const struct registry halving_registry;
extern const struct schema halving_schema;

enum { RUNGS_MAX = 64 };
// The epochs after which a trial (from 0) is judged, ascending and below `epochs`; returns how many.
size_t halving_rungs(const struct halving_config *config, size_t trial, size_t epochs, size_t ret_epochs[RUNGS_MAX]);
// The bracket of a trial: it is held against trials of its own bracket alone.
size_t halving_bracket(const struct halving_config *config, size_t trial, size_t epochs);
// Whether a trial goes on beyond a rung: its loss there is among the best 1 / reduction of its own and the others', or
// the best of all; others (count) are the losses of its bracket's trials that came as far. NAN is worse than any
// number.
bool halving_goes_on(const struct halving_config *config, const double *others, size_t count, double own);

#endif
