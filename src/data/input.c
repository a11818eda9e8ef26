// Opening a file through libarchive. An archive is looked through first, since whether there is one candidate is known
// only at its end; then it is opened again and read up to that one. Formats that would take plain text for something
// else (mtree, cpio, uuencode) are left out on purpose. libarchive 3.6 does not compare gzip's checksum (those of xz,
// zstd, bzip2 and zip it does): a flipped bit in a .gz can go unseen.
#include "data/input.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

enum {
	BLOCK_BYTES = 128 * 1024, // read at a time from the disk
	NAMES_SHOWN = 8,          // names of an archive that a hint lists
	ENTRIES_MOST = 1 << 20,   // of an archive
};

static bool unreadable(struct error *error, const char *path, const char *reason) {
	return error_set(error, ERROR_DATA, "cannot read \"%s\": %s", path, reason);
}

// libarchive's reason; it has none for some failures.
static const char *reason_of(struct archive *archive) {
	const char *reason = archive_error_string(archive);
	return reason == NULL ? "truncated or damaged" : reason;
}

static struct archive *open_archive(const char *path, struct error *error) {
	if (access(path, R_OK) != 0) {
		unreadable(error, path, strerror(errno));
		return NULL;
	}
	struct archive *archive = archive_read_new();
	if (archive == NULL)
		memory_exhausted(1);
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_format_zip(archive);
	archive_read_support_format_tar(archive);
	archive_read_support_format_raw(archive);
	archive_read_support_format_empty(archive);
	if (archive_read_open_filename(archive, path, BLOCK_BYTES) != ARCHIVE_OK) {
		unreadable(error, path, reason_of(archive));
		archive_read_free(archive);
		return NULL;
	}
	return archive;
}

// Whether `bytes` are more than what was read of the file so far can honestly become; says so.
static bool swells(struct archive *archive, const char *path, uint64_t bytes, struct error *error) {
	la_int64_t packed = archive_filter_bytes(archive, -1);
	if (bytes <= INPUT_FREE || bytes / INPUT_RATIO <= (uint64_t)(packed < 0 ? 0 : packed))
		return false;
	error_set(error, ERROR_DATA, "\"%s\" unpacks to more than %d times its size", path, INPUT_RATIO);
	error_hint(error, "No table of ratings does; unpack it first if it is one all the same.");
	return true;
}

// Passes over what an entry holds. Where the archive is compressed as a whole all of it has to be unpacked, which is
// looked at as it comes: libarchive would go on to the end.
static bool skip_entry(struct archive *archive, const char *path, struct error *error) {
	const void *block;
	size_t size;
	la_int64_t offset;
	int status = ARCHIVE_OK;
	if (archive_filter_count(archive) < 2) // none but the file itself
		return true;
	while ((status = archive_read_data_block(archive, &block, &size, &offset)) >= ARCHIVE_WARN && status != ARCHIVE_EOF)
		if (swells(archive, path, (uint64_t)archive_filter_bytes(archive, 0), error))
			return false;
	return status == ARCHIVE_EOF || unreadable(error, path, reason_of(archive));
}

static const char *entry_name(struct archive_entry *entry) {
	const char *name = archive_entry_pathname(entry);
	if (name == NULL) // not to be had in this locale
		name = archive_entry_pathname_utf8(entry);
	return name == NULL ? "?" : name;
}

// Regular files, less what a Mac or a file manager left there.
static bool entry_counts(struct archive_entry *entry) {
	const char *name = entry_name(entry);
	return archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == NULL &&
	       strncmp(name, "__MACOSX/", strlen("__MACOSX/")) != 0 && path_base(name)[0] != '.';
}

// What looking through an archive found.
struct survey {
	bool single;        // no archive but one file; the archive is then ready to be read
	bool empty;         // no byte in it
	size_t found;       // candidates
	size_t place;       // of the first one: how many headers stand before it
	char *first, *next; // names of the first two
	size_t files;       // that an archive holds
	struct text names;  // the first of them
};

