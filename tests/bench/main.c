// The benchmark's command line; scripts/bench calls it.
#include "base/file.h"
#include "bench.h"

#include <getopt.h>
#include <sched.h>
#include <stddef.h>
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
    "  --no-startup, --no-ranking, --no-machine   leave these out; without the machine's limits there is no sgemm "
    "peak\n"
    "  --docs FILE        put the tables between the markers of this page, and the pictures beside it\n";

// How an option's word gets into struct bench.
enum kind { FILE_PATH, WORD, COUNT, AMOUNT, SWITCH_OFF, QUICK, LIST };

static const struct setting {
	const char *name;
	enum kind kind;
	size_t offset;
} settings[] = {
    {"aexp", FILE_PATH, offsetof(struct bench, aexp)},
    {"data", FILE_PATH, offsetof(struct bench, data)},
    {"limits", FILE_PATH, offsetof(struct bench, limits)},
    {"source", FILE_PATH, offsetof(struct bench, source)},
    {"work", FILE_PATH, offsetof(struct bench, work)},
    {"shapes", WORD, offsetof(struct bench, shapes)},
    {"docs", WORD, offsetof(struct bench, docs)},
    {"rounds", COUNT, offsetof(struct bench, rounds)},
    {"epochs", COUNT, offsetof(struct bench, epochs)},
    {"budget", AMOUNT, offsetof(struct bench, budget)},
    {"growth", AMOUNT, offsetof(struct bench, growth_ratings)},
    {"growth-items", AMOUNT, offsetof(struct bench, growth_items)},
    {"no-peers", SWITCH_OFF, offsetof(struct bench, peers)},
    {"no-compile", SWITCH_OFF, offsetof(struct bench, compile)},
    {"no-startup", SWITCH_OFF, offsetof(struct bench, startup)},
    {"no-ranking", SWITCH_OFF, offsetof(struct bench, ranking)},
    {"no-machine", SWITCH_OFF, offsetof(struct bench, machine)},
    {"quick", QUICK, 0},
    {"list", LIST, 0},
};
enum { SETTINGS = sizeof(settings) / sizeof(settings[0]), FIRST_OPTION = 256 };

static void make_options(struct option ret[SETTINGS + 1]) {
	for (size_t i = 0; i < SETTINGS; i++)
		ret[i] = (struct option){settings[i].name, settings[i].kind < SWITCH_OFF ? required_argument : no_argument,
		                         NULL, FIRST_OPTION + (int)i};
	ret[SETTINGS] = (struct option){0};
}

static void list_shapes(void) {
	for (size_t i = 0; i < shapes_count; i++)
		printf("%s\t%s\n", shapes[i].name, shapes[i].title);
}

// Paths are made absolute: gnuplot and the peers resolve them where they like.
static const char *absolute(struct bench *b, const char *path) {
	char *whole = path_absolute(path);
	const char *kept = arena_string(&b->arena, whole);
	free(whole);
	return kept;
}

static bool take(struct bench *b, const struct setting *setting) {
	void *to = (char *)b + setting->offset;
	char *end = NULL;
	switch (setting->kind) {
	case FILE_PATH:
		*(const char **)to = absolute(b, optarg);
		return true;
	case WORD:
		*(const char **)to = optarg;
		return true;
	case COUNT:
		*(size_t *)to = strtoul(optarg, &end, 10);
		return *end == '\0' && *(size_t *)to > 0;
	case AMOUNT:
		*(double *)to = strtod(optarg, &end);
		return *end == '\0' && *(double *)to >= 0;
	case SWITCH_OFF:
		*(bool *)to = false;
		return true;
	case QUICK: // taken before all others
	case LIST:
		return true;
	}
	return false;
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
	                    .peers = true,
	                    .machine = true,
	                    .compile = true,
	                    .ranking = true,
	                    .startup = true,
	                    .rounds = 3,
	                    .budget = 20,
	                    .growth_ratings = 100,
	                    .growth_items = 256000};
	struct option options[SETTINGS + 1];
	int option;
	make_options(options);
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--quick") == 0)
			quicken(b); // first, so that other options may differ from it
	*ret_code = ERROR_CONFIG;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option < FIRST_OPTION || !take(b, &settings[option - FIRST_OPTION]))
			break;
		if (settings[option - FIRST_OPTION].kind == LIST) {
			list_shapes();
			*ret_code = 0;
			return false;
		}
	}
	if (option == -1 && optind == argc && b->aexp && b->data && b->limits && b->source && b->work)
		return true;
	fputs(usage, stderr);
	return false;
}

static bool measure(struct bench *b, struct results *r) {
	if (!b->peers || !peers_available(b))
		b->python = NULL;
	return (!b->machine || machine_limits_measure(b, &r->machine)) && measure_shapes(b, r) &&
	       (!b->startup || measure_startup(b, r)) && (!b->ranking || measure_ranking(b, r)) &&
	       (b->growth_ratings <= 0 || measure_growth(b, r));
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
	if (!read_options(argc, argv, &bench, &code)) {
		arena_finish(&bench.arena);
		return code;
	}
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
