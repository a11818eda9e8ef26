// See measure.h.
#include "tensor/measure.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

// Square matrices: of a product, and of a copy that no cache holds. A device of its own needs more to be busy.
enum { PRODUCT_SIDE = 512, PRODUCT_SIDE_APART = 4096, COPY_SIDE = 4096, COPY_SIDE_APART = 8192, LOOKED_AT = 64 };
static const double SECONDS = 0.3; // that each is measured for, at least

struct measuring {
	const struct backend *backend;
	struct device *device;
	size_t side;
	real *host;          // (side, side)
	struct matrix at[3]; // of the device, (side, side)
};

static void finish(struct measuring *m) {
	for (size_t i = 0; i < 3; i++)
		m->backend->release(m->device, m->at[i].data);
	free(m->host);
}

static bool init(struct measuring *m, size_t side, struct error *error) {
	m->side = side;
	m->host = memory_array(side * side, sizeof(real), "a measurement", error);
	for (size_t i = 0; m->host && i < 3; i++) {
		m->at[i] =
		    (struct matrix){m->backend->allocate(m->device, side * side * sizeof(real), error), side, side, side};
		if (!m->at[i].data)
			return false;
	}
	for (size_t k = 0; m->host && k < side * side; k++)
		m->host[k] = (real)((k * UINT64_C(2654435761) >> 7) % 2001) / 1000 - 1;
	for (size_t i = 0; m->host && i < 2; i++)
		m->backend->upload(m->device, m->at[i].data, m->host, side * side * sizeof(real));
	return m->host;
}

static void multiply(struct measuring *m) {
	m->backend->gemm(m->device, false, false, &m->at[0], &m->at[1], 0, &m->at[2]);
}

static void copy(struct measuring *m) {
	m->backend->add(m->device, &m->at[0], 0, &m->at[2]);
}

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Seconds of one call, once it is warm: as many at a time as it takes for the clock to see them.
static bool time_of(struct measuring *m, void (*call)(struct measuring *), double *ret, struct error *error) {
	call(m);
	if (!m->backend->sync(m->device, error))
		return false;
	for (size_t count = 1;; count *= 2) {
		double start = now();
		for (size_t i = 0; i < count; i++)
			call(m);
		if (!m->backend->sync(m->device, error))
			return false;
		*ret = (now() - start) / (double)count;
		if (*ret * (double)count >= SECONDS)
			return true;
	}
}

// Some cells against sums in double; both factors are the same matrix.
static double error_of(struct measuring *m) {
	size_t n = m->side;
	double most = 0;
	real *product = memory_alloc(n * n * sizeof(*product));
	m->backend->download(m->device, product, m->at[2].data, n * n * sizeof(*product));
	for (size_t c = 0; c < LOOKED_AT; c++) {
		size_t i = c * 7919 % n, j = c * 104729 % n;
		double sum = 0, size = 0;
		for (size_t k = 0; k < n; k++) {
			double term = (double)m->host[i * n + k] * (double)m->host[k * n + j];
			sum += term;
			size += fabs(term);
		}
		double error = fabs((double)product[i * n + j] - sum) / size;
		most = error <= most ? most : error;
	}
	free(product);
	return most;
}

bool backend_measure(const struct backend *backend, struct device *device, struct backend_measures *ret,
                     struct error *error) {
	struct measuring m = {.backend = backend, .device = device};
	double seconds;
	bool good =
	    init(&m, backend->apart ? PRODUCT_SIDE_APART : PRODUCT_SIDE, error) && time_of(&m, multiply, &seconds, error);
	if (good) {
		ret->product = 2 * pow((double)m.side, 3) / seconds;
		ret->error = error_of(&m);
	}
	finish(&m);
	m = (struct measuring){.backend = backend, .device = device};
	good = good && init(&m, backend->apart ? COPY_SIDE_APART : COPY_SIDE, error) && time_of(&m, copy, &seconds, error);
	if (good)
		ret->copy = 2 * (double)(m.side * m.side * sizeof(real)) / seconds;
	finish(&m);
	return good;
}
