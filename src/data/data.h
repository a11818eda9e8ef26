// The `data` group of an experiment: keys, loading, and the way from a data set to the matrices that training sees.
#ifndef AEXP_DATA_DATA_H
#define AEXP_DATA_DATA_H

#include "config/schema.h"
#include "data/csr.h"
#include "data/dataset.h"

struct filter_config {
	int64_t min_user_ratings, min_item_ratings;
	double above; // ratings up to this go first; NAN: none does
};
struct buckets_config {
	struct reals thresholds, values;
};
struct scale_config {
	double low, high; // the ratings that become 0 and 1
};
struct features_config {
	const char *path; // NULL where the format knows its own file
	const char *separator;
	bool header, quotes;
	struct column_ref id;
	struct strings categorical, numeric, multi; // names of columns (numbers, as strings, where the file has no header);
	                                            // `multi`: several levels in a cell, divided by '|'
	const char *title;                          // of items: the column with titles; NULL: none
};
struct source_config {
	struct choice format;
};
struct split_config {
	struct choice kind;
};

struct data_config {
	struct source_config *source;
	struct filter_config *filter;
	struct buckets_config *buckets;                        // NULL: raw ratings
	struct choice rows;                                    // "users" | "items"
	double liked;                                          // NAN: the last threshold, else every entry is liked
	struct choice duplicates;                              // "error" | "last" | "mean"
	struct features_config *user_features, *item_features; // NULL: none, or the format's own defaults
	struct split_config *split;                            // NULL: everything is train
	struct scale_config *scale;                            // NULL: values stay as they are; never beside buckets
	const char *obtain;                                    // NULL; where the data comes from and where it goes
};
extern const struct schema data_schema;
extern const struct registry format_registry, split_registry;

// What a format gives: it fills users, items, user, item, rating, time (and part under split `files`), titles,
// attributes.
struct format {
	struct row row;
	bool (*load)(const struct data_config *config, const void *params, struct dataset *ret, struct error *error);
	bool own_user_features, own_item_features; // it knows its own file, or makes them
	// only for split `files`: reads one more file of ratings in this format's layout; NULL where it cannot
	bool (*load_ratings)(const struct data_config *config, const void *params, const char *path, uint8_t part,
	                     struct dataset *ret, struct error *error);
	// titles and attributes from files of its own, called once all ids are known; NULL where `load` fills them or there
	// are none. What the experiment reads from a `path` of its own is not its business.
	bool (*load_side)(const struct data_config *config, const void *params, struct dataset *ret, struct error *error);
	bool (*has_time)(const void *params); // NULL: it never has times
	// Calls add for every file that load and load_side read (path and want as in input_open), in a fixed order; not for
	// those that the experiment names under split or features. NULL: the data is made, and never cached
	void (*sources)(const struct data_config *config, const void *params,
	                void (*add)(void *context, const char *path, const char *want), void *context);
	// checks of its keys that no single key can; NULL where there are none. `root`: see data_check
	void (*check)(const struct data_config *config, const void *params, const struct value *root,
	              struct errors *errors);
};

// Checks that no single key can: thresholds increasing, one value more than thresholds, combinations of split, rows and
// format. `root` is the tree of the file, for positions.
void data_check(const struct data_config *config, const struct value *root, struct errors *errors);

// With what data is loaded, and what is known afterwards.
struct data_access {
	struct pool *pool;  // NULL: one thread; never changes a result
	const char *cache;  // folder of caches, see cache.h; NULL: none is used
	size_t block_bytes; // 0: what is best; others are for tests and never change a result
	const char *from;   // out: "files", "cache" or "synthetic"
	char key[HASH_HEX]; // out: of the cache; "" where there can be none
	struct error note;  // out: what is no failure: ERROR_DATA, a cache is damaged; ERROR_RUN, it cannot be written
};
// Reads everything the group names; settles duplicates; fingerprints. ERROR_DATA with file and line on bad data.
bool data_load_with(const struct data_config *config, struct data_access *access, struct dataset *ret,
                    struct error *error);
// Leaves a cache of what data_load_with has read from its files; nothing where it came from elsewhere.
void data_keep(struct data_access *access, const struct dataset *dataset);
// The same on one thread, without a cache. What is read is never drawn, so that the run's seed changes nothing.
bool data_load(const struct data_config *config, uint64_t seed, struct dataset *ret, struct error *error);

// One part that is evaluated.
struct part {
	const struct csr
	    *input; // (rows, columns): what the model sees; points to train, or to `own_input` under split `users`
	struct csr own_input;
	struct csr target; // (rows, columns): what is asked
};

// How one column of side information stands in the feature matrix, for use elsewhere (kept with the model).
struct feature_coding {
	const char *name;
	bool numeric;
	size_t first_column, columns; // categorical: one per level, level 0 (missing) first; numeric: standardised value,
	                              // indicator of missing
	double mean, deviation;       // numeric: over the rows that have a train entry
	const char **levels;          // (columns) categorical
};

// What training and evaluation see. Rows are users, or items under rows = "items"; columns are the other. Not to be
// moved: the parts point into it. The data set must outlive it: names of columns and levels are its own.
struct matrices {
	struct arena arena;
	const struct dataset *dataset; // not owned
	bool items_as_rows;
	size_t users, items;           // after the filter
	uint32_t *user_of, *item_of;   // (users), (items): index in dataset->users, dataset->items
	struct csr train;              // (rows, columns)
	struct part valid, test;       // target.start NULL where the part does not exist
	size_t input_count;            // entries of the fold-in inputs, split `users`
	struct csr features;           // (rows, feature columns): one-hot and numeric; start NULL without side information
	struct feature_coding *coding; // (coding_count)
	size_t coding_count;
	double *thresholds, *values; // (levels - 1), (levels): the buckets; both NULL where there are none
	size_t levels;
	double scale_low, scale_high; // the ratings that 0 and 1 stand for; both 0: values are the ratings themselves
	char split_hash[HASH_HEX];    // of the part of each rating, in the order of the data set
	double liked;                 // the threshold in use; -INFINITY: every entry is liked
	const uint8_t *row_trained;   // (rows) 1 where the row takes part in training (not held out by split `users`)
};
bool matrices_create(const struct data_config *config, const struct dataset *dataset, uint64_t seed,
                     struct matrices *ret, struct error *error);
void matrices_finish(struct matrices *matrices);
static inline const char *matrices_user(const struct matrices *m, size_t i) {
	return ids_name(&m->dataset->users, m->user_of[i]);
}
static inline const char *matrices_item(const struct matrices *m, size_t i) {
	return ids_name(&m->dataset->items, m->item_of[i]);
}

// What `aexp data` prints, as numbers.
struct data_statistics {
	size_t users, items, ratings;
	double density, mean, minimum, maximum;
	size_t users_with[3], items_with[3]; // exactly 1, exactly 2, 3 or more ratings
	double *histogram_value; // (histogram_count) distinct raw values, ascending; or the lower edges of 20 equal bins
	                         // where there are more than 20
	size_t *histogram, histogram_count;
	bool histogram_binned;
	double *bucket_value;
	size_t *bucket, buckets; // after buckets
	struct {
		size_t ratings, users, items, cold_users, cold_items;
	} part[PARTS]; // cold: in the part, without a train (or input) entry
	size_t input_ratings;
};
bool data_statistics(const struct data_config *config, const struct matrices *matrices, struct data_statistics *ret,
                     struct error *error);
void data_statistics_finish(struct data_statistics *statistics);

#endif
