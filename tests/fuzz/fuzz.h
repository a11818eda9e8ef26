// What the fuzz targets share. A target is one function of some bytes, by libFuzzer's name; built with it, or with
// replay.c, which runs it on files. It ends the process where a reader breaks a promise.
#ifndef AEXP_TESTS_FUZZ_FUZZ_H
#define AEXP_TESTS_FUZZ_FUZZ_H

#include "base/error.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A promise of the reader: abort() where it does not hold.
#define fuzz_require(condition) ((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *condition, const char *file, int line);
// An error that a reader gave: it has one of the user's codes, and a message.
void fuzz_require_error(const struct error *error);
void fuzz_require_none(const struct errors *errors); // what the target itself made is good: prints the first otherwise

// A folder of this process, in memory where there is such a file system; gone when the process ends normally.
const char *fuzz_folder(void);
const char *fuzz_path(const char *name); // of a file in it; the arena of the process owns it
void fuzz_write(const char *name, const void *data, size_t size);

// Inputs of several files: each begins with a line "%% NAME". Writes those that are named; of the others, which are not
// in the input, no file is left. What stands before the first is no part of any.
void fuzz_write_parts(const uint8_t *data, size_t size, const char *const *names, size_t count);
// The text of one part, or NULL where it is not there; free().
char *fuzz_part(const uint8_t *data, size_t size, const char *name, size_t *ret_length);

// Changes to something that is good, so that an input needs no sums of its own and stays good when a format changes.
// A change takes three bytes, the place (16 bits, low first) and what: of its low three bits n, of the others whether
// n + 1 bytes, which follow, are written over what is there, put in front of it, taken out, or all from there on is.
void fuzz_change(const void *good, size_t size, const uint8_t *changes, size_t changes_size, struct text *ret);

#endif
