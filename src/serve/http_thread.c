// See http_thread.h. A connection has one deadline at a time: for a request to come in, for its answer to be taken, or
// for the next request; libmicrohttpd's own time-out would begin anew with each byte.
#include "serve/http_thread.h"

#include "train/train.h"

#include <math.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	TURN_MILLISECONDS = 100,
	HEADERS_MOST = 1 << 14, // bytes of a request's line and headers; more is answered by libmicrohttpd (431, 414)
	DRAIN_MOST = 1 << 24,   // bytes of a body that is read away, so that the client comes to read why
	BODY_KEPT = 1 << 16,    // bytes that a connection keeps for its next body
	PARAMETERS_MOST = 8,
};
static const double SWEEP_SECONDS = 0.1;
static const double STOP_SECONDS = 0.2;      // connections that the system took already are still served
static const double STOP_IDLE_SECONDS = 1.0; // and those that stand idle have so long to ask once more

enum state { STATE_WAITING, STATE_READING, STATE_ANSWERING };
struct connection {
	struct connection *next, **link; // of the thread
	int socket;
	enum state state;
	double deadline;    // INFINITY: it is being closed
	bool spare, served; // served: has had an answer
	// the request at hand
	const struct site_path *path;
	enum status refusal; // STATUS_GOOD: none
	struct text body;
	size_t drained;
};

