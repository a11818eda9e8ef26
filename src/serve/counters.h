// What was asked, how it ended and how long it took, in Prometheus' text form (version 0.0.4). Each thread counts for
// itself; whoever writes adds up.
#ifndef AEXP_SERVE_COUNTERS_H
#define AEXP_SERVE_COUNTERS_H

#include "base/memory.h"
#include "serve/inquiry.h"

enum { COUNTERS_PATHS_MOST = 8 };
struct counters_thread;
struct counters {
	struct counters_thread *thread; // (threads)
	size_t threads, paths;
	const char *const *path; // (paths) their names, for labels
};
// False where there is no memory. counters_finish either way.
bool counters_init(struct counters *counters, size_t threads, const char *const *path, size_t paths,
                   struct error *error);
void counters_finish(struct counters *counters);
// seconds: from the last byte of the request to the answer; NAN: not timed.
void counters_add(struct counters *counters, size_t thread, size_t path, enum status status, double seconds);
void counters_write(const struct counters *counters, struct text *text);

// One more figure: "# HELP", "# TYPE" and its value.
void counters_figure(struct text *text, const char *name, const char *type, const char *help, double value);
// {label="value"} with the value escaped.
void counters_label(struct text *text, const char *label, const char *value);

#endif
