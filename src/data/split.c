// The table of the kinds of split, what is checked of them beyond single keys, and whose seed counts.
#include "data/split.h"

static const struct row *const kinds[] = {
    &split_ratio_kind.row, &split_per_user_kind.row, &split_leave_one_out_kind.row, &split_time_kind.row,
    &split_users_kind.row, &split_files_kind.row,    &split_kfold_kind.row,
};
const struct registry split_registry = {"split", "splits", kinds, sizeof kinds / sizeof kinds[0]};

void split_check_shares(const void *params, const struct data_config *config, const struct value *root,
                        struct errors *errors) {
	(void)config;
	const struct split_shares *shares = params;
	if (shares->valid + shares->test < 1) {
		return;
	}
	const char *key = shares->test > shares->valid ? "data.split.test" : "data.split.valid";
	struct error *error =
	    errors_add(errors, ERROR_CONFIG, value_origin(root, key), "data.split: valid + test is \"%g\", must be below 1",
	               shares->valid + shares->test);
	error_hint(error, "Leave a share for training: valid is %g and test is %g.", shares->valid, shares->test);
}

static const struct split *split_of(const struct data_config *config) {
	return (const struct split *)config->split->kind.row; // its row comes first
}

void split_check(const struct data_config *config, const struct value *root, struct errors *errors) {
	if (config->split && config->split->kind.params && split_of(config)->check) {
		split_of(config)->check(config->split->kind.params, config, root, errors);
	}
}

void split_settle(const struct split_config *split, uint64_t run_seed) {
	struct split_common *common = split ? split->kind.params : NULL;
	if (common && common->seed == SPLIT_SEED_OF_RUN) {
		common->seed = run_seed;
	}
}

size_t split_folds(const struct split_config *split) {
	if (!split || split->kind.row != &split_kfold_kind.row) {
		return 0;
	}
	const struct split_kfold *kfold = split->kind.params;
	return kfold->fold > 0 ? 0 : (size_t)kfold->folds;
}

bool split_assign(const struct data_config *config, struct assignment *assignment, struct error *error) {
	if (!config->split) {
		return true;
	}
	const struct split_common *common = config->split->kind.params;
	if (common->seed != SPLIT_SEED_OF_RUN) {
		assignment->seed = common->seed;
	}
	return split_of(config)->assign(config->split->kind.params, assignment, error);
}
