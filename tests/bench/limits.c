// What this machine can do at best, as JSON: the yardsticks of the benchmark, measured in the same run as what they are
// held against.
// Usage: bench_limits machine quick|full THREADS...               memory triad, sgemm, row gathers by table size
//        bench_limits shape FILE HIDDEN WIDTH BATCH THREADS...    row gathers in the order in which this shape's
//        training
//                                                                 reads rows; FILE is bench_data's
#include "base/memory.h"
#include "data_file.h"
#include "gather.h"
#include "report/json.h"
#include "team.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREAD_COUNTS = 8 };

struct thread_counts {
	size_t count, value[THREAD_COUNTS];
};

static void *room(size_t count, size_t size) {
	struct error error = {0};
	void *array = memory_array(count, size, "a measurement", &error);
	if (!array)
		memory_exhausted(count * size);
	return array;
}

// A small generator is enough to spread indices: xorshift64* (Vigna, ACM TOMS 42, 2016).
static uint64_t draw(uint64_t *state) {
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717u;
}

static size_t draw_below(uint64_t *state, size_t bound) {
	return (size_t)((double)(draw(state) >> 11) * 0x1p-53 * (double)bound);
}

// --- memory triad: a = b + s c, the arrays far beyond the caches

struct triad {
	float *a, *b, *c; // (count)
	size_t count;
};

static void triad_share(void *context, size_t thread, size_t threads) {
	struct triad *t = context;
	size_t begin = t->count * thread / threads, end = t->count * (thread + 1) / threads;
	float *restrict a = t->a;
	const float *restrict b = t->b, *restrict c = t->c;
	for (size_t i = begin; i < end; i++)
		a[i] = b[i] + 3.0f * c[i];
}

// Counts three arrays; the line that a plain store reads first is not counted.
static void measure_triad(struct json *json, const struct thread_counts *threads, size_t repeats) {
	struct triad t = {.count = (size_t)1 << 25};
	t.a = room(t.count, sizeof(float));
	t.b = room(t.count, sizeof(float));
	t.c = room(t.count, sizeof(float));
	json_array(json, "triad", JSON_LINES);
	for (size_t i = 0; i < threads->count; i++) {
		double best = team_best(threads->value[i], repeats, triad_share, &t);
		json_object(json, NULL, JSON_INLINE);
		json_count(json, "threads", threads->value[i]);
		json_real(json, "bytes_per_second", 3.0 * sizeof(float) * (double)t.count / best);
		json_end(json);
	}
	json_end(json);
	free(t.a);
	free(t.b);
	free(t.c);
}

// --- sgemm: OpenBLAS on one thread inside each of ours, each with its share of the columns

struct gemm {
	const char *name;
	enum CBLAS_TRANSPOSE a_op, b_op;
	size_t m, n, k;   // of the whole product
	bool share_m;     // else the threads share n
	float *a, *b, *c; // as big as the whole product needs
};

// Every thread calls with its own part, at an offset that keeps what it touches apart.
static void gemm_share(void *context, size_t thread, size_t threads) {
	const struct gemm *g = context;
	size_t whole = g->share_m ? g->m : g->n, begin = whole * thread / threads, end = whole * (thread + 1) / threads;
	size_t m = g->share_m ? end - begin : g->m, n = g->share_m ? g->n : end - begin, k = g->k;
	size_t lda = g->a_op == CblasNoTrans ? k : m, ldb = g->b_op == CblasNoTrans ? n : k;
	const float *a = g->a + (g->share_m ? begin * k : 0), *b = g->b + (g->share_m ? 0 : begin * k);
	float *c = g->c + (g->share_m ? begin * n : begin * m);
	cblas_sgemm(CblasRowMajor, g->a_op, g->b_op, (blasint)m, (blasint)n, (blasint)k, 1.0f, a, (blasint)lda, b,
	            (blasint)ldb, 0.0f, c, (blasint)n);
}

