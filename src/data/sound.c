// Whether a data set keeps what dataset.h promises: asked of caches, which anyone may have written. Every place lies
// within its table, every name ends, every number is one; what it says may still be wrong.
#include "data/dataset.h"

#include "base/pool.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum { BLOCK = 1 << 16 }; // ratings that one thread looks at

struct check {
	const struct dataset *dataset;
	atomic_bool bad;
};

static void check_block(void *context, size_t block) {
	struct check *check = context;
	const struct dataset *d = check->dataset;
	size_t first = block * BLOCK, end = d->count - first < BLOCK ? d->count : first + BLOCK;
	bool good = true;
	for (size_t i = first; i < end; i++)
		good &= d->user[i] < d->users.count && d->item[i] < d->items.count && isfinite(d->rating[i]);
	for (size_t i = first; d->part != NULL && i < end; i++)
		good &= d->part[i] < PARTS;
	if (!good)
		atomic_store(&check->bad, true);
}

// Names one behind the other, each with its end; slots that are free or point at one of them.
static bool ids_are_sound(const struct ids *ids) {
	for (size_t i = 0; i < ids->count; i++) {
		size_t start = ids->offset[i], end = i + 1 < ids->count ? ids->offset[i + 1] : ids->bytes_used;
		if (start >= end || end > ids->bytes_used ||
		    memchr(ids->bytes + start, '\0', end - start) != ids->bytes + end - 1)
			return false;
	}
	bool good = ids->count == 0 ? ids->bytes_used == 0 : ids->offset[0] == 0;
	for (size_t i = 0; i < ids->slots_count; i++)
		good = good && ids->slots[i] <= ids->count;
	return good && (ids->slots_count & (ids->slots_count - 1)) == 0 &&
	       (ids->count == 0 || ids->slots_count > ids->count);
}

static bool numbers_are_sound(const double *number, size_t rows) {
	bool good = true;
	for (size_t row = 0; row < rows; row++)
		good &= !isinf(number[row]); // a missing one is NAN
	return good;
}

static bool attribute_is_sound(const struct attribute *attribute, size_t rows) {
	if (attribute->name == NULL || attribute->numeric)
		return attribute->name != NULL && numbers_are_sound(attribute->number, rows);
	if (!ids_are_sound(&attribute->levels) || attribute->start[0] != 0)
		return false;
	size_t entries = attribute->start[rows];
	for (size_t row = 0; row < rows; row++)
		if (attribute->start[row] >= attribute->start[row + 1] || attribute->start[row + 1] > entries)
			return false;
	bool good = true;
	for (size_t i = 0; i < entries; i++)
		good &= attribute->level[i] <= attribute->levels.count;
	return good;
}

static bool attributes_are_sound(const struct attributes *attributes, size_t rows) {
	bool good = attributes->count == 0 || attributes->rows == rows;
	for (size_t i = 0; good && i < attributes->count; i++)
		good = attribute_is_sound(&attributes->items[i], rows);
	return good;
}

bool dataset_is_sound(const struct dataset *dataset, struct pool *pool) {
	struct check check = {.dataset = dataset};
	if (dataset->count == 0 || dataset->fingerprint[HASH_HEX - 1] != '\0' || !ids_are_sound(&dataset->users) ||
	    !ids_are_sound(&dataset->items) || !attributes_are_sound(&dataset->user_attributes, dataset->users.count) ||
	    !attributes_are_sound(&dataset->item_attributes, dataset->items.count))
		return false;
	pool_run(pool, dataset->count / BLOCK + (dataset->count % BLOCK > 0), check_block, &check);
	return !check.bad;
}
