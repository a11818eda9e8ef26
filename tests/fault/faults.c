// For faults.sh, by LD_PRELOAD: makes one call of the program fail. Only calls made by the program's own code count,
// not those of libraries; a place is where a call comes from, the hash of the program's frames above it, so that one
// function that everybody writes by counts once for each of its callers.
//   AEXP_FAULT_LIST=PATH    writes "KIND PLACE CALLS" for each place at the end
//   AEXP_FAULT_TRACE=1      says on standard error where the call comes from that fails, for addr2line
//   AEXP_FAULT="KIND PLACE N ERRNO"   fails the Nth call there, or with N 0 all; ERRNO "short": half of what was asked
//   for
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FRAMES = 24, DEPTH = 6, PLACES = 1 << 14, SHORT = -1 };

// glibc's own, below the names that are taken here: dlsym itself allocates.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static struct place {
	const char *kind;
	uint64_t hash;
	unsigned calls;
} places[PLACES];

static uintptr_t begin, end; // of the program's code
static bool on, trace;
static __thread bool inside;
static const char *list;
static char wanted_kind[32];
static uint64_t wanted_place;
static unsigned wanted_call;
static int wanted_error;

static int find_code(struct dl_phdr_info *info, size_t size, void *context) {
	(void)size, (void)context;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
			begin = info->dlpi_addr + p->p_vaddr;
			end = begin + p->p_memsz;
		}
	}
	return 1; // the first one is the program
}

__attribute__((constructor)) static void start(void) {
	const char *fault = getenv("AEXP_FAULT");
	char error[16] = "";
	void *frame[2];
	list = getenv("AEXP_FAULT_LIST");
	trace = getenv("AEXP_FAULT_TRACE");
	if (strcmp(program_invocation_short_name, "aexp") != 0 || (!list && !fault))
		return;
	if (fault && sscanf(fault, "%31s %lx %u %15s", wanted_kind, &wanted_place, &wanted_call, error) != 4)
		_exit(99);
	wanted_error = strcmp(error, "short") ? atoi(error) : SHORT;
	dl_iterate_phdr(find_code, NULL);
	backtrace(frame, 2); // loads what it needs
	on = true;
}

__attribute__((destructor)) static void stop(void) {
	on = false;
	FILE *file = list && begin ? fopen(list, "w") : NULL;
	for (size_t i = 0; file && i < PLACES; i++)
		if (places[i].kind)
			fprintf(file, "%s %lx %u\n", places[i].kind, places[i].hash, places[i].calls);
	if (file)
		fclose(file);
}

static bool is_own(const void *address) {
	return (uintptr_t)address >= begin && (uintptr_t)address < end;
}

static uint64_t where(void) {
	void *frame[FRAMES];
	int count = backtrace(frame, FRAMES), used = 0;
	uint64_t hash = 1469598103934665603u; // FNV-1a
	for (int i = 0; i < count && used < DEPTH; i++) {
		if (!is_own(frame[i]))
			continue;
		hash = (hash ^ ((uintptr_t)frame[i] - begin)) * 1099511628211u;
		used++;
	}
	return hash;
}

static void show(void) {
	void *frame[FRAMES];
	inside = true;
	backtrace_symbols_fd(frame, backtrace(frame, FRAMES), STDERR_FILENO);
	inside = false;
}

static struct place *place_of(const char *kind, uint64_t hash) {
	for (size_t i = hash % PLACES;; i = (i + 1) % PLACES) {
		if (!places[i].kind)
			places[i] = (struct place){kind, hash, 0};
		if (places[i].hash == hash && !strcmp(places[i].kind, kind))
			return &places[i];
	}
}

// 0: the call goes on; else the error that it ends with.
static int fault(const char *kind, const void *caller) {
	if (!on || inside || !is_own(caller) || (!list && strcmp(kind, wanted_kind) != 0))
		return 0;
	inside = true;
	struct place *place = place_of(kind, where());
	place->calls++;
	inside = false;
	bool fails =
	    place->hash == wanted_place && !strcmp(kind, wanted_kind) && (wanted_call == 0 || place->calls == wanted_call);
	if (fails && trace)
		show();
	return fails ? wanted_error : 0;
}

