// aexp recommend: lists for users of the run's data, or for new ones on standard input.
#include "cli/serve.h"
#include "cli/trained.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USERS_AT_ONCE = 1024 };

struct recommending {
	const struct options *options;
	struct trained trained;
	struct known known;
	struct answer answer;
	struct text text; // a header
};

// Lists that become text on the pool's threads: writing numbers takes as long as finding the items.
struct writing {
	const struct answer *answer;
	const struct aexp_user *users;
	const struct aexp_list *lists;
	struct text *texts; // (count)
};

static void write_one(void *context, size_t i) {
	const struct writing *w = context;
	answer_write(w->answer, w->users[i].id, &w->lists[i], &w->texts[i]);
}

static int answer_users(struct recommending *r, const struct aexp_user *users, size_t count) {
	struct aexp_error error;
	struct aexp_how how = how_of(r->options);
	struct aexp_list *lists = memory_alloc((count + 1) * sizeof(*lists));
	struct writing writing = {&r->answer, users, lists, memory_alloc((count + 1) * sizeof(*writing.texts))};
	int code = 0;
	print_text(&r->text);
	if (aexp_recommend(r->trained.model, users, count, &how, lists, &error))
		pool_run(r->options->pool, count, write_one, &writing);
	else
		code = fail_with(&error);
	for (size_t i = 0; i < count; i++)
		print_text(&writing.texts[i]);
	free(writing.texts);
	free(lists);
	return code;
}

static int recommend_known(struct recommending *r, const size_t *user, size_t count) {
	int code = 0;
	for (size_t first = 0; code == 0 && first < count; first += USERS_AT_ONCE) {
		struct arena arena = {0};
		size_t some = count - first < USERS_AT_ONCE ? count - first : USERS_AT_ONCE;
		struct aexp_user *users = arena_alloc(&arena, some * sizeof(*users));
		for (size_t i = 0; i < some; i++)
			known_user(&r->known, r->trained.model, user[first + i], &arena, &users[i]);
		code = answer_users(r, users, some);
		arena_finish(&arena);
	}
	return code;
}

static int recommend_some(struct recommending *r) {
	const struct options *options = r->options;
	size_t users = options->all ? r->known.prepared.matrices.users : options->user_count;
	size_t *user = memory_alloc((users + 1) * sizeof(*user));
	int code = 0;
	for (size_t i = 0; code == 0 && i < users; i++) {
		user[i] = i;
		if (options->all || known_find(&r->known, options->user[i], &user[i]))
			continue;
		fprintf(stderr, "aexp: there is no user \"%s\" in the data of the run\n", options->user[i]);
		code = ERROR_CONFIG;
	}
	if (code == 0)
		code = recommend_known(r, user, users);
	free(user);
	return code;
}

static int recommend_new(struct recommending *r) {
	struct asks asks = {.from = stdin, .name = "standard input"};
	struct error error = {0};
	size_t count = 1;
	int code = 0;
	while (code == 0 && count) {
		struct arena arena = {0};
		struct ask *ask;
		bool good = asks_next(&asks, USERS_AT_ONCE, &arena, &ask, &count, &error);
		struct aexp_user *users = arena_alloc(&arena, (count + 1) * sizeof(*users));
		for (size_t i = 0; i < count; i++)
			users[i] = ask[i].user;
		code = answer_users(r, users, count); // those before a line that is bad are answered
		fflush(stdout);
		if (code == 0 && !good) {
			print_error(&error);
			code = (int)error.code;
		}
		arena_finish(&arena);
	}
	asks_close(&asks);
	return code;
}

static int recommend_similar(struct recommending *r) {
	struct aexp_error error;
	struct aexp_list list;
	if (!aexp_similar(r->trained.model, r->options->similar, r->options->top, &list, &error))
		return fail_with(&error);
	answer_write(&r->answer, r->options->similar, &list, &r->text);
	print_text(&r->text);
	return 0;
}

static int answer_all(struct recommending *r) {
	const struct options *options = r->options;
	bool known = options->all || options->user_count;
	int code = known              ? known_open(&r->trained, options, &r->known)
	           : options->similar ? known_open_for_vectors(&r->trained, options, &r->known)
	                              : 0;
	if (code)
		return code;
	answer_head(&r->answer, &r->text);
	if (options->similar)
		return recommend_similar(r);
	return known ? recommend_some(r) : recommend_new(r);
}

static int run(const struct options *options) {
	if ((options->similar != NULL) + options->all + (options->user_count != 0) > 1) {
		fprintf(stderr, "aexp: only one of --user, --all and --similar can be asked for\n");
		return ERROR_CONFIG;
	}
	if (serve_misused(options))
		return ERROR_CONFIG;
	if (options->serve)
		return serve(options, false);
	struct recommending r = {.options = options,
	                         .answer = {.form = form_of(options), .bare = options->similar != NULL}};
	int code = trained_open(options->arguments[0], options, &r.trained);
	if (code == 0)
		code = answer_all(&r);
	trained_close(&r.trained);
	known_close(&r.known);
	text_finish(&r.text);
	return code;
}

const struct verb verb_recommend = {
    .name = "recommend",
    .usage = "recommend RUN",
    .doc = "the best items for users of the run's data (--user, --all), or for new ones on standard input",
    .help = "RUN is a run, or a model.safetensors, wherever it is. New users come as JSON lines, or as CSV:\n"
            "  {\"id\": \"new1\", \"ratings\": {\"50\": 5, \"181\": 4}, \"user\": {\"gender\": \"F\"}}\n"
            "  id,item,rating,gender    (the header; then a line for each rating)\n"
            "Ratings and ids are as in the data. What a user has rated is left out.\n" HELP_SERVE,
    .takes = TAKES(top) | TAKES(user) | TAKES(all) | TAKES(include_rated) | TAKES(strict) | TAKES(explain) |
             TAKES(similar) | TAKES(backend) | TAKES(json) | TAKES(csv) | TAKES(no_cache) | TAKES_SERVE,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
