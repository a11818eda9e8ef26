// See index.h. The journal is SQLite's old one, not its write-ahead log, which does not work on shared file systems.
// Nothing waits for the disk: what a power cut leaves is checked row by row.
#include "report/index.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Raised when what a row holds changes: an index of another version is made anew.
enum { INDEX_VERSION = 1, BUSY_MILLISECONDS = 1000, CELL_MOST = 64 << 20 };

// --- a row ---

// What of an entry is kept; the rest is the place's.
struct kept {
	struct run_entry entry;
	const char *figures; // of entry.final, "NAME\tVALUE\tLOW\tHIGH\n" each
};

enum column_type { COLUMN_TEXT, COLUMN_COUNT, COLUMN_REAL, COLUMN_BOOL, COLUMN_KIND };
static const struct column {
	const char *name;
	enum column_type type;
	size_t offset;
} columns[] = {
    {"kind", COLUMN_KIND, offsetof(struct kept, entry.kind)},
    {"finished", COLUMN_BOOL, offsetof(struct kept, entry.finished)},
    {"runs", COLUMN_COUNT, offsetof(struct kept, entry.runs)},
    {"trials", COLUMN_COUNT, offsetof(struct kept, entry.trials)},
    {"backend", COLUMN_TEXT, offsetof(struct kept, entry.backend)},
    {"seed", COLUMN_TEXT, offsetof(struct kept, entry.seed)},
    {"protocol", COLUMN_TEXT, offsetof(struct kept, entry.protocol)},
    {"epochs", COLUMN_COUNT, offsetof(struct kept, entry.epochs)},
    {"best_epoch", COLUMN_COUNT, offsetof(struct kept, entry.best_epoch)},
    {"best_metric", COLUMN_TEXT, offsetof(struct kept, entry.best_metric)},
    {"best_value", COLUMN_REAL, offsetof(struct kept, entry.best_value)},
    {"figures", COLUMN_TEXT, offsetof(struct kept, figures)},
    {"config", COLUMN_TEXT, offsetof(struct kept, entry.config)},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]), FIRST = 4 }; // name, id, stamp and hash stand before them

static void *member(const struct kept *kept, const struct column *column) {
	return (char *)kept + column->offset;
}

static void hash_member(struct hash *hash, const struct kept *kept, const struct column *column) {
	uint64_t bits = 0;
	switch (column->type) {
	case COLUMN_TEXT:
		hash_string(hash, *(const char **)member(kept, column));
		return;
	case COLUMN_COUNT:
		bits = *(size_t *)member(kept, column);
		break;
	case COLUMN_REAL:
		if (!isnan(*(double *)member(kept, column))) // all that are undefined are the same
			memcpy(&bits, member(kept, column), sizeof(bits));
		break;
	case COLUMN_BOOL:
		bits = *(bool *)member(kept, column);
		break;
	case COLUMN_KIND:
		bits = *(enum run_kind *)member(kept, column);
		break;
	}
	hash_u64(hash, bits);
}

static void hash_row(const struct run_place *place, const struct kept *kept, char ret_hex[HASH_HEX]) {
	struct hash hash;
	hash_init(&hash);
	hash_string(&hash, place->name);
	hash_string(&hash, place->id);
	hash_bytes(&hash, place->stamp, sizeof(place->stamp));
	for (size_t i = 0; i < COLUMNS; i++)
		hash_member(&hash, kept, &columns[i]);
	hash_finish(&hash, ret_hex);
}

static void bind_member(sqlite3_stmt *statement, int at, const struct kept *kept, const struct column *column) {
	switch (column->type) {
	case COLUMN_TEXT:
		sqlite3_bind_text(statement, at, *(const char **)member(kept, column), -1, SQLITE_STATIC);
		break;
	case COLUMN_COUNT:
		sqlite3_bind_int64(statement, at, (sqlite3_int64) * (size_t *)member(kept, column));
		break;
	case COLUMN_REAL:
		sqlite3_bind_double(statement, at, *(double *)member(kept, column)); // NULL where it is undefined
		break;
	case COLUMN_BOOL:
		sqlite3_bind_int(statement, at, *(bool *)member(kept, column));
		break;
	case COLUMN_KIND:
		sqlite3_bind_int(statement, at, (int)*(enum run_kind *)member(kept, column));
		break;
	}
}

static const char *text_at(sqlite3_stmt *statement, int at) {
	const unsigned char *text = sqlite3_column_text(statement, at);
	return text ? (const char *)text : "";
}

