// See streams.h.
#include "cli/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

// Opened the other way round: reading from standard input and writing to the others fail, as where they are closed.
static void hold(int number) {
	if (fcntl(number, F_GETFD) >= 0 || errno != EBADF)
		return;
	int file = open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY); // the lowest that is free
	if (file > number)
		close(file);
}

// --- a terminal ---

// Of UTF-8, U+0080 to U+009F are controls, too, of two bytes each.
enum { DELETE = 0x7f, LEAD = 0xc2, TRAIL_FIRST = 0x80, TRAIL_LAST = 0x9f };

struct terminal {
	bool led; // the byte before, which was kept back, is LEAD
};

// The line's end is one; a carriage return would go back over it.
static size_t plain(struct terminal *t, unsigned char byte, char ret[2]) {
	size_t count = 0;
	if (t->led) {
		t->led = false;
		if (byte >= TRAIL_FIRST && byte <= TRAIL_LAST) {
			ret[0] = '?';
			return 1;
		}
		ret[count++] = (char)LEAD;
	}
	if (byte == LEAD)
		t->led = true;
	else if ((byte < ' ' && byte != '\n' && byte != '\t' && byte != '\r') || byte == DELETE)
		ret[count++] = '?';
	else if (byte != '\r')
		ret[count++] = (char)byte;
	return count;
}

static bool put(const char *data, size_t size) {
	while (size > 0) {
		ssize_t written = write(STDOUT_FILENO, data, size);
		if (written < 0 && errno != EINTR)
			return false;
		data += written > 0 ? written : 0;
		size -= written > 0 ? (size_t)written : 0;
	}
	return true;
}

// As fopencookie wants it: 0 is an error.
static ssize_t write_plain(void *context, const char *data, size_t size) {
	char block[1024];
	size_t used = 0;
	for (size_t i = 0; i < size; i++) {
		used += plain(context, (unsigned char)data[i], block + used);
		if (used + 2 > sizeof(block)) {
			if (!put(block, used))
				return 0;
			used = 0;
		}
	}
	return put(block, used) ? (ssize_t)size : 0;
}

void streams_begin(void) {
	static struct terminal terminal;
	for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++)
		hold(number);
	if (!isatty(STDOUT_FILENO))
		return;
	FILE *filtered = fopencookie(&terminal, "w", (cookie_io_functions_t){.write = write_plain});
	if (!filtered)
		return;
	setvbuf(filtered, NULL, _IOLBF, BUFSIZ);
	stdout = filtered;
}
