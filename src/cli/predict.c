// aexp predict: the scores of given pairs of a user and an item.
#include "cli/serve.h"
#include "cli/trained.h"

#include <stdio.h>
#include <stdlib.h>

enum { USERS_AT_ONCE = 1024 };

struct predicting {
	const struct options *options;
	struct trained trained;
	struct known known;
	bool opened; // known
	struct answer answer;
};

// The data of the run is read once somebody of it is asked about.
static int take_known(struct predicting *p, const struct ask *ask, struct arena *arena, struct aexp_user *ret) {
	size_t user;
	int code = p->opened ? 0 : known_open(&p->trained, p->options, &p->known);
	p->opened = true;
	if (code)
		return code;
	if (!known_find(&p->known, ask->user.id, &user)) {
		fprintf(stderr, "aexp: there is no user \"%s\" in the data of the run\n", ask->user.id);
		return ERROR_CONFIG;
	}
	known_user(&p->known, p->trained.model, user, arena, ret);
	ret->asked = ask->user.asked;
	ret->asked_count = ask->user.asked_count;
	return 0;
}

static int predict_some(struct predicting *p, const struct ask *asks, size_t count, struct arena *arena) {
	struct aexp_user *users = arena_alloc(arena, (count + 1) * sizeof(*users));
	struct aexp_list *lists = arena_alloc(arena, (count + 1) * sizeof(*lists));
	struct aexp_how how = how_of(p->options);
	struct aexp_error error;
	struct text text = {0};
	for (size_t i = 0; i < count; i++) {
		users[i] = asks[i].user;
		int code = asks[i].known ? take_known(p, &asks[i], arena, &users[i]) : 0;
		if (code)
			return code;
	}
	if (!aexp_predict(p->trained.model, users, count, &how, lists, &error))
		return fail_with(&error);
	for (size_t i = 0; i < count; i++)
		answer_write(&p->answer, users[i].id, &lists[i], &text);
	print_text(&text);
	return 0;
}

static int predict_all(struct predicting *p) {
	struct asks asks = {.from = stdin, .name = "standard input", .predicts = true};
	struct error error = {0};
	struct text head = {0};
	size_t count = 1;
	int code = 0;
	answer_head(&p->answer, &head);
	print_text(&head);
	while (code == 0 && count) {
		struct arena arena = {0};
		struct ask *ask;
		bool good = asks_next(&asks, USERS_AT_ONCE, &arena, &ask, &count, &error);
		code = predict_some(p, ask, count, &arena);
		if (code == 0 && !good) {
			print_error(&error);
			code = (int)error.code;
		}
		arena_finish(&arena);
	}
	asks_close(&asks);
	return code;
}

static int run(const struct options *options) {
	if (serve_misused(options))
		return ERROR_CONFIG;
	if (options->serve)
		return serve(options, true);
	struct predicting p = {.options = options, .answer = {.form = form_of(options), .predicts = true}};
	int code = trained_open(options->arguments[0], options, &p.trained);
	if (code == 0)
		code = predict_all(&p);
	trained_close(&p.trained);
	known_close(&p.known);
	return code;
}

const struct verb verb_predict = {
    .name = "predict",
    .usage = "predict RUN",
    .doc = "the scores of pairs of a user and an item, given on standard input",
    .help = "RUN is a run, or a model.safetensors, wherever it is. Users of the run's data, by their id:\n"
            "  {\"id\": \"42\", \"items\": [\"50\", \"181\"]}\n"
            "  id,item                  (the header; then a line for each pair)\n"
            "New users, with their ratings; in CSV the lines without a rating are asked about:\n"
            "  {\"id\": \"new1\", \"ratings\": {\"50\": 5}, \"items\": [\"181\"]}\n"
            "  id,item,rating\n" HELP_SERVE,
    .takes = TAKES(strict) | TAKES(backend) | TAKES(json) | TAKES(csv) | TAKES(no_cache) | TAKES_SERVE,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