#define CALLER __builtin_return_address(0)
#define FAIL(kind, result)                                                                                             \
	do {                                                                                                               \
		int number = fault(kind, CALLER);                                                                              \
		if (number) {                                                                                                  \
			errno = number == SHORT ? EIO : number;                                                                    \
			return result;                                                                                             \
		}                                                                                                              \
	} while (0)
#define REAL(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))

void *malloc(size_t size) {
	FAIL("malloc", NULL);
	return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
	FAIL("calloc", NULL);
	return __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
	FAIL("realloc", NULL);
	return __libc_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
	FAIL("aligned_alloc", NULL);
	return __libc_memalign(alignment, size);
}
void *mmap64(void *at, size_t size, int protection, int flags, int file, off64_t offset) {
	FAIL("mmap", MAP_FAILED);
	return REAL(void *(*)(void *, size_t, int, int, int, off64_t), "mmap64")(at, size, protection, flags, file, offset);
}

int open64(const char *path, int flags, ...) {
	va_list more;
	va_start(more, flags);
	mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
	va_end(more);
	FAIL("open", -1);
	return openat(AT_FDCWD, path, flags, mode);
}
int mkdir(const char *path, mode_t mode) {
	FAIL("mkdir", -1);
	return mkdirat(AT_FDCWD, path, mode);
}
int rename(const char *from, const char *to) {
	FAIL("rename", -1);
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}
int fsync(int file) {
	FAIL("fsync", -1);
	return REAL(int (*)(int), "fsync")(file);
}
int ftruncate64(int file, off64_t size) {
	FAIL("ftruncate", -1);
	return REAL(int (*)(int, off64_t), "ftruncate64")(file, size);
}
int close(int file) { // an error of close is one of what was written before: the file is closed all the same
	int number = fault("close", CALLER), result = REAL(int (*)(int), "close")(file);
	if (number)
		errno = number;
	return number ? -1 : result;
}
ssize_t write(int file, const void *data, size_t size) {
	int number = fault("write", CALLER);
	if (number > 0)
		errno = number;
	return number > 0
	           ? -1
	           : REAL(ssize_t(*)(int, const void *, size_t), "write")(file, data, number ? (size + 1) / 2 : size);
}
ssize_t read(int file, void *data, size_t size) {
	int number = fault("read", CALLER);
	if (number > 0)
		errno = number;
	return number > 0 ? -1 : REAL(ssize_t(*)(int, void *, size_t), "read")(file, data, number ? (size + 1) / 2 : size);
}

FILE *fopen64(const char *path, const char *mode) {
	FAIL("fopen", NULL);
	return REAL(FILE * (*)(const char *, const char *), "fopen64")(path, mode);
}
size_t fwrite(const void *data, size_t size, size_t count, FILE *file) {
	FAIL("fwrite", count / 2);
	return REAL(size_t(*)(const void *, size_t, size_t, FILE *), "fwrite")(data, size, count, file);
}
int fflush(FILE *file) {
	FAIL("fflush", EOF);
	return REAL(int (*)(FILE *), "fflush")(file);
}
int fclose(FILE *file) {
	int number = fault("fclose", CALLER), result = REAL(int (*)(FILE *), "fclose")(file);
	if (number)
		errno = number;
	return number ? EOF : result;
}
DIR *opendir(const char *path) {
	FAIL("opendir", NULL);
	return REAL(DIR * (*)(const char *), "opendir")(path);
}

int pipe2(int ends[2], int flags) {
	FAIL("pipe", -1);
	return REAL(int (*)(int *, int), "pipe2")(ends, flags);
}
int posix_spawnp(pid_t *ret, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const environment[]) {
	int number = fault("spawn", CALLER);
	return number ? number
	              : REAL(int (*)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
	                             char *const *, char *const *),
	                     "posix_spawnp")(ret, file, actions, attributes, argv, environment);
}
