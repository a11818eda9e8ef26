// The CUDA backend's kernels against what the card can do: sparse products on the shapes of MovieLens 20M and Netflix
// against the copy bandwidth, and the dense layer against its product alone. Everything through the seam, on made
// patterns; one JSON object on standard output. Exit 4 where the backend cannot be had.
//
// Two counts of bytes: `must` has each row of the table that the batch touches once, as a cache without limit would;
// `asked` has it once for each entry. What moves lies between them.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "tensor/backend.h"

struct shape {
	const char *name;
	size_t columns, entries; // items, and the mean of a row's ratings
};
static const struct shape shapes[] = {{"ml-20m", 26744, 144}, {"netflix", 17770, 209}};
static const size_t widths[] = {128, 256, 512, 1024};
enum { ROWS = 512, SHAPES = sizeof(shapes) / sizeof(shapes[0]), WIDTHS = sizeof(widths) / sizeof(widths[0]) };
static const double SECONDS = 0.2; // of a measurement, at least; a quick one takes what it takes

struct bench {
	const struct backend *b;
	struct device *d;
	struct sparse s;
	struct transposed t;
	real *values, *ret; // (entries)
	struct matrix w, y, g, square[3];
	size_t entries;
	bool quick, failed;
};

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool settled(struct bench *x) {
	struct error error = {0};
	if (x->b->sync(x->d, &error))
		return true;
	fprintf(stderr, "%s\n", error.message);
	x->failed = true;
	return false;
}

// Seconds of one call, the host waiting for none but the last of many.
static double time_of(struct bench *x, void (*call)(struct bench *)) {
	call(x);
	for (size_t count = 4; settled(x); count *= 2) {
		double begin = now();
		for (size_t i = 0; i < count; i++)
			call(x);
		if (!settled(x))
			break;
		double taken = now() - begin;
		if (taken > SECONDS || x->quick)
			return taken / (double)count;
	}
	return NAN;
}

// --- memory ---

static void *there(struct bench *x, const void *from, size_t bytes) {
	struct error error = {0};
	void *memory = x->b->allocate(x->d, bytes, &error);
	if (!memory) {
		fprintf(stderr, "%s\n", error.message);
		exit(1);
	}
	if (from)
		x->b->upload(x->d, memory, from, bytes);
	return memory;
}
static struct matrix matrix(struct bench *x, size_t rows, size_t columns) {
	return (struct matrix){there(x, NULL, rows * columns * sizeof(real)), rows, columns, columns};
}

// Rows of about as many entries, ascending, low columns more often than high ones.
static void make_pattern(struct bench *x, const struct shape *shape) {
	uint32_t *start = memory_alloc((ROWS + 1) * sizeof(*start));
	uint32_t *column = memory_alloc(2 * ROWS * shape->entries * sizeof(*column)), count = 0;
	uint64_t state = 1;
	for (size_t i = 0; i < ROWS; i++) {
		double at = 0, wanted = (double)shape->entries * (0.5 + (double)(i % 101) / 100);
		start[i] = count;
		for (size_t k = 0; (double)k < wanted; k++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			at += (double)(state >> 40) / (double)(1 << 24) * 2 / wanted; // 0 ... 1 over the row
			uint32_t c = (uint32_t)(at * at * (double)shape->columns);
			if (c < shape->columns && (count == start[i] || c > column[count - 1]))
				column[count++] = c;
		}
	}
	start[ROWS] = count;
	x->entries = count;
	x->s = (struct sparse){ROWS, shape->columns, there(x, start, (ROWS + 1) * sizeof(*start)),
	                       there(x, column, count * sizeof(*column)), NULL};
	uint32_t *first = memory_alloc((shape->columns + 2) * sizeof(*first)), touched = 0, filled = 0;
	uint32_t *names = memory_alloc((shape->columns + 1) * sizeof(*names));
	uint32_t *row = memory_alloc(count * sizeof(*row)), *entry = memory_alloc(count * sizeof(*entry));
	uint32_t *place = memory_alloc((shape->columns + 1) * sizeof(*place));
	for (uint32_t k = 0; k < count; k++)
		place[column[k]]++;
	for (uint32_t c = 0; c < shape->columns; c++)
		if (place[c]) {
			names[touched] = c;
			first[touched++] = filled;
			filled += place[c];
			place[c] = first[touched - 1];
		}
	first[touched] = filled;
	for (uint32_t i = 0; i < ROWS; i++)
		for (uint32_t k = start[i]; k < start[i + 1]; k++) {
			row[place[column[k]]] = i;
			entry[place[column[k]]++] = k;
		}
	x->t = (struct transposed){.count = touched,
	                           .column = there(x, names, touched * sizeof(*names)),
	                           .start = there(x, first, (touched + 1) * sizeof(*first)),
	                           .row = there(x, row, count * sizeof(*row)),
	                           .entry = there(x, entry, count * sizeof(*entry))};
	x->values = there(x, NULL, count * sizeof(real));
	x->ret = there(x, NULL, count * sizeof(real));
	x->s.value = x->values;
	free(start), free(column), free(first), free(names), free(row), free(entry), free(place);
}

