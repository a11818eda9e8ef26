// How long it takes to open a model, and to recommend to users with 50 ratings each. Usage: bench_recommend MODEL
// THREADS
#include "recommend/aexp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RATINGS = 50, USERS = 1024, TIMES = 300, OPENS = 15 };

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(const struct aexp_error *error) {
	fprintf(stderr, "bench_recommend: %s\n", error->message);
	exit(1);
}

static void recommend(struct aexp_model *model, const struct aexp_user *users, size_t count, struct aexp_how how,
                      const char *what) {
	static struct aexp_list lists[USERS];
	struct aexp_error error;
	double best = INFINITY, start;
	for (int i = 0; i < (count == 1 ? TIMES : 5); i++) {
		start = now();
		if (!aexp_recommend(model, users, count, &how, lists, &error))
			fail(&error);
		double took = now() - start;
		best = took < best ? took : best;
	}
	printf("%-40s %.3f ms each\n", what, 1e3 * best / (double)count);
}

int main(int argc, char **argv) {
	static struct aexp_rating ratings[USERS][RATINGS];
	static struct aexp_user users[USERS];
	struct aexp_model *model = NULL;
	struct aexp_error error;
	double best = INFINITY;
	if (argc != 3)
		return 2;
	for (int i = 0; i < OPENS; i++) {
		aexp_close(model);
		double start = now();
		if (!aexp_open(argv[1], (size_t)atoi(argv[2]), &model, &error))
			fail(&error);
		double took = now() - start;
		best = took < best ? took : best;
	}
	printf("%-40s %.3f ms\n", "open", 1e3 * best);
	for (size_t k = 0; k < USERS; k++) {
		size_t stride = 1 + aexp_items(model) / RATINGS; // different items, as many as there may be
		for (size_t i = 0; i < RATINGS && i * stride < aexp_items(model); i++) {
			ratings[k][i] =
			    (struct aexp_rating){aexp_item(model, (i * stride + k) % aexp_items(model)), 1 + (double)(i % 5)};
			users[k].ratings_count = i + 1;
		}
		users[k].ratings = ratings[k];
	}
	recommend(model, users, 1, (struct aexp_how){.top = 100}, "one user");
	recommend(model, users, USERS, (struct aexp_how){.top = 100}, "1024 users together");
	recommend(model, users, 1, (struct aexp_how){.top = 10, .reasons = 3}, "one user, with reasons for 10");
	aexp_close(model);
	return 0;
}
