// Numbers and arrays as bytes, one after the other: written to whoever takes them, read back within bounds. In the
// order of this machine's bytes: for what the same program reads again. A failure stays, so that it is asked for once,
// at the end.
#ifndef AEXP_BASE_BYTES_H
#define AEXP_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes_out {
	void *context;
	bool (*put)(void *context, const void *data, size_t size); // false: it failed, and is not called again
	bool failed;
};
void bytes_put(struct bytes_out *out, const void *data, size_t size);
void bytes_put_u64(struct bytes_out *out, uint64_t value);
void bytes_put_double(struct bytes_out *out, double value); // bit by bit, NAN too
void bytes_put_string(struct bytes_out *out, const char *text);

// What is left to read. Past the end, or after a failure, everything is 0.
struct bytes_in {
	const char *data; // (left)
	size_t left;
	bool failed;
};
const void *bytes_view(struct bytes_in *in, size_t size); // the next ones where they lie, not aligned; NULL: too few
void bytes_take(struct bytes_in *in, void *ret, size_t size);
uint64_t bytes_take_u64(struct bytes_in *in);
uint64_t bytes_take_below(struct bytes_in *in, uint64_t limit); // fails where it is not below
double bytes_take_double(struct bytes_in *in);
bool bytes_take_equal(struct bytes_in *in, uint64_t value);             // fails where it is another
const char *bytes_take_string(struct bytes_in *in, size_t *ret_length); // not terminated; NULL: too few

#endif