static void release_pattern(struct bench *x) {
	const void *parts[] = {x->s.start, x->s.column, x->t.column, x->t.start, x->t.row, x->t.entry, x->values, x->ret};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		x->b->release(x->d, (void *)(uintptr_t)parts[i]);
}

// --- what is measured ---

static void copy(struct bench *x) {
	x->b->add(x->d, &x->square[0], 0, &x->square[1]);
}
static void forward(struct bench *x) {
	x->b->sparse_times(x->d, &x->s, &x->w, NULL, 0, &x->y);
}
static void backward(struct bench *x) {
	x->b->transposed_times(x->d, &x->t, NULL, x->values, &x->y, 0, &x->g);
}
static void cells(struct bench *x) {
	x->b->cells_times(x->d, &x->s, &x->y, &x->w, x->ret);
}
static void product(struct bench *x) {
	x->b->gemm(x->d, false, false, &x->square[0], &x->square[1], 0, &x->square[2]);
}
static void layer(struct bench *x) {
	product(x);
	x->b->activate(x->d, ACTIVATION_SIGMOID, 0, &x->square[2], &x->square[2]);
}

static void print_kernel(struct bench *x, const char *name, const struct shape *shape, size_t width, double copied,
                         void (*call)(struct bench *), size_t table_rows, size_t written) {
	static bool more;
	double seconds = time_of(x, call), row = (double)width * sizeof(real), lists = 12 * (double)x->entries;
	double must = lists + row * (double)(table_rows + written), asked = lists + row * (double)(x->entries + written);
	printf("%s\n    {\"kernel\": \"%s\", \"shape\": \"%s\", \"width\": %zu, \"entries\": %zu, \"seconds\": %.9g, "
	       "\"must_bytes\": %.0f, \"asked_bytes\": %.0f, \"must_of_copy\": %.4f, \"asked_of_copy\": %.4f}",
	       more ? "," : "", name, shape->name, width, x->entries, seconds, must, asked, must / seconds / copied,
	       asked / seconds / copied);
	more = true;
}

static void bench_shape(struct bench *x, const struct shape *shape, double copied) {
	make_pattern(x, shape);
	for (size_t i = 0; i < (x->quick ? 1 : WIDTHS); i++) {
		size_t width = widths[i];
		x->w = matrix(x, shape->columns, width);
		x->y = matrix(x, ROWS, width);
		x->g = matrix(x, x->t.count, width);
		print_kernel(x, "sparse_times", shape, width, copied, forward, x->t.count, ROWS);
		print_kernel(x, "transposed_times", shape, width, copied, backward, ROWS, x->t.count);
		print_kernel(x, "cells_times", shape, width, copied, cells, x->t.count + ROWS, 0);
		x->b->release(x->d, x->w.data);
		x->b->release(x->d, x->y.data);
		x->b->release(x->d, x->g.data);
	}
	release_pattern(x);
}

static void make_squares(struct bench *x, size_t side) {
	for (size_t i = 0; i < 3; i++)
		x->square[i] = matrix(x, side, side);
}
static void release_squares(struct bench *x) {
	for (size_t i = 0; i < 3; i++)
		x->b->release(x->d, x->square[i].data);
}

static int bench(struct bench *x) {
	const size_t side = x->quick ? 64 : 8192, product_side = x->quick ? 64 : 4096;
	make_squares(x, side);
	double copied = 2 * (double)(side * side) * sizeof(real) / time_of(x, copy);
	release_squares(x);
	printf("{\n  \"device\": \"%s\",\n  \"copy_bytes_a_second\": %.6g,\n  \"kernels\": [", x->b->describe(x->d),
	       copied);
	for (size_t i = 0; i < SHAPES; i++) {
		const struct shape small = {"tiny", 300, 5};
		bench_shape(x, x->quick ? &small : &shapes[i], copied);
	}
	make_squares(x, product_side);
	double alone = time_of(x, product), with = time_of(x, layer), n = (double)product_side;
	release_squares(x);
	printf("\n  ],\n  \"gemm\": {\"side\": %zu, \"seconds\": %.9g, \"flops\": %.6g, \"layer_seconds\": %.9g, "
	       "\"layer_of_gemm\": %.4f}\n}\n",
	       product_side, alone, 2 * n * n * n / alone, with, alone / with);
	return x->failed;
}

int main(int count, char **arguments) {
	struct error error = {0};
	struct bench x = {0};
	if (!backend_open(&backend_cuda, NULL, NULL, &x.b, &x.d, &error)) {
		fprintf(stderr, "%s\n%s\n", error.message, error.hint);
		return (int)error.code;
	}
	x.quick = count > 1 && strcmp(arguments[1], "--quick") == 0; // a run that only shows that it works
	int code = bench(&x);
	x.b->close(x.d);
	return code;
}
