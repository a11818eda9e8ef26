// Opens a file of the data, however it is stored: plain, compressed (.gz .xz .zst .bz2), or in a zip or tar archive.
#ifndef AEXP_DATA_INPUT_H
#define AEXP_DATA_INPUT_H

#include "base/error.h"

#include <stdint.h>

struct archive;

// What a compressed file may become: beyond INPUT_FREE bytes no more than INPUT_RATIO times what was read of it. Tables
// of ratings shrink to a tenth, at most to a fortieth; what grows more was made to fill memory or time.
enum { INPUT_FREE = 1 << 28, INPUT_RATIO = 200 };

struct input {
	struct archive *archive; // NULL where the file is empty
	char *name;              // for messages: the path, and behind it the name within an archive
	bool plain;              // `name` is the file itself, not compressed: it may be mapped in place of being read
	uint64_t taken;          // bytes that were read
};

// `want` NULL: path is a file, or an archive that holds exactly one. Otherwise path is a folder that holds `want`,
// plain or compressed, or an archive that holds one file of that name, in whatever folder. ${NAME} in path is expanded.
// ERROR_DATA where there is no such file, more than one candidate (naming them), or an archive of too many entries.
// Only regular files of an archive count, wherever their names point: nothing is ever written.
bool input_open(const char *path, const char *want, struct input *ret, struct error *error);
// The file on the disk that input_open would open: path, or the file of the folder. free() *ret.
bool input_find(const char *path, const char *want, char **ret, struct error *error);
// Reads at most `capacity` bytes; *ret_size is less than that only at the end. ERROR_DATA with the reason where the
// file is truncated or damaged, or unpacks to more than a table does (INPUT_RATIO).
bool input_read(struct input *input, void *buffer, size_t capacity, size_t *ret_size, struct error *error);
void input_close(struct input *input); // a zeroed one is fine

#endif
