// What is found at each path, and what is counted: without a network.
#include "serve/site.h"

#include "hand.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char model[] = "/tmp/aexp-site-XXXXXX";
static struct site site;

static unsigned wish_nothing(void *context) {
	(void)context;
	return 0;
}

static const struct service_config config = {.path = model, .wishes = wish_nothing};

static int make(void **state) {
	(void)state;
	struct error error = {0};
	int file = mkstemp(model);
	return file < 0 || close(file) || !hand_write(model, "a\"b") || !site_open(&site, &config, 2, &error);
}

static int unmake(void **state) {
	(void)state;
	site_close(&site);
	return unlink(model);
}

// Asks with pairs of parameters that end with NULL; the text is the caller's.
static struct reply ask(const char *path, const char *method, const char *body, const char *const *parameters) {
	enum status why;
	struct reply reply = {0};
	const struct site_path *found = site_find(path, method, &why);
	if (!found) {
		site_refuse(path, &site, 1, why, &reply);
		return reply;
	}
	struct request request = {.thread = 1, .body = body, .length = strlen(body), .parameters = parameters};
	while (parameters && parameters[2 * request.parameters_count])
		request.parameters_count++;
	site_answer(found, &site, &request, &reply);
	return reply;
}

static void hold(const char *path, const char *method, const char *body, const char *const *parameters,
                 enum status status, const char *wanted) {
	struct reply reply = ask(path, method, body, parameters);
	assert_int_equal(reply.status, status);
	if (!strstr(text_string(&reply.text), wanted))
		fail_msg("%s %s: lacks %s: %s", method, path, wanted, text_string(&reply.text));
	text_finish(&reply.text);
	text_finish(&reply.notes);
}

static void test_paths(void **state) {
	(void)state;
	hold("/recommend", "POST", "{}", (const char *const[]){"top", "1", NULL}, STATUS_GOOD,
	     "{\"id\": \"1\", \"items\": [{\"item\": \"b\", \"score\": 9}], \"from\": \"popularity\"}\n");
	hold("/recommend", "POST", "{}", (const char *const[]){"tpo", "1", NULL}, STATUS_BAD, "Did you mean");
	hold("/recommend", "POST", "{", NULL, STATUS_BAD, "{\"error\": \"not one JSON object");
	hold("/recommend", "GET", "", NULL, STATUS_METHOD, "{\"error\": ");
	hold("/predict", "POST", "{\"ratings\": {\"a\": 1}, \"items\": [\"d\"]}", NULL, STATUS_GOOD, "\"rating\": 3");
	hold("/predict", "POST", "{}", (const char *const[]){"top", "1", NULL}, STATUS_BAD, "no parameter");
	hold("/recommendation", "POST", "{}", NULL, STATUS_UNKNOWN, "\"hint\": \"There are /recommend");
	hold("/healthz", "GET", "", NULL, STATUS_GOOD, "{\"status\": \"ok\", \"model\": {\"name\": \"hand\"");
	hold("/healthz", "POST", "", NULL, STATUS_METHOD, "{\"error\": ");
	hold("/", "HEAD", "", NULL, STATUS_GOOD, "<!DOCTYPE html>");
	hold("/model", "GET", "", NULL, STATUS_GOOD, "\"choices\": [1, 2, 3, 4, 5], \"attributes\": []}");
	assert_string_equal(site_methods("/predict"), "POST");
	assert_string_equal(site_methods("/items"), "GET, HEAD");
}

static void test_items(void **state) {
	(void)state;
	hold("/items", "GET", "", (const char *const[]){"top", "2", NULL}, STATUS_GOOD,
	     "{\"items\": [{\"item\": \"b\", \"ratings\": 9}, {\"item\": \"d\", \"title\": \"Delta\", \"ratings\": 9}]}");
	hold("/items", "GET", "", (const char *const[]){"search", "aLPh", NULL}, STATUS_GOOD,
	     "{\"items\": [{\"item\": \"a\", \"title\": \"Alpha\", \"ratings\": 3}]}");
	hold("/items", "GET", "", (const char *const[]){"search", "zebra", NULL}, STATUS_GOOD, "{\"items\": []}");
	hold("/items", "GET", "", (const char *const[]){"find", "zebra", NULL}, STATUS_BAD, "no parameter");
	hold("/items", "GET", "", (const char *const[]){"top", "x", NULL}, STATUS_BAD, "not what top wants");
}

static void test_notes(void **state) {
	(void)state;
	struct reply reply = ask("/recommend", "POST", "{\"id\": \"u\", \"ratings\": {\"zebra\": 1}}", NULL);
	assert_int_equal(reply.status, STATUS_GOOD);
	assert_string_equal(text_string(&reply.notes), "user \"u\": item \"zebra\" is unknown, its rating is left out\n");
	text_finish(&reply.text);
	text_finish(&reply.notes);
}

static void test_stopping(void **state) {
	(void)state;
	atomic_store(&site.stopping, true);
	hold("/healthz", "GET", "", NULL, STATUS_BUSY, "\"stopping\"");
	atomic_store(&site.stopping, false);
}

// Of two threads, added up.
static void test_counters(void **state) {
	(void)state;
	static const char *const names[] = {"/a", "/b"};
	struct counters counters;
	struct error error = {0};
	struct text text = {0};
	assert_true(counters_init(&counters, 2, names, 2, &error));
	counters_add(&counters, 0, 0, STATUS_GOOD, 1e-4);
	counters_add(&counters, 1, 0, STATUS_GOOD, 0.002);
	counters_add(&counters, 1, 0, STATUS_GOOD, 100);
	counters_add(&counters, 1, 1, STATUS_TOO_MUCH, (double)NAN);
	counters_write(&counters, &text);
	static const char *const wanted[] = {
	    "aexp_requests_total{path=\"/a\",status=\"200\"} 3\n",
	    "aexp_requests_total{path=\"/b\",status=\"413\"} 1\n",
	    "aexp_request_seconds_bucket{path=\"/a\",le=\"0.0001\"} 1\n",
	    "aexp_request_seconds_bucket{path=\"/a\",le=\"0.001\"} 1\n",
	    "aexp_request_seconds_bucket{path=\"/a\",le=\"0.0025\"} 2\n",
	    "aexp_request_seconds_bucket{path=\"/a\",le=\"1\"} 2\n",
	    "aexp_request_seconds_bucket{path=\"/a\",le=\"+Inf\"} 3\n",
	    "aexp_request_seconds_count{path=\"/a\"} 3\n",
	    "aexp_request_seconds_count{path=\"/b\"} 0\n",
	    "aexp_request_seconds_sum{path=\"/a\"} 100.0021",
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(text_string(&text), wanted[i]))
			fail_msg("lacks %s:\n%s", wanted[i], text_string(&text));
	text_finish(&text);
	counters_finish(&counters);
	hold("/metrics", "GET", "", NULL, STATUS_GOOD, "aexp_model_info{name=\"hand\",id=\"a\\\"b\"} 1\n");
	hold("/metrics", "GET", "", NULL, STATUS_GOOD, "aexp_requests_total{path=\"/metrics\",status=\"200\"} 1\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths), cmocka_unit_test(test_items),
	                                   cmocka_unit_test(test_notes), cmocka_unit_test(test_stopping),
	                                   cmocka_unit_test(test_counters)};
	return cmocka_run_group_tests(tests, make, unmake);
}
