// Files of ratings. A plain file is mapped, anything else is unpacked into a buffer; the text that lies in memory is
// cut into blocks at line ends, the blocks are read beside each other (ratings_block.c), and then taken in their order:
// the first error counts, ids get their numbers, ratings their places. Nothing depends on the number of threads.
//
// Where a quoted field has a line end in it, a block may begin in the middle of a line. That is known when the block
// before it is taken: it ends somewhere else. From there on, what was read is thrown away and read again in order.
#include "data/ratings.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "data/big_array.h"
#include "data/columns.h"

// Of a data set: places are 32 bits wide.
#define RATINGS_MAX ((size_t)UINT32_MAX - 1)

enum {
	VALUE_SHOWN = 60,             // bytes of a bad value that a message shows
	STREAM_BLOCKS = 16,           // unpacked before they are read
	PIECE_BYTES = LINE_BYTES_MAX, // unpacked at a time
};

// One file.
struct reading {
	const struct ratings_layout *layout;
	const char *name;
	uint8_t part;
	struct dataset *dataset;
	struct rating_columns columns;
	bool begun;   // the header is read
	bool started; // and blocks
	size_t line;  // of the next one
	size_t first; // rating of the file
};

struct loading *loading_create(struct pool *pool, size_t block_bytes) {
	struct loading *loading = memory_alloc(sizeof *loading);
	loading->pool = pool;
	loading->block_bytes = block_bytes == 0 ? LOADING_BLOCK : block_bytes;
	return loading;
}

void loading_destroy(struct loading *loading) {
	if (loading == NULL)
		return;
	for (size_t i = 0; i < loading->files_count; i++)
		free(loading->files[i].name);
	intern_finish(&loading->users);
	intern_finish(&loading->items);
	free(loading->lines.items);
	free(loading);
}

static size_t line_of(const struct line_runs *runs, size_t rating) {
	size_t low = 0, high = runs->count; // the last run that begins at or before the rating is in [low, high)
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (runs->items[middle].rating <= rating)
			low = middle;
		else
			high = middle;
	}
	return runs->count == 0 ? 0 : runs->items[low].line + (rating - runs->items[low].rating);
}

struct origin loading_at(const struct loading *loading, size_t rating) {
	struct origin at = {0};
	for (size_t i = 0; loading != NULL && i < loading->files_count && loading->files[i].first <= rating; i++)
		at = (struct origin){.file = loading->files[i].name, .line = line_of(&loading->lines, rating)};
	return at;
}

// --- Arrays ---

static void *grown(void *old, size_t used, size_t capacity, size_t size, struct error *error) {
	void *array = big_array(capacity, size, "ratings", error);
	if (array != NULL && used > 0)
		memcpy(array, old, used * size);
	if (array != NULL)
		free(old);
	return array;
}

// Room for `more` ratings in the arrays that the data set has.
static bool reserve(struct dataset *dataset, size_t more, bool with_time, struct error *error) {
	struct loading *loading = dataset->loading;
	size_t used = dataset->count, wanted = used + more;
	if (loading->capacity >= wanted && loading->capacity > 0)
		return true;
	size_t half_more = loading->capacity + loading->capacity / 2;
	size_t capacity = wanted > half_more ? wanted : half_more;
	bool fine = true;
#define GROW(array)                                                                                                    \
	do {                                                                                                               \
		void *bigger = fine ? grown(array, used, capacity, sizeof *(array), error) : NULL;                             \
		fine = bigger != NULL;                                                                                         \
		if (fine)                                                                                                      \
			(array) = bigger;                                                                                          \
	} while (0)
	GROW(dataset->user);
	GROW(dataset->item);
	GROW(dataset->rating);
	if (with_time)
		GROW(dataset->time);
	if (loading->parts)
		GROW(dataset->part);
#undef GROW
	if (fine)
		loading->capacity = capacity;
	return fine;
}

// --- The header ---

static int shown(const struct field *field) {
	return field->length < VALUE_SHOWN ? (int)field->length : VALUE_SHOWN;
}