static struct connection *connection_of(struct MHD_Connection *mhd) {
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void set_state(const struct http_thread *t, struct connection *c, enum state state) {
	c->state = state;
	c->deadline = train_seconds() + t->http->seconds;
}

// --- answers ---

// A header's value: printable ASCII, a length that a reader bears.
static void add_note(struct MHD_Response *response, const char *line, size_t length) {
	char value[256];
	size_t count = 0;
	for (size_t i = 0; i < length && count + 1 < sizeof(value); i++)
		value[count++] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
	value[count] = '\0';
	MHD_add_response_header(response, "Aexp-Note", value);
}

static void add_notes(struct MHD_Response *response, const char *lines) {
	enum { NOTES_MOST = 8 };
	for (size_t i = 0; *lines && i < NOTES_MOST; i++) {
		size_t length = strcspn(lines, "\n");
		add_note(response, lines, length);
		lines += length + 1;
	}
}

static void add_headers(const struct http_thread *t, const struct connection *c, const struct reply *reply,
                        const char *url, struct MHD_Response *response) {
	MHD_add_response_header(response, "Content-Type", reply->type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Content-Security-Policy",
	                        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
	                        "connect-src 'self'; img-src data:; frame-ancestors 'none'");
	if (reply->status == STATUS_METHOD)
		MHD_add_response_header(response, "Allow", site_methods(url));
	if (reply->status == STATUS_BUSY)
		MHD_add_response_header(response, "Retry-After", "1");
	if (c->spare || atomic_load(&t->site->stopping))
		MHD_add_response_header(response, "Connection", "close");
	add_notes(response, text_string(&reply->notes));
}

static enum MHD_Result send_reply(struct http_thread *t, struct connection *c, struct MHD_Connection *mhd,
                                  const char *url, struct reply *reply) {
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(reply->text.length, reply->text.data, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result queued = MHD_NO;
	if (response) {
		add_headers(t, c, reply, url, response);
		set_state(t, c, STATE_ANSWERING);
		queued = MHD_queue_response(mhd, (unsigned)reply->status, response);
		MHD_destroy_response(response);
	} else {
		text_finish(&reply->text);
	}
	text_finish(&reply->notes);
	return queued;
}

struct parameters {
	const char *pair[2 * PARAMETERS_MOST];
	size_t count; // one more than there is room: too many
};

static enum MHD_Result take_parameter(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
	struct parameters *p = context;
	(void)kind;
	size_t at = p->count++;
	if (at == PARAMETERS_MOST)
		return MHD_NO;
	p->pair[2 * at] = name;
	p->pair[2 * at + 1] = value ? value : "";
	return MHD_YES;
}

static enum MHD_Result answer(struct http_thread *t, struct connection *c, struct MHD_Connection *mhd,
                              const char *url) {
	struct reply reply = {0};
	struct parameters p = {0};
	MHD_get_connection_values(mhd, MHD_GET_ARGUMENT_KIND, take_parameter, &p);
	if (c->refusal == STATUS_GOOD && p.count > PARAMETERS_MOST)
		c->refusal = STATUS_BAD;
	if (c->refusal != STATUS_GOOD) {
		site_refuse(url, t->site, t->number, c->refusal, &reply);
		return send_reply(t, c, mhd, url, &reply);
	}
	struct request request = {.thread = t->number,
	                          .body = c->body.data,
	                          .length = c->body.length,
	                          .parameters = p.pair,
	                          .parameters_count = p.count};
	site_answer(c->path, t->site, &request, &reply);
	return send_reply(t, c, mhd, url, &reply);
}

// --- requests ---

static bool is_too_long(struct MHD_Connection *mhd) {
	const char *length = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	return length && strtoull(length, NULL, 10) > INQUIRY_MOST;
}

// The headers are there. A client that waits to be told whether to send the body is refused now, the others once they
// have sent it.
static enum MHD_Result begin(struct http_thread *t, struct connection *c, struct MHD_Connection *mhd, const char *url,
                             const char *method) {
	enum status why;
	set_state(t, c, STATE_READING);
	c->body.length = 0;
	c->drained = 0;
	c->path = site_find(url, method, &why);
	c->refusal = c->spare ? STATUS_BUSY : !c->path ? why : is_too_long(mhd) ? STATUS_TOO_MUCH : STATUS_GOOD;
	bool waits = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT);
	return c->refusal != STATUS_GOOD && waits ? answer(t, c, mhd, url) : MHD_YES;
}

static enum MHD_Result take(struct connection *c, const char *data, size_t size) {
	if (c->refusal == STATUS_GOOD && size > INQUIRY_MOST - c->body.length) {
		c->refusal = STATUS_TOO_MUCH;
		text_finish(&c->body);
		c->body = (struct text){0};
	}
	if (c->refusal == STATUS_GOOD) {
		text_append_bytes(&c->body, data, size);
		return MHD_YES;
	}
	c->drained += size;
	return c->drained <= DRAIN_MOST ? MHD_YES : MHD_NO;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *mhd, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **request) {
	struct http_thread *t = context;
	struct connection *c = connection_of(mhd);
	(void)version;
	if (!*request) {
		*request = c;
		return begin(t, c, mhd, url, method);
	}
	if (!*size)
		return answer(t, c, mhd, url);
	enum MHD_Result taken = take(c, data, *size);
	*size = 0;
	return taken;
}

static void completed(void *context, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode how) {
	struct connection *c = *request;
	(void)mhd, (void)how;
	if (!c)
		return;
	if (c->deadline < (double)INFINITY)
		set_state(context, c, STATE_WAITING);
	c->served = true;
	if (c->body.capacity > BODY_KEPT) {
		text_finish(&c->body);
		c->body = (struct text){0};
	}
}

// --- connections ---

static void open_connection(struct http_thread *t, struct MHD_Connection *mhd, void **ret) {
	struct connection *c = memory_alloc(sizeof(*c));
	size_t others = atomic_fetch_add(&t->site->connections, 1);
	c->socket = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	c->spare = others >= t->http->connections;
	set_state(t, c, STATE_WAITING);
	c->next = t->connections;
	c->link = &t->connections;
	if (c->next)
		c->next->link = &c->next;
	t->connections = c;
	*ret = c;
}

static void close_connection(struct http_thread *t, struct connection *c) {
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	text_finish(&c->body);
	free(c);
	atomic_fetch_sub(&t->site->connections, 1);
}

static void notify(void *context, struct MHD_Connection *mhd, void **connection,
                   enum MHD_ConnectionNotificationCode what) {
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		open_connection(context, mhd, connection);
	else if (*connection)
		close_connection(context, *connection);
}

static enum MHD_Result admit(void *context, const struct sockaddr *address, socklen_t length) {
	struct http_thread *t = context;
	(void)address, (void)length;
	return atomic_load(&t->site->connections) < t->http->connections + HTTP_CONNECTIONS_SPARE ? MHD_YES : MHD_NO;
}

// libmicrohttpd has no answer for what comes too slowly; of one nothing was written yet, so this cannot fall into it.
static void tell_late(struct http_thread *t, struct connection *c) {
	static const char words[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
	if (send(c->socket, words, sizeof(words) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return; // it is closed all the same
	counters_add(&t->site->counters, t->number, t->site->counters.paths - 1, STATUS_LATE, (double)NAN);
}

// libmicrohttpd notices that the socket is shut, and closes it.
static void hang_up(struct http_thread *t, struct connection *c) {
	if (c->state == STATE_READING || (c->state == STATE_WAITING && !c->served))
		tell_late(t, c);
	shutdown(c->socket, SHUT_RDWR);
	c->deadline = (double)INFINITY;
}

static void sweep(struct http_thread *t) {
	double now = train_seconds();
	if (now - t->swept < SWEEP_SECONDS)
		return;
	t->swept = now;
	bool idle_ends = now - t->stopped > STOP_IDLE_SECONDS;
	for (struct connection *c = t->connections; c; c = c->next)
		if (c->deadline < (double)INFINITY && (now > c->deadline || (idle_ends && c->state == STATE_WAITING)))
			hang_up(t, c);
}

// --- the thread ---

static void turn(struct http_thread *t) {
	MHD_run_wait(t->daemon, TURN_MILLISECONDS);
	sweep(t);
}

static void *serve(void *context) {
	struct http_thread *t = context;
	sigset_t all;
	sigfillset(&all); // a client that is gone (SIGPIPE) is no reason to end; what else there is is for the main thread
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	while (!atomic_load(&t->site->stopping))
		turn(t);
	t->stopped = train_seconds();
	while (train_seconds() - t->stopped < STOP_SECONDS)
		turn(t);
	close(MHD_quiesce_daemon(t->daemon));
	while (t->connections) // each has a deadline
		turn(t);
	MHD_stop_daemon(t->daemon);
	return NULL;
}

bool http_thread_start(struct http_thread *t, int listening, struct error *error) {
	int own = dup(listening); // the daemon closes it
	const struct MHD_OptionItem options[] = {
	    {MHD_OPTION_LISTEN_SOCKET, own, NULL},
	    {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)(t->http->connections + HTTP_CONNECTIONS_SPARE), NULL},
	    {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADERS_MOST, NULL},
	    {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)notify, t},
	    {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)completed, t},
	    {MHD_OPTION_END, 0, NULL},
	};
	t->stopped = (double)INFINITY;
	if (own >= 0)
		t->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TURBO, 0, admit, t, handle, t, MHD_OPTION_ARRAY, options,
		                             MHD_OPTION_END);
	if (t->daemon && pthread_create(&t->id, NULL, serve, t) == 0)
		return true;
	if (t->daemon)
		MHD_stop_daemon(t->daemon);
	return error_set(error, ERROR_RUN, "a thread that serves cannot be started");
}

void http_thread_join(struct http_thread *t) {
	pthread_join(t->id, NULL);
}