static void survey_finish(struct survey *survey) {
	free(survey->first);
	free(survey->next);
	text_finish(&survey->names);
}

static void survey_entry(struct survey *survey, struct archive_entry *entry, size_t place, const char *want) {
	if (!entry_counts(entry))
		return;
	const char *name = entry_name(entry);
	if (survey->files++ < NAMES_SHOWN)
		text_format(&survey->names, "%s\"%s\"", survey->files > 1 ? ", " : "", name);
	if (want != NULL && strcmp(path_base(name), want) != 0)
		return;
	survey->found++;
	if (survey->found == 1) {
		survey->place = place;
		survey->first = memory_copy_string(name);
	} else if (survey->found == 2) {
		survey->next = memory_copy_string(name);
	}
}

static bool survey_archive(struct archive *archive, const char *path, const char *want, struct survey *ret,
                           struct error *error) {
	for (size_t place = 0;; place++) {
		struct archive_entry *entry;
		int status = archive_read_next_header(archive, &entry);
		if (place == 0) {
			ret->single = status >= ARCHIVE_WARN && archive_format(archive) == ARCHIVE_FORMAT_RAW;
			ret->empty = status == ARCHIVE_EOF && archive_format(archive) == ARCHIVE_FORMAT_EMPTY;
		}
		if (status == ARCHIVE_EOF || ret->single)
			return true;
		if (status < ARCHIVE_WARN)
			return unreadable(error, path, reason_of(archive));
		if (place >= ENTRIES_MOST)
			return error_set(error, ERROR_DATA, "\"%s\" holds more than %d entries", path, ENTRIES_MOST);
		survey_entry(ret, entry, place, want);
		if (!skip_entry(archive, path, error))
			return false;
	}
}

// Whether what was found can be opened without a guess.
static bool survey_decides(const struct survey *survey, const char *path, const char *want, struct error *error) {
	if (survey->single || survey->empty) {
		if (want == NULL)
			return true;
		error_set(error, ERROR_DATA, "\"%s\" is neither a folder nor an archive", path);
		error_hint(error, "Name the folder that holds \"%s\", or the archive of it.", want);
		return false;
	}
	if (survey->found == 1)
		return true;
	if (survey->found > 1) {
		error_set(error, ERROR_DATA, "\"%s\" holds more than one candidate: \"%s\" and \"%s\"", path, survey->first,
		          survey->next);
		error_hint(error, "Unpack the archive and name the file that is meant.");
		return false;
	}
	error_set(error, ERROR_DATA, "\"%s\" holds no %s%s%s", path, want ? "\"" : "file", want ? want : "",
	          want ? "\"" : "");
	if (survey->files > 0)
		error_hint(error, "It holds %s%s.", text_string(&survey->names), survey->files > NAMES_SHOWN ? ", ..." : "");
	return false;
}

// Opens the archive again, at the entry in that place.
static struct archive *open_entry(const char *path, size_t place, struct error *error) {
	struct archive *archive = open_archive(path, error);
	for (size_t i = 0; archive != NULL && i <= place; i++) {
		struct archive_entry *entry;
		if (archive_read_next_header(archive, &entry) < ARCHIVE_WARN) {
			unreadable(error, path, reason_of(archive));
			archive_read_free(archive);
			return NULL;
		}
	}
	return archive;
}

static bool open_surveyed(struct archive *archive, const char *path, const struct survey *survey, struct input *ret,
                          struct error *error) {
	struct input input = {0};
	if (survey->single) {
		input.archive = archive;
		input.plain = archive_filter_code(archive, 0) == ARCHIVE_FILTER_NONE;
	} else {
		archive_read_free(archive);
		if (!survey->empty && (input.archive = open_entry(path, survey->place, error)) == NULL)
			return false;
	}
	struct text name = {0};
	text_append(&name, path);
	if (survey->first != NULL)
		text_format(&name, "/%s", survey->first); // not path_join: the name within may begin with a slash
	input.name = memory_copy_string(text_string(&name));
	text_finish(&name);
	*ret = input;
	return true;
}

