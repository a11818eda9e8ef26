// See claim.h.
#include "report/claim.h"

#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct timespec BETWEEN = {.tv_nsec = 50000000}; // two looks at a lock that another has
enum { BEAT = 2, STALE = 15 }; // seconds between two touches; without one, until it is dead
enum { HOST_MOST = 256, BOOT_MOST = 96, TEXT_MOST = 640 };

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

// --- who ---

struct owner {
	char host[HOST_MOST], since[32], boot[BOOT_MOST];
	long pid;
	unsigned long long born; // when the process began, in the kernel's ticks: pids come again
};

static void host_name(char ret[HOST_MOST]) {
	memset(ret, 0, HOST_MOST);
	if (gethostname(ret, HOST_MOST - 1) != 0 || !ret[0])
		strcpy(ret, "localhost");
}

// 0: there is no such process.
static unsigned long long born_at(long pid) {
	enum { STATE = 3, START = 22 }; // fields of /proc/PID/stat
	char path[64], line[1024] = "";
	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	const char *at =
	    fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL; // the name before it may hold anything
	fclose(file);
	at = at ? at + 1 : NULL;
	for (int field = STATE; at && field < START; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

// Whose pids they are: of a machine since it was started, and of a container in it. "" where the kernel does not say.
// Names of hosts are no names: many are "localhost".
static void boot_name(char ret[BOOT_MOST]) {
	char id[40] = "", space[40] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (file && !fgets(id, sizeof(id), file))
		id[0] = '\0';
	if (file)
		fclose(file);
	id[strcspn(id, "\n")] = '\0';
	ssize_t length = readlink("/proc/self/ns/pid", space, sizeof(space) - 1); // pid:[4026531836]
	const char *number = length > 0 ? strpbrk(space, "0123456789") : NULL;
	snprintf(ret, BOOT_MOST, "%s/%.*s", id, number ? (int)strspn(number, "0123456789") : 0, number ? number : "");
}

static void write_owner(int file) {
	char host[HOST_MOST], boot[BOOT_MOST], since[32] = "";
	time_t now = time(NULL);
	struct tm parts;
	if (gmtime_r(&now, &parts))
		strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &parts);
	host_name(host);
	boot_name(boot);
	struct text text = {0};
	text_format(&text, "host %s, pid %ld, since %s, born %llu, boot %s\n", host, (long)getpid(), since,
	            born_at(getpid()), boot);
	// Only whoever waits reads it: what cannot be written is said by nobody.
	if (ftruncate(file, 0) == 0 && pwrite(file, text_string(&text), text.length, 0) < 0)
		errno = 0;
	text_finish(&text);
}

// What names of hosts are made of: others would be shown to a person as they are.
static const char host_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";

// False where it does not say. What an older version wrote has no boot.
static bool read_owner(int file, struct owner *ret) {
	char text[TEXT_MOST] = "";
	ssize_t size = pread(file, text, sizeof(text) - 1, 0);
	*ret = (struct owner){0};
	return size > 0 &&
	       sscanf(text, "host %255[^,], pid %ld, since %31[0-9TZ:-], born %llu, boot %95[0-9a-f/-]", ret->host, &ret->pid,
	              ret->since, &ret->born, ret->boot) >= 4 &&
	       ret->host[strspn(ret->host, host_characters)] == '\0';
}

static bool is_here(const struct owner *owner) {
	char host[HOST_MOST];
	host_name(host);
	return strcmp(host, owner->host) == 0;
}

// Whether its pid can be looked for.
static bool is_seen_from_here(const struct owner *owner) {
	char boot[BOOT_MOST];
	boot_name(boot);
	return is_here(owner) && owner->born && strcmp(boot, owner->boot) == 0;
}

// --- its heart ---

// Touches the file as long as the process lives.
struct heart {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t ends;
	bool ended;
	int file;
};

static void *beat(void *context) {
	struct heart *h = context;
	pthread_mutex_lock(&h->mutex);
	while (!h->ended) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until); // the other one may be set back, by hours
		until.tv_sec += BEAT;
		pthread_cond_timedwait(&h->ends, &h->mutex, &until);
		futimens(h->file, NULL);
	}
	pthread_mutex_unlock(&h->mutex);
	return NULL;
}

// Signals are the other threads'. Without a thread the claim still holds wherever there are locks.
static struct heart *heart_create(int file) {
	struct heart *h = memory_alloc(sizeof(*h));
	sigset_t all, before;
	pthread_condattr_t steady;
	h->file = file;
	pthread_mutex_init(&h->mutex, NULL);
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&h->ends, &steady);
	pthread_condattr_destroy(&steady);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool runs = pthread_create(&h->thread, NULL, beat, h) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (runs)
		return h;
	free(h);
	return NULL;
}

static void heart_destroy(struct heart *h) {
	if (!h)
		return;
	pthread_mutex_lock(&h->mutex);
	h->ended = true;
	pthread_cond_signal(&h->ends);
	pthread_mutex_unlock(&h->mutex);
	pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->ends);
	pthread_mutex_destroy(&h->mutex);
	free(h);
}

// --- taking ---

// A file that another has, as it was seen last: times of two machines are never compared.
struct watch {
	struct stat seen;
	time_t since; // by this machine's clock
	struct owner owner;
};
enum { WATCH_OWNER, WATCH_GUARD, WATCHES }; // what somebody who waits looks at