// The three products of the gemm shape (batch 1,024, width 516, 20,000 items; item-major weights), and a square one.
static void measure_gemm(struct json *json, const struct thread_counts *threads, size_t repeats) {
	enum { BATCH = 1024, WIDTH = 516, ITEMS = 20000, SQUARE = 2048 };
	struct gemm gemms[] = {{"square", CblasNoTrans, CblasNoTrans, SQUARE, SQUARE, SQUARE, true, NULL, NULL, NULL},
	                       {"outputs", CblasNoTrans, CblasTrans, BATCH, ITEMS, WIDTH, false, NULL, NULL, NULL},
	                       {"hidden_gradient", CblasNoTrans, CblasNoTrans, BATCH, WIDTH, ITEMS, true, NULL, NULL, NULL},
	                       {"weight_gradient", CblasTrans, CblasNoTrans, ITEMS, WIDTH, BATCH, true, NULL, NULL, NULL}};
	size_t most = (size_t)BATCH * ITEMS;
	float *a = room(most, sizeof(float)), *b = room(most, sizeof(float)), *c = room(most, sizeof(float));
	for (size_t i = 0; i < most; i++)
		a[i] = b[i] = (float)(i % 13) * 0.125f - 0.75f;
	openblas_set_num_threads(1);
	json_string(json, "blas_core", openblas_get_corename());
	json_array(json, "sgemm", JSON_LINES);
	for (size_t i = 0; i < threads->count; i++) {
		double peak = 0;
		json_object(json, NULL, JSON_INLINE);
		json_count(json, "threads", threads->value[i]);
		for (size_t g = 0; g < sizeof(gemms) / sizeof(gemms[0]); g++) {
			gemms[g].a = a;
			gemms[g].b = b;
			gemms[g].c = c;
			double best = team_best(threads->value[i], repeats, gemm_share, &gemms[g]);
			double rate = 2.0 * (double)gemms[g].m * (double)gemms[g].n * (double)gemms[g].k / best;
			json_real(json, gemms[g].name, rate);
			peak = fmax(peak, rate);
		}
		json_real(json, "peak", peak);
		json_end(json);
	}
	json_end(json);
	free(a);
	free(b);
	free(c);
}

// --- row gathers by table size

// So many rows are read in a repeat that a table beyond the last cache stays there; no more than a second's worth.
static const double GATHER_BYTES = 0x1p27;

static void measure_gather(struct json *json, size_t width, size_t rows, bool popular,
                           const struct thread_counts *threads, size_t repeats) {
	uint64_t state = 2017;
	size_t count = (size_t)(GATHER_BYTES / (double)(gather_stride(width) * sizeof(float)));
	uint32_t *index = room(count, sizeof(*index));
	for (size_t i = 0; i < count; i++) {
		double u = (double)draw_below(&state, (size_t)1 << 30) * 0x1p-30;
		// Popular: a tenth of the rows takes 46 % of the reads; an odd factor spreads those rows over the table.
		size_t rank = (size_t)((popular ? u * u * u : u) * (double)rows);
		index[i] = (uint32_t)(rank * 2654435761u % rows);
	}
	json_object(json, NULL, JSON_INLINE);
	json_count(json, "width", width);
	json_count(json, "rows", rows);
	json_count(json, "table_bytes", rows * gather_stride(width) * sizeof(float));
	json_string(json, "order", popular ? "popular" : "uniform");
	json_array(json, "bytes_per_second", JSON_INLINE); // by number of threads, as `threads` lists them
	for (size_t i = 0; i < threads->count; i++)
		json_real(json, NULL, gather_bandwidth(rows, width, index, count, threads->value[i], repeats));
	json_end(json);
	json_end(json);
	free(index);
}

static void measure_gathers(struct json *json, const struct thread_counts *threads, bool quick, size_t repeats) {
	static const size_t widths[] = {128, 512};
	static const size_t kib[] = {400, 1900, 10 << 10, 50 << 10, 250 << 10};
	json_array(json, "gather", JSON_LINES);
	for (size_t w = 0; w < 2; w++)
		for (size_t k = 0; k < sizeof(kib) / sizeof(kib[0]); k += quick ? 2 : 1)
			for (int popular = 0; popular < 2; popular++)
				measure_gather(json, widths[w], (kib[k] << 10) / (widths[w] * sizeof(float)), popular, threads,
				               repeats);
	json_end(json);
}

