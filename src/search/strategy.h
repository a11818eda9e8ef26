// How the points of a sweep are chosen. A proposal depends on the seed, the number of its trial and the results of
// trials up to a stated number (sweep.lag), never on the order in which trials end.
#ifndef AEXP_SEARCH_STRATEGY_H
#define AEXP_SEARCH_STRATEGY_H

#include "search/space.h"

enum trial_state { TRIAL_OPEN, TRIAL_FINISHED, TRIAL_STOPPED, TRIAL_FAILED }; // OPEN: its result may not be used
extern const char *const trial_state_names[];                                 // "open", "finished", ...

// What a strategy may know of a trial.
struct known_trial {
	enum trial_state state;
	const struct setting *point; // (axes)
	const double *losses;        // (objectives): less is better; NAN: undefined
	size_t epochs;               // that it was trained for
};

struct search {
	const struct sweep_config *config;
	struct space space;
	size_t objectives;
	size_t trials;    // how many there are
	struct grid grid; // of strategy grid
};
// Of a checked and settled group; ERROR_RUN when memory is out. search_finish either way.
bool search_create(const struct sweep_config *config, struct arena *arena, struct search *ret, struct error *error);
void search_finish(struct search *search);

struct strategy {
	struct row row;
	bool learns;     // proposals depend on results
	size_t axes_max; // that it can take; 0: any number
	void (*propose)(const struct search *search, size_t trial, const struct known_trial *known, struct setting *ret);
};
extern const struct registry strategy_registry;
extern const struct strategy strategy_grid, strategy_random, strategy_sobol, strategy_tpe;

// How many trials before `trial` (from 0) must have ended before it can be proposed: those after them count as open,
// whether or not they have ended.
size_t search_needs(const struct search *search, size_t trial);
// The point of trial number `trial` (from 0); known (trial): all before it, of which the first search_needs have ended.
void search_propose(const struct search *search, size_t trial, const struct known_trial *known, struct setting *ret);

// The seed's uniform number of a trial and axis: 0 <= u < 1. `draw` numbers several of one trial.
double search_uniform(const struct search *search, const char *purpose, size_t trial, size_t axis, uint32_t draw);

// Whether a is at least as good as b in all objectives and better in one. NAN is worse than any number.
bool losses_dominate(const double *a, const double *b, size_t objectives);
// For each of count trials by its losses the number of the front it is in (from 0): fronts of what is dominated by none
// of those that are left (Deb et al., NSGA-II, 2002). losses (count, objectives), ret (count).
void losses_fronts(const double *losses, size_t count, size_t objectives, size_t *ret);

#endif
