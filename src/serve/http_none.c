// In place of http.c where there is no libmicrohttpd.
#include "serve/service.h"

bool serve_http(const struct service_config *config, const struct http_config *http, struct error *error) {
	(void)config, (void)http;
	error_set(error, ERROR_CONFIG, "this aexp was built without HTTP");
	error_hint(error, "Install libmicrohttpd (Debian: libmicrohttpd-dev) and build it again; --serve alone works.");
	return false;
}
