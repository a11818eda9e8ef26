// The command line: verbs in a table; options are options.h's.
#include "cli/cli.h"
#include "cli/streams.h"

#include "base/nearest.h"
#include "base/pool.h"
#include "version.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct verb *const verbs[] = {
    &verb_run,     &verb_verify, &verb_sweep,  &verb_compare, &verb_plan,   &verb_data,
    &verb_schema,  &verb_list,   &verb_show,   &verb_plot,    &verb_figure, &verb_recommend,
    &verb_predict, &verb_export, &verb_doctor, &verb_trial,   NULL};
enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) - 1 };

static void print_help(FILE *to) {
	fprintf(to,
	        "aexp %s: declarative experiments for autoencoder recommenders\n\nusage: aexp COMMAND [options] ...\n\n",
	        AEXP_VERSION);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(to, "  %-16s %s\n", verbs[i]->usage, verbs[i]->doc);
	fprintf(to, "  %-16s %s\n\noptions (`aexp COMMAND --help` names those that it takes)\n", "help [COMMAND]",
	        "this text, or more on one command");
	options_print(to, UINT64_MAX);
}

static int print_verb_help(const struct verb *verb) {
	printf("usage: aexp %s\n\n%s\n%s%s\noptions\n", verb->usage, verb->doc, *verb->help ? "\n" : "", verb->help);
	options_print(stdout, verb->takes | TAKES_COMMON);
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

static int run_with_threads(const struct verb *verb, struct options *options) {
	options->pool = pool_create(options->threads);
	int code = verb->run(options);
	pool_destroy(options->pool);
	return code;
}

static int run_verb(const struct verb *verb, int argc, char **argv) {
	struct options options;
	int code = options_read(verb, verbs, argc, argv, &options);
	options.keep_cache = verb == &verb_run || verb == &verb_verify || verb == &verb_sweep || verb == &verb_figure;
	if (code == OPTIONS_HELP)
		code = print_verb_help(verb);
	else if (code == 0 && options.json + options.csv + options.latex + options.markdown > 1)
		code =
		    usage_error("%s can be written in one form only: --json, --csv, --latex or --markdown", verb->name, NULL);
	else if (code == 0 && options.jobs > 1 && !(verb->takes & TAKES(jobs)))
		code = usage_error("-j: %s starts no runs beside each other, only -j 1", verb->name, NULL);
	else if (code == 0 && options.arguments_count < verb->arguments_min)
		code = usage_error("usage: aexp %s", verb->usage, NULL);
	else if (code == 0 && options.arguments_count > verb->arguments_max)
		code = usage_error("too many arguments; usage: aexp %s", verb->usage, NULL);
	else if (code == 0)
		code = run_with_threads(verb, &options);
	options_finish(&options);
	return code;
}

static int dispatch(int argc, char **argv) {
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

// Results that nobody got are no success.
static int close_output(int code) {
	bool flushed = fflush(stdout) == 0;
	if (flushed && !ferror(stdout))
		return code;
	fprintf(stderr, "aexp: standard output cannot be written%s%s\n", flushed ? "" : ": ",
	        flushed ? "" : strerror(errno));
	return code ? code : ERROR_RUN;
}

int main(int argc, char **argv) {
	streams_begin();
	signal(SIGXFSZ, SIG_IGN); // what a limit of a file's length forbids is an error of the writing, and said as one
	return close_output(dispatch(argc, argv));
}
