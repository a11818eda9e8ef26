// The options of all verbs: one list makes the members, their numbers and the table that reading and help go by. Adding
// one is a line here, and its name among what a verb takes.
#ifndef AEXP_CLI_OPTIONS_H
#define AEXP_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// X(kind, member, name, value's name, most, meaning). FLAG: bool. WORD: const char *, NULL where it was not given.
// WORDS: const char **member and member_count, repeatable. COUNT: size_t from 1 to `most` (0: no limit), 0 where it was
// not given.
#define OPTION_LIST(X)                                                                                                 \
	X(WORDS, overrides, "-s", "KEY=VALUE", 0, "override one key of the experiment file; repeatable")                   \
	X(FLAG, force, "--force", NULL, 0, "run again what is finished; compare runs of different protocols")              \
	X(FLAG, integrity, "--integrity", NULL, 0, "of finished runs: whether files, weights and data are what they were") \
	X(WORD, continue_from, "--continue-from", "RUN", 0, "begin with the weights of a finished run")                    \
	X(FLAG, no_cache, "--no-cache", NULL, 0, "read the data from its files, and leave no cache of it")                 \
	X(WORDS, where, "--where", "EXPR", 0, "only runs for which it holds, as optimizer.rate<0.01; repeatable")          \
	X(WORD, sort, "--sort", "KEY", 0, "by a key or a figure, the better or smaller first")                             \
	X(FLAG, reverse, "--reverse", NULL, 0, "in the other order")                                                       \
	X(COUNT, limit, "--limit", "N", 0, "the first N alone")                                                            \
	X(WORD, columns, "--columns", "A,B,...", 0, "keys and figures that are shown")                                     \
	X(FLAG, json, "--json", NULL, 0, "machine-readable output")                                                        \
	X(FLAG, csv, "--csv", NULL, 0, "a table as comma-separated values")                                                \
	X(FLAG, latex, "--latex", NULL, 0, "a table for LaTeX (package booktabs)")                                         \
	X(FLAG, markdown, "--markdown", NULL, 0, "a table in Markdown")                                                    \
	X(WORD, launcher, "--launcher", "WORD", 0, "who starts the trials: local (default), slurm, or command='...'")      \
	X(COUNT, per_job, "--per-job", "N", 1000000, "trials that one job of a launcher runs, one after the other (1)")    \
	X(FLAG, detach, "--detach", NULL, 0, "ends once the jobs are submitted")                                           \
	X(FLAG, status, "--status", NULL, 0, "only says how far the sweep is")                                             \
	X(FLAG, retry_failed, "--retry-failed", NULL, 0, "runs trials again that failed")                                  \
	X(FLAG, follow, "--follow", NULL, 0,                                                                               \
	  "ends when the process that started this one does, and tells it the progress")                                   \
	X(WORD, failed, "--failed", "WHY", 0, "runs nothing: the trial is recorded as failed, unless it has ended")        \
	X(FLAG, serve, "--serve", NULL, 0, "stays, and answers JSON lines one by one as they come")                        \
	X(WORD, http, "--http", "PORT", 0, "with --serve: over HTTP; 0: any port that is free")                            \
	X(WORD, host, "--host", "HOST", 0, "where HTTP is served (default: 127.0.0.1, this machine alone)")                \
	X(COUNT, connections, "--connections", "N", 100000, "of HTTP at the same time (default: 512)")                     \
	X(COUNT, timeout, "--timeout", "SECONDS", 86400, "for a request to come in, and its answer to be taken (10)")      \
	X(COUNT, top, "--top", "N", 1000000, "items of a list (default: 10)")                                              \
	X(WORDS, user, "--user", "ID", 0, "a user of the run's data; repeatable")                                          \
	X(FLAG, all, "--all", NULL, 0, "every user of the run's data")                                                     \
	X(FLAG, include_rated, "--include-rated", NULL, 0, "recommends what was rated as well")                            \
	X(FLAG, strict, "--strict", NULL, 0, "an unknown item or attribute is an error, not left out")                     \
	X(FLAG, explain, "--explain", NULL, 0, "with the ratings that speak most for each item")                           \
	X(WORD, similar, "--similar", "ITEM", 0, "the items nearest to one, in the learned space")                         \
	X(WORD, backend, "--backend", "WORD", 0, "what computes: openblas (default), reference or cuda")                   \
	X(WORD, format, "--format", "WORD", 0, "what is written: npz, csv, tsv or onnx")                                   \
	X(WORD, to, "--to", "PATH", 0, "where it is written: a file, or of tsv a folder")                                  \
	X(WORD, results, "-o", "DIR", 0, "results root (default: results)")                                                \
	X(COUNT, jobs, "-j", "N", 1024, "runs beside each other (default: 1)")                                             \
	X(COUNT, threads, "-t", "N", 1024, "threads (default: all); never changes a result")                               \
	X(FLAG, quiet, "-q", NULL, 0, "quieter: no progress")                                                              \
	X(FLAG, verbose, "-v", NULL, 0, "more words")

#define OPTION_NUMBER(kind, member, ...) OPTION_##member,
enum option_number { OPTION_LIST(OPTION_NUMBER) OPTIONS };

#define OPTION_FLAG_MEMBER(member) bool member;
#define OPTION_WORD_MEMBER(member) const char *member;
#define OPTION_WORDS_MEMBER(member)                                                                                    \
	const char **member;                                                                                               \
	size_t member##_count;
#define OPTION_COUNT_MEMBER(member) size_t member;
#define OPTION_MEMBER(kind, member, ...) OPTION_##kind##_MEMBER(member)

struct options {
	OPTION_LIST(OPTION_MEMBER)
	const char **arguments; // (arguments_count) what is no option
	size_t arguments_count;
	bool keep_cache;   // leave a cache of the data in the results folder, as a run does
	struct pool *pool; // of `threads`
	int argc;
	char **argv;
};

// A set of options: TAKES(json) | TAKES(limit).
#define TAKES(member) (UINT64_C(1) << OPTION_##member)
#define TAKES_COMMON (TAKES(results) | TAKES(jobs) | TAKES(threads) | TAKES(quiet) | TAKES(verbose)) // every verb does

#define TAKES_TABLE (TAKES(json) | TAKES(csv) | TAKES(latex) | TAKES(markdown)) // one of them, see output_table

struct verb;
enum { OPTIONS_HELP = -1 };
// Reads argv[2] ... for a verb; `verbs` (NULL-ended) are asked whose an option is that the verb has not. 0,
// OPTIONS_HELP where help is asked for, or an exit code after a message. options_finish either way.
int options_read(const struct verb *verb, const struct verb *const verbs[], int argc, char **argv, struct options *ret);
void options_finish(struct options *options);
void options_print(FILE *to, uint64_t takes); // one line each

#endif
