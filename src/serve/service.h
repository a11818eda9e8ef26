// What lines and HTTP share: the model that is served, how questions are answered where they say nothing of it, and
// what is asked of the service from outside: to stop, or to open the model anew.
#ifndef AEXP_SERVE_SERVICE_H
#define AEXP_SERVE_SERVICE_H

#include "serve/inquiry.h"
#include "serve/models.h"

#include <stdio.h>

enum service_wish { SERVICE_STOP = 1, SERVICE_RELOAD = 2 };
// Set by the caller.
struct service_config {
	const char *path;                  // of model.safetensors
	struct aexp_how how;               // its notes go out as they come, over HTTP into headers of the answer
	bool predicts;                     // what lines ask for; HTTP has a path for each
	unsigned (*wishes)(void *context); // what was asked since it was called last; several times a second
	void (*note)(void *context, const char *text); // of models opened and refused
	void *context;
};

struct service {
	const struct service_config *config;
	struct models models;
	struct inquiry inquiry;
	double looked; // when the file was looked at last
};
bool service_open(struct service *service, const struct service_config *config, size_t slots, struct error *error);
void service_close(struct service *service);
// Opens the model anew where that is wished, or its file is another one; false: stop.
bool service_goes_on(struct service *service);

// Answers JSON lines with one line each, written at once; errors are objects with an "error". Ends with the input, or
// by SERVICE_STOP once what was read is answered. ERROR_RUN where it can neither read nor write any more.
bool serve_lines(const struct service_config *config, int from, FILE *to, struct error *error);

struct http_config {
	const char *host; // a name or an address
	unsigned port;    // 0: any that is free
	size_t threads, connections;
	double seconds; // for a request to come in, its answer to be taken, and between requests
};
// Until SERVICE_STOP; what came in by then is answered. ERROR_RUN where it cannot listen there, ERROR_CONFIG where
// the program was built without libmicrohttpd.
bool serve_http(const struct service_config *config, const struct http_config *http, struct error *error);

#endif
