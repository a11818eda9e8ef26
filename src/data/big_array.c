// Memory that comes page by page, as it is filled.
#include "data/big_array.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "base/number.h"

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20 };

void *big_array(size_t count, size_t size, const char *what, struct error *error) {
	size_t bytes;
	bool fits = memory_product(count, size, &bytes) && bytes <= PTRDIFF_MAX - HUGE_PAGE;
	size_t alignment = fits && bytes >= (size_t)HUGE_PAGE / 2 ? HUGE_PAGE : ALIGNMENT;
	size_t rounded = fits ? (bytes == 0 ? 1 : bytes) + alignment - 1 : 0;
	rounded -= rounded % alignment;
	void *data = fits ? aligned_alloc(alignment, rounded) : NULL;
	if (data == NULL) {
		char text[NUMBER_TEXT];
		number_write_bytes((double)count * (double)size, text);
		error_set(error, ERROR_RUN, "out of memory for %s: %zu times %zu bytes (%s) wanted", what, count, size, text);
		return NULL;
	}
	if (alignment == HUGE_PAGE)
		madvise(data, rounded, MADV_HUGEPAGE); // refused where there are none: nothing is lost
	return data;
}