// Columns by name, from the header; by number, as they stand.
static bool find_columns(struct reading *reading, const struct lines *lines, const struct columns *header,
                         struct error *error) {
	const struct ratings_layout *layout = reading->layout;
	const struct column_ref *refs[ROLES] = {&layout->user, &layout->item, &layout->rating, &layout->time};
	for (size_t role = 0; role < ROLES; role++) {
		const char *name = refs[role]->name;
		reading->columns.used[role] = name != NULL || refs[role]->number > 0;
		if (name == NULL) {
			reading->columns.place[role] = reading->columns.used[role] ? refs[role]->number - 1 : 0;
		} else if (!columns_find(header, name, &reading->columns.place[role])) {
			error_at(error, ERROR_DATA, lines_at(lines), "the header has no column \"%s\"", name);
			const char *nearest = columns_nearest(header, name);
			if (nearest != NULL)
				error_hint(error, "Did you mean \"%s\"?", nearest);
			else
				lines_hint_separator(lines, error);
			return false;
		}
	}
	return true;
}

// A header that was promised but is not there would cost a rating without a word.
static bool check_header(const struct reading *reading, const struct lines *lines, struct error *error) {
	double number;
	if (reading->columns.place[ROLE_RATING] >= lines->count)
		return true; // the lines below will say so
	const struct field *field = &lines->fields[reading->columns.place[ROLE_RATING]];
	if (!number_read(field->data, field->length, &number))
		return true;
	error_at(error, ERROR_DATA, lines_at(lines), "the header's rating column is a number, \"%.*s\"", shown(field),
	         field->data);
	error_hint(error, "Set header = false if the file has no header.");
	return false;
}

// Reads the header where there is one; false in *ret_begun where the text ends before it does.
static bool read_header(struct reading *reading, struct lines *lines, bool *ret_begun, struct error *error) {
	struct columns header = {0};
	struct arena names = {0};
	bool more = true;
	*ret_begun = true;
	if (reading->layout->header && !lines_next(lines, &more, error))
		return false;
	if (!more) { // an empty file has its own message
		*ret_begun = !lines->cut_off;
		return true;
	}
	if (reading->layout->header)
		header = columns_of_header(lines, &names);
	bool fine = find_columns(reading, lines, &header, error) &&
	            (!reading->layout->header || check_header(reading, lines, error));
	arena_finish(&names);
	return fine;
}

static bool begin(struct reading *reading, const char *text, size_t size, bool whole, size_t *ret_start,
                  struct error *error) {
	struct lines lines;
	lines_over(text, size, whole, reading->name, &reading->layout->lines, &lines);
	bool fine = read_header(reading, &lines, &reading->begun, error);
	rating_columns_settle(&reading->columns, &reading->layout->lines);
	*ret_start = lines.start;
	reading->line = lines.next_line;
	lines_close(&lines);
	return fine;
}

// --- Blocks ---

// A piece of text that is read in one go.
struct piece {
	struct reading *reading;
	const char *text; // (size)
	size_t size;
	bool whole;                   // nothing comes behind it
	size_t count;                 // blocks
	size_t wave;                  // the first block of the present wave
	size_t end;                   // of the lines that were taken
	size_t *start;                // (count + 1) of each block; the end
	size_t *place;                // (count + 1) of each block's first rating, at first counted generously
	struct ratings_block *blocks; // (count)
};

// Cuts [start, size) behind the first line end of each stretch of block_bytes.
static void cut(struct piece *piece, size_t start, size_t block_bytes) {
	size_t most = (piece->size - start) / block_bytes + 1;
	piece->start = memory_alloc((most + 1) * sizeof *piece->start);
	piece->place = memory_alloc((most + 1) * sizeof *piece->place);
	piece->blocks = memory_alloc(most * sizeof *piece->blocks);
	piece->start[0] = start;
	piece->count = 1;
	for (size_t at = start + block_bytes; at < piece->size;) {
		const char *newline = memchr(piece->text + at - 1, '\n', piece->size - at + 1);
		size_t next = newline == NULL ? piece->size : (size_t)(newline - piece->text) + 1;
		if (next < piece->size)
			piece->start[piece->count++] = next;
		at += block_bytes;
		if (at < next) // a line longer than a block
			at += (next - at + block_bytes - 1) / block_bytes * block_bytes;
	}
	piece->start[piece->count] = piece->size;
}