// --- row gathers of one shape

struct shape {
	struct data_file_header header;
	int64_t *start;   // (rows + 1)
	uint32_t *column; // (entries)
	uint32_t *order;  // (used) rows with ratings, in a drawn order
	size_t used;
	uint32_t *sequence; // (sequence_count) columns of the rows in that order
	size_t sequence_count;
};

static bool read_shape(const char *path, struct shape *ret) {
	FILE *from = fopen(path, "rb");
	struct data_file_header *h = &ret->header;
	bool good = from && fread(h, sizeof(*h), 1, from) == 1 && memcmp(h->magic, DATA_FILE_MAGIC, sizeof(h->magic)) == 0;
	if (good) {
		ret->start = room(h->rows + 1, sizeof(*ret->start));
		ret->column = room(h->entries, sizeof(*ret->column));
		good = fread(ret->start, sizeof(*ret->start), h->rows + 1, from) == h->rows + 1 &&
		       fread(ret->column, sizeof(*ret->column), h->entries, from) == h->entries;
	}
	if (from)
		fclose(from);
	return good;
}

static void draw_order(struct shape *s) {
	uint64_t state = 2017;
	s->order = room(s->header.rows, sizeof(*s->order));
	for (size_t i = 0; i < s->header.rows; i++)
		if (s->start[i + 1] > s->start[i])
			s->order[s->used++] = (uint32_t)i;
	for (size_t i = s->used; i > 1; i--) {
		size_t other = draw_below(&state, i);
		uint32_t swap = s->order[i - 1];
		s->order[i - 1] = s->order[other];
		s->order[other] = swap;
	}
}

static void lay_out(struct shape *s, size_t most) {
	s->sequence = room(most, sizeof(*s->sequence));
	for (size_t i = 0; i < s->used && s->sequence_count < most; i++)
		for (int64_t k = s->start[s->order[i]]; k < s->start[s->order[i] + 1] && s->sequence_count < most; k++)
			s->sequence[s->sequence_count++] = s->column[k];
}

