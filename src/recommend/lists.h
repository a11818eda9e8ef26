// The lists of many users at once, of a graph whose output is dense: what the output reads is computed for blocks of
// users, then its scores a square of users and items at a time, from the weights where they lie in the file, and what
// cannot be among a user's best is passed over (eval/scan.h). No user's scores ever lie in memory as a whole. A block's
// size does not depend on the number of threads, so neither does a result.
#ifndef AEXP_RECOMMEND_LISTS_H
#define AEXP_RECOMMEND_LISTS_H

#include "recommend/model.h"

// One user on the way to a list.
struct request {
	const struct aexp_user *user;
	struct row_entries ratings, rated, about; // rated: those that are no input, too
	enum aexp_basis basis;
	uint32_t *out; // (out_count) items that are no candidates, ascending
	size_t out_count;
	uint32_t *item; // (count) recommended or asked
	float *score;   // (count)
	size_t count;
	const float *row; // (items) the scores, while the block is at hand
	bool failed;      // while requests are made by several threads: to be made again
};

// Whether the model's lists can be made so, of that length.
bool lists_can(const struct aexp_model *model, size_t top);
// Fills item, score and count of each request, up to `top` items. ERROR_RUN when memory is out.
bool lists_make(struct aexp_model *model, struct request *requests, size_t count, size_t top, struct error *error);
void lists_finish(struct listing *listing); // what the model keeps for it; NULL is fine

#endif