// False where the cell holds what no run has.
static bool read_member(sqlite3_stmt *statement, int at, struct arena *arena, struct kept *ret,
                        const struct column *column) {
	int kind;
	switch (column->type) {
	case COLUMN_TEXT:
		*(const char **)member(ret, column) = arena_string(arena, text_at(statement, at));
		break;
	case COLUMN_COUNT:
		*(size_t *)member(ret, column) = (size_t)sqlite3_column_int64(statement, at);
		break;
	case COLUMN_REAL:
		*(double *)member(ret, column) =
		    sqlite3_column_type(statement, at) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(statement, at);
		break;
	case COLUMN_BOOL:
		*(bool *)member(ret, column) = sqlite3_column_int(statement, at) != 0;
		break;
	case COLUMN_KIND:
		kind = sqlite3_column_int(statement, at);
		*(enum run_kind *)member(ret, column) = kind >= 0 && kind < RUN_KINDS ? (enum run_kind)kind : RUN_ONE;
		return kind >= 0 && kind < RUN_KINDS;
	}
	return true;
}

// --- figures as text ---

static void write_figures(const struct run_entry *entry, struct text *text) {
	for (size_t i = 0; i < entry->final_count; i++) {
		const struct run_value *figure = &entry->final[i];
		char number[3][NUMBER_TEXT];
		number_write(figure->value, number[0]);
		number_write(figure->low, number[1]);
		number_write(figure->high, number[2]);
		text_format(text, "%s\t%s\t%s\t%s\n", figure->name, number[0], number[1], number[2]);
	}
}

static double next_number(char **line) {
	const char *field = strsep(line, "\t");
	double value;
	return field && number_read(field, strlen(field), &value) ? value : (double)NAN;
}

static void read_figures(const char *figures, struct arena *arena, struct run_entry *entry) {
	char *rest = arena_string(arena, figures);
	size_t count = 0;
	for (const char *c = figures; *c; c++)
		count += *c == '\n';
	entry->final = arena_alloc(arena, (count + 1) * sizeof(*entry->final));
	entry->final_count = count;
	for (size_t i = 0; i < count; i++) {
		char *line = strsep(&rest, "\n");
		struct run_value *figure = &entry->final[i];
		figure->name = strsep(&line, "\t");
		figure->value = next_number(&line);
		figure->low = next_number(&line);
		figure->high = next_number(&line);
	}
}

// --- the database ---

struct index {
	const char *path;
	sqlite3 *db;
	const struct run_place *places; // (count)
	size_t count;
	struct run_entry *entries; // (count)
	bool *known;               // (count) entries that a good row gave
	struct run_place *gone;    // (gone_count) rows without a folder
	size_t gone_count, gone_room;
	struct arena *arena;
};

static bool is_damaged(int result) {
	int kind = result & 0xff;
	return kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_ERROR || kind == SQLITE_MISMATCH;
}

static int execute(struct index *index, const char *sql) {
	return sqlite3_exec(index->db, sql, NULL, NULL, NULL);
}