static int ascending(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

// Distinct items of each batch, summed over an epoch: the rows that an optimizer must touch. The first of them, at most
// `most`, come back batch by batch, ascending: ret_item is (most).
static size_t touched_rows(const struct shape *s, size_t batch, size_t most, uint32_t *ret_item, size_t *ret_count) {
	uint32_t *stamp = room(s->header.columns, sizeof(*stamp));
	size_t touched = 0, begin = 0;
	for (size_t i = 0; i < s->used; i++) {
		uint32_t now = (uint32_t)(i / batch + 1);
		for (int64_t k = s->start[s->order[i]]; k < s->start[s->order[i] + 1]; k++) {
			if (stamp[s->column[k]] == now)
				continue;
			stamp[s->column[k]] = now;
			if (touched < most)
				ret_item[touched] = s->column[k];
			touched++;
		}
		size_t end = touched < most ? touched : most;
		if ((i + 1) % batch == 0 || i + 1 == s->used) {
			qsort(ret_item + begin, end - begin, sizeof(*ret_item), ascending);
			begin = end;
		}
	}
	free(stamp);
	*ret_count = begin;
	return touched;
}

typedef double bandwidth(size_t rows, size_t width, const uint32_t *index, size_t count, size_t threads,
                         size_t repeats);

// tables: as many as a row index stands for.
static void measure_table(struct json *json, const char *name, size_t tables, size_t rows, size_t width,
                          const uint32_t *index, size_t count, const struct thread_counts *threads) {
	bandwidth *measure = tables > 1 ? update_bandwidth : gather_bandwidth;
	json_object(json, name, JSON_INLINE);
	json_count(json, "rows", rows);
	json_count(json, "width", width);
	json_count(json, "table_bytes", tables * rows * gather_stride(width) * sizeof(float));
	json_array(json, "bytes_per_second", JSON_INLINE);
	for (size_t i = 0; i < threads->count; i++)
		json_real(json, NULL, measure(rows, width, index, count, threads->value[i], 7));
	json_end(json);
	json_end(json);
}

static void measure_shape(struct json *json, struct shape *s, size_t hidden, size_t width, size_t batch,
                          const struct thread_counts *threads) {
	size_t most = (size_t)(GATHER_BYTES / (double)(hidden * sizeof(float)));
	uint64_t state = 2018;
	draw_order(s);
	lay_out(s, most < s->header.entries ? most : s->header.entries);
	uint32_t *within = room(s->sequence_count, sizeof(*within)); // rows of a batch, item by item
	for (size_t i = 0; i < s->sequence_count; i++)
		within[i] = (uint32_t)draw_below(&state, batch < s->used ? batch : s->used);
	json_count(json, "rows", s->used);
	json_count(json, "items", s->header.columns);
	json_count(json, "ratings", s->header.entries);
	json_count(json, "features", s->header.feature_columns);
	json_count(json, "feature_entries", s->header.feature_entries);
	size_t both = gather_stride(hidden) + gather_stride(width), first_touched;
	size_t touched_most = (size_t)(GATHER_BYTES / (double)(both * sizeof(float)));
	uint32_t *touched = room(touched_most, sizeof(*touched));
	json_count(json, "touched_rows", touched_rows(s, batch, touched_most, touched, &first_touched));
	measure_table(json, "items_hidden", 1, s->header.columns, hidden, s->sequence, s->sequence_count, threads);
	measure_table(json, "items_width", 1, s->header.columns, width, s->sequence, s->sequence_count, threads);
	measure_table(json, "batch_hidden", 1, batch, hidden, within, s->sequence_count, threads);
	measure_table(json, "batch_width", 1, batch, width, within, s->sequence_count, threads);
	measure_table(json, "update", 3, s->header.columns, both, touched, first_touched, threads);
	free(within);
	free(touched);
}

// --- the program

static size_t number(const char *text) {
	return (size_t)strtoull(text, NULL, 10);
}

static void begin(struct json *json, char **threads, struct thread_counts *ret) {
	json_object(json, NULL, JSON_LINES);
	json_array(json, "threads", JSON_INLINE);
	for (ret->count = 0; threads[ret->count] && ret->count < THREAD_COUNTS; ret->count++) {
		ret->value[ret->count] = number(threads[ret->count]);
		json_count(json, NULL, ret->value[ret->count]);
	}
	json_end(json);
}

static bool shape_main(struct json *json, char **argv) {
	struct thread_counts threads;
	struct shape shape = {0};
	bool good = read_shape(argv[0], &shape);
	if (good) {
		begin(json, argv + 4, &threads);
		measure_shape(json, &shape, number(argv[1]), number(argv[2]), number(argv[3]), &threads);
		json_end(json);
	} else {
		fprintf(stderr, "bench_limits: %s: not written by bench_data\n", argv[0]);
	}
	free(shape.start);
	free(shape.column);
	free(shape.order);
	free(shape.sequence);
	return good;
}

static void machine_main(struct json *json, char **argv) {
	struct thread_counts threads;
	bool quick = strcmp(argv[0], "quick") == 0;
	begin(json, argv + 1, &threads);
	measure_triad(json, &threads, quick ? 3 : 9);
	measure_gemm(json, &threads, quick ? 2 : 5);
	measure_gathers(json, &threads, quick, quick ? 3 : 9);
	json_end(json);
}

int main(int argc, char **argv) {
	struct text text = {0};
	struct json json = {.text = &text};
	bool good = true;
	if (argc > 3 && strcmp(argv[1], "machine") == 0) {
		machine_main(&json, argv + 2);
	} else if (argc > 6 && strcmp(argv[1], "shape") == 0) {
		good = shape_main(&json, argv + 2);
	} else {
		fprintf(stderr, "usage: bench_limits machine quick|full THREADS...\n"
		                "       bench_limits shape FILE HIDDEN WIDTH BATCH THREADS...\n");
		return ERROR_CONFIG;
	}
	if (good)
		puts(text_string(&text));
	text_finish(&text);
	return good ? 0 : ERROR_DATA;
}
