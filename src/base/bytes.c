// See bytes.h.
#include "base/bytes.h"

#include <string.h>

void bytes_put(struct bytes_out *out, const void *data, size_t size) {
	if (!out->failed && size > 0)
		out->failed = !out->put(out->context, data, size);
}

void bytes_put_u64(struct bytes_out *out, uint64_t value) {
	bytes_put(out, &value, sizeof(value));
}

void bytes_put_double(struct bytes_out *out, double value) {
	bytes_put(out, &value, sizeof(value));
}

void bytes_put_string(struct bytes_out *out, const char *text) {
	size_t length = strlen(text);
	bytes_put_u64(out, length);
	bytes_put(out, text, length);
}

const void *bytes_view(struct bytes_in *in, size_t size) {
	if (in->failed || size > in->left) {
		in->failed = true;
		return NULL;
	}
	const char *place = in->data;
	in->data += size;
	in->left -= size;
	return place;
}

void bytes_take(struct bytes_in *in, void *ret, size_t size) {
	const void *from = bytes_view(in, size);
	if (from && size)
		memcpy(ret, from, size);
	else if (size)
		memset(ret, 0, size);
}

uint64_t bytes_take_u64(struct bytes_in *in) {
	uint64_t value;
	bytes_take(in, &value, sizeof(value));
	return value;
}

uint64_t bytes_take_below(struct bytes_in *in, uint64_t limit) {
	uint64_t value = bytes_take_u64(in);
	if (value < limit)
		return value;
	in->failed = true;
	return 0;
}

double bytes_take_double(struct bytes_in *in) {
	double value;
	bytes_take(in, &value, sizeof(value));
	return value;
}

bool bytes_take_equal(struct bytes_in *in, uint64_t value) {
	in->failed |= bytes_take_u64(in) != value;
	return !in->failed;
}

const char *bytes_take_string(struct bytes_in *in, size_t *ret_length) {
	*ret_length = (size_t)bytes_take_u64(in);
	return bytes_view(in, *ret_length);
}
