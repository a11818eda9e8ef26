// For tests of loading: a temporary folder, files and archives in it, and loading by the text of a `data` group.
#ifndef AEXP_TESTS_DATA_LOAD_FIXTURE_H
#define AEXP_TESTS_DATA_LOAD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "config/read.h"
#include "data/data.h"

struct fixture {
	char folder[64];
	struct arena arena;
	struct errors errors;
	struct data_config *config;
	struct dataset data;
	struct data_access access; // how `load` loads
	bool loaded;
};

struct root {
	struct data_config *data;
};
static const struct key root_keys[] = {
    {.name = "data",
     .type = KEY_GROUP,
     .offset = offsetof(struct root, data),
     .fallback = "{ }",
     .schema = &data_schema},
};
static const struct schema root_schema = SCHEMA(struct root, root_keys);

static inline int fixture_setup(void **state) {
	struct fixture *f = calloc(1, sizeof *f);
	snprintf(f->folder, sizeof f->folder, "/tmp/aexp-load-XXXXXX");
	*state = f;
	return f == NULL || mkdtemp(f->folder) == NULL;
}

static inline void fixture_reset(struct fixture *f) {
	dataset_finish(&f->data);
	arena_finish(&f->arena);
	errors_finish(&f->errors);
	f->config = NULL;
	f->loaded = false;
}

static inline int fixture_teardown(void **state) {
	struct fixture *f = *state;
	struct error error;
	fixture_reset(f);
	bool fine = folder_remove(f->folder, &error);
	free(f);
	return !fine;
}

static inline char *fixture_path(struct fixture *f, const char *name) {
	char *path = path_join(f->folder, name), *kept = arena_string(&f->arena, path);
	free(path);
	return kept;
}

static inline void write_bytes(struct fixture *f, const char *name, const void *bytes, size_t size) {
	FILE *file = fopen(fixture_path(f, name), "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static inline void write_text(struct fixture *f, const char *name, const char *text) {
	write_bytes(f, name, text, strlen(text));
}

struct member {
	const char *name, *bytes;
	size_t size;
};

// Packs members with a filter and a format of libarchive's: "gzip" and "raw" make a .gz, "none" and "zip" a zip.
static inline void pack(struct fixture *f, const char *name, const char *filter, const char *format,
                        const struct member *members, size_t count) {
	struct archive *archive = archive_write_new();
	assert_int_equal(archive_write_set_format_by_name(archive, format), ARCHIVE_OK);
	if (strcmp(filter, "none") != 0)
		assert_int_equal(archive_write_add_filter_by_name(archive, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(archive, fixture_path(f, name)), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		struct archive_entry *entry = archive_entry_new();
		bool folder = members[i].bytes == NULL;
		archive_entry_set_pathname(entry, members[i].name);
		archive_entry_set_filetype(entry, folder ? AE_IFDIR : AE_IFREG);
		archive_entry_set_perm(entry, folder ? 0755 : 0644);
		archive_entry_set_size(entry, (la_int64_t)members[i].size);
		assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
		if (members[i].size > 0)
			assert_int_equal(archive_write_data(archive, members[i].bytes, members[i].size), members[i].size);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	archive_write_free(archive);
}

// Reads, checks and loads `data: { TEXT };`; errors are in f->errors.
static inline bool load(struct fixture *f, const char *text) {
	fixture_reset(f);
	struct text file = {0};
	struct root *root = arena_alloc(&f->arena, sizeof *root);
	text_format(&file, "data: {\n%s\n};\n", text);
	write_text(f, "experiment.cfg", text_string(&file));
	text_finish(&file);
	const char *path = fixture_path(f, "experiment.cfg");
	const struct value *tree = config_load(path, NULL, 0, &root_schema, &f->arena, &f->errors);
	if (tree == NULL || !schema_read(&root_schema, tree, "", &f->arena, root, &f->errors))
		return false;
	f->config = root->data;
	data_check(root->data, tree, &f->errors);
	if (f->errors.count > 0)
		return false;
	struct error error = {0};
	f->loaded = data_load_with(root->data, &f->access, &f->data, &error);
	if (!f->loaded)
		errors_push(&f->errors, &error);
	return f->loaded;
}

// An error as it would be printed, less the folder's name: "ratings.csv:2: message".
static inline const char *spelled(struct fixture *f, const char *text) {
	struct text out = {0};
	char prefix[80];
	snprintf(prefix, sizeof prefix, "%s/", f->folder);
	for (const char *hit; (hit = strstr(text, prefix)) != NULL; text = hit + strlen(prefix))
		text_append_bytes(&out, text, (size_t)(hit - text));
	text_append(&out, text);
	const char *kept = arena_string(&f->arena, text_string(&out));
	text_finish(&out);
	return kept;
}

static inline void must_load(struct fixture *f, const char *text) {
	if (!load(f, text)) {
		char line[3000];
		error_format(&f->errors.items[0], line, sizeof line);
		fail_msg("%s (%s)", line, f->errors.items[0].hint);
	}
}

// Exactly one error, of that code, spelling and hint.
static inline void must_fail(struct fixture *f, const char *text, enum error_code code, const char *message,
                             const char *hint) {
	char line[3000];
	assert_false(load(f, text));
	error_format(&f->errors.items[0], line, sizeof line);
	assert_string_equal(spelled(f, line), message);
	assert_string_equal(spelled(f, f->errors.items[0].hint), hint);
	assert_int_equal(f->errors.items[0].code, code);
	assert_int_equal(f->errors.count, 1);
}

static inline double mean_of(const struct dataset *data) {
	double sum = 0;
	for (size_t i = 0; i < data->count; i++)
		sum += (double)data->rating[i];
	return sum / (double)data->count;
}

// The index of an id, or a failure.
static inline uint32_t index_of(const struct ids *ids, const char *name) {
	uint32_t index = IDS_FULL;
	assert_true(ids_find(ids, name, strlen(name), &index));
	return index;
}

#endif
