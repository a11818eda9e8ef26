// What every run's result is made of, whether it was trained by steps or fitted in one go.
#ifndef AEXP_TRAIN_OUTCOME_H
#define AEXP_TRAIN_OUTCOME_H

#include "train/evaluate.h"

// Adds to the phase of that name, or begins it.
void run_add_phase(struct run_result *result, const char *name, double seconds, double ratings);
// The yardsticks of the parts that exist, and their phase.
bool run_baselines(const struct evaluation *evaluation, struct run_result *result, struct error *error);
// The part whose users' values are kept: test, or valid where there is no test.
int run_users_part(const struct matrices *matrices);
// Users that have a cell of that target, at most: where rows are users, just those.
size_t run_users_most(const struct matrices *matrices, const struct csr *target);
// Of the tensors' names, shapes and bytes, in order.
void tensors_hash(const struct tensor_facts *tensors, size_t count, char ret_hex[HASH_HEX]);
void run_hash_tensors(struct run_result *result);
// ERROR_RUN where a tensor is not finite: the last step may leave weights that no loss was computed with.
bool run_check_weights(const struct run_result *result, struct error *error);

#endif
