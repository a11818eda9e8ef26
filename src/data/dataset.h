// Ratings and side information as they were read, before filter, buckets and split; and the tables of ids.
// Who owns what: arrays as long as the data (users' and items' tables, user, item, rating, time, part, and an
// attribute's start, level and number) are released one by one with free() or ids_finish(), unless they are mapped;
// `titles`, `attributes.items` and every name and title live in the arena. dataset_finish releases all of it.
#ifndef AEXP_DATA_DATASET_H
#define AEXP_DATA_DATASET_H

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"

#include <stdint.h>

// Ids are strings; an id's index is its place of first appearance.
struct ids {
	size_t count;
	uint32_t *offset; // (count) into bytes; see ids_name   [an implementation may add fields below]
	char *bytes;
	size_t bytes_used, bytes_capacity, capacity;
	uint32_t *slots; // open addressing, index + 1, 0 = free
	size_t slots_count;
};
// What ids_add gives when there is no room: 2^32 - 2 ids, 4 GiB of names, no memory, or ids that fall on each other
// more often than chance has it (IDS_PROBES_MOST).
#define IDS_FULL UINT32_MAX
// Slots that are looked at for an id. A table is at most two thirds full: with any ids but such as were made to
// collide, so many taken ones in a row are less likely than one in 10^50. They would take the square of their number in
// time.
enum { IDS_PROBES_MOST = 2048 };
uint32_t ids_add(struct ids *ids, const char *name, size_t length); // the index, new or known; `name` holds no NUL
bool ids_find(const struct ids *ids, const char *name, size_t length, uint32_t *ret);
// The same of `count` names, IDS_FULL for each that is unknown: several questions are on their way to memory at a time.
void ids_find_many(const struct ids *ids, const char *const *names, size_t count, uint32_t *ret);
static inline const char *ids_name(const struct ids *ids, size_t index) {
	return ids->bytes + ids->offset[index];
}
void ids_finish(struct ids *ids);

// One column of side information, about all users or all items.
struct attribute {
	const char *name;
	bool numeric;
	// categorical: level 0 is "missing"; a cell holds one level, or several where `many` is set
	struct ids levels; // names of levels 1 ... levels.count (level l is levels name l - 1)
	size_t *start;     // (rows + 1) into level; every row has at least one (0 = missing)
	uint32_t *level;   // (start[rows])
	double *number;    // numeric: (rows), NAN where missing
};
struct attributes {
	size_t rows;
	struct attribute *items; // (count)
	size_t count;            // 0: no side information
};
void attributes_finish(struct attributes *attributes);

enum { PART_TRAIN, PART_VALID, PART_TEST, PARTS };

struct dataset {
	struct arena arena; // names, titles
	struct ids users, items;
	size_t count;          // ratings, distinct (user, item) pairs once duplicates are settled
	uint32_t *user, *item; // (count)
	float *rating;         // (count), as written; finite
	int64_t *time;         // (count) or NULL where the format has none
	uint8_t *part;         // (count) PART_*, or NULL unless the split is `files`
	const char **titles;   // (items.count) or NULL; UTF-8
	struct attributes user_attributes, item_attributes;
	char fingerprint[HASH_HEX]; // of all of the above (ids, ratings, times, parts, titles, attributes), not of paths or
	                            // bytes on disk: the same however it is stored or compressed, and on every machine
	struct file_map cache;      // where user, item, rating, time and part lie, if they are mapped; read-only then
	struct pool *pool;          // threads for what is made from the data set; NULL: one; not owned
	struct loading *loading;    // only while ratings are read, see ratings.h; NULL afterwards
};
void dataset_finish(struct dataset *dataset);
// Whether everything in it lies within its bounds, on the pool's threads (NULL: one): of one that was not made here.
bool dataset_is_sound(const struct dataset *dataset, struct pool *pool);

#endif
