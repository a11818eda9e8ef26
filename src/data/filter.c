// Ratings up to a threshold go first, then follows the k-core (Seidman, "Network structure and minimum degree", Social
// Networks 1983) of the graph of users and items, by passes over the ratings. The core is unique, so that the order in
// which ratings go does not matter.
#include "data/filter.h"

#include "base/number.h"
#include "data/split.h"

#include <math.h>
#include <stdlib.h>

struct degrees {
	uint32_t *user, *item; // (users), (items): ratings that are left
	uint32_t least_user, least_item;
};

static bool degrees_init(const struct filter_config *filter, const struct dataset *dataset, const uint8_t *part,
                         struct degrees *degrees, struct error *error) {
	*degrees = (struct degrees){
	    .least_user = filter->min_user_ratings < UINT32_MAX ? (uint32_t)filter->min_user_ratings : UINT32_MAX,
	    .least_item = filter->min_item_ratings < UINT32_MAX ? (uint32_t)filter->min_item_ratings : UINT32_MAX,
	};
	degrees->user = memory_array(dataset->users.count, sizeof *degrees->user, "ratings of users", error);
	degrees->item =
	    degrees->user ? memory_array(dataset->items.count, sizeof *degrees->item, "ratings of items", error) : NULL;
	if (!degrees->item) {
		free(degrees->user);
		return false;
	}
	for (size_t i = 0; i < dataset->count; i++) {
		if (part[i] != SPLIT_DROPPED) {
			degrees->user[dataset->user[i]]++;
			degrees->item[dataset->item[i]]++;
		}
	}
	return true;
}

// One pass. A rating that goes counts at once, which saves passes. Returns how many went.
static size_t drop(const struct dataset *dataset, struct degrees *degrees, uint8_t *part) {
	size_t dropped = 0;
	for (size_t i = 0; i < dataset->count; i++) {
		uint32_t *user = degrees->user + dataset->user[i], *item = degrees->item + dataset->item[i];
		if (part[i] != SPLIT_DROPPED && (*user < degrees->least_user || *item < degrees->least_item)) {
			part[i] = SPLIT_DROPPED;
			--*user;
			--*item;
			dropped++;
		}
	}
	return dropped;
}

bool filter_keeps(const struct filter_config *filter, float rating) {
	return !filter || isnan(filter->above) || rating > (float)filter->above;
}

// Returns how many are left.
static size_t drop_low(const struct filter_config *filter, const struct dataset *dataset, uint8_t *part) {
	size_t left = 0;
	for (size_t i = 0; i < dataset->count; i++) {
		bool kept = filter_keeps(filter, dataset->rating[i]);
		part[i] = kept ? part[i] : SPLIT_DROPPED;
		left += kept;
	}
	return left;
}

static bool none_above(const struct filter_config *filter, const struct dataset *dataset, struct error *error) {
	char above[NUMBER_TEXT];
	number_write(filter->above, above);
	error_set(error, ERROR_DATA, "the filter leaves none of %zu ratings: none is above \"%s\"", dataset->count, above);
	error_hint(error, "Lower data.filter.above.");
	return false;
}

bool filter_apply(const struct filter_config *filter, const struct dataset *dataset, uint8_t *part,
                  struct error *error) {
	size_t left = dataset->count;
	struct degrees degrees;
	if (left == 0) {
		return error_set(error, ERROR_DATA, "the data holds no rating");
	}
	if (filter && !isnan(filter->above) && (left = drop_low(filter, dataset, part)) == 0) {
		return none_above(filter, dataset, error);
	}
	if (!filter || (filter->min_user_ratings <= 1 && filter->min_item_ratings <= 1)) {
		return true;
	}
	if (!degrees_init(filter, dataset, part, &degrees, error)) {
		return false;
	}
	for (size_t dropped; (dropped = drop(dataset, &degrees, part)) > 0;) {
		left -= dropped;
	}
	free(degrees.user);
	free(degrees.item);
	if (left == 0) {
		error_set(error, ERROR_DATA,
		          "the filter leaves none of %zu ratings: min_user_ratings is \"%lld\", min_item_ratings \"%lld\"",
		          dataset->count, (long long)filter->min_user_ratings, (long long)filter->min_item_ratings);
		error_hint(error, "Lower data.filter.min_user_ratings or data.filter.min_item_ratings.");
		return false;
	}
	return true;
}
