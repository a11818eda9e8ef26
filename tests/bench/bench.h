// The benchmark's driver: it runs `aexp`, the limits and the PyTorch peers as a user would, from outside, and puts what
// they report side by side. What is measured and what each figure means: docs/performance.md.
#ifndef AEXP_BENCH_BENCH_H
#define AEXP_BENCH_BENCH_H

#include "base/memory.h"

#include <stdint.h>

enum { THREAD_COUNTS = 3, SAMPLES_MOST = 256, PHASES_MOST = 16, COMMAND_WORDS = 48 };

// --- one measurement's samples

struct samples {
	double value[SAMPLES_MOST]; // in order of measurement
	size_t count;
};
void samples_add(struct samples *samples, double value); // what is beyond SAMPLES_MOST is left out
double samples_median(const struct samples *samples);    // NAN where there is none

// --- the run as a whole

struct bench {
	struct arena arena;
	// what is run
	const char *aexp, *data, *limits; // paths of the programs
	const char *source;               // folder of tests/bench: the .cfg files
	const char *work;                 // folder for everything that is written
	const char *python;               // NULL: no peers
	const char *docs;                 // file that gets the table, or NULL
	// how much of it
	const char *shapes; // names with commas; NULL: the default ones
	bool quick, peers, machine, compile, ranking, startup;
	size_t rounds, epochs; // 0: as each shape says
	double budget;         // seconds a peer has for its timed batches
	double growth_ratings; // the most, in millions; 0: no growth runs
	double growth_items;   // the most
	// found out
	size_t threads[THREAD_COUNTS], threads_count; // 1, 2, and all where there are more
	char *log;                                    // path: what the programs said
	struct text commands;                         // what was run, a line each
};

// --- programs (command.c)

