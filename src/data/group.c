// The counts take no more memory than a fraction of the things.
#include "data/group.h"

#include <stdlib.h>

#include "base/memory.h"

enum {
	RUN_LEAST = 1 << 16, // things of a run, at least
	COUNTS_SHARE = 8,    // at most one count for so many things, but for the first run's
};

bool group_init(size_t count, size_t numbers, struct group *ret, struct error *error) {
	struct group group = {.count = count, .numbers = numbers, .run = count};
	size_t most = count / COUNTS_SHARE / (numbers + 1);
	if (most > 1)
		group.run = count / most + 1;
	group.run = group.run < RUN_LEAST ? RUN_LEAST : group.run;
	group.runs = count / group.run + (count % group.run > 0);
	group.counts = memory_array(group.runs * numbers, sizeof *group.counts, "counts of ratings", error);
	*ret = group;
	return group.counts != NULL;
}

void group_finish(struct group *group) {
	free(group->counts);
	*group = (struct group){0};
}

void group_add_up(struct group *group, size_t *start) {
	start[0] = 0;
	for (size_t number = 0; number < group->numbers; number++) {
		uint32_t sum = 0;
		for (size_t k = 0; k < group->runs; k++) {
			uint32_t *count = group_counts(group, k) + number, here = *count;
			*count = sum;
			sum += here;
		}
		start[number + 1] = start[number] + sum;
	}
}