static void piece_finish(struct piece *piece) {
	for (size_t i = 0; i < piece->count; i++)
		ratings_block_finish(&piece->blocks[i]);
	free(piece->blocks);
	free(piece->start);
	free(piece->place);
}

static size_t count_newlines(const char *text, size_t size) {
	enum { LANES = 16, VECTORS = 4, ROUNDS = 255 }; // a lane counts to 255; vectors do not wait for each other
	typedef unsigned char lanes __attribute__((vector_size(LANES)));
	size_t count = 0, at = 0;
	while (size - at >= LANES * VECTORS) {
		lanes sum[VECTORS] = {{0}};
		for (size_t i = 0; i < ROUNDS && size - at >= LANES * VECTORS; i++) {
			for (size_t v = 0; v < VECTORS; v++, at += LANES) {
				lanes bytes;
				memcpy(&bytes, text + at, sizeof bytes);
				sum[v] -= (lanes)(bytes == '\n');
			}
		}
		for (size_t v = 0; v < VECTORS; v++) {
			for (size_t i = 0; i < LANES; i++)
				count += sum[v][i];
		}
	}
	for (; at < size; at++)
		count += text[at] == '\n';
	return count;
}

// No block has more ratings than line ends; only the last line may have none.
static void count_block(void *context, size_t i) {
	struct piece *piece = context;
	size_t start = piece->start[i], end = piece->start[i + 1];
	piece->place[i] = count_newlines(piece->text + start, end - start) + (i + 1 == piece->count);
}

static void place_blocks(struct piece *piece) {
	size_t place = piece->reading->dataset->count;
	for (size_t i = 0; i <= piece->count; i++) {
		size_t ratings = piece->place[i];
		piece->place[i] = place;
		place += ratings;
	}
}

// Reads block i from `start` on.
static void read_from(const struct piece *piece, size_t i, size_t start) {
	const struct reading *reading = piece->reading;
	struct dataset *dataset = reading->dataset;
	struct loading *loading = dataset->loading;
	struct ratings_block *block = &piece->blocks[i];
	*block = (struct ratings_block){
	    .columns = &reading->columns,
	    .users = &loading->users,
	    .items = &loading->items,
	    .first = i == 0 && !reading->started,
	    .until = piece->start[i + 1],
	    .place = piece->place[i],
	    .user = dataset->user,
	    .item = dataset->item,
	    .rating = dataset->rating,
	    .time = reading->columns.used[ROLE_TIME] ? dataset->time : NULL,
	    .user_ids.number = loading->blocks + (uint32_t)i,
	    .item_ids.number = loading->blocks + (uint32_t)i,
	};
	lines_over(piece->text, piece->size, piece->whole, reading->name, &reading->layout->lines, &block->lines);
	block->lines.start = start;
	block->lines.next_line = block->first ? reading->line : 1;
	ratings_block_read(block);
}

static void read_block(void *context, size_t i) {
	const struct piece *piece = context;
	read_from(piece, piece->wave + i, piece->start[piece->wave + i]);
}

// --- Taking blocks in their order ---

// Throws away what was read from block i on.
static void forget_from(struct piece *piece, size_t i) {
	struct loading *loading = piece->reading->dataset->loading;
	for (; i < piece->count; i++) {
		intern_forget(&loading->users, &piece->blocks[i].user_ids);
		intern_forget(&loading->items, &piece->blocks[i].item_ids);
		ratings_block_finish(&piece->blocks[i]);
	}
}

// The block's ratings move to the front, where blocks before it had fewer than there was room for.
static void move_block(const struct ratings_block *block, struct dataset *dataset) {
	size_t to = dataset->count, from = block->place, count = block->count;
	if (to == from)
		return;
	memmove(dataset->user + to, dataset->user + from, count * sizeof *dataset->user);
	memmove(dataset->item + to, dataset->item + from, count * sizeof *dataset->item);
	memmove(dataset->rating + to, dataset->rating + from, count * sizeof *dataset->rating);
	if (block->time != NULL)
		memmove(dataset->time + to, dataset->time + from, count * sizeof *dataset->time);
}

