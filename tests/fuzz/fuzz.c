// See fuzz.h.
#include "fuzz.h"

#include "base/file.h"

#include <stdio.h>
#include <unistd.h>

void fuzz_broken(const char *condition, const char *file, int line) {
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, condition);
	abort();
}

void fuzz_require_error(const struct error *error) {
	fuzz_require(error->message[0] != '\0');
	fuzz_require(error->code == ERROR_RUN || error->code == ERROR_CONFIG || error->code == ERROR_DATA);
}

void fuzz_require_none(const struct errors *errors) {
	char line[ERROR_FILE_MAX + ERROR_TEXT_MAX];
	if (errors->count == 0)
		return;
	error_format(&errors->items[0], line, sizeof line);
	fuzz_broken(line, __FILE__, __LINE__);
}

// --- files ---

static char folder[] = "/dev/shm/aexp-fuzz-XXXXXX";
static char elsewhere[] = "/tmp/aexp-fuzz-XXXXXX";
static const char *made;
static struct arena paths;

static void remove_folder(void) {
	struct error unimportant;
	folder_remove(made, &unimportant);
	arena_finish(&paths);
}

const char *fuzz_folder(void) {
	if (made == NULL) {
		made = mkdtemp(folder) != NULL ? folder : mkdtemp(elsewhere);
		fuzz_require(made != NULL);
		atexit(remove_folder);
	}
	return made;
}

const char *fuzz_path(const char *name) {
	char *path = path_join(fuzz_folder(), name);
	const char *kept = arena_string(&paths, path);
	free(path);
	return kept;
}

void fuzz_write(const char *name, const void *data, size_t size) {
	char *path = path_join(fuzz_folder(), name);
	FILE *file = fopen(path, "wb");
	fuzz_require(file != NULL);
	fuzz_require(size == 0 || fwrite(data, 1, size, file) == size);
	fuzz_require(fclose(file) == 0);
	free(path);
}

// --- parts ---

static const char mark[] = "%% ";
enum { MARK = sizeof mark - 1 };

// The next part from *at on: its name and text. False where there is none.
static bool next_part(const char *data, size_t size, size_t *at, const char **ret_name, size_t *ret_name_length,
                      const char **ret_text, size_t *ret_length) {
	const char *end = data + size, *p = data + *at;
	while (p != NULL && (size_t)(end - p) >= MARK && memcmp(p, mark, MARK) != 0) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p == NULL ? NULL : p + 1;
	}
	const char *line = p == NULL || (size_t)(end - p) < MARK ? NULL : memchr(p, '\n', (size_t)(end - p));
	if (line == NULL)
		return false;
	const char *text = line + 1, *next = text;
	while (next < end && ((size_t)(end - next) < MARK || memcmp(next, mark, MARK) != 0)) {
		const char *newline = memchr(next, '\n', (size_t)(end - next));
		next = newline == NULL ? end : newline + 1;
	}
	*ret_name = p + MARK;
	*ret_name_length = (size_t)(line - *ret_name);
	*ret_text = text;
	*ret_length = (size_t)(next - text);
	*at = (size_t)(next - data);
	return true;
}

char *fuzz_part(const uint8_t *data, size_t size, const char *name, size_t *ret_length) {
	const char *found, *text;
	size_t at = 0, found_length, length;
	while (next_part((const char *)data, size, &at, &found, &found_length, &text, &length)) {
		if (found_length != strlen(name) || memcmp(found, name, found_length) != 0)
			continue;
		char *copy = memory_alloc(length + 1);
		memcpy(copy, text, length);
		if (ret_length != NULL)
			*ret_length = length;
		return copy;
	}
	return NULL;
}

void fuzz_write_parts(const uint8_t *data, size_t size, const char *const *names, size_t count) {
	for (size_t i = 0; i < count; i++) {
		size_t length;
		char *text = fuzz_part(data, size, names[i], &length), *path = path_join(fuzz_folder(), names[i]);
		if (text != NULL)
			fuzz_write(names[i], text, length);
		else
			unlink(path);
		free(path);
		free(text);
	}
}

// --- changes ---

enum { OVER, BEFORE, OUT, END };

void fuzz_change(const void *good, size_t size, const uint8_t *changes, size_t changes_size, struct text *ret) {
	text_append_bytes(ret, good, size);
	while (changes_size >= 3 && ret->length > 0) {
		size_t at = (changes[0] | (size_t)changes[1] << 8) % ret->length, bytes = (changes[2] & 7) + 1;
		int what = changes[2] >> 3 & 3;
		changes += 3;
		changes_size -= 3;
		bool given = what == OVER || what == BEFORE;
		bytes = given && bytes > changes_size ? changes_size : bytes;
		bytes = what != BEFORE && bytes > ret->length - at ? ret->length - at : bytes;
		if (what == BEFORE) {
			text_append_bytes(ret, changes, bytes); // for the room
			memmove(ret->data + at + bytes, ret->data + at, ret->length - bytes - at);
		}
		if (given) {
			memcpy(ret->data + at, changes, bytes);
			changes += bytes;
			changes_size -= bytes;
		} else {
			size_t left = what == END ? 0 : ret->length - at - bytes;
			memmove(ret->data + at, ret->data + at + bytes, left);
			ret->length = at + left;
		}
	}
}