static time_t seconds_now(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

// Whether it was touched no more for so many seconds in which somebody looked at it.
static bool is_stale(int file, struct watch *watch, time_t seconds) {
	struct stat now;
	if (fstat(file, &now) != 0)
		return false;
	if (!watch->since || now.st_ino != watch->seen.st_ino || now.st_mtim.tv_sec != watch->seen.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != watch->seen.st_mtim.tv_nsec) {
		watch->seen = now;
		watch->since = seconds_now();
	}
	return seconds_now() - watch->since > seconds;
}

// Whether whoever made the file is gone, where no lock tells.
static bool is_dead(int file, struct watch *watch) {
	if (read_owner(file, &watch->owner) && is_seen_from_here(&watch->owner))
		return born_at(watch->owner.pid) != watch->owner.born;
	return is_stale(file, watch, STALE);
}

// Whether the locked file is still the one of that name: an owner removes it before it lets go.
static bool is_current(int file, const char *path) {
	struct stat locked, named;
	return fstat(file, &locked) == 0 && stat(path, &named) == 0 && locked.st_ino == named.st_ino &&
	       locked.st_dev == named.st_dev;
}

static bool cannot(struct claim *claim, const char *what, const char *path, struct error *error) {
	int number = errno;
	if (claim->file >= 0)
		close(claim->file);
	claim->file = -1;
	return error_set(error, ERROR_RUN, "cannot %s \"%s\": %s", what, path, strerror(number));
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

// Takes a dead owner's file away. Two may see that it is dead: a third file, which only one can make, says whose turn
// it is, and the owner is looked at again then. One who dies in between leaves it to be seen as stale.
static void bury(const char *path, struct watch watch[WATCHES]) {
	struct text guard = {0};
	text_format(&guard, "%s-dead", path);
	int turn = open(text_string(&guard), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (turn >= 0) {
		int file = open(path, O_RDWR | O_CLOEXEC);
		if (file >= 0 && is_dead(file, &watch[WATCH_OWNER]))
			unlink(path);
		if (file >= 0)
			close(file);
		close(turn);
		unlink(text_string(&guard));
	} else {
		turn = open(text_string(&guard), O_RDONLY | O_CLOEXEC);
		if (turn >= 0 && is_stale(turn, &watch[WATCH_GUARD], 10 * STALE))
			unlink(text_string(&guard));
		if (turn >= 0)
			close(turn);
	}
	text_finish(&guard);
}

// Without locks: the owner is who could make the file.
static bool take_without(struct claim *claim, struct watch watch[WATCHES], struct error *error, bool *ret_taken) {
	claim->file = open(claim->owner, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (claim->file >= 0) {
		*ret_taken = true;
		return true;
	}
	if (errno != EEXIST)
		return cannot(claim, "create", claim->owner, error);
	int file = open(claim->owner, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT || cannot(claim, "read", claim->owner, error);
	bool dead = is_dead(file, &watch[WATCH_OWNER]);
	close(file);
	if (dead)
		bury(claim->owner, watch);
	return true;
}

// A lock that could be had says that nobody on this machine has it, and where locks reach others nobody at all.
static bool is_free(int file, struct watch *watch) {
	return !read_owner(file, &watch->owner) || is_here(&watch->owner) || is_stale(file, watch, STALE);
}

static bool take(struct claim *claim, struct watch watch[WATCHES], struct error *error, bool *ret_taken) {
	claim->file = open(claim->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (claim->file < 0)
		return cannot(claim, "create", claim->path, error);
	bool locked = flock(claim->file, LOCK_EX | LOCK_NB) == 0;
	int reason = locked ? 0 : errno;
	*ret_taken = locked && is_current(claim->file, claim->path) && is_free(claim->file, &watch[WATCH_OWNER]);
	if (*ret_taken)
		return true;
	if (reason == EWOULDBLOCK)
		read_owner(claim->file, &watch[WATCH_OWNER].owner);
	close(claim->file);
	claim->file = -1;
	if (locked || reason == EWOULDBLOCK || reason == EINTR)
		return true;
	return take_without(claim, watch, error, ret_taken);
}

static void tell(const struct owner *owner, void (*wait)(void *context, const char *who), void *context) {
	struct text who = {0};
	if (owner->pid)
		text_format(&who, "host %s, pid %ld, since %s", owner->host, owner->pid, owner->since);
	wait(context, text_string(&who));
	text_finish(&who);
}

bool claim_take(const char *folder, void (*wait)(void *context, const char *who), bool (*interrupted)(void *context),
                void *context, struct claim *ret, struct error *error) {
	char *parent = path_folder(folder);
	struct watch watch[WATCHES] = {0};
	*ret = (struct claim){.file = -1};
	bool good = folder_create(parent, error), taken = false;
	free(parent);
	ret->path = beside(folder, ".lock");
	ret->owner = beside(folder, ".owner");
	for (bool first = true; good && !taken; first = false) {
		good = take(ret, watch, error, &taken);
		if (!good || taken)
			break;
		if (first && wait)
			tell(&watch[WATCH_OWNER].owner, wait, context);
		if (interrupted && interrupted(context))
			return error_set(error, ERROR_INTERRUPTED, "interrupted while another wrote \"%s\"", folder);
		nanosleep(&BETWEEN, NULL);
	}
	if (taken) {
		write_owner(ret->file);
		ret->heart = heart_create(ret->file);
		remove_leftovers(ret->path);
	}
	return good && taken;
}

void claim_release(struct claim *claim) {
	heart_destroy(claim->heart);
	if (claim->file >= 0) {
		remove_leftovers(claim->path); // once more, where it could not be done a moment ago
		unlink(claim->owner);
		unlink(claim->path);
		close(claim->file);
	}
	free(claim->path);
	free(claim->owner);
	*claim = (struct claim){.file = -1};
}

bool claim_is_there(const char *folder) {
	char *lock = beside(folder, ".lock");
	bool there = file_exists(lock);
	free(lock);
	return there;
}