static int read_version(struct index *index, int *ret) {
	sqlite3_stmt *statement;
	int result = sqlite3_prepare_v2(index->db, "PRAGMA user_version", -1, &statement, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		*ret = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return result == SQLITE_ROW ? SQLITE_OK : result;
}

static void append_columns(struct text *sql) {
	for (size_t i = 0; i < COLUMNS; i++)
		text_format(sql, ", %s", columns[i].name);
}

// `maybe`: where there is none. SQLite keeps the text without that.
static void write_table(bool maybe, struct text *sql) {
	text_format(sql, "CREATE TABLE %srun (name, id, stamp, hash", maybe ? "IF NOT EXISTS " : "");
	append_columns(sql);
	text_append(sql, ", PRIMARY KEY (name, id)) WITHOUT ROWID");
}

static int create_table(struct index *index) {
	struct text sql = {0};
	text_append(&sql, "BEGIN IMMEDIATE; ");
	write_table(true, &sql);
	text_format(&sql, "; PRAGMA user_version = %d; COMMIT", INDEX_VERSION);
	int result = execute(index, text_string(&sql));
	text_finish(&sql);
	return result;
}

// An index holds this one table and nothing else: a view, a trigger or a column that is computed would be someone
// else's program, which may never end.
static int check_table(struct index *index) {
	struct text sql = {0};
	sqlite3_stmt *statement;
	write_table(false, &sql);
	int result = sqlite3_prepare_v2(index->db, "SELECT type, sql FROM sqlite_master", -1, &statement, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	bool good = result == SQLITE_ROW && !strcmp(text_at(statement, 0), "table") &&
	            !strcmp(text_at(statement, 1), text_string(&sql));
	if (result == SQLITE_ROW)
		result = good && sqlite3_step(statement) == SQLITE_DONE ? SQLITE_OK : SQLITE_CORRUPT;
	sqlite3_finalize(statement);
	text_finish(&sql);
	return result == SQLITE_DONE ? SQLITE_CORRUPT : result;
}

static int open_index(struct index *index) {
	int version = 0;
	int result = sqlite3_open_v2(index->path, &index->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (result != SQLITE_OK)
		return result;
	sqlite3_busy_timeout(index->db, BUSY_MILLISECONDS);
	sqlite3_limit(index->db, SQLITE_LIMIT_LENGTH, CELL_MOST);
	execute(index, "PRAGMA synchronous = OFF");
	result = read_version(index, &version);
	if (result == SQLITE_OK && version == 0)
		result = create_table(index);
	else if (result == SQLITE_OK && version != INDEX_VERSION)
		result = SQLITE_CORRUPT;
	return result == SQLITE_OK ? check_table(index) : result;
}

static void close_index(struct index *index) {
	sqlite3_close(index->db);
	index->db = NULL;
}

// A damaged index goes, with the journal that belongs to it.
static void remove_index(struct index *index) {
	struct text journal = {0};
	close_index(index);
	text_format(&journal, "%s-journal", index->path);
	unlink(index->path);
	unlink(text_string(&journal));
	text_finish(&journal);
}

// --- reading ---

static int compare_places(const struct run_place *place, const char *name, const char *id) {
	int order = strcmp(place->name, name);
	return order ? order : strcmp(place->id, id);
}

static void add_gone(struct index *index, const char *name, const char *id) {
	if (index->gone_count == index->gone_room) {
		index->gone_room = index->gone_room ? 2 * index->gone_room : 64;
		index->gone = memory_resize(index->gone, index->gone_room * sizeof(*index->gone));
	}
	index->gone[index->gone_count++] =
	    (struct run_place){.name = arena_string(index->arena, name), .id = arena_string(index->arena, id)};
}

// Takes the row over where it is of this very folder and whole.
static void take_row(struct index *index, sqlite3_stmt *row, size_t i) {
	const struct run_place *place = &index->places[i];
	const void *stamp = sqlite3_column_blob(row, 2);
	if (!stamp || sqlite3_column_bytes(row, 2) != (int)sizeof(place->stamp) ||
	    memcmp(stamp, place->stamp, sizeof(place->stamp)) != 0)
		return;
	struct kept kept = {.entry = {.name = place->name, .id = place->id, .folder = place->folder}};
	for (size_t k = 0; k < COLUMNS; k++)
		if (!read_member(row, FIRST + (int)k, index->arena, &kept, &columns[k]))
			return;
	char hex[HASH_HEX];
	hash_row(place, &kept, hex);
	if (strcmp(hex, text_at(row, 3)) != 0)
		return;
	read_figures(kept.figures, index->arena, &kept.entry);
	index->entries[i] = kept.entry;
	index->known[i] = true;
}

// Rows and places have the same order, that of bytes.
static int read_rows(struct index *index) {
	struct text sql = {0};
	sqlite3_stmt *row;
	size_t i = 0;
	text_append(&sql, "SELECT name, id, stamp, hash");
	append_columns(&sql);
	text_append(&sql, " FROM run ORDER BY name, id");
	int result = sqlite3_prepare_v2(index->db, text_string(&sql), -1, &row, NULL);
	while (result == SQLITE_OK && (result = sqlite3_step(row)) == SQLITE_ROW) {
		const char *name = text_at(row, 0), *id = text_at(row, 1);
		while (i < index->count && compare_places(&index->places[i], name, id) < 0)
			i++;
		if (i < index->count && compare_places(&index->places[i], name, id) == 0)
			take_row(index, row, i);
		else
			add_gone(index, name, id);
		result = SQLITE_OK;
	}
	sqlite3_finalize(row);
	text_finish(&sql);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int open_and_read(struct index *index) {
	memset(index->known, 0, index->count);
	index->gone_count = 0;
	int result = open_index(index);
	return result == SQLITE_OK ? read_rows(index) : result;
}

// --- writing ---

static int run_once(sqlite3_stmt *statement) {
	int result = sqlite3_step(statement);
	sqlite3_reset(statement);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int put_row(struct index *index, sqlite3_stmt *statement, size_t i) {
	const struct run_place *place = &index->places[i];
	struct text figures = {0};
	char hex[HASH_HEX];
	write_figures(&index->entries[i], &figures);
	struct kept kept = {index->entries[i], text_string(&figures)};
	hash_row(place, &kept, hex);
	sqlite3_bind_text(statement, 1, place->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, place->id, -1, SQLITE_STATIC);
	sqlite3_bind_blob(statement, 3, place->stamp, sizeof(place->stamp), SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, hex, -1, SQLITE_STATIC);
	for (size_t k = 0; k < COLUMNS; k++)
		bind_member(statement, FIRST + 1 + (int)k, &kept, &columns[k]);
	int result = run_once(statement);
	text_finish(&figures);
	return result;
}

static int put_rows(struct index *index) {
	struct text sql = {0};
	sqlite3_stmt *statement;
	text_append(&sql, "INSERT OR REPLACE INTO run (name, id, stamp, hash");
	append_columns(&sql);
	text_append(&sql, ") VALUES (?, ?, ?, ?");
	for (size_t i = 0; i < COLUMNS; i++)
		text_append(&sql, ", ?");
	text_append(&sql, ")");
	int result = sqlite3_prepare_v2(index->db, text_string(&sql), -1, &statement, NULL);
	for (size_t i = 0; result == SQLITE_OK && i < index->count; i++)
		if (!index->known[i] && !index->places[i].fresh)
			result = put_row(index, statement, i);
	sqlite3_finalize(statement);
	text_finish(&sql);
	return result;
}

static int remove_rows(struct index *index) {
	sqlite3_stmt *statement;
	int result = sqlite3_prepare_v2(index->db, "DELETE FROM run WHERE name = ? AND id = ?", -1, &statement, NULL);
	for (size_t i = 0; result == SQLITE_OK && i < index->gone_count; i++) {
		sqlite3_bind_text(statement, 1, index->gone[i].name, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 2, index->gone[i].id, -1, SQLITE_STATIC);
		result = run_once(statement);
	}
	sqlite3_finalize(statement);
	return result;
}

static bool has_news(const struct index *index) {
	for (size_t i = 0; i < index->count; i++)
		if (!index->known[i] && !index->places[i].fresh)
			return true;
	return index->gone_count > 0;
}

// What fails is taken back by closing.
static int write_news(struct index *index) {
	int result = execute(index, "BEGIN IMMEDIATE");
	result = result == SQLITE_OK ? put_rows(index) : result;
	result = result == SQLITE_OK ? remove_rows(index) : result;
	return result == SQLITE_OK ? execute(index, "COMMIT") : result;
}

// --- from the folders ---

enum { READ_BLOCK = 64 }; // places that are read one after the other, into an arena of their own

struct reading {
	const struct index *index;
	void (*read)(struct arena *arena, const struct run_place *place, struct run_entry *ret);
	size_t *places; // (count) those that no row gave
	size_t count;
	struct arena *arenas; // (blocks)
};

static void read_block(void *context, size_t block) {
	struct reading *reading = context;
	const struct index *index = reading->index;
	size_t end = (block + 1) * READ_BLOCK < reading->count ? (block + 1) * READ_BLOCK : reading->count;
	for (size_t k = block * READ_BLOCK; k < end; k++) {
		size_t i = reading->places[k];
		reading->read(&reading->arenas[block], &index->places[i], &index->entries[i]);
	}
}

static void read_unknown(const struct index *index, struct pool *pool,
                         void (*read)(struct arena *arena, const struct run_place *place, struct run_entry *ret)) {
	struct reading reading = {index, read, memory_alloc((index->count + 1) * sizeof(*reading.places)), 0, NULL};
	for (size_t i = 0; i < index->count; i++)
		if (!index->known[i])
			reading.places[reading.count++] = i;
	size_t blocks = (reading.count + READ_BLOCK - 1) / READ_BLOCK;
	reading.arenas = memory_alloc((blocks + 1) * sizeof(*reading.arenas));
	pool_run(pool, blocks, read_block, &reading);
	struct arena all = {0};
	for (size_t block = blocks; block-- > 0;) { // the joined one at the end: its blocks are walked over each time
		arena_join(&reading.arenas[block], &all);
		all = reading.arenas[block];
	}
	arena_join(index->arena, &all);
	free(reading.places);
	free(reading.arenas);
}

void index_read(const char *results, const struct run_place *places, size_t count, struct pool *pool,
                struct arena *arena,
                void (*read)(struct arena *arena, const struct run_place *place, struct run_entry *ret),
                struct run_entry *entries, struct error *note) {
	char *path = path_join(results, ".index.sqlite");
	struct index index = {.path = path, .places = places, .count = count, .entries = entries, .arena = arena};
	index.known = memory_alloc(count + 1);
	int result = open_and_read(&index);
	if (is_damaged(result)) {
		remove_index(&index);
		result = open_and_read(&index);
	}
	read_unknown(&index, pool, read);
	if (result == SQLITE_OK && has_news(&index))
		result = write_news(&index);
	*note = (struct error){0};
	if (result != SQLITE_OK)
		error_set(note, ERROR_RUN, "the index \"%s\" is not used: %s", path, sqlite3_errstr(result));
	close_index(&index);
	free(index.known);
	free(index.gone);
	free(path);
}
