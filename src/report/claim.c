// See claim.h.
#include "report/claim.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct timespec BETWEEN = {.tv_nsec = 50000000}; // two looks at a lock that another has

// `.ID` + end beside the folder.
static char *beside(const char *folder, const char *end) {
	char *absolute = path_absolute(folder), *parent = path_folder(absolute);
	struct text name = {0};
	text_format(&name, ".%s%s", path_base(absolute), end);
	char *path = path_join(parent, text_string(&name));
	text_finish(&name);
	free(parent);
	free(absolute);
	return path;
}

// Whether the locked file is still the one of that name: an owner removes it before it lets go.
static bool is_current(int file, const char *path) {
	struct stat locked, named;
	return fstat(file, &locked) == 0 && stat(path, &named) == 0 && locked.st_ino == named.st_ino &&
	       locked.st_dev == named.st_dev;
}

// Hidden folders of this run, `.ID.PID.tmp`: whoever made them is dead, since the claim is ours.
static void remove_leftovers(const char *lock) {
	char *folder = path_folder(lock);
	const char *name = path_base(lock);
	size_t length = strlen(name) - strlen("lock");
	DIR *entries = opendir(folder);
	for (struct dirent *entry; entries && (entry = readdir(entries));) {
		size_t whole = strlen(entry->d_name);
		if (strncmp(entry->d_name, name, length) || whole < length + 4 || strcmp(entry->d_name + whole - 4, ".tmp"))
			continue;
		struct error unimportant;
		char *path = path_join(folder, entry->d_name);
		folder_remove(path, &unimportant);
		free(path);
	}
	if (entries)
		closedir(entries);
	free(folder);
}

static bool take(struct claim *claim, struct error *error, bool *ret_taken) {
	claim->file = open(claim->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (claim->file < 0)
		return error_set(error, ERROR_RUN, "cannot create \"%s\": %s", claim->path, strerror(errno));
	bool locked = flock(claim->file, LOCK_EX | LOCK_NB) == 0;
	int reason = errno;
	*ret_taken = locked && is_current(claim->file, claim->path);
	if (*ret_taken)
		return true;
	close(claim->file);
	claim->file = -1;
	if (locked || reason == EWOULDBLOCK || reason == EINTR)
		return true;
	return error_set(error, ERROR_RUN, "cannot lock \"%s\": %s", claim->path, strerror(reason));
}

bool claim_take(const char *folder, void (*wait)(void *context), bool (*interrupted)(void *context), void *context,
                struct claim *ret, struct error *error) {
	char *parent = path_folder(folder);
	*ret = (struct claim){.file = -1};
	bool good = folder_create(parent, error), taken = false;
	free(parent);
	ret->path = beside(folder, ".lock");
	for (bool first = true; good && !taken; first = false) {
		good = take(ret, error, &taken);
		if (!good || taken)
			break;
		if (first && wait)
			wait(context);
		if (interrupted && interrupted(context))
			return error_set(error, ERROR_INTERRUPTED, "interrupted while another wrote \"%s\"", folder);
		nanosleep(&BETWEEN, NULL);
	}
	if (taken)
		remove_leftovers(ret->path);
	return good && taken;
}

void claim_release(struct claim *claim) {
	if (claim->file >= 0) {
		unlink(claim->path);
		close(claim->file);
	}
	free(claim->path);
	*claim = (struct claim){.file = -1};
}