struct command {
	char *words[COMMAND_WORDS + 1]; // NULL after the last
	size_t count;
};
void command_add(struct bench *bench, struct command *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Runs it to its end, standard output to *ret_output, standard error to the log. False when it cannot be started or
// does not exit 0, with one line on standard error.
bool command_run(struct bench *bench, const struct command *command, struct text *ret_output);
void bench_say(const char *format, ...) __attribute__((format(printf, 1, 2))); // progress, to standard error

// --- what is measured of a shape (shapes.c, measure.c, bound.c)

struct shape {
	const char *name, *title, *cfg;
	size_t hidden, batch;
	bool batch_norm, all_cells;
	bool quick;                         // part of the default of `meson test --benchmark`
	bool peers;                         // false: the peers would take hours
	bool test;                          // of the benchmark itself: measured only where it is named
	size_t epochs;                      // in a run
	double dense_target, sparse_target; // how many times faster than the peers it must be; 0: none
	double fraction_target;             // of the sgemm peak; 0: none
};
extern const struct shape shapes[];
extern const size_t shapes_count;
enum { USER_UNITS = 16 };

struct phase_time {
	char name[24];
	double seconds;
};

// What run.json of one run says.
struct run_facts {
	struct samples epochs; // seconds
	struct phase_time phase[PHASES_MOST];
	size_t phases;
	double ranked_users; // of the test part; 0 where there is no ranking
	double peak_memory;  // bytes
	char commit[48], blas[160], cpu[96];
};
// Trains CFG with -o WORK/results/LABEL on so many threads; overrides: words "KEY=VALUE", NULL after the last.
bool aexp_run(struct bench *bench, const char *cfg, const char *label, size_t threads, const char *const *overrides,
              struct run_facts *ret);
double run_phase(const struct run_facts *run, const char *name); // seconds, 0 where there is no such phase
double run_before_training(const struct run_facts *run);         // seconds of the phases that come before "train"

// One row-gather table of a shape, by number of threads.
struct table_limit {
	double bytes_per_second[THREAD_COUNTS], table_bytes;
};
struct shape_limits {
	double rows, items, ratings, features, feature_entries, touched_rows;
	struct table_limit items_hidden, items_width, batch_hidden, batch_width; // read
	struct table_limit update; // rows of both layers' weights and two states, read and written
};
struct machine_limits {
	double triad[THREAD_COUNTS], sgemm_peak[THREAD_COUNTS], sgemm_shape[THREAD_COUNTS]; // bytes, FLOP a second
	char *json; // all of it, as the program wrote it
};
bool machine_limits_measure(struct bench *bench, struct machine_limits *ret);
// Writes the shape's data to *ret_file (for the peers too; the caller removes it) and measures its tables.
bool shape_limits_measure(struct bench *bench, const char *cfg, const char *label, size_t hidden, size_t batch,
                          const char *const *overrides, char **ret_file, struct shape_limits *ret);

// What one epoch moves and computes, and the least time that this takes at the measured limits.
struct bound {
	double bytes, flops;           // an epoch
	double seconds[THREAD_COUNTS]; // NAN where the limit was not measured
};
void bound_sparse(const struct shape_limits *limits, size_t hidden, size_t threads_count, struct bound *ret);
void bound_gemm(const struct shape_limits *limits, const struct machine_limits *machine, size_t hidden,
                size_t threads_count, struct bound *ret);
extern const char *const bound_formula_bytes, *const bound_formula_flops, *const bound_formula_seconds;

// --- peers (peers.c)

struct peer_result {
	bool ran;
	struct samples epochs; // seconds an epoch, one a round
	char variant[40];
	size_t threads;
	double batches_timed, batches_of;
	double dense_output; // expert: seconds an epoch of the best variant that computes every output; NAN: none
	char version[32], blas[160];
};
bool peers_available(struct bench *bench);
// One round of a program. The first tries every variant; later ones time the best of the first alone.
void peer_run(struct bench *bench, const char *program, const struct shape *shape, const char *file,
              struct peer_result *result);
// Seconds for the 100 best of so many users; NAN where it failed.
double peer_topk(struct bench *bench, const char *file, size_t hidden, double users);

// --- results

struct shape_result {
	const struct shape *shape;
	struct samples epochs[THREAD_COUNTS];
	double peak_memory;
	struct shape_limits limits;
	struct bound bound;
	struct peer_result dense, expert;
};
struct growth_point {
	double x, ratings, items; // x: what grows
	double seconds;           // an epoch, on all threads
	struct bound bound;
};
enum { GROWTH_POINTS = 8, STARTUPS = 2, RANKINGS = 2 };
struct startup_result {
	const char *name;
	double bytes, ratings;       // of the text
	struct samples text, again;  // seconds to the first batch: from text; a second run that finds what the first left
	struct samples load, reload; // seconds of the phase "load" of each
};
struct ranking_result {
	const char *name;
	size_t hidden;
	double users;
	// seconds of the evaluation: ndcg@100 alone, mse over all cells alone, and both
	struct samples ranks[THREAD_COUNTS], cells[THREAD_COUNTS], both[THREAD_COUNTS];
	double peer; // seconds of ndcg@100; NAN: not measured
};
struct results {
	struct machine_limits machine;
	struct shape_result *shape; // (shapes)
	size_t shapes;
	struct growth_point by_ratings[GROWTH_POINTS], by_items[GROWTH_POINTS];
	size_t by_ratings_count, by_items_count;
	struct startup_result startup[STARTUPS];
	size_t startups;
	struct ranking_result ranking[RANKINGS];
	size_t rankings;
	char commit[48], blas[160], cpu[96];
	double peak_memory;
};
bool measure_shapes(struct bench *bench, struct results *results);
bool measure_growth(struct bench *bench, struct results *results);
bool measure_startup(struct bench *bench, struct results *results);
bool measure_ranking(struct bench *bench, struct results *results);

// --- report (report_json.c, report_docs.c)

void report_json(const struct bench *bench, const struct results *results, struct text *text);
void report_tables(const struct bench *bench, const struct results *results, struct text *text); // Markdown
// Writes the data of the pictures and calls gnuplot; one line says so where it is missing.
bool report_pictures(struct bench *bench, const struct results *results);
// Puts the tables between the markers of bench->docs and the pictures beside it.
bool report_docs(const struct bench *bench, const struct results *results, struct error *error);

#endif
