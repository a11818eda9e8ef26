// Spaces for tests, written as in a file.
#ifndef AEXP_TESTS_SEARCH_SUPPORT_H
#define AEXP_TESTS_SEARCH_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/tree.h"
#include "search/halving.h"
#include "search/strategy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test_search {
	struct arena arena;
	struct errors errors;
	struct sweep_config config;
	struct search search;
	bool good;
};

// The group's text; errors stay in the list.
static inline void test_read(struct test_search *t, const char *text) {
	*t = (struct test_search){0};
	struct source_text source = {.text = text, .length = strlen(text), .at = {.file = "test"}, .lines = true};
	struct value *tree = tree_parse(&source, &t->arena, &t->errors);
	for (size_t i = 0; !tree && i < t->errors.count; i++)
		print_error("%s\n", t->errors.items[i].message);
	assert_non_null(tree);
	t->good = schema_read(&sweep_schema, tree, "", &t->arena, &t->config, &t->errors);
	if (t->good)
		sweep_check(&t->config, tree, &t->errors);
	t->good = t->good && !t->errors.count;
}

static inline void test_create(struct test_search *t, const char *text) {
	struct error error = {0};
	test_read(t, text);
	for (size_t i = 0; i < t->errors.count; i++)
		print_error("%s\n", t->errors.items[i].message);
	assert_true(t->good);
	sweep_settle(&t->config, 1);
	assert_true(search_create(&t->config, &t->arena, &t->search, &error));
}

static inline void test_destroy(struct test_search *t) {
	search_finish(&t->search);
	errors_finish(&t->errors);
	arena_finish(&t->arena);
}

#endif
