// Lists for many users of a large catalogue, beside the dense product that they need at least: both in turns, so that
// what else the machine does meets both, and in processor time on one thread. Usage: bench_everyone MODEL THREADS
// [RATINGS [TOP [USERS]]]
#include "recommend/aexp.h"
#include "recommend/model.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TURNS = 9, SIDE = 1024 };

static double now(clockid_t clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(const char *what) {
	fprintf(stderr, "bench_everyone: %s\n", what);
	exit(1);
}

struct bench {
	struct aexp_model *model;
	struct aexp_user *users; // (count)
	struct aexp_list *lists; // (count)
	size_t count, width, items, top;
	float *hidden, *scores; // (count, width), (count, items)
	const float *weight;    // (width, items)
	float *square[3];       // (SIDE, SIDE)
};

static void list(struct bench *b) {
	struct aexp_error error;
	if (!aexp_recommend(b->model, b->users, b->count, &(struct aexp_how){.top = b->top}, b->lists, &error))
		fail(error.message);
}

// What a program would do that computes all scores and then looks at them.
static void multiply(struct bench *b) {
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)b->count, (blasint)b->items, (blasint)b->width, 1,
	            b->hidden, (blasint)b->width, b->weight, (blasint)b->items, 0, b->scores, (blasint)b->items);
}

// As fast as this machine multiplies.
static void multiply_square(struct bench *b) {
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1, b->square[0], SIDE, b->square[1], SIDE,
	            0, b->square[2], SIDE);
}

static double take(void (*work)(struct bench *b), struct bench *b, clockid_t clock) {
	double start = now(clock);
	work(b);
	return now(clock) - start;
}

static int rising(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double middle(double *values, size_t count) {
	qsort(values, count, sizeof(*values), rising);
	return values[count / 2];
}

static void make_users(struct bench *b, size_t ratings) {
	uint64_t random = 1;
	b->users = calloc(b->count, sizeof(*b->users));
	b->lists = calloc(b->count, sizeof(*b->lists));
	for (size_t u = 0; u < b->count; u++) {
		struct aexp_rating *rated = calloc(ratings, sizeof(*rated));
		for (size_t i = 0; i < ratings; i++) { // each in a part of its own, so that none comes twice
			random = random * 6364136223846793005u + 1442695040888963407u;
			size_t from = b->items * i / ratings, to = b->items * (i + 1) / ratings;
			rated[i] = (struct aexp_rating){aexp_item(b->model, from + (random >> 33) % (to - from)),
			                                1 + (double)(random >> 40) / (1 << 24) * 4};
		}
		b->users[u] = (struct aexp_user){.ratings = rated, .ratings_count = ratings};
	}
}

static void make_products(struct bench *b) {
	struct item_vectors vectors;
	if (!model_vectors(b->model, &vectors, NULL) || vectors.by_item)
		fail("not a graph with a dense output of its own");
	b->width = vectors.width;
	b->weight = vectors.data;
	b->hidden = calloc(b->count * b->width, sizeof(float));
	b->scores = calloc(b->count * b->items, sizeof(float));
	for (size_t i = 0; i < b->count * b->width; i++)
		b->hidden[i] = (float)(i % 17);
	for (size_t k = 0; k < 3; k++) {
		b->square[k] = calloc((size_t)SIDE * SIDE, sizeof(float));
		for (size_t i = 0; i < (size_t)SIDE * SIDE; i++)
			b->square[k][i] = (float)(i % 13);
	}
}

int main(int argc, char **argv) {
	struct bench b = {.count = 1024};
	struct aexp_error error;
	if (argc < 3)
		return 2;
	size_t threads = (size_t)atoi(argv[2]), ratings = argc > 3 ? (size_t)atoi(argv[3]) : 144;
	b.top = argc > 4 ? (size_t)atoi(argv[4]) : 100;
	b.count = argc > 5 ? (size_t)atoi(argv[5]) : b.count;
	if (!aexp_open(argv[1], threads, &b.model, &error))
		fail(error.message);
	b.items = aexp_items(b.model);
	make_users(&b, ratings);
	make_products(&b);
	openblas_set_num_threads((int)threads);
	clockid_t clock = threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
	double lists[TURNS], products[TURNS], squares[TURNS], of_product[TURNS], of_peak[TURNS];
	double flops = 2.0 * (double)b.count * (double)b.items * (double)b.width, square = 2.0 * SIDE * SIDE * SIDE;
	for (int i = -1; i < TURNS; i++) { // the first one only warms up
		openblas_set_num_threads(1);   // as the program has it
		double l = take(list, &b, clock);
		openblas_set_num_threads((int)threads);
		double p = take(multiply, &b, clock), s = take(multiply_square, &b, clock);
		if (i < 0)
			continue;
		lists[i] = l;
		products[i] = p;
		squares[i] = s;
		of_product[i] = p / l;
		of_peak[i] = flops / square * s / l;
	}
	printf("%zu users, %zu ratings each, %zu items, width %zu, the best %zu, %zu threads\n", b.count, ratings, b.items,
	       b.width, b.top, threads);
	printf("lists    %8.2f us a user\n", 1e6 * middle(lists, TURNS) / (double)b.count);
	printf("product  %8.2f us a user, %.0f GFLOP/s: lists reach %.0f %% of it\n",
	       1e6 * middle(products, TURNS) / (double)b.count, 1e-9 * flops / middle(products, TURNS),
	       100 * middle(of_product, TURNS));
	printf("peak     %8.0f GFLOP/s: lists reach %.0f %% of it\n", 1e-9 * square / middle(squares, TURNS),
	       100 * middle(of_peak, TURNS));
	return 0;
}
