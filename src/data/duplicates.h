// What happens where a user rated an item more than once: the rules, and their application.
#ifndef AEXP_DATA_DUPLICATES_H
#define AEXP_DATA_DUPLICATES_H

#include "data/data.h"

// A rating of a pair that was rated before.
struct repeat {
	uint32_t earlier, later; // places in the data set: the one just before, and this one
	double sum;              // of all ratings of the pair up to this one
	uint32_t count;          // of them
};

struct duplicates_rule {
	struct row row;
	// Settles the repeats, which come in the order of their later rating, and marks in drop (dataset->count) what goes.
	bool (*settle)(struct dataset *dataset, const struct repeat *repeats, size_t count, uint8_t *drop,
	               struct error *error);
};
extern const struct registry duplicates_registry;

// Leaves each (user, item) once. Linear in ratings, users and items.
bool duplicates_settle(const struct duplicates_rule *rule, struct dataset *dataset, struct error *error);

#endif