static bool open_file(const char *path, const char *want, struct input *ret, struct error *error) {
	struct archive *archive = open_archive(path, error);
	if (archive == NULL)
		return false;
	struct survey survey = {0};
	bool fine = survey_archive(archive, path, want, &survey, error) && survey_decides(&survey, path, want, error);
	if (fine)
		fine = open_surveyed(archive, path, &survey, ret, error);
	else
		archive_read_free(archive);
	survey_finish(&survey);
	return fine;
}

// The one file of a folder that is `want`, plain or compressed; free(). NULL where there is none, or two.
static char *find_in_folder(const char *folder, const char *want, struct error *error) {
	static const char *const suffixes[] = {"", ".gz", ".xz", ".zst", ".bz2", ".zip"};
	char *found = NULL;
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		struct text name = {0};
		text_format(&name, "%s%s", want, suffixes[i]);
		char *path = path_join(folder, text_string(&name));
		bool there = file_exists(path);
		if (there && found != NULL) {
			error_set(error, ERROR_DATA, "\"%s\" holds more than one candidate: \"%s\" and \"%s\"", folder,
			          path_base(found), text_string(&name));
			error_hint(error, "Leave one of them there.");
			free(found);
			free(path);
			text_finish(&name);
			return NULL;
		}
		text_finish(&name);
		if (there)
			found = path;
		else
			free(path);
	}
	if (found == NULL)
		error_set(error, ERROR_DATA, "the folder \"%s\" holds no \"%s\"", folder, want);
	return found;
}

static bool find_expanded(const char *path, const char *want, char **ret, struct error *error) {
	*ret = NULL;
	if (!file_is_folder(path))
		*ret = memory_copy_string(path);
	else if (want == NULL)
		unreadable(error, path, strerror(EISDIR));
	else
		*ret = find_in_folder(path, want, error);
	return *ret != NULL;
}

bool input_find(const char *path, const char *want, char **ret, struct error *error) {
	char *expanded;
	if (!path_expand(path, &expanded, error))
		return false;
	bool fine = find_expanded(expanded, want, ret, error);
	free(expanded);
	return fine;
}

static bool open_expanded(const char *path, const char *want, struct input *ret, struct error *error) {
	if (!file_is_folder(path))
		return open_file(path, want, ret, error);
	char *file;
	if (!find_expanded(path, want, &file, error))
		return false;
	bool fine = open_expanded(file, NULL, ret, error);
	free(file);
	return fine;
}

bool input_open(const char *path, const char *want, struct input *ret, struct error *error) {
	char *expanded;
	if (!path_expand(path, &expanded, error))
		return false;
	bool fine = open_expanded(expanded, want, ret, error);
	free(expanded);
	return fine;
}

bool input_read(struct input *input, void *buffer, size_t capacity, size_t *ret_size, struct error *error) {
	size_t size = 0;
	while (size < capacity && input->archive != NULL) {
		la_ssize_t got = archive_read_data(input->archive, (char *)buffer + size, capacity - size);
		if (got == ARCHIVE_RETRY)
			continue;
		if (got < 0) // warnings too: what they are about would otherwise go by unseen
			return unreadable(error, input->name, reason_of(input->archive));
		if (got == 0)
			break;
		size += (size_t)got;
		input->taken += (uint64_t)got;
		if (!input->plain && swells(input->archive, input->name, input->taken, error))
			return false;
	}
	*ret_size = size;
	return true;
}

void input_close(struct input *input) {
	if (input->archive != NULL)
		archive_read_free(input->archive);
	free(input->name);
	*input = (struct input){0};
}
