// One of the threads that serve HTTP: a libmicrohttpd daemon of its own on the shared socket, run by this thread alone,
// so that its connections need no lock.
#ifndef AEXP_SERVE_HTTP_THREAD_H
#define AEXP_SERVE_HTTP_THREAD_H

#include "serve/site.h"

#include <pthread.h>

struct MHD_Daemon;
struct connection;

struct http_thread {
	struct site *site;
	const struct http_config *http;
	size_t number;
	pthread_t id;
	struct MHD_Daemon *daemon;
	struct connection *connections;
	double swept;   // when their deadlines were looked at last
	double stopped; // when it was told to stop; INFINITY: it is not
};
// Takes connections from the socket until site->stopping is set, then answers what came in. False where it cannot
// start; http_thread_join otherwise.
bool http_thread_start(struct http_thread *thread, int listening, struct error *error);
void http_thread_join(struct http_thread *thread);

enum { HTTP_CONNECTIONS_SPARE = 64 }; // beyond the limit: told that it is reached; what is beyond them is closed

#endif
