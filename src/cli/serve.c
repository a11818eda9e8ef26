// See serve.h. Signals are what a running service is told by; a stopped one has done what it should, and exits with 0.
#include "cli/serve.h"

#include "base/number.h"
#include "base/pool.h"
#include "cli/trained.h"
#include "serve/service.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONNECTIONS = 512, SECONDS = 10, PORT_MOST = 65535 };

// Signal handlers can reach nothing else. Atomic, since a handler may run on another thread than the one that looks.
static atomic_bool stop_wanted, reload_wanted;

static void on_stop(int number) {
	(void)number;
	atomic_store(&stop_wanted, true);
}

static void on_reload(int number) {
	(void)number;
	atomic_store(&reload_wanted, true);
}

static void watch_signals(void) {
	struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESETHAND}; // the second one ends at once
	struct sigaction reload = {.sa_handler = on_reload, .sa_flags = SA_RESTART};
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &reload, NULL);
}

static unsigned wishes(void *context) {
	(void)context;
	return (atomic_load(&stop_wanted) ? SERVICE_STOP : 0) |
	       (atomic_exchange(&reload_wanted, false) ? SERVICE_RELOAD : 0);
}

static void note(void *context, const char *text) {
	(void)context;
	fprintf(stderr, "aexp: %s\n", text);
}

bool serve_misused(const struct options *options) {
	bool about = options->http || options->host || options->connections || options->timeout;
	const char *why = NULL;
	if (!options->serve)
		why = about ? "--http, --host, --connections and --timeout go with --serve" : NULL;
	else if (about && !options->http)
		why = "--host, --connections and --timeout go with --http PORT";
	else if (options->all || options->user_count || options->similar)
		why = "--serve answers new users, not --user, --all or --similar";
	else if (options->csv)
		why = "--serve answers in JSON, not in CSV";
	else if (options->top > INQUIRY_TOP_MOST)
		why = "--serve gives lists of at most 1000 items";
	if (why)
		fprintf(stderr, "aexp: %s\n", why);
	return why;
}

static bool read_port(const char *word, unsigned *ret) {
	int64_t port;
	if (number_read_integer(word, strlen(word), &port) && port >= 0 && port <= PORT_MOST) {
		*ret = (unsigned)port;
		return true;
	}
	fprintf(stderr, "aexp: \"%s\" is no port: --http wants a whole number from 0 to %d\n", word, PORT_MOST);
	return false;
}

static int report(const struct error *error) {
	print_error(error);
	return (int)error->code;
}

static int over_http(const struct options *options, const struct service_config *config) {
	struct http_config http = {.host = options->host ? options->host : "127.0.0.1",
	                           .threads = pool_threads(options->pool),
	                           .connections = options->connections ? options->connections : CONNECTIONS,
	                           .seconds = (double)(options->timeout ? options->timeout : SECONDS)};
	struct error error = {0};
	if (!read_port(options->http, &http.port))
		return ERROR_CONFIG;
	return serve_http(config, &http, &error) ? 0 : report(&error);
}

int serve(const struct options *options, bool predicts) {
	struct trained trained;
	struct error error = {0};
	int code = trained_find(options->arguments[0], options, &trained);
	struct service_config config = {
	    .path = trained.path, .how = how_of(options), .predicts = predicts, .wishes = wishes, .note = note};
	watch_signals();
	if (code == 0 && options->http)
		code = over_http(options, &config);
	else if (code == 0)
		code = serve_lines(&config, STDIN_FILENO, stdout, &error) ? 0 : report(&error);
	trained_close(&trained);
	return code;
}
