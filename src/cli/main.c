// The command line: verbs in a table, options that mean the same everywhere.
#include "cli/cli.h"

#include "base/nearest.h"
#include "base/pool.h"
#include "version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct verb *const verbs[] = {&verb_run,    &verb_verify, &verb_compare, &verb_plan, &verb_data,
                                           &verb_schema, &verb_list,   &verb_show,    &verb_plot, &verb_figure};
enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static const char OPTIONS_HELP[] = "options\n"
                                   "  -s KEY=VALUE  override one key of the experiment file; repeatable\n"
                                   "  -o DIR        results root (default: results)\n"
                                   "  -t N          threads (default: all); never changes a result\n"
                                   "  --force       run again what is finished\n"
                                   "  --no-cache    read the data from its files, and leave no cache of it\n"
                                   "  --json        machine-readable output\n"
                                   "  --markdown    tables in Markdown (schema)\n"
                                   "  -q, -v        quieter, more words\n"
                                   "  --help        help on a command\n";

static void print_help(FILE *to) {
	fprintf(to,
	        "aexp %s: declarative experiments for autoencoder recommenders\n\nusage: aexp COMMAND [options] ...\n\n",
	        AEXP_VERSION);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(to, "  %-16s %s\n", verbs[i]->usage, verbs[i]->doc);
	fprintf(to, "  %-16s %s\n\n%s", "help [COMMAND]", "this text, or more on one command", OPTIONS_HELP);
}

static int print_verb_help(const struct verb *verb) {
	printf("usage: aexp %s\n\n%s\n%s%s\n%s", verb->usage, verb->doc, verb->help, *verb->help ? "\n" : "", OPTIONS_HELP);
	return 0;
}

static int usage_error(const char *format, const char *word, const char *hint) {
	fprintf(stderr, "aexp: ");
	fprintf(stderr, format, word);
	fprintf(stderr, "\n");
	if (hint)
		fprintf(stderr, "  hint: Did you mean \"%s\"?\n", hint);
	return ERROR_CONFIG;
}

static const struct verb *find_verb(const char *name, const char **ret_near) {
	struct nearest nearest = {.word = name};
	for (size_t i = 0; i < VERBS; i++) {
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
		nearest_offer(&nearest, verbs[i]->name);
	}
	nearest_offer(&nearest, "help");
	*ret_near = nearest.best;
	return NULL;
}

static bool read_threads(const char *text, size_t *ret) {
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	*ret = value;
	return *text >= '0' && *text <= '9' && !*end && value >= 1 && value <= 1024;
}

static bool read_flag(const char *word, struct options *options) {
	const struct {
		const char *word;
		bool *flag;
	} flags[] = {
	    {"-q", &options->quiet},      {"-v", &options->verbose},          {"--json", &options->json},
	    {"--force", &options->force}, {"--markdown", &options->markdown}, {"--no-cache", &options->no_cache},
	};
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!strcmp(word, flags[i].word)) {
			*flags[i].flag = true;
			return true;
		}
	}
	return false;
}

// 0, or an exit code; -1: help is wanted.
static int read_options(int argc, char **argv, struct options *options) {
	bool only_arguments = false;
	for (int i = 2; i < argc; i++) {
		char *word = argv[i];
		if (only_arguments || word[0] != '-' || !word[1]) {
			options->arguments[options->arguments_count++] = word;
		} else if (!strcmp(word, "--")) {
			only_arguments = true;
		} else if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
			return -1;
		} else if (strchr("sotj", word[1]) && word[1] != '-') {
			const char *value = word[2] ? word + 2 : i + 1 < argc ? argv[++i] : NULL;
			size_t jobs = 1;
			if (!value || !*value)
				return usage_error("option %.2s wants a value", word, NULL);
			if (word[1] == 's')
				options->overrides[options->overrides_count++] = value;
			else if (word[1] == 'o')
				options->results = value;
			else if (!read_threads(value, word[1] == 't' ? &options->threads : &jobs))
				return usage_error("\"%s\" is no number of threads or runs, 1 to 1024", value, NULL);
			else if (word[1] == 'j' && jobs != 1)
				return usage_error("-j %s: runs beside each other are not in this version, only -j 1", value, NULL);
		} else if (!read_flag(word, options)) {
			return usage_error("unknown option \"%s\"", word, NULL);
		}
	}
	return 0;
}

static int run_with_threads(const struct verb *verb, struct options *options) {
	options->pool = pool_create(options->threads);
	int code = verb->run(options);
	pool_destroy(options->pool);
	return code;
}

static int run_verb(const struct verb *verb, int argc, char **argv) {
	struct options options = {
	    .results = "results", .keep_cache = verb == &verb_run || verb == &verb_verify || verb == &verb_figure,
	    .argc = argc, .argv = argv};
	options.overrides = memory_alloc((size_t)argc * sizeof(char *));
	options.arguments = memory_alloc((size_t)argc * sizeof(char *));
	int code = read_options(argc, argv, &options);
	if (code == -1)
		code = print_verb_help(verb);
	else if (code == 0 && options.arguments_count < verb->arguments_min)
		code = usage_error("usage: aexp %s", verb->usage, NULL);
	else if (code == 0 && options.arguments_count > verb->arguments_max)
		code = usage_error("too many arguments; usage: aexp %s", verb->usage, NULL);
	else if (code == 0)
		code = run_with_threads(verb, &options);
	free(options.overrides);
	free(options.arguments);
	return code;
}

int main(int argc, char **argv) {
	const char *near = NULL, *name = argc > 1 ? argv[1] : "";
	if (!strcmp(name, "--version")) {
		printf("aexp %s\n", AEXP_VERSION);
		return 0;
	}
	if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h")) {
		const struct verb *verb = argc > 2 ? find_verb(argv[2], &near) : NULL;
		if (argc > 2 && !verb)
			return usage_error("unknown command \"%s\"", argv[2], near);
		if (verb)
			return print_verb_help(verb);
		print_help(stdout);
		return 0;
	}
	if (argc < 2) {
		print_help(stderr);
		return ERROR_CONFIG;
	}
	const struct verb *verb = find_verb(name, &near);
	return verb ? run_verb(verb, argc, argv) : usage_error("unknown command \"%s\"", name, near);
}
