// Allocation. Small metadata (configuration, names, messages) may end the program with a message when memory is out:
// memory_* never return NULL. Arrays that grow with the data go through memory_array, which fails as an error.
#ifndef AEXP_BASE_MEMORY_H
#define AEXP_BASE_MEMORY_H

#include "base/error.h"

void *memory_alloc(size_t size);                       // zeroed; exits 1 with one line on standard error when out of memory
void *memory_resize(void *old, size_t size);           // like realloc, same rule; the new part is not zeroed
char *memory_copy_string(const char *text);            // owned by the caller, free()
__attribute__((noreturn)) void memory_exhausted(size_t size); // that one line, and exit 1: for libraries that return NULL

// count * size bytes, zeroed, 64-byte aligned, product checked; NULL and *error (ERROR_RUN, with the bytes wanted and
// `what` in the message) when it cannot be had. free() releases it. count 0 gives a valid pointer.
void *memory_array(size_t count, size_t size, const char *what, struct error *error);

// True and *ret = a * b, or false on overflow.
bool memory_product(size_t a, size_t b, size_t *ret);

// A bump allocator: everything that is allocated lives until arena_finish. Zero-initialise to start.
struct arena {
	struct arena_block *blocks, *spare; // spare: of nothing at present
};
void *arena_alloc(struct arena *arena, size_t size);   // zeroed, 16-byte aligned
char *arena_string(struct arena *arena, const char *text);
char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *arena_copy(struct arena *arena, const void *data, size_t size);
void arena_join(struct arena *arena, struct arena *other); // takes over all that the other holds, which is empty then
void arena_recycle(struct arena *arena, size_t most);      // what it had is gone; up to `most` bytes serve again
void arena_finish(struct arena *arena);

// A growing string, always terminated (text.data may be NULL while empty: use text_string). Zero-initialise to start.
struct text {
	char *data;
	size_t length, capacity;
};
void text_append(struct text *text, const char *string);
void text_append_bytes(struct text *text, const void *bytes, size_t length);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *text_string(const struct text *text);      // "" while empty
void text_finish(struct text *text);

#endif
