// What a process can still have: memory, by the machine and by every limit that it is under, and room on a file system.
#ifndef AEXP_BASE_SPACE_H
#define AEXP_BASE_SPACE_H

#include <stdbool.h>
#include <stddef.h>

// The tightest of what is left; INFINITY where nothing is known.
struct space_memory {
	double bytes;
	const char *limit; // whose it is: "of this machine", "of the cgroup", "of ulimit -v", "of ulimit -d"
};
// What is available on the machine (free or taken by caches, and free swap), what each memory cgroup that the process
// is in, version 1 or 2, has left (what its page cache would give back counts as left), RLIMIT_AS and RLIMIT_DATA.
// `root` stands before /proc and /sys: "" but for tests.
void space_memory(const char *root, struct space_memory *ret);
// Bytes of memory that this process has in use, and the most that it had.
void space_resident(double *ret_now, double *ret_most);

struct space_disk {
	double bytes; // that this user may still write
	double files; // that may still be made; INFINITY where the file system does not say
};
// Of the file system that `path`, or the nearest folder above it that is there, lies on; false where it cannot be
// asked. Quotas are seen as far as the file system itself tells them (statvfs).
bool space_disk(const char *path, struct space_disk *ret);
// Bytes that the files of a folder take, those of folders in it apart; 0 where there is none.
double space_taken(const char *folder);

#endif
