// Which changes of an experiment make another protocol: those of what is asked, not those of who answers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "train/protocol.h"

static const char experiment_text[] =
    "data: { buckets: { thresholds = [ 3.5 ]; values = [ 0.1, 1.0 ]; };\n"
    "  split: { kind = \"kfold\"; folds = 4; }; };\n"
    "graph: ( { name = \"out\"; op = \"dense\"; input = \"ratings\"; units = \"items\"; } );\n";

static void protocol_of(const char *override, const char *fingerprint, char ret[EXPERIMENT_ID]) {
	char path[] = "/tmp/aexp-protocol-XXXXXX";
	struct experiment experiment;
	struct errors errors = {0};
	FILE *file = fdopen(mkstemp(path), "w");
	assert_non_null(file);
	fputs(experiment_text, file);
	fclose(file);
	if (!experiment_read(path, &override, override ? 1 : 0, &experiment, &errors))
		fail_msg("%s: %s", override, errors.items[0].message);
	remove(path);
	experiment_protocol(&experiment, fingerprint, ret);
	experiment_finish(&experiment);
}

static bool same(const char *override) {
	char plain[EXPERIMENT_ID], other[EXPERIMENT_ID];
	protocol_of(NULL, "data", plain);
	protocol_of(override, "data", other);
	return strcmp(plain, other) == 0;
}

static void who_answers(void **state) {
	(void)state;
	const char *const overrides[] = {
	    "seed=3",           "data.split.seed=4",     "data.split.fold=2",   "data.rows=items",
	    "data.liked=3.5",   "data.obtain=elsewhere", "metrics=[ \"mae\" ]", "train.epochs=7",
	    "backend=reference"};
	for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]); i++)
		if (!same(overrides[i]))
			fail_msg("%s makes another protocol", overrides[i]);
}

static void what_is_asked(void **state) {
	(void)state;
	const char *const overrides[] = {
	    "data.split.folds=5",    "data.split.valid=0.2",           "data.split.kind=ratio",
	    "data.filter.above=1.5", "data.filter.min_user_ratings=2", "data.buckets.values=[ 0.2, 1.0 ]",
	    "data.liked=4.5",        "evaluate.clip=[ 0.0, 1.0 ]",     "evaluate.cold=0.5"};
	for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]); i++)
		if (same(overrides[i]))
			fail_msg("%s makes no other protocol", overrides[i]);
	char one[EXPERIMENT_ID], other[EXPERIMENT_ID];
	protocol_of(NULL, "data", one);
	protocol_of(NULL, "other data", other);
	assert_string_not_equal(one, other);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_answers),
	    cmocka_unit_test(what_is_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
