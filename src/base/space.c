// See space.h. Files of /proc and /sys that are not there, or say something else, limit nothing.
#include "base/space.h"

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SMALL_FILE = 1 << 20 }; // bytes: far more than any of these files has

static char *read_small(const char *root, const char *path) {
	struct text whole = {0};
	char *data = NULL;
	size_t size;
	text_format(&whole, "%s%s", root, path);
	if (!file_read(text_string(&whole), SMALL_FILE, &data, &size, NULL))
		data = NULL;
	text_finish(&whole);
	return data;
}

// The number behind a label at the beginning of a line; NAN where there is none.
static double number_of(const char *text, const char *label) {
	size_t length = strlen(label);
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char *end;
		if (strncmp(line, label, length) != 0)
			continue;
		double value = strtod(line + length, &end);
		if (end != line + length)
			return value;
	}
	return NAN;
}

static double number_in(const char *root, const char *folder, const char *name, const char *label) {
	char *path = path_join(folder, name), *text = read_small(root, path);
	double value = text ? number_of(text, label) : (double)NAN;
	free(path);
	free(text);
	return value;
}

static void tighten(struct space_memory *space, double bytes, const char *limit) {
	if (isnan(bytes) || bytes >= space->bytes)
		return;
	*space = (struct space_memory){fmax(bytes, 0), limit};
}

// --- cgroups ---

// The files of a version, see the kernel's cgroup-v1/memory.rst and cgroup-v2.rst.
static const struct hierarchy {
	const char *limit, *usage, *reclaimable;
} hierarchies[] = {{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "},
                   {"memory.max", "memory.current", "inactive_file "}};

// A limit holds for all groups below it, so each up to the root is asked. In a container the path may be that of the
// host, of which only the root is there.
static void tighten_by_group(const char *root, const char *mount, const char *group, const struct hierarchy *h,
                             struct space_memory *space) {
	struct text folder = {0};
	text_format(&folder, "%s%s", mount, group);
	for (;;) {
		const char *path = text_string(&folder);
		double reclaimable = number_in(root, path, "memory.stat", h->reclaimable);
		double left = number_in(root, path, h->limit, "") - number_in(root, path, h->usage, "");
		tighten(space, left + (isnan(reclaimable) ? 0 : reclaimable), "of the cgroup");
		char *slash = strrchr(folder.data, '/');
		if (folder.length <= strlen(mount) || !slash)
			break;
		folder.length = (size_t)(slash - folder.data) > strlen(mount) ? (size_t)(slash - folder.data) : strlen(mount);
		folder.data[folder.length] = '\0';
	}
	text_finish(&folder);
}

// Whether a list of controllers, "cpu,memory", has memory in it.
static bool has_memory(const char *list, size_t length) {
	static const char word[] = "memory";
	for (const char *at = list; at < list + length; at += strcspn(at, ",:") + 1)
		if (!strncmp(at, word, sizeof(word) - 1) && strcspn(at, ",:") == sizeof(word) - 1)
			return true;
	return false;
}

// A line is "NUMBER:CONTROLLERS:PATH"; of version 2 there are no controllers.
static void tighten_by_groups(const char *root, struct space_memory *space) {
	char *lines = read_small(root, "/proc/self/cgroup"), *rest = NULL;
	for (char *line = lines ? strtok_r(lines, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
		char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
		if (!group)
			continue;
		if (group == list + 1) {
			tighten_by_group(root, "/sys/fs/cgroup", group + 1, &hierarchies[1], space);
			tighten_by_group(root, "/sys/fs/cgroup/unified", group + 1, &hierarchies[1], space);
		} else if (has_memory(list + 1, (size_t)(group - list - 1))) {
			tighten_by_group(root, "/sys/fs/cgroup/memory", group + 1, &hierarchies[0], space);
		}
	}
	free(lines);
}

// --- the machine, and ulimit ---

static void tighten_by_limit(int resource, double used, const char *limit, struct space_memory *space) {
	struct rlimit most;
	if (getrlimit((__rlimit_resource_t)resource, &most) == 0 && most.rlim_cur != RLIM_INFINITY)
		tighten(space, (double)most.rlim_cur - used, limit);
}

void space_memory(const char *root, struct space_memory *ret) {
	enum { KIB = 1024 };
	char *machine = read_small(root, "/proc/meminfo"), *own = read_small(root, "/proc/self/status");
	*ret = (struct space_memory){INFINITY, ""};
	if (machine) {
		double swap = number_of(machine, "SwapFree:");
		tighten(ret, KIB * (number_of(machine, "MemAvailable:") + (isnan(swap) ? 0 : swap)), "of this machine");
	}
	tighten_by_groups(root, ret);
	tighten_by_limit(RLIMIT_AS, KIB * (own ? number_of(own, "VmSize:") : (double)NAN), "of ulimit -v", ret);
	tighten_by_limit(RLIMIT_DATA, KIB * (own ? number_of(own, "VmData:") : (double)NAN), "of ulimit -d", ret);
	free(machine);
	free(own);
}

void space_resident(double *ret_now, double *ret_most) {
	enum { KIB = 1024 };
	struct rusage usage = {0};
	char *own = read_small("", "/proc/self/status");
	getrusage(RUSAGE_SELF, &usage);
	*ret_most = KIB * (double)usage.ru_maxrss;
	*ret_now = own ? KIB * number_of(own, "VmRSS:") : *ret_most;
	*ret_now = isnan(*ret_now) ? *ret_most : *ret_now;
	*ret_most = fmax(*ret_most, *ret_now); // the kernel adds up the one more often than the other
	free(own);
}

// --- disk ---

bool space_disk(const char *path, struct space_disk *ret) {
	struct statvfs system;
	char *at = path_absolute(path);
	while (!file_exists(at) && strcmp(at, "/") != 0) {
		char *above = path_folder(at);
		free(at);
		at = above;
	}
	bool fine = statvfs(at, &system) == 0;
	free(at);
	if (!fine)
		return false;
	*ret = (struct space_disk){(double)system.f_bavail * (double)system.f_frsize,
	                           system.f_files ? (double)system.f_favail : (double)INFINITY};
	return true;
}

double space_taken(const char *path) {
	DIR *folder = opendir(path);
	double bytes = 0;
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		struct stat status;
		if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode))
			bytes += (double)status.st_size;
	}
	if (folder)
		closedir(folder);
	return bytes;
}
