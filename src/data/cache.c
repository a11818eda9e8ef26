// The file of a cache:
//
//   [header | padding | fingerprint | users | items | ratings | times | parts | titles | attributes of users | of
//   items]
//
// Counts are 64-bit numbers; every array begins at a multiple of 64 bytes. One walk over the data set both writes and
// reads the file, so that the two cannot differ. The header says what machine and version wrote it, how long it is and
// the checksum of the rest: both are looked at before anything else is. Anyone can make a checksum, so that what was
// read is held against its bounds as well. Ratings are used where they are mapped; what is as small as the users or
// items is copied.
#include "data/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"
#include "data/input.h"
#include "data/split.h"

// Goes up with any change to what reading a file gives, or to the file of a cache.
#define READER_VERSION "aexp.cache/1"

enum {
	CHUNK = 1 << 20,                        // bytes that are hashed by one thread
	READ = 1 << 16,                         // bytes of them that are read at a time
	ATTRIBUTE_LEAST = 3 * sizeof(uint64_t), // bytes that an attribute takes: its name's flag and size, its kind
	ALIGNMENT = 64,
	BYTE_ORDER_MARK = 0x01020304,
};

struct header {
	char version[16]; // READER_VERSION
	uint32_t byte_order, pointer_bytes;
	uint64_t size;                          // of the file
	char key[HASH_HEX], checksum[HASH_HEX]; // the checksum is of all behind the header
};
enum { HEADER_BYTES = (sizeof(struct header) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };

static const char suffix[] = ".data";

// --- Hashing ---

struct chunks {
	// Hashes `size` bytes from `start` on; false where they cannot be had.
	bool (*feed)(const void *from, size_t start, size_t size, struct hash *hash);
	const void *from;
	size_t size;
	char (*hex)[HASH_HEX]; // (chunks)
	atomic_bool fail;
};

static size_t chunks_in(size_t size) {
	return size / CHUNK + (size % CHUNK > 0);
}

static void hash_chunk(void *context, size_t i) {
	struct chunks *chunks = context;
	size_t start = i * CHUNK, left = chunks->size - start;
	struct hash hash;
	hash_init(&hash);
	if (!chunks->feed(chunks->from, start, left < CHUNK ? left : CHUNK, &hash))
		atomic_store(&chunks->fail, true);
	hash_finish(&hash, chunks->hex[i]);
}

// The hash of the hashes of all chunks, so that several threads can do it.
static bool hash_of(struct pool *pool, struct chunks *chunks, char ret_hex[HASH_HEX]) {
	size_t count = chunks_in(chunks->size);
	chunks->hex = memory_alloc(count * sizeof *chunks->hex);
	struct hash hash;
	pool_run(pool, count, hash_chunk, chunks);
	hash_init(&hash);
	hash_u64(&hash, chunks->size);
	hash_bytes(&hash, chunks->hex, count * sizeof *chunks->hex);
	hash_finish(&hash, ret_hex);
	free(chunks->hex);
	return !chunks->fail;
}

static bool feed_memory(const void *from, size_t start, size_t size, struct hash *hash) {
	hash_bytes(hash, (const char *)from + start, size);
	return true;
}

// Through a buffer that stays in the cache of its processor: nothing of the file has to be mapped.
static bool feed_file(const void *from, size_t start, size_t size, struct hash *hash) {
	char buffer[READ];
	for (size_t at = 0; at < size; at += READ) {
		size_t step = size - at < READ ? size - at : READ;
		if (!file_reader_read(from, start + at, buffer, step))
			return false;
		hash_bytes(hash, buffer, step);
	}
	return true;
}

// --- The key ---

struct key_maker {
	struct hash hash;
	struct pool *pool;
	bool fine;
	char *file, hex[HASH_HEX]; // the last one, and its hash: several tables may come from one archive
};

static bool hash_file(struct key_maker *maker, char *file) {
	struct file_reader reader;
	bool again = maker->file != NULL && strcmp(maker->file, file) == 0;
	free(maker->file);
	maker->file = file;
	if (again)
		return true;
	if (!file_reader_open(file, &reader, NULL))
		return false;
	struct chunks chunks = {.feed = feed_file, .from = &reader, .size = reader.size};
	bool fine = hash_of(maker->pool, &chunks, maker->hex);
	file_reader_close(&reader);
	return fine;
}

static void add_file(void *context, const char *path, const char *want) {
	struct key_maker *maker = context;
	char *file;
	hash_u64(&maker->hash, path != NULL);
	if (path == NULL || !maker->fine)
		return;
	maker->fine = input_find(path, want, &file, NULL) && hash_file(maker, file);
	hash_string(&maker->hash, want == NULL ? "" : want);
	hash_string(&maker->hash, maker->hex);
}

// Keys that change what is read. What comes later (filter, buckets, split...) does not.
static void add_keys(struct key_maker *maker, const struct data_config *config) {
	struct data_config read = *config;
	struct text text = {0};
	read.filter = NULL;
	read.buckets = NULL;
	read.scale = NULL;
	read.split = NULL;
	read.rows = (struct choice){0};
	read.liked = NAN;
	schema_write(&data_schema, &read, true, &text); // without paths
	hash_string(&maker->hash, text_string(&text));
	text_finish(&text);
}

static void add_files(struct key_maker *maker, const struct data_config *config) {
	const struct format *format = (const struct format *)config->source->format.row;
	const struct split_config *split = config->split;
	bool files = split != NULL && split->kind.row == &split_files_kind.row;
	hash_u64(&maker->hash, files);
	format->sources(config, config->source->format.params, add_file, maker);
	if (files) {
		const struct split_files *parts = split->kind.params;
		add_file(maker, parts->train, NULL);
		add_file(maker, parts->valid, NULL);
		add_file(maker, parts->test, NULL);
	}
	add_file(maker, config->user_features == NULL ? NULL : config->user_features->path, NULL);
	add_file(maker, config->item_features == NULL ? NULL : config->item_features->path, NULL);
}

bool cache_key(const struct data_config *config, struct pool *pool, char ret_key[HASH_HEX]) {
	const struct format *format = (const struct format *)config->source->format.row;
	if (format->sources == NULL)
		return false;
	struct key_maker maker = {.pool = pool, .fine = true};
	hash_init(&maker.hash);
	hash_string(&maker.hash, READER_VERSION);
	add_keys(&maker, config);
	add_files(&maker, config);
	hash_finish(&maker.hash, ret_key);
	free(maker.file);
	return maker.fine;
}

// --- The walk ---

struct walk {
	bool writing;
	bool fine; // reading: nothing was beyond the end
	size_t at; // in the file
	struct arena arena;
	const char *data; // (size) reading: the file
	size_t size;
	struct file_piece *pieces; // (count) writing
	size_t *places;            // (count) where they begin in the file
	size_t count, capacity;
};

static void put(struct walk *walk, const void *data, size_t size) {
	if (walk->count == walk->capacity) {
		walk->capacity = walk->capacity == 0 ? 64 : 2 * walk->capacity;
		walk->pieces = memory_resize(walk->pieces, walk->capacity * sizeof *walk->pieces);
		walk->places = memory_resize(walk->places, walk->capacity * sizeof *walk->places);
	}
	walk->places[walk->count] = walk->at;
	walk->pieces[walk->count++] = (struct file_piece){.data = data, .size = size};
	walk->at += size;
}

// The next bytes of the file; NULL, and the walk fails, where it has not as many.
static const char *take(struct walk *walk, size_t size) {
	walk->fine = walk->fine && size <= walk->size - walk->at;
	const char *data = walk->data + walk->at;
	walk->at += walk->fine ? size : 0;
	return walk->fine ? data : NULL;
}

static void walk_number(struct walk *walk, uint64_t *value) {
	if (walk->writing) {
		put(walk, arena_copy(&walk->arena, value, sizeof *value), sizeof *value);
		return;
	}
	const char *data = take(walk, sizeof *value);
	*value = 0;
	if (data != NULL)
		memcpy(value, data, sizeof *value);
}

static void walk_count(struct walk *walk, size_t *count) {
	uint64_t value = *count;
	walk_number(walk, &value);
	*count = (size_t)value;
}

static void walk_flag(struct walk *walk, bool *flag) {
	uint64_t value = *flag;
	walk_number(walk, &value);
	*flag = value != 0;
}

static const char zeros[ALIGNMENT];

// An array, which is used where it lies.
static void walk_mapped(struct walk *walk, void *array, size_t count, size_t size) {
	size_t padding = (ALIGNMENT - walk->at % ALIGNMENT) % ALIGNMENT, bytes;
	const void *data;
	memcpy(&data, array, sizeof data); // `array` points to a pointer, of whatever type
	walk->fine = walk->fine && memory_product(count, size, &bytes);
	if (!walk->fine)
		return;
	if (walk->writing) {
		put(walk, zeros, padding);
		put(walk, data, bytes);
	} else {
		take(walk, padding);
		data = take(walk, bytes);
		memcpy(array, &data, sizeof data);
	}
}

// An array that the data set owns.
static void walk_array(struct walk *walk, void *array, size_t count, size_t size) {
	void *mapped = NULL, *copy = NULL;
	if (walk->writing) {
		walk_mapped(walk, array, count, size);
		return;
	}
	walk_mapped(walk, &mapped, count, size);
	if (walk->fine && (copy = malloc(count * size + 1)) == NULL)
		walk->fine = false;
	if (copy != NULL && count > 0)
		memcpy(copy, mapped, count * size);
	memcpy(array, &copy, sizeof copy);
}

static void walk_ids(struct walk *walk, struct ids *ids) {
	walk_count(walk, &ids->count);
	walk_count(walk, &ids->bytes_used);
	walk_count(walk, &ids->slots_count);
	walk_array(walk, &ids->offset, ids->count, sizeof *ids->offset);
	walk_array(walk, &ids->bytes, ids->bytes_used, 1);
	walk_array(walk, &ids->slots, ids->slots_count, sizeof *ids->slots);
	ids->capacity = ids->count;
	ids->bytes_capacity = ids->bytes_used;
}

// Text that ends with a NUL, or NULL. Read, it lives in the data set's arena.
static void walk_string(struct walk *walk, const char **string, struct arena *arena) {
	bool there = *string != NULL;
	size_t size = there ? strlen(*string) + 1 : 0;
	const char *data = *string;
	walk_flag(walk, &there);
	walk_count(walk, &size);
	if (walk->writing) {
		if (there)
			put(walk, data, size);
		return;
	}
	data = there ? take(walk, size) : NULL;
	walk->fine = walk->fine && (data == NULL || (size > 0 && data[size - 1] == '\0'));
	*string = data == NULL || !walk->fine ? NULL : arena_copy(arena, data, size);
}

static void walk_attribute(struct walk *walk, struct attribute *attribute, size_t rows, struct arena *arena) {
	size_t entries = walk->writing && attribute->start != NULL ? attribute->start[rows] : 0;
	walk_string(walk, &attribute->name, arena);
	walk_flag(walk, &attribute->numeric);
	if (attribute->numeric) {
		walk_array(walk, &attribute->number, rows, sizeof *attribute->number);
		return;
	}
	walk_count(walk, &entries);
	walk_ids(walk, &attribute->levels);
	walk_array(walk, &attribute->start, rows + 1, sizeof *attribute->start);
	walk_array(walk, &attribute->level, entries, sizeof *attribute->level);
	walk->fine = walk->fine && attribute->start[rows] == entries;
}

static void walk_attributes(struct walk *walk, struct attributes *attributes, struct arena *arena) {
	size_t count = attributes->count;
	walk_count(walk, &attributes->rows);
	walk_count(walk, &count);
	walk->fine = walk->fine && (walk->writing ||
	                            (count <= (walk->size - walk->at) / ATTRIBUTE_LEAST && attributes->rows < walk->size));
	if (!walk->writing && walk->fine)
		attributes->items = arena_alloc(arena, count * sizeof *attributes->items);
	for (size_t i = 0; i < count && walk->fine; i++) {
		attributes->count = i + 1;
		walk_attribute(walk, &attributes->items[i], attributes->rows, arena);
	}
}

static void walk_titles(struct walk *walk, struct dataset *dataset) {
	bool there = dataset->titles != NULL;
	walk_flag(walk, &there);
	if (there && !walk->writing && walk->fine)
		dataset->titles = arena_alloc(&dataset->arena, dataset->items.count * sizeof *dataset->titles);
	for (size_t i = 0; there && i < dataset->items.count && walk->fine; i++)
		walk_string(walk, &dataset->titles[i], &dataset->arena);
}

static void walk_fingerprint(struct walk *walk, char fingerprint[HASH_HEX]) {
	const char *data = fingerprint;
	if (walk->writing)
		put(walk, data, HASH_HEX);
	else if ((data = take(walk, HASH_HEX)) != NULL)
		memcpy(fingerprint, data, HASH_HEX);
}

static void walk_dataset(struct walk *walk, struct dataset *dataset) {
	bool times = dataset->time != NULL, parts = dataset->part != NULL;
	walk_fingerprint(walk, dataset->fingerprint);
	walk_ids(walk, &dataset->users);
	walk_ids(walk, &dataset->items);
	walk_count(walk, &dataset->count);
	walk_flag(walk, &times);
	walk_flag(walk, &parts);
	walk_mapped(walk, &dataset->user, dataset->count, sizeof *dataset->user);
	walk_mapped(walk, &dataset->item, dataset->count, sizeof *dataset->item);
	walk_mapped(walk, &dataset->rating, dataset->count, sizeof *dataset->rating);
	if (times)
		walk_mapped(walk, &dataset->time, dataset->count, sizeof *dataset->time);
	if (parts)
		walk_mapped(walk, &dataset->part, dataset->count, sizeof *dataset->part);
	walk_titles(walk, dataset);
	walk_attributes(walk, &dataset->user_attributes, &dataset->arena);
	walk_attributes(walk, &dataset->item_attributes, &dataset->arena);
}

// --- Reading ---

static char *path_of(const char *folder, const char *key) {
	struct text name = {0};
	text_format(&name, "%s%s", key, suffix);
	char *path = path_join(folder, text_string(&name));
	text_finish(&name);
	return path;
}

// All of the header, and what pads it, follows from the rest.
static void make_head(const char *key, size_t size, const char *checksum, char ret_head[HEADER_BYTES]) {
	struct header header = {.version = READER_VERSION, .byte_order = BYTE_ORDER_MARK, .pointer_bytes = sizeof(size_t)};
	header.size = size;
	memcpy(header.key, key, HASH_HEX);
	memcpy(header.checksum, checksum, HASH_HEX);
	memset(ret_head, 0, HEADER_BYTES);
	memcpy(ret_head, &header, offsetof(struct header, checksum) + HASH_HEX);
}

static bool checked(const struct file_map *map, const char *key, struct pool *pool) {
	char checksum[HASH_HEX], head[HEADER_BYTES];
	if (map->size < HEADER_BYTES)
		return false;
	struct chunks chunks = {.feed = feed_memory, .from = map->data + HEADER_BYTES, .size = map->size - HEADER_BYTES};
	hash_of(pool, &chunks, checksum);
	make_head(key, map->size, checksum, head);
	return memcmp(map->data, head, HEADER_BYTES) == 0;
}

static bool read_map(const struct file_map *map, const char *key, struct pool *pool, struct dataset *ret) {
	if (!checked(map, key, pool))
		return false;
	struct walk walk = {.fine = true, .at = HEADER_BYTES, .data = map->data, .size = map->size};
	struct dataset dataset = {.cache = *map};
	walk_dataset(&walk, &dataset);
	if (!walk.fine || walk.at != map->size || !dataset_is_sound(&dataset, pool)) {
		dataset.cache = (struct file_map){0};
		dataset.user = dataset.item = NULL;
		dataset.rating = NULL;
		dataset.time = NULL;
		dataset.part = NULL;
		dataset_finish(&dataset);
		return false;
	}
	*ret = dataset;
	return true;
}

bool cache_read(const char *folder, const char *key, struct pool *pool, struct dataset *ret, struct error *error) {
	struct file_map map;
	char *path = path_of(folder, key);
	*error = (struct error){0};
	bool there = file_map(path, &map, NULL), fine = there && read_map(&map, key, pool, ret);
	if (fine)
		utimensat(AT_FDCWD, path, NULL, 0); // used now: the last to be removed
	if (there && !fine) {
		error_set(error, ERROR_DATA, "the cache \"%s\" is damaged; the data is read from its files", path);
		file_unmap(&map);
	}
	free(path);
	return fine;
}

// --- Writing ---

// What is written, behind its header, lies in pieces.
static bool feed_pieces(const void *from, size_t start, size_t size, struct hash *hash) {
	const struct walk *walk = from;
	size_t at = HEADER_BYTES + start, low = 0, high = walk->count; // the piece that holds `at` is in [low, high)
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (walk->places[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	for (size_t within = at - walk->places[low]; size > 0; low++, within = 0) {
		size_t left = walk->pieces[low].size - within, step = left < size ? left : size;
		hash_bytes(hash, (const char *)walk->pieces[low].data + within, step);
		size -= step;
	}
	return true;
}

struct kept {
	char *path;
	size_t size;
	struct timespec used;
};

static int oldest_first(const void *a, const void *b) {
	const struct kept *x = a, *y = b;
	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

static int is_cache(const struct dirent *entry) {
	size_t length = strlen(entry->d_name);
	return length == HASH_HEX - 1 + sizeof suffix - 1 && strcmp(entry->d_name + HASH_HEX - 1, suffix) == 0;
}

// Removes what was used longest ago until at most `most` bytes are left.
static void trim(const char *folder, size_t most) {
	struct dirent **entries;
	size_t total = 0, used = 0;
	int count = scandir(folder, &entries, is_cache, NULL);
	struct kept *kept = memory_alloc((count < 0 ? 0 : (size_t)count) * sizeof *kept);
	for (int i = 0; i < count; i++) {
		struct stat status;
		char *path = path_join(folder, entries[i]->d_name);
		if (stat(path, &status) == 0) {
			kept[used++] = (struct kept){.path = path, .size = (size_t)status.st_size, .used = status.st_mtim};
			total += (size_t)status.st_size;
		} else {
			free(path);
		}
		free(entries[i]);
	}
	qsort(kept, used, sizeof *kept, oldest_first);
	for (size_t i = 0; i < used; i++) {
		if (total > most && unlink(kept[i].path) == 0)
			total -= kept[i].size;
		free(kept[i].path);
	}
	free(kept);
	if (count >= 0)
		free(entries);
}

bool cache_write(const char *folder, const char *key, const struct dataset *dataset, struct error *error) {
	char head[HEADER_BYTES] = {0};
	char checksum[HASH_HEX];
	struct walk walk = {.writing = true, .fine = true};
	struct dataset written = *dataset; // the walk changes nothing, but could
	put(&walk, head, sizeof head);
	walk_dataset(&walk, &written);
	struct chunks chunks = {.feed = feed_pieces, .from = &walk, .size = walk.at - HEADER_BYTES};
	hash_of(dataset->pool, &chunks, checksum);
	make_head(key, walk.at, checksum, head);
	bool fits = walk.at <= CACHE_BYTES_MAX; // else it would push out itself
	char *path = path_of(folder, key);
	bool fine = !fits || folder_create(folder, error);
	if (fine && fits) {
		folder_drop_temporaries(folder, false);
		fine = file_write_pieces(path, walk.pieces, walk.count, error);
	}
	if (fine && fits)
		trim(folder, CACHE_BYTES_MAX);
	free(path);
	free(walk.pieces);
	free(walk.places);
	arena_finish(&walk.arena);
	return fine;
}
