// See counters.h.
#include "serve/counters.h"

#include "base/number.h"

#include <assert.h>
#include <math.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const enum status statuses[] = {STATUS_GOOD, STATUS_BAD,      STATUS_UNKNOWN, STATUS_METHOD,
                                       STATUS_LATE, STATUS_TOO_MUCH, STATUS_FAILED,  STATUS_BUSY};
static const double limits[] = {1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1};
enum {
	STATUSES = sizeof(statuses) / sizeof(statuses[0]),
	LIMITS = sizeof(limits) / sizeof(limits[0]),
	CACHE_LINE = 64,
};

struct counters_path {
	atomic_size_t status[STATUSES];
	atomic_size_t within[LIMITS + 1]; // of each limit, but not of the one before; the last is beyond all
	atomic_size_t nanoseconds;
};
struct counters_thread {
	alignas(CACHE_LINE) struct counters_path path[COUNTERS_PATHS_MOST];
};

bool counters_init(struct counters *c, size_t threads, const char *const *path, size_t paths, struct error *error) {
	*c = (struct counters){.threads = threads, .path = path, .paths = paths};
	assert(paths <= COUNTERS_PATHS_MOST);
	c->thread = memory_array(threads, sizeof(*c->thread), "the counters", error);
	return c->thread;
}

void counters_finish(struct counters *c) {
	free(c->thread);
	*c = (struct counters){0};
}

static void raise(atomic_size_t *counter, size_t by) {
	atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

void counters_add(struct counters *c, size_t thread, size_t path, enum status status, double seconds) {
	struct counters_path *p = &c->thread[thread].path[path];
	size_t s = 0, within = 0;
	while (s + 1 < STATUSES && statuses[s] != status)
		s++;
	raise(&p->status[s], 1);
	if (isnan(seconds))
		return;
	while (within < LIMITS && seconds > limits[within])
		within++;
	raise(&p->within[within], 1);
	raise(&p->nanoseconds, (size_t)(1e9 * seconds));
}

// --- writing ---

// A member of struct counters_path, over all threads.
static size_t total(const struct counters *c, size_t path, size_t offset) {
	size_t sum = 0;
	for (size_t i = 0; i < c->threads; i++) {
		const char *from = (const char *)&c->thread[i].path[path] + offset;
		sum += atomic_load_explicit((const atomic_size_t *)(const void *)from, memory_order_relaxed);
	}
	return sum;
}

static void write_requests(const struct counters *c, struct text *text) {
	text_append(text, "# HELP aexp_requests_total Requests by path and status.\n# TYPE aexp_requests_total counter\n");
	for (size_t p = 0; p < c->paths; p++)
		for (size_t s = 0; s < STATUSES; s++) {
			size_t count = total(c, p, offsetof(struct counters_path, status) + s * sizeof(atomic_size_t));
			if (count)
				text_format(text, "aexp_requests_total{path=\"%s\",status=\"%d\"} %zu\n", c->path[p], statuses[s],
				            count);
		}
}

static void write_times(const struct counters *c, size_t path, struct text *text) {
	size_t count = 0;
	char number[NUMBER_TEXT];
	for (size_t k = 0; k <= LIMITS; k++) {
		count += total(c, path, offsetof(struct counters_path, within) + k * sizeof(atomic_size_t));
		number_write(k < LIMITS ? limits[k] : (double)INFINITY, number);
		text_format(text, "aexp_request_seconds_bucket{path=\"%s\",le=\"%s\"} %zu\n", c->path[path],
		            k < LIMITS ? number : "+Inf", count);
	}
	number_write(1e-9 * (double)total(c, path, offsetof(struct counters_path, nanoseconds)), number);
	text_format(text, "aexp_request_seconds_sum{path=\"%s\"} %s\n", c->path[path], number);
	text_format(text, "aexp_request_seconds_count{path=\"%s\"} %zu\n", c->path[path], count);
}

void counters_write(const struct counters *c, struct text *text) {
	write_requests(c, text);
	text_append(text, "# HELP aexp_request_seconds From the last byte of a request to its answer.\n"
	                  "# TYPE aexp_request_seconds histogram\n");
	for (size_t p = 0; p < c->paths; p++)
		write_times(c, p, text);
}

void counters_figure(struct text *text, const char *name, const char *type, const char *help, double value) {
	char number[NUMBER_TEXT];
	number_write(value, number);
	text_format(text, "# HELP %s %s\n# TYPE %s %s\n%s %s\n", name, help, name, type, name, number);
}

void counters_label(struct text *text, const char *label, const char *value) {
	text_format(text, "%s=\"", label);
	for (; *value; value++) {
		text_append(text, strchr("\n\"\\", *value) ? "\\" : "");
		text_append_bytes(text, *value == '\n' ? "n" : value, 1);
	}
	text_append(text, "\"");
}
