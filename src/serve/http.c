// HTTP: a socket that threads take connections from, while this one looks after signals and the model's file.
#include "serve/http_thread.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 1024, FILES_BESIDE = 64, FILES_OF_THREAD = 4 }; // files that are open besides connections

// --- the socket ---

static int listen_at(const struct addrinfo *address) {
	int yes = 1;
	int listening = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listening < 0)
		return -1;
	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listening, address->ai_addr, address->ai_addrlen) == 0 && listen(listening, BACKLOG) == 0)
		return listening;
	int number = errno;
	close(listening);
	errno = number;
	return -1;
}

static bool open_socket(const struct http_config *http, int *ret, struct error *error) {
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
	char port[16];
	snprintf(port, sizeof(port), "%u", http->port);
	int code = getaddrinfo(http->host, port, &wanted, &found);
	if (code != 0)
		return error_set(error, ERROR_CONFIG, "there is no host \"%s\": %s", http->host, gai_strerror(code));
	*ret = -1;
	for (const struct addrinfo *a = found; a && *ret < 0; a = a->ai_next)
		*ret = listen_at(a);
	int number = errno;
	freeaddrinfo(found);
	if (*ret >= 0)
		return true;
	error_set(error, ERROR_RUN, "port %u of %s cannot be had: %s", http->port, http->host, strerror(number));
	if (number == EADDRINUSE)
		error_hint(error, "Another program serves there; take another port.");
	return false;
}

static void note_address(const struct site *site, const struct http_config *http, int listening) {
	const struct service_config *config = site->service.config;
	const struct aexp_model *m = atomic_load(&site->service.models.current)->model[0];
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
	struct text text = {0};
	if (getsockname(listening, (struct sockaddr *)&address, &length) == 0)
		getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), port, sizeof(port),
		            NI_NUMERICHOST | NI_NUMERICSERV);
	bool colons = strchr(host, ':');
	text_format(&text, "serving %s/%s on http://%s%s%s:%s/ with %zu thread%s", aexp_name(m), aexp_id(m),
	            colons ? "[" : "", host, colons ? "]" : "", port, http->threads, http->threads == 1 ? "" : "s");
	config->note(config->context, text_string(&text));
	text_finish(&text);
}

// --- threads ---

static bool allow_files(const struct http_config *http, struct error *error) {
	struct rlimit limit;
	rlim_t wanted = http->connections + HTTP_CONNECTIONS_SPARE + FILES_BESIDE + FILES_OF_THREAD * http->threads;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return true;
	limit.rlim_cur = wanted;
	if (wanted <= limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return true;
	error_set(error, ERROR_RUN, "%zu connections are more than this process may open files", http->connections);
	error_hint(error, "Allow fewer with --connections, or raise the limit (ulimit -n).");
	return false;
}

static void stop_threads(struct site *site, struct http_thread *threads, size_t count) {
	atomic_store(&site->stopping, true);
	for (size_t i = 0; i < count; i++)
		http_thread_join(&threads[i]);
}

static bool run_threads(struct site *site, const struct http_config *http, int listening, struct error *error) {
	static const struct timespec moment = {.tv_nsec = 50000000};
	struct http_thread *threads = memory_alloc(http->threads * sizeof(*threads));
	size_t count = 0;
	bool good = true;
	while (good && count < http->threads) {
		threads[count] = (struct http_thread){.site = site, .http = http, .number = count};
		good = http_thread_start(&threads[count], listening, error);
		count += good;
	}
	if (good)
		note_address(site, http, listening);
	while (good && service_goes_on(&site->service))
		nanosleep(&moment, NULL);
	stop_threads(site, threads, count);
	free(threads);
	return good;
}

bool serve_http(const struct service_config *config, const struct http_config *http, struct error *error) {
	struct site site = {0};
	int listening = -1;
	bool good = allow_files(http, error) && open_socket(http, &listening, error) &&
	            site_open(&site, config, http->threads, error) && run_threads(&site, http, listening, error);
	if (listening >= 0)
		close(listening);
	site_close(&site);
	return good;
}