// An id of the block found no room: the error stands at the first rating that has it.
static bool no_room(const struct ratings_block *block, const struct loading *loading, enum rating_role role,
                    uint32_t code, struct error *error) {
	const uint32_t *codes = role == ROLE_USER ? block->user : block->item;
	size_t known = role == ROLE_USER ? loading->users.ids->count : loading->items.ids->count, i = 0;
	while (i + 1 < block->count && codes[block->place + i] != code)
		i++;
	return error_at(error, ERROR_DATA, loading_at(loading, block->place + i), "no room for more than %zu %ss", known,
	                rating_role_names[role]);
}

static bool merge_ids(struct ratings_block *block, struct loading *loading, struct error *error) {
	uint32_t code;
	if (!intern_merge(&loading->users, &block->user_ids, &code))
		return no_room(block, loading, ROLE_USER, code, error);
	return intern_merge(&loading->items, &block->item_ids, &code) || no_room(block, loading, ROLE_ITEM, code, error);
}

// Takes a block that begins where the one before it ended. Its lines are counted from 1 but for the file's first block.
static bool take_block(struct reading *reading, struct ratings_block *block, struct error *error) {
	struct dataset *dataset = reading->dataset;
	struct loading *loading = dataset->loading;
	size_t before = block->first ? 0 : reading->line - 1;
	for (size_t i = 0; i < block->runs.count; i++)
		line_runs_add(&loading->lines, dataset->count + block->runs.items[i].rating,
		              block->runs.items[i].line + before);
	if (block->count > RATINGS_MAX - dataset->count)
		return error_at(error, ERROR_DATA, loading_at(loading, RATINGS_MAX), "no room for more than %zu ratings",
		                RATINGS_MAX);
	if (block->error != NULL) {
		*error = *block->error;
		error->line += before;
		return false;
	}
	move_block(block, dataset);
	block->place = dataset->count;
	dataset->count += block->count;
	reading->line = block->lines.next_line + before;
	return merge_ids(block, loading, error);
}

// Takes the wave's blocks; false in *ret_more where the text's last whole line ends in one of them. in_order: all that
// follows is read here.
static bool take_wave(struct piece *piece, size_t wave_end, bool *in_order, bool *ret_more, struct error *error) {
	*ret_more = true;
	for (size_t i = piece->wave; i < wave_end && *ret_more; i++) {
		struct ratings_block *block = &piece->blocks[i];
		if (!*in_order && piece->end != piece->start[i]) {
			forget_from(piece, i);
			*in_order = true;
		}
		if (*in_order)
			read_from(piece, i, piece->end);
		if (!take_block(piece->reading, block, error))
			return false;
		piece->end = block->lines.start;
		*ret_more = piece->end >= block->until; // else the line goes on behind the text
		if (!*ret_more)
			forget_from(piece, i + 1);
	}
	return true;
}

// Each wave is as large as all before it, so that most of its ids are known.
static bool read_waves(struct piece *piece, struct error *error) {
	struct loading *loading = piece->reading->dataset->loading;
	bool in_order = false, more = true;
	while (more && piece->wave < piece->count) {
		size_t before = loading->blocks + piece->wave, threads = pool_threads(loading->pool);
		size_t wave = before < threads ? threads : before, left = piece->count - piece->wave;
		wave = wave < left ? wave : left;
		if (!in_order)
			pool_run(loading->pool, wave, read_block, piece);
		if (!take_wave(piece, piece->wave + wave, &in_order, &more, error))
			return false;
		piece->wave += wave;
	}
	return true;
}

static void resolve_block(void *context, size_t i) {
	const struct piece *piece = context;
	const struct reading *reading = piece->reading;
	const struct ratings_block *block = &piece->blocks[i];
	struct dataset *dataset = reading->dataset;
	if (block->count == 0)
		return;
	intern_resolve(block->users, &block->user_ids, block->user + block->place, block->count);
	intern_resolve(block->items, &block->item_ids, block->item + block->place, block->count);
	if (dataset->part != NULL)
		memset(dataset->part + block->place, reading->part, block->count);
}

