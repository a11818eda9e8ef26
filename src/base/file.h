// Files and paths: whole-file reading, atomic writing (temporary name, fsync, rename, fsync of the folder), folders.
#ifndef AEXP_BASE_FILE_H
#define AEXP_BASE_FILE_H

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"

bool file_exists(const char *path); // anything by that name
bool file_is_folder(const char *path);
bool file_is_regular(const char *path); // neither a folder nor a pipe, which one might wait for; links are followed
// The whole file, terminated by a NUL that is not counted; ERROR_DATA when it cannot be read, is no regular file (a pipe
// might be waited for), or is longer than `most` bytes. The caller frees *ret_data.
bool file_read(const char *path, size_t most, char **ret_data, size_t *ret_size, struct error *error);
// The same of what may also be a pipe or a device, as a person names one.
bool file_read_any(const char *path, size_t most, char **ret_data, size_t *ret_size, struct error *error);

// A file's bytes, mapped: read-only, straight from the page cache. Whoever cuts the file short meanwhile ends the
// program (SIGBUS), as with any mapped file.
struct file_map {
	const char *data; // (size); NULL where the file is empty
	size_t size;
};
// ERROR_DATA when it cannot be read or is no regular file.
bool file_map(const char *path, struct file_map *ret, struct error *error);
void file_unmap(struct file_map *map); // a zeroed one is fine

// A regular file that several threads may read at once, at any place. Quicker than a map where all of it is read once
// and not kept. ERROR_DATA as file_map.
struct file_reader {
	int descriptor;
	size_t size; // when it was opened
};
bool file_reader_open(const char *path, struct file_reader *ret, struct error *error);
// Just `size` bytes from `at` on; false where the file ends before them or cannot be read.
bool file_reader_read(const struct file_reader *reader, size_t at, void *buffer, size_t size);
void file_reader_close(struct file_reader *reader);
bool file_hash(const char *path, char ret_hex[HASH_HEX], struct error *error); // of its bytes

// Writes under a temporary name in the same folder and renames; nothing is left when it fails (ERROR_RUN).
bool file_write(const char *path, const void *data, size_t size, struct error *error);
// The same for several pieces, one after the other, without waiting for the disk: after a power cut the file may hold
// anything. For what can be made again and is checked when it is read.
struct file_piece {
	const void *data; // (size)
	size_t size;
};
bool file_write_pieces(const char *path, const struct file_piece *pieces, size_t count, struct error *error);
// A file that is written piece by piece: under a temporary name in the folder of `path` until file_close renames it, as
// file_write does. file_close or file_discard, which leaves nothing, ends what file_open began.
struct file_writer {
	char *path, *temporary;
	int descriptor; // -1: none
	int number;     // errno of what failed first; 0: nothing
};
bool file_open(const char *path, struct file_writer *ret, struct error *error);
bool file_put(struct file_writer *writer, const void *data, size_t size); // false where it, or one before it, failed
bool file_close(struct file_writer *writer, struct error *error);
void file_discard(struct file_writer *writer); // a zeroed or closed one is fine
// Whether it is such a temporary name, or file_write's; path_base is looked at.
bool file_is_temporary(const char *path);
// Removes such files from a folder: those whose writer lives no more on this machine, or all.
void folder_drop_temporaries(const char *path, bool all);
// fsyncs `from`, renames it to `to` (same file system) and fsyncs the folder of `to`. When it fails (ERROR_RUN) `from`
// is left as it is. An empty folder at `to` is replaced by a folder, a full one is not.
bool file_publish(const char *from, const char *to, struct error *error);
bool folder_create(const char *path, struct error *error); // with its parents; no error when it is there
bool folder_remove(const char *path,
                   struct error *error); // with what is in it; never follows links; no error when it is gone

char *path_join(const char *folder, const char *name); // free(); name alone when it is absolute
char *path_folder(const char *path);                   // free(); "." for a bare name
const char *path_base(const char *path);               // points into path
char *path_stem(const char *path);                     // free(); "a/b.cfg" -> "b"
char *path_absolute(const char *path); // free(); against the working folder, "." and ".." folded, links kept
// Replaces ${NAME} by the environment's NAME; an unset one, or an unclosed brace, is ERROR_CONFIG naming it. free().
bool path_expand(const char *path, char **ret_path, struct error *error);

#endif
