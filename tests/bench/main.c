// The benchmark's command line; scripts/bench calls it.
#include "base/file.h"
#include "bench.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: bench_report --aexp FILE --data FILE --limits FILE --source FOLDER --work FOLDER [OPTION...]\n"
    "  --quick            two shapes, no growth, short limits\n"
    "  --shapes A,B       these shapes alone; \"none\" for no shape; --list prints their names\n"
    "  --rounds N         turns of aexp and the peers (3; quick 1)\n"
    "  --epochs N         of a run of aexp (as each shape says)\n"
    "  --budget S         seconds a peer has for the batches that are timed (20; quick 6)\n"
    "  --no-peers         leave PyTorch out\n"
    "  --no-compile       leave torch.compile out: it takes a minute a program to warm up\n"
    "  --growth M         growth runs up to M million ratings (100; quick 0: none)\n"
    "  --growth-items N   and up to N items (256000)\n"
    "  --no-startup, --no-ranking\n"
    "  --docs FILE        put the tables between the markers of this page, and the pictures beside it\n";

enum option_id {
	OPTION_AEXP = 256,
	OPTION_DATA,
	OPTION_LIMITS,
	OPTION_SOURCE,
	OPTION_WORK,
	OPTION_QUICK,
	OPTION_SHAPES,
	OPTION_LIST,
	OPTION_ROUNDS,
	OPTION_EPOCHS,
	OPTION_BUDGET,
	OPTION_NO_PEERS,
	OPTION_NO_COMPILE,
	OPTION_GROWTH,
	OPTION_GROWTH_ITEMS,
	OPTION_NO_STARTUP,
	OPTION_NO_RANKING,
	OPTION_DOCS,
};

static const struct option options[] = {
    {"aexp", required_argument, NULL, OPTION_AEXP},
    {"data", required_argument, NULL, OPTION_DATA},
    {"limits", required_argument, NULL, OPTION_LIMITS},
    {"source", required_argument, NULL, OPTION_SOURCE},
    {"work", required_argument, NULL, OPTION_WORK},
    {"quick", no_argument, NULL, OPTION_QUICK},
    {"shapes", required_argument, NULL, OPTION_SHAPES},
    {"list", no_argument, NULL, OPTION_LIST},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"epochs", required_argument, NULL, OPTION_EPOCHS},
    {"budget", required_argument, NULL, OPTION_BUDGET},
    {"no-peers", no_argument, NULL, OPTION_NO_PEERS},
    {"no-compile", no_argument, NULL, OPTION_NO_COMPILE},
    {"growth", required_argument, NULL, OPTION_GROWTH},
    {"growth-items", required_argument, NULL, OPTION_GROWTH_ITEMS},
    {"no-startup", no_argument, NULL, OPTION_NO_STARTUP},
    {"no-ranking", no_argument, NULL, OPTION_NO_RANKING},
    {"docs", required_argument, NULL, OPTION_DOCS},
    {0},
};

static void list_shapes(void) {
	for (size_t i = 0; i < shapes_count; i++)
		printf("%s\t%s\n", shapes[i].name, shapes[i].title);
}

static bool take_path(struct bench *b, int option) {
	const char **paths[] = {&b->aexp, &b->data, &b->limits, &b->source, &b->work};
	if (option < OPTION_AEXP || option > OPTION_WORK)
		return false;
	// Made absolute: gnuplot and the peers resolve paths where they like.
	*paths[option - OPTION_AEXP] = path_absolute(optarg);
	return true;
}

static bool take(struct bench *b, int option) {
	switch (option) {
	case OPTION_QUICK:
		b->quick = true;
		return true;
	case OPTION_SHAPES:
		b->shapes = optarg;
		return true;
	case OPTION_ROUNDS:
		b->rounds = strtoul(optarg, NULL, 10);
		return b->rounds > 0;
	case OPTION_EPOCHS:
		b->epochs = strtoul(optarg, NULL, 10);
		return b->epochs > 0;
	case OPTION_BUDGET:
		b->budget = strtod(optarg, NULL);
		return b->budget > 0;
	case OPTION_NO_PEERS:
		b->python = NULL;
		return true;
	case OPTION_NO_COMPILE:
		b->compile = false;
		return true;
	case OPTION_GROWTH:
		b->growth_ratings = strtod(optarg, NULL);
		return b->growth_ratings >= 0;
	case OPTION_GROWTH_ITEMS:
		b->growth_items = strtod(optarg, NULL);
		return b->growth_items >= 0;
	case OPTION_NO_STARTUP:
		b->startup = false;
		return true;
	case OPTION_NO_RANKING:
		b->ranking = false;
		return true;
	case OPTION_DOCS:
		b->docs = optarg;
		return true;
	default:
		return take_path(b, option);
	}
}

