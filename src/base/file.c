// Files and paths. Writing is atomic: a temporary name in the same folder, fsync, rename, fsync of the folder; what
// fails on the way takes its temporary file with it. Folders are removed through descriptors, so no link is followed.
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY ".tmp-" // how such names begin

enum {
	FIRST_READ = 16 * 1024, // bytes of the first buffer where the size is not known beforehand
	TEMPORARY_TRIES = 1000, // names tried before giving up; only leftovers of a dead process take one
};

bool file_exists(const char *path) {
	struct stat status;
	return lstat(path, &status) == 0;
}

bool file_is_regular(const char *path) {
	struct stat status;
	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

bool file_is_folder(const char *path) {
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

// Reads to the end into a growing buffer, at most `most` bytes and one more that tells that there is more.
static bool read_all(int descriptor, size_t expected, size_t most, struct text *text) {
	size_t capacity = expected < FIRST_READ ? FIRST_READ : expected;
	if (most < SIZE_MAX - 1 && capacity > most)
		capacity = most;
	for (;;) {
		if (text->length > most)
			return true;
		if (text->capacity < text->length + 2) { // one byte for what comes and one for the terminator
			size_t grown = text->capacity == 0 ? capacity + 2 : 2 * text->capacity;
			char *data = realloc(text->data, grown);
			if (data == NULL)
				return false;
			text->data = data;
			text->capacity = grown;
		}
		size_t room = text->capacity - text->length - 1;
		if (room > most - text->length)
			room = most - text->length + 1;
		ssize_t got = read(descriptor, text->data + text->length, room);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		text->length += (size_t)got;
		text->data[text->length] = '\0';
		if (got == 0)
			return true;
	}
}

static bool read_failed(struct error *error, const char *path, int number) {
	return error_set(error, ERROR_DATA, "cannot read \"%s\": %s", path, strerror(number));
}

// any: also what is no regular file, and may have to be waited for.
static bool read_path(const char *path, bool any, size_t most, char **ret_data, size_t *ret_size, struct error *error) {
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | (any ? 0 : O_NONBLOCK));
	if (descriptor < 0)
		return read_failed(error, path, errno);
	struct stat status;
	struct text text = {0};
	bool opened = fstat(descriptor, &status) == 0;
	bool folder = opened && S_ISDIR(status.st_mode), other = opened && !any && !folder && !S_ISREG(status.st_mode);
	size_t expected = opened && S_ISREG(status.st_mode) && status.st_size > 0 ? (size_t)status.st_size : 0;
	bool fine = opened && !folder && !other && read_all(descriptor, expected, most, &text);
	int number = folder ? EISDIR : other ? ENODEV : errno;
	close(descriptor);
	if (!fine) {
		text_finish(&text);
		return read_failed(error, path, number);
	}
	if (text.length > most) {
		text_finish(&text);
		return error_set(error, ERROR_DATA, "\"%s\" is longer than %zu bytes", path, most);
	}
	*ret_data = text.data;
	*ret_size = text.length;
	return true;
}

bool file_read(const char *path, size_t most, char **ret_data, size_t *ret_size, struct error *error) {
	return read_path(path, false, most, ret_data, ret_size, error);
}

bool file_read_any(const char *path, size_t most, char **ret_data, size_t *ret_size, struct error *error) {
	return read_path(path, true, most, ret_data, ret_size, error);
}

bool file_reader_open(const char *path, struct file_reader *ret, struct error *error) {
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // which would wait for a pipe's writer
	if (descriptor < 0)
		return read_failed(error, path, errno);
	struct stat status;
	bool known = fstat(descriptor, &status) == 0, regular = known && S_ISREG(status.st_mode);
	int number = known && S_ISDIR(status.st_mode) ? EISDIR : known && !regular ? ENODEV : errno;
	if (!regular) {
		close(descriptor);
		return read_failed(error, path, number);
	}
	*ret = (struct file_reader){.descriptor = descriptor, .size = status.st_size > 0 ? (size_t)status.st_size : 0};
	return true;
}

bool file_reader_read(const struct file_reader *reader, size_t at, void *buffer, size_t size) {
	for (size_t done = 0; done < size;) {
		ssize_t got = pread(reader->descriptor, (char *)buffer + done, size - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

void file_reader_close(struct file_reader *reader) {
	close(reader->descriptor);
	*reader = (struct file_reader){.descriptor = -1};
}

bool file_map(const char *path, struct file_map *ret, struct error *error) {
	struct file_reader reader;
	struct file_map map = {0};
	bool fine = true;
	int number = 0;
	if (!file_reader_open(path, &reader, error))
		return false;
	if (reader.size > 0) {
		void *data = mmap(NULL, reader.size, PROT_READ, MAP_PRIVATE, reader.descriptor, 0);
		number = errno;
		fine = data != MAP_FAILED;
		if (fine)
			map = (struct file_map){.data = data, .size = reader.size};
	}
	file_reader_close(&reader);
	if (!fine)
		return read_failed(error, path, number);
	*ret = map;
	return true;
}

void file_unmap(struct file_map *map) {
	if (map->data != NULL)
		munmap((void *)(uintptr_t)map->data, map->size);
	*map = (struct file_map){0};
}

bool file_hash(const char *path, char ret_hex[HASH_HEX], struct error *error) {
	struct file_map map;
	struct hash hash;
	if (!file_map(path, &map, error))
		return false;
	hash_init(&hash);
	hash_bytes(&hash, map.data, map.size);
	hash_finish(&hash, ret_hex);
	file_unmap(&map);
	return true;
}

static bool write_all(int descriptor, const char *data, size_t size) {
	while (size > 0) {
		ssize_t put = write(descriptor, data, size);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		data += put;
		size -= (size_t)put;
	}
	return true;
}

// fsync, where the file system knows it: some answer EINVAL or ENOTSUP for what they cannot do.
static bool flush(int descriptor) {
	return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP;
}

static bool flush_path(const char *path, int flags) {
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | flags);
	if (descriptor < 0)
		return false;
	bool fine = flush(descriptor);
	int number = errno;
	close(descriptor);
	errno = number;
	return fine;
}

// Opens a file of a name that nobody has, in the folder of `path`; the name does not grow with that of `path`, which
// may be as long as the file system allows. -1 and errno when it cannot be had.
static int open_temporary(const char *path, struct text *name) {
	char *folder = path_folder(path);
	int descriptor = -1;
	for (int i = 0; i < TEMPORARY_TRIES && descriptor < 0; i++) {
		name->length = 0;
		text_format(name, "%s/" TEMPORARY "%ld-%d", folder, (long)gettid(), i);
		descriptor = open(name->data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (descriptor < 0 && errno != EEXIST)
			break;
	}
	free(folder);
	return descriptor;
}

// Puts the bytes in the file and the file on the disk. Closes the descriptor, and keeps the errno of what failed first.
static bool write_and_close(int descriptor, const void *data, size_t size) {
	bool fine = write_all(descriptor, data, size) && flush(descriptor);
	int number = errno;
	if (close(descriptor) != 0 && fine)
		return false;
	errno = number;
	return fine;
}

static bool rename_and_flush(const char *from, const char *to) {
	if (rename(from, to) != 0)
		return false;
	char *folder = path_folder(to);
	bool fine = flush_path(folder, O_DIRECTORY);
	int number = errno;
	free(folder);
	errno = number;
	return fine;
}

bool file_write(const char *path, const void *data, size_t size, struct error *error) {
	struct text name = {0};
	int descriptor = open_temporary(path, &name);
	bool opened = descriptor >= 0;
	bool fine = opened && write_and_close(descriptor, data, size) && rename_and_flush(name.data, path);
	int number = errno;
	if (opened && !fine)
		unlink(name.data); // already gone where only the folder's fsync failed
	text_finish(&name);
	return fine || error_set(error, ERROR_RUN, "cannot write \"%s\": %s", path, strerror(number));
}

static bool write_pieces(int descriptor, const struct file_piece *pieces, size_t count) {
	bool fine = true;
	for (size_t i = 0; i < count && fine; i++)
		fine = write_all(descriptor, pieces[i].data, pieces[i].size);
	int number = errno;
	if (close(descriptor) != 0 && fine)
		return false;
	errno = number;
	return fine;
}

bool file_write_pieces(const char *path, const struct file_piece *pieces, size_t count, struct error *error) {
	struct text name = {0};
	int descriptor = open_temporary(path, &name);
	bool opened = descriptor >= 0;
	bool fine = opened && write_pieces(descriptor, pieces, count) && rename(name.data, path) == 0;
	int number = errno;
	if (opened && !fine)
		unlink(name.data);
	text_finish(&name);
	return fine || error_set(error, ERROR_RUN, "cannot write \"%s\": %s", path, strerror(number));
}

bool file_open(const char *path, struct file_writer *ret, struct error *error) {
	struct text name = {0};
	*ret = (struct file_writer){.path = memory_copy_string(path), .descriptor = open_temporary(path, &name)};
	int number = errno;
	ret->temporary = name.data;
	if (ret->descriptor >= 0)
		return true;
	free(ret->temporary);
	free(ret->path);
	*ret = (struct file_writer){.descriptor = -1};
	return error_set(error, ERROR_RUN, "cannot write \"%s\": %s", path, strerror(number));
}

bool file_put(struct file_writer *writer, const void *data, size_t size) {
	if (writer->number == 0 && !write_all(writer->descriptor, data, size))
		writer->number = errno;
	return writer->number == 0;
}

static void writer_finish(struct file_writer *writer) {
	free(writer->path);
	free(writer->temporary);
	*writer = (struct file_writer){.descriptor = -1};
}

bool file_close(struct file_writer *writer, struct error *error) {
	bool fine = write_and_close(writer->descriptor, NULL, 0) && writer->number == 0 &&
	            rename_and_flush(writer->temporary, writer->path);
	int number = writer->number ? writer->number : errno;
	if (!fine) {
		unlink(writer->temporary);
		error_set(error, ERROR_RUN, "cannot write \"%s\": %s", writer->path, strerror(number));
	}
	writer_finish(writer);
	return fine;
}

void file_discard(struct file_writer *writer) {
	if (!writer->path)
		return;
	close(writer->descriptor);
	unlink(writer->temporary);
	writer_finish(writer);
}

bool file_is_temporary(const char *path) {
	return strncmp(path_base(path), TEMPORARY, strlen(TEMPORARY)) == 0;
}

// `.tmp-THREAD-N`; a thread is known by kill as a process is.
static bool writer_lives(const char *name) {
	long writer = strtol(name + strlen(TEMPORARY), NULL, 10);
	return writer <= 0 || kill((pid_t)writer, 0) == 0 || errno != ESRCH;
}

void folder_drop_temporaries(const char *path, bool all) {
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
		if (file_is_temporary(entry->d_name) && (all || !writer_lives(entry->d_name)))
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder != NULL)
		closedir(folder);
}

bool file_publish(const char *from, const char *to, struct error *error) {
	if (flush_path(from, 0) && rename_and_flush(from, to))
		return true;
	return error_set(error, ERROR_RUN, "cannot rename \"%s\" to \"%s\": %s", from, to, strerror(errno));
}

// mkdir where something may be there already; another process may make it at the same time.
static bool make_folder(const char *path) {
	if (mkdir(path, 0777) == 0)
		return true;
	int why = errno; // a folder that is there on a read-only file system is refused before EEXIST is said
	if (file_is_folder(path))
		return true;
	errno = why == EEXIST ? ENOTDIR : why;
	return false;
}

bool folder_create(const char *path, struct error *error) {
	char *part = memory_copy_string(path);
	bool fine = *path != '\0';
	errno = fine ? 0 : ENOENT;
	for (char *at = part; fine && *at != '\0'; at++) {
		if (at == part || *at != '/' || at[-1] == '/')
			continue;
		*at = '\0';
		fine = make_folder(part);
		*at = '/';
	}
	fine = fine && make_folder(part);
	int number = errno;
	free(part);
	return fine || error_set(error, ERROR_RUN, "cannot create the folder \"%s\": %s", path, strerror(number));
}

static bool empty_folder(int descriptor);

// Removes one entry of a folder. What does not open as a folder (a file, a link) is unlinked; where it is a folder that
// may not be read, it still goes when it is empty.
static bool remove_entry(int folder, const char *name) {
	int inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (inner >= 0)
		return empty_folder(inner) && unlinkat(folder, name, AT_REMOVEDIR) == 0;
	bool unreadable = errno == EACCES;
	return unlinkat(folder, name, 0) == 0 || (unreadable && unlinkat(folder, name, AT_REMOVEDIR) == 0);
}

// One pass over the entries; *ret_removed tells whether there were any.
static bool remove_entries(DIR *folder, bool *ret_removed) {
	*ret_removed = false;
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(folder);
		if (entry == NULL)
			return errno == 0;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!remove_entry(dirfd(folder), entry->d_name))
			return false;
		*ret_removed = true;
	}
}

// Empties the folder that the descriptor is open on, and closes it. False and errno at the first thing that stays.
// A file system may skip entries while others go, so passes are made until one finds nothing.
static bool empty_folder(int descriptor) {
	DIR *folder = fdopendir(descriptor);
	if (folder == NULL) {
		int number = errno;
		close(descriptor);
		errno = number;
		return false;
	}
	bool removed = true, fine = true;
	while (fine && removed) {
		rewinddir(folder);
		fine = remove_entries(folder, &removed);
	}
	int number = errno;
	closedir(folder);
	errno = number;
	return fine;
}

bool folder_remove(const char *path, struct error *error) {
	char *bare = memory_copy_string(path);
	for (size_t length = strlen(bare); length > 1 && bare[length - 1] == '/'; length--)
		bare[length - 1] = '\0'; // "link/" would be followed
	int descriptor = open(bare, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool gone = descriptor < 0 && errno == ENOENT;
	bool fine = gone || (descriptor >= 0 && empty_folder(descriptor) && rmdir(bare) == 0);
	int number = errno;
	free(bare);
	return fine || error_set(error, ERROR_RUN, "cannot remove the folder \"%s\": %s", path, strerror(number));
}

char *path_join(const char *folder, const char *name) {
	if (name[0] == '/' || folder[0] == '\0')
		return memory_copy_string(name);
	struct text path = {0};
	text_append(&path, folder);
	if (path.data[path.length - 1] != '/')
		text_append(&path, "/");
	text_append(&path, name);
	return path.data;
}

char *path_folder(const char *path) {
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return memory_copy_string(".");
	while (slash > path && slash[-1] == '/')
		slash--;
	struct text folder = {0};
	text_append_bytes(&folder, path, slash == path ? 1 : (size_t)(slash - path));
	return folder.data;
}

const char *path_base(const char *path) {
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

char *path_stem(const char *path) {
	char *stem = memory_copy_string(path_base(path));
	char *dot = strrchr(stem, '.');
	if (dot != NULL && dot != stem)
		*dot = '\0';
	return stem;
}

// Adds one component to an absolute path that ends without a slash ("" is the root).
static void path_step(struct text *path, const char *part, size_t length) {
	if (length == 0 || (length == 1 && part[0] == '.'))
		return;
	if (length == 2 && part[0] == '.' && part[1] == '.') {
		while (path->length > 0 && path->data[--path->length] != '/')
			continue;
		if (path->data != NULL)
			path->data[path->length] = '\0';
		return;
	}
	text_append(path, "/");
	text_append_bytes(path, part, length);
}

static void path_walk(struct text *path, const char *from) {
	while (*from != '\0') {
		size_t length = strcspn(from, "/");
		path_step(path, from, length);
		from += length + (from[length] == '/');
	}
}

char *path_absolute(const char *path) {
	struct text result = {0};
	if (path[0] != '/') {
		char *here = getcwd(NULL, 0);
		if (here == NULL) // the working folder was removed: there is nothing to make it absolute against
			return memory_copy_string(path);
		path_walk(&result, here);
		free(here);
	}
	path_walk(&result, path);
	if (result.length == 0)
		text_append(&result, "/");
	return result.data;
}

// The value of the variable whose name starts at `name`; NULL and *error when the brace is open or nothing is set.
static const char *lookup(const char *path, const char *name, size_t length, struct error *error) {
	if (name[length] == '\0') {
		error_set(error, ERROR_CONFIG, "\"${\" without \"}\" in \"%s\"", path);
		return NULL;
	}
	struct text variable = {0};
	text_append_bytes(&variable, name, length);
	const char *value = getenv(variable.data);
	if (value == NULL) {
		error_set(error, ERROR_CONFIG, "environment variable \"%s\" is not set", variable.data);
		if (error)
			error->outside = true;
	}
	text_finish(&variable);
	return value;
}

bool path_expand(const char *path, char **ret_path, struct error *error) {
	struct text result = {0};
	const char *from = path;
	for (const char *mark; (mark = strstr(from, "${")) != NULL;) {
		const char *name = mark + 2;
		size_t length = strcspn(name, "}");
		const char *value = lookup(path, name, length, error);
		if (value == NULL) {
			text_finish(&result);
			return false;
		}
		text_append_bytes(&result, from, (size_t)(mark - from));
		text_append(&result, value);
		from = name + length + 1;
	}
	text_append(&result, from);
	*ret_path = result.data;
	return true;
}
