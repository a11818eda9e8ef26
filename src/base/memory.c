// Allocation: the kind that ends the program, the kind that fails as an error, an arena and a growing string.
//
// Arena: a list of blocks, newest first; each is [header | data ......used | free ......size]. What does not fit the
// newest block opens another one, so a large piece may leave the tail of a block unused. Blocks that serve once more
// have old data up to `dirty`, which becomes zero as it is handed out.
#include "base/memory.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

enum {
	ARRAY_ALIGNMENT = 64,    // a cache line, and the widest vector register there is
	ARENA_ALIGNMENT = 16,    // what malloc gives too
	ARENA_BLOCK = 32 * 1024, // bytes of data of an ordinary block
	TEXT_CAPACITY = 64,      // bytes of a text's first buffer
};

void memory_exhausted(size_t size) {
	fprintf(stderr, "aexp: out of memory (%zu bytes wanted)\n", size);
	exit(ERROR_RUN);
}

void *memory_alloc(size_t size) {
	void *data = calloc(1, size == 0 ? 1 : size);
	if (data == NULL)
		memory_exhausted(size);
	return data;
}

void *memory_resize(void *old, size_t size) {
	void *data = realloc(old, size == 0 ? 1 : size);
	if (data == NULL)
		memory_exhausted(size);
	return data;
}

char *memory_copy_string(const char *text) {
	size_t size = strlen(text) + 1;
	return memcpy(memory_alloc(size), text, size);
}

bool memory_product(size_t a, size_t b, size_t *ret) {
	size_t product;
	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*ret = product;
	return true;
}

void *memory_array(size_t count, size_t size, const char *what, struct error *error) {
	size_t bytes;
	if (!memory_product(count, size, &bytes) || bytes > PTRDIFF_MAX - ARRAY_ALIGNMENT) {
		error_set(error, ERROR_RUN, "out of memory for %s: %zu times %zu bytes wanted", what, count, size);
		return NULL;
	}
	// aligned_alloc wants a multiple of the alignment; an empty array still gets an address of its own.
	size_t rounded = (bytes == 0 ? 1 : bytes) + ARRAY_ALIGNMENT - 1;
	rounded -= rounded % ARRAY_ALIGNMENT;
	void *data = aligned_alloc(ARRAY_ALIGNMENT, rounded);
	if (data == NULL) {
		char text[NUMBER_TEXT];
		number_write_bytes((double)bytes, text);
		error_set(error, ERROR_RUN, "out of memory for %s: %zu bytes (%s) wanted", what, bytes, text);
		return NULL;
	}
	return memset(data, 0, rounded);
}

struct arena_block {
	struct arena_block *next;
	size_t used, size, dirty; // bytes of data
	alignas(ARENA_ALIGNMENT) unsigned char data[];
};

static struct arena_block *arena_grow(struct arena *arena, size_t size) {
	struct arena_block *block = arena->spare;
	if (size < ARENA_BLOCK)
		size = ARENA_BLOCK;
	if (block != NULL && block->size >= size) {
		arena->spare = block->next;
	} else {
		block = memory_alloc(sizeof *block + size);
		block->size = size;
	}
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size) {
	if (size > PTRDIFF_MAX - sizeof(struct arena_block) - ARENA_ALIGNMENT)
		memory_exhausted(size);
	size_t rounded = (size == 0 ? 1 : size) + ARENA_ALIGNMENT - 1;
	rounded -= rounded % ARENA_ALIGNMENT;
	struct arena_block *block = arena->blocks;
	if (block == NULL || block->size - block->used < rounded)
		block = arena_grow(arena, rounded);
	void *data = block->data + block->used;
	if (block->used < block->dirty)
		memset(data, 0, rounded < block->dirty - block->used ? rounded : block->dirty - block->used);
	block->used += rounded;
	return data;
}

void *arena_copy(struct arena *arena, const void *data, size_t size) {
	void *copy = arena_alloc(arena, size);
	return size == 0 ? copy : memcpy(copy, data, size);
}

char *arena_string(struct arena *arena, const char *text) {
	return arena_copy(arena, text, strlen(text) + 1);
}

char *arena_format(struct arena *arena, const char *format, ...) {
	assert(format != NULL); // said for gcc, which warns of it under the undefined-behaviour sanitizer otherwise
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	size_t size = length < 0 ? 1 : (size_t)length + 1;
	char *text = arena_alloc(arena, size);
	vsnprintf(text, size, format, again);
	va_end(again);
	va_end(arguments);
	return text;
}

void arena_join(struct arena *arena, struct arena *other) {
	struct arena_block **end = &arena->blocks;
	while (*end != NULL)
		end = &(*end)->next;
	*end = other->blocks;
	other->blocks = NULL;
}

static void free_blocks(struct arena_block *blocks) {
	while (blocks != NULL) {
		struct arena_block *block = blocks;
		blocks = block->next;
		free(block);
	}
}

// Larger blocks than usual go too: one at the head of the list would keep the others from use.
void arena_recycle(struct arena *arena, size_t most) {
	struct arena_block *blocks = arena->blocks, *next;
	size_t kept = 0;
	for (struct arena_block *spare = arena->spare; spare != NULL; spare = spare->next)
		kept += spare->size;
	for (arena->blocks = NULL; blocks != NULL; blocks = next) {
		next = blocks->next;
		if (blocks->size > ARENA_BLOCK || most - kept < blocks->size || most < kept) {
			free(blocks);
			continue;
		}
		kept += blocks->size;
		if (blocks->dirty < blocks->used)
			blocks->dirty = blocks->used;
		blocks->used = 0;
		blocks->next = arena->spare;
		arena->spare = blocks;
	}
}

void arena_finish(struct arena *arena) {
	free_blocks(arena->blocks);
	free_blocks(arena->spare);
	*arena = (struct arena){0};
}

// Makes room for `more` bytes and the terminator.
static void text_reserve(struct text *text, size_t more) {
	if (more > PTRDIFF_MAX - 1 - text->length)
		memory_exhausted(more);
	size_t wanted = text->length + more + 1;
	if (wanted <= text->capacity)
		return;
	size_t capacity = text->capacity < TEXT_CAPACITY ? TEXT_CAPACITY : text->capacity;
	while (capacity < wanted)
		capacity *= 2;
	text->data = memory_resize(text->data, capacity);
	text->capacity = capacity;
}

void text_append_bytes(struct text *text, const void *bytes, size_t length) {
	text_reserve(text, length);
	if (length > 0)
		memcpy(text->data + text->length, bytes, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void text_append(struct text *text, const char *string) {
	text_append_bytes(text, string, strlen(string));
}

void text_format(struct text *text, const char *format, ...) {
	assert(format != NULL); // as in arena_format
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	size_t more = length < 0 ? 0 : (size_t)length;
	text_reserve(text, more);
	if (vsnprintf(text->data + text->length, more + 1, format, again) < 0)
		text->data[text->length] = '\0';
	text->length += more;
	va_end(again);
	va_end(arguments);
}

const char *text_string(const struct text *text) {
	return text->data == NULL ? "" : text->data;
}

void text_finish(struct text *text) {
	free(text->data);
	*text = (struct text){0};
}