static void quicken(struct bench *b) {
	b->quick = true;
	b->rounds = 1;
	b->budget = 6;
	b->compile = b->ranking = false;
	b->growth_ratings = b->growth_items = 0;
}

static void find_threads(struct bench *b) {
	cpu_set_t mask;
	size_t all = sched_getaffinity(0, sizeof(mask), &mask) == 0 ? (size_t)CPU_COUNT(&mask) : 1;
	const size_t wanted[] = {1, 2, all};
	for (size_t i = 0; i < THREAD_COUNTS; i++)
		if (wanted[i] <= all && (i == 0 || wanted[i] > b->threads[b->threads_count - 1]))
			b->threads[b->threads_count++] = wanted[i];
}

// False after `--list` and after a wrong option; *ret_code says which.
static bool read_options(int argc, char **argv, struct bench *b, int *ret_code) {
	const char *python = getenv("AEXP_PYTHON");
	*b = (struct bench){.python = python && *python ? python : "python3",
	                    .compile = true,
	                    .ranking = true,
	                    .startup = true,
	                    .rounds = 3,
	                    .budget = 20,
	                    .growth_ratings = 100,
	                    .growth_items = 256000};
	int option;
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--quick") == 0)
			quicken(b); // first, so that other options may differ from it
	*ret_code = ERROR_CONFIG;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPTION_LIST) {
			list_shapes();
			*ret_code = 0;
			return false;
		}
		if (!take(b, option))
			break;
	}
	if (option == -1 && optind == argc && b->aexp && b->data && b->limits && b->source && b->work)
		return true;
	fputs(usage, stderr);
	return false;
}

static bool measure(struct bench *b, struct results *r) {
	if (!peers_available(b))
		b->python = NULL;
	return machine_limits_measure(b, &r->machine) && measure_shapes(b, r) && (!b->startup || measure_startup(b, r)) &&
	       (!b->ranking || measure_ranking(b, r)) && (b->growth_ratings <= 0 || measure_growth(b, r));
}

// Also after a failure, with what there is.
static bool write_results(struct bench *b, const struct results *r) {
	struct text json = {0}, tables = {0};
	struct error error = {0};
	char *path = path_join(b->work, "bench.json"), *limits = path_join(b->work, "limits.json");
	report_json(b, r, &json);
	report_tables(b, r, &tables);
	bool good = file_write(path, text_string(&json), json.length, &error);
	if (good && r->machine.json)
		good = file_write(limits, r->machine.json, strlen(r->machine.json), &error);
	if (!good)
		bench_say("%s", error.message);
	fputs(text_string(&tables), stdout);
	bench_say("%s", path);
	free(path);
	free(limits);
	text_finish(&json);
	text_finish(&tables);
	return good;
}

static bool publish(struct bench *b, const struct results *r) {
	struct error error = {0};
	bool drawn = report_pictures(b, r);
	if (!drawn)
		bench_say("no pictures were drawn; their data is in %s", b->work);
	if (!b->docs)
		return true;
	if (drawn && report_docs(b, r, &error))
		return true;
	bench_say("%s was not written: %s", b->docs, error.message);
	return false;
}

int main(int argc, char **argv) {
	struct bench bench;
	struct error error = {0};
	int code;
	if (!read_options(argc, argv, &bench, &code))
		return code;
	unsetenv("OPENBLAS_CORETYPE");
	unsetenv("OPENBLAS_L2_SIZE");
	setenv("PYTHONDONTWRITEBYTECODE", "1", 1); // the peers import a file beside them
	find_threads(&bench);
	if (!folder_create(bench.work, &error)) {
		bench_say("%s", error.message);
		return ERROR_RUN;
	}
	bench.log = path_join(bench.work, "bench.log");
	unlink(bench.log);
	struct results *results = memory_alloc(sizeof(*results));
	bool good = measure(&bench, results);
	good = write_results(&bench, results) && good;
	good = publish(&bench, results) && good;
	free(results->shape);
	free(results);
	free(bench.log);
	text_finish(&bench.commands);
	arena_finish(&bench.arena);
	return good ? 0 : ERROR_RUN;
}
