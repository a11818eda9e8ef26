// JSON lines in, JSON lines out, one at a time. The reader holds no more than a question may have: what is longer is
// read away up to its end and answered with an error.
#include "serve/service.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POLL_MILLISECONDS = 200 }; // between looks at what is wished, while nothing comes

struct reader {
	int from;
	char *data; // (INQUIRY_MOST), of which [begin, end) is not yet given out
	size_t begin, end;
	bool ended, too_long; // too_long: the line's beginning was thrown away
};
struct line {
	const char *text; // (length), without its end
	size_t length;
	bool too_long;
};

// The next whole line among what was read, or what is left at the end of all.
static bool take_line(struct reader *r, struct line *ret) {
	char *begin = r->data + r->begin, *end = memchr(begin, '\n', r->end - r->begin);
	if (!end && r->end - r->begin == INQUIRY_MOST) {
		r->too_long = true;
		r->begin = r->end;
	}
	if (!end && !(r->ended && (r->begin < r->end || r->too_long)))
		return false;
	size_t length = end ? (size_t)(end - begin) : r->end - r->begin;
	*ret = (struct line){begin, length, r->too_long};
	r->begin += length + (end != NULL);
	r->too_long = false;
	return true;
}

// Reads once what there is; waits a moment for it.
static bool fill(struct reader *r, struct error *error) {
	struct pollfd ready = {.fd = r->from, .events = POLLIN};
	memmove(r->data, r->data + r->begin, r->end - r->begin);
	r->end -= r->begin;
	r->begin = 0;
	if (poll(&ready, 1, POLL_MILLISECONDS) <= 0)
		return true;
	ssize_t got = read(r->from, r->data + r->end, INQUIRY_MOST - r->end);
	if (got < 0 && errno != EINTR && errno != EAGAIN)
		return error_set(error, ERROR_RUN, "questions cannot be read: %s", strerror(errno));
	r->end += got > 0 ? (size_t)got : 0;
	r->ended = got == 0;
	return true;
}

static bool is_blank(const struct line *line) {
	for (size_t i = 0; i < line->length; i++)
		if (!strchr(" \t\r", line->text[i]) || !line->text[i])
			return false;
	return !line->too_long;
}

static void answer(struct service *s, const struct line *line, struct text *ret) {
	struct error error = {0};
	struct served *served = models_take(&s->models, 0);
	enum status status = STATUS_TOO_MUCH;
	if (!line->too_long)
		status = inquiry_answer(served->model[0], &s->inquiry, line->text, line->length, ret, &error);
	else
		error_at(&error, ERROR_DATA, (struct origin){.file = s->inquiry.from, .line = s->inquiry.before + 1},
		         "the line is too long");
	models_leave(&s->models, 0);
	if (status == STATUS_GOOD)
		return;
	ret->length = 0;
	error.line = s->inquiry.before + 1; // also where the model found the fault
	inquiry_refuse(&error, ret);
}

static bool put(const struct text *text, FILE *to, struct error *error) {
	if (fwrite(text_string(text), 1, text->length, to) == text->length && fflush(to) == 0)
		return true;
	return error_set(error, ERROR_RUN, "answers cannot be written: %s", strerror(errno));
}

static bool answer_lines(struct service *s, struct reader *r, FILE *to, struct error *error) {
	struct text text = {0};
	struct line line;
	bool good = true, goes_on = true;
	while (good) {
		goes_on = goes_on && service_goes_on(s);
		if (take_line(r, &line)) {
			text.length = 0;
			if (!is_blank(&line)) {
				answer(s, &line, &text);
				good = put(&text, to, error);
			}
			s->inquiry.before++;
		} else if (!goes_on || r->ended) {
			break;
		} else {
			good = fill(r, error);
		}
	}
	text_finish(&text);
	return good;
}

bool serve_lines(const struct service_config *config, int from, FILE *to, struct error *error) {
	struct service service;
	struct reader reader = {.from = from, .data = memory_alloc(INQUIRY_MOST)};
	bool good = service_open(&service, config, 1, error);
	service.inquiry.from = "standard input";
	good = good && answer_lines(&service, &reader, to, error);
	service_close(&service);
	free(reader.data);
	return good;
}
