// See options.h.
#include "cli/cli.h"

#include "base/nearest.h"
#include "base/number.h"

#include <stdlib.h>
#include <string.h>

enum option_kind { KIND_FLAG, KIND_WORD, KIND_WORDS, KIND_COUNT };
struct option {
	enum option_kind kind;
	const char *name, *value; // "--limit", "N"
	size_t most, offset, count_offset;
	const char *doc;
};

#define OFFSET_FLAG(member) 0
#define OFFSET_WORD(member) 0
#define OFFSET_WORDS(member) offsetof(struct options, member##_count)
#define OFFSET_COUNT(member) 0
#define OPTION_ROW(kind, member, name, value, most, doc)                                                               \
	{KIND_##kind, name, value, most, offsetof(struct options, member), OFFSET_##kind(member), doc},
static const struct option options_all[OPTIONS] = {OPTION_LIST(OPTION_ROW)};

_Static_assert(OPTIONS <= 64, "a set of options is 64 bits");

static bool is_in(uint64_t set, size_t option) {
	return (set >> option & 1) != 0;
}

static bool is_long(const char *word) {
	return word[0] == '-' && word[1] == '-';
}

// Whether the word is that option, alone, or with its value behind it: -oDIR, --limit=3. *ret_value: NULL, or the
// value.
static bool is_option(const struct option *option, const char *word, const char **ret_value) {
	size_t length = strlen(option->name);
	*ret_value = NULL;
	if (strncmp(word, option->name, length) != 0)
		return false;
	const char *rest = word + length;
	if (!*rest)
		return true;
	if (option->kind == KIND_FLAG || (is_long(word) && *rest != '='))
		return false;
	*ret_value = rest + is_long(word);
	return true;
}

static size_t find_option(const char *word, const char **ret_value) {
	for (size_t i = 0; i < OPTIONS; i++)
		if (is_option(&options_all[i], word, ret_value))
			return i;
	return OPTIONS;
}

static int fail_unknown(const struct verb *verb, const char *word) {
	int length = (int)(is_long(word) ? strcspn(word, "=") : strlen(word));
	char *name = memory_copy_string(word);
	name[length] = '\0';
	struct nearest nearest = {.word = name};
	for (size_t i = 0; i < OPTIONS; i++)
		if (is_in(verb->takes | TAKES_COMMON, i) && is_long(options_all[i].name) && is_long(name))
			nearest_offer(&nearest, options_all[i].name);
	fprintf(stderr, "aexp: unknown option \"%s\"\n  hint: ", name);
	if (nearest.best)
		fprintf(stderr, "Did you mean \"%s\"?\n", nearest.best);
	else
		fprintf(stderr, "`aexp %s --help` names those there are.\n", verb->name);
	free(name);
	return ERROR_CONFIG;
}

static int fail_not_taken(const struct verb *verb, const struct verb *const verbs[], size_t option) {
	fprintf(stderr, "aexp: %s has no %s\n  hint: It is an option of", verb->name, options_all[option].name);
	const char *between = " ";
	for (size_t i = 0; verbs[i]; i++)
		if (is_in(verbs[i]->takes, option)) {
			fprintf(stderr, "%s%s", between, verbs[i]->name);
			between = ", ";
		}
	fprintf(stderr, ".\n");
	return ERROR_CONFIG;
}

static bool set_count(const struct option *option, const char *value, size_t *ret) {
	int64_t count;
	if (number_read_integer(value, strlen(value), &count) && count >= 1 &&
	    (!option->most || (uint64_t)count <= option->most)) {
		*ret = (size_t)count;
		return true;
	}
	fprintf(stderr, "aexp: \"%s\" is no whole number from 1", value);
	if (option->most)
		fprintf(stderr, " to %zu", option->most);
	fprintf(stderr, ", as option %s wants one\n", option->name);
	return false;
}

static bool set(const struct option *option, const char *value, struct options *options) {
	char *member = (char *)options + option->offset;
	size_t *count = (size_t *)((char *)options + option->count_offset);
	switch (option->kind) {
	case KIND_FLAG:
		*(bool *)member = true;
		return true;
	case KIND_WORD:
		*(const char **)member = value;
		return true;
	case KIND_COUNT:
		return set_count(option, value, (size_t *)member);
	default:
		*(const char ***)member = memory_resize(*(const char ***)member, (*count + 1) * sizeof(char *));
		(*(const char ***)member)[(*count)++] = value;
		return true;
	}
}

// Reads the option at argv[*i], and goes on to its value where that is a word of its own.
static int read_option(const struct verb *verb, const struct verb *const verbs[], int *i, struct options *options) {
	const char *word = options->argv[*i], *value;
	size_t found = find_option(word, &value);
	if (found == OPTIONS)
		return fail_unknown(verb, word);
	if (!is_in(verb->takes | TAKES_COMMON, found))
		return fail_not_taken(verb, verbs, found);
	const struct option *option = &options_all[found];
	if (option->kind != KIND_FLAG && !value && *i + 1 < options->argc)
		value = options->argv[++*i];
	if (option->kind != KIND_FLAG && (!value || !*value)) {
		fprintf(stderr, "aexp: option %s wants a value\n", option->name);
		return ERROR_CONFIG;
	}
	return set(option, value, options) ? 0 : ERROR_CONFIG;
}

int options_read(const struct verb *verb, const struct verb *const verbs[], int argc, char **argv,
                 struct options *ret) {
	bool only_arguments = false;
	int code = 0;
	*ret = (struct options){.results = "results", .argc = argc, .argv = argv};
	ret->arguments = memory_alloc((size_t)argc * sizeof(char *));
	for (int i = 2; i < argc && code == 0; i++) {
		const char *word = argv[i];
		if (only_arguments || word[0] != '-' || !word[1])
			ret->arguments[ret->arguments_count++] = word;
		else if (!strcmp(word, "--"))
			only_arguments = true;
		else if (!strcmp(word, "--help") || !strcmp(word, "-h"))
			code = OPTIONS_HELP;
		else
			code = read_option(verb, verbs, &i, ret);
	}
	return code;
}

void options_finish(struct options *options) {
	for (size_t i = 0; i < OPTIONS; i++)
		if (options_all[i].kind == KIND_WORDS)
			free(*(const char ***)((char *)options + options_all[i].offset));
	free(options->arguments);
}

void options_print(FILE *to, uint64_t takes) {
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *option = &options_all[i];
		if (is_in(takes, i))
			fprintf(to, "  %s%s%-*s  %s\n", option->name, option->value ? " " : "",
			        (int)(option->value ? 19 : 20) - (int)strlen(option->name), option->value ? option->value : "",
			        option->doc);
	}
	fprintf(to, "  %-20s  %s\n", "--help", "help on a command");
}
