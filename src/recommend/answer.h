// Lists written for people, as CSV (RFC 4180), or as JSON lines.
#ifndef AEXP_RECOMMEND_ANSWER_H
#define AEXP_RECOMMEND_ANSWER_H

#include "base/memory.h"
#include "recommend/aexp.h"

enum { ANSWER_REASONS = 3 }; // shown of each item where they are asked for
enum answer_form { ANSWER_TEXT, ANSWER_CSV, ANSWER_JSON };
struct answer {
	enum answer_form form;
	bool predicts; // what was asked about: with the rating of each
	bool bare;     // items near another one: from nothing
};
void answer_head(const struct answer *answer, struct text *text); // CSV's header
void answer_write(const struct answer *answer, const char *id, const struct aexp_list *list, struct text *text);

#endif