static bool read_blocks(struct piece *piece, size_t *ret_end, struct error *error) {
	struct reading *reading = piece->reading;
	struct loading *loading = reading->dataset->loading;
	pool_run(loading->pool, piece->count, count_block, piece);
	place_blocks(piece);
	if (!reserve(reading->dataset, piece->place[piece->count] - reading->dataset->count,
	             reading->columns.used[ROLE_TIME], error))
		return false;
	piece->end = piece->start[0];
	bool fine = read_waves(piece, error);
	*ret_end = piece->end;
	if (!fine)
		return false;
	pool_run(loading->pool, piece->count, resolve_block, piece);
	loading->blocks += (uint32_t)piece->count;
	reading->started = true;
	return true;
}

// Reads what lies in memory up to *ret_end; all of it where it is the whole rest of the file.
static bool read_text(struct reading *reading, const char *text, size_t size, bool whole, size_t *ret_end,
                      struct error *error) {
	size_t start = 0;
	*ret_end = 0;
	if (!reading->begun && !begin(reading, text, size, whole, &start, error))
		return false;
	*ret_end = start;
	if (!reading->begun || start == size)
		return true;
	struct piece piece = {.reading = reading, .text = text, .size = size, .whole = whole};
	cut(&piece, start, reading->dataset->loading->block_bytes);
	bool fine = read_blocks(&piece, ret_end, error);
	piece_finish(&piece);
	return fine;
}

// --- Files ---

// Fills the buffer from `used` on. What came before a failure is kept; *ret_failed then says so.
static void fill(struct input *input, char *buffer, size_t capacity, size_t *used, bool *ret_ended, bool *ret_failed,
                 struct error *error) {
	*ret_ended = *ret_failed = false;
	while (*used < capacity && !*ret_ended && !*ret_failed) {
		size_t room = capacity - *used, got = 0;
		room = room < PIECE_BYTES ? room : PIECE_BYTES;
		*ret_failed = !input_read(input, buffer + *used, room, &got, error);
		*used += *ret_failed ? 0 : got;
		*ret_ended = !*ret_failed && got < room;
	}
}

static bool read_stream(struct reading *reading, struct input *input, struct error *error) {
	size_t capacity = STREAM_BLOCKS * reading->dataset->loading->block_bytes, used = 0, end;
	capacity = capacity < 2 * LINE_BYTES_MAX ? 2 * LINE_BYTES_MAX : capacity; // the longest line must fit
	char *buffer = big_array(capacity, 1, "text", error);
	bool fine = buffer != NULL, ended = false, failed = false;
	while (fine && !ended && !failed) {
		struct error trouble = {0};
		fill(input, buffer, capacity, &used, &ended, &failed, &trouble);
		fine = read_text(reading, buffer, used, ended, &end, error);
		if (fine && failed)
			*error = trouble;
		used -= fine ? end : 0;
		if (fine)
			memmove(buffer, buffer + end, used);
	}
	free(buffer);
	return fine && !failed;
}

static bool read_file(struct reading *reading, struct input *input, struct error *error) {
	struct file_map map = {0};
	size_t end;
	if (!input->plain || !file_map(input->name, &map, NULL)) // a pipe cannot be mapped
		return read_stream(reading, input, error);
	bool fine = read_text(reading, map.data == NULL ? "" : map.data, map.size, true, &end, error);
	file_unmap(&map);
	return fine;
}

static bool prepare(struct dataset *dataset, struct error *error) {
	struct loading *loading = dataset->loading;
	return (loading->users.place != NULL || intern_init(&loading->users, &dataset->users, error)) &&
	       (loading->items.place != NULL || intern_init(&loading->items, &dataset->items, error));
}

bool ratings_read(const char *path, const char *want, const struct ratings_layout *layout, uint8_t part,
                  struct dataset *ret, struct error *error) {
	struct loading *loading = ret->loading;
	struct input input;
	assert(loading != NULL && loading->files_count < PARTS);
	if (!prepare(ret, error) || !input_open(path, want, &input, error))
		return false;
	struct reading reading = {
	    .layout = layout, .name = input.name, .part = part, .dataset = ret, .line = 1, .first = ret->count};
	loading->files[loading->files_count].name = memory_copy_string(input.name);
	loading->files[loading->files_count++].first = ret->count;
	bool fine = read_file(&reading, &input, error);
	struct origin file = {.file = input.name};
	if (fine && ret->count == reading.first)
		fine = error_at(error, ERROR_DATA, file, "the file holds no ratings");
	input_close(&input);
	return fine;
}
