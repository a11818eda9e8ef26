// What is found at each path, whoever carries requests and answers.
#ifndef AEXP_SERVE_SITE_H
#define AEXP_SERVE_SITE_H

#include "serve/counters.h"
#include "serve/service.h"

struct site {
	struct service service;
	struct counters counters;
	const char *names[COUNTERS_PATHS_MOST]; // of the counters: the paths, and "other"
	atomic_size_t connections;
	atomic_bool stopping;
};
bool site_open(struct site *site, const struct service_config *config, size_t threads, struct error *error);
void site_close(struct site *site);

struct request {
	size_t thread;
	const char *body; // (length)
	size_t length;
	const char *const *parameters; // (2 * parameters_count) name, value
	size_t parameters_count;
};
struct reply {
	enum status status;
	const char *type;        // of what is in it
	struct text text, notes; // notes: a line each
};

struct site_path; // one of a table
// The one at the path by that method; else NULL, and why.
const struct site_path *site_find(const char *path, const char *method, enum status *ret_why);
const char *site_methods(const char *path); // that it has, "GET, HEAD"
// ret_reply is zeroed; its texts are the caller's. What it took is counted.
void site_answer(const struct site_path *path, struct site *site, const struct request *request, struct reply *ret);
// For what does not come to an answer: why not, as JSON; counted.
void site_refuse(const char *path, struct site *site, size_t thread, enum status status, struct reply *ret);

#endif
