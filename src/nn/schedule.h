// How the learning rate goes over a training: a factor for each epoch, and a rise over the first steps.
#ifndef AEXP_NN_SCHEDULE_H
#define AEXP_NN_SCHEDULE_H

#include "nn/config.h"

// Where a training is. best and waited are those of a schedule that watches a figure.
struct schedule_state {
	size_t epoch, epochs;      // the one that begins, from 1; how many there are at most
	double best;               // of the figure so far, valid where seen
	bool seen;                 // it has had a value
	size_t waited, reductions; // epochs with a value since the best one or the last reduction; how often the rate fell
};

struct schedule {
	struct row row;
	double (*factor)(const void *params, const struct schedule_state *state); // of the epoch's rate
	// Takes what an epoch gave; NULL where the schedule watches nothing.
	void (*watch)(const void *params, struct schedule_state *state, double value, bool higher_is_better);
};

// What the rate of the state's epoch is multiplied by.
double schedule_factor(const struct schedule_config *config, const struct schedule_state *state);
// What of the figure that decides which epoch is best; NAN where the epoch was not evaluated, which does not count.
void schedule_watch(const struct schedule_config *config, struct schedule_state *state, double value,
                    bool higher_is_better);
// The factor of an optimizer step, from 1, by the warm-up.
double schedule_warmup(const struct schedule_config *config, uint32_t step);
// Whether every step has the same rate.
bool schedule_is_constant(const struct schedule_config *config);

#endif
