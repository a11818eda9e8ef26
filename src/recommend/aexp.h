// libaexp: uses a trained model, from its file model.safetensors alone.
//
//     struct aexp_model *model;
//     struct aexp_error error;
//     if (!aexp_open("model.safetensors", 0, &model, &error))
//         ...
//     struct aexp_rating ratings[] = {{"50", 5}, {"181", 4}};
//     struct aexp_user user = {.ratings = ratings, .ratings_count = 2};
//     struct aexp_list list;
//     aexp_recommend(model, &user, 1, &(struct aexp_how){.top = 10}, &list, &error);
//     aexp_close(model);
//
// Functions return false and fill *error where they fail. A model is used by one thread at a time; it has threads of
// its own, whose number changes no result. Text is UTF-8.
#ifndef AEXP_H
#define AEXP_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AEXP_PUBLIC __attribute__((visibility("default")))

struct aexp_model;

// What went wrong; the codes are the program's exit codes.
enum aexp_code { AEXP_FAILED = 1, AEXP_USAGE = 2, AEXP_DATA = 3, AEXP_BACKEND = 4 };
struct aexp_error {
	enum aexp_code code;
	char message[1024]; // short, no full stop
	char hint[1024];    // "" or how to mend it
};

struct aexp_rating {
	const char *item; // by the data's own id
	double rating;    // as the data has it, before buckets or scale
};
struct aexp_attribute {
	const char *name, *value; // a word, words divided by '|', or a number, as text; "" says that nothing is known
};
struct aexp_user {
	const char *id; // for notes; may be NULL
	const struct aexp_rating *ratings;
	size_t ratings_count;
	const struct aexp_attribute *attributes;
	size_t attributes_count;
	const char *const *leave_out; // items that are not recommended, besides those rated
	size_t leave_out_count;
	const char *const *asked; // aexp_predict: the items
	size_t asked_count;
	size_t place; // 0, or 1 + the place of a user that the model was trained with, where it keeps something of each
};

// What a list was made from. Without ratings: of the attributes where the model reads any, else of popularity alone,
// whose scores are the numbers of ratings in training.
enum aexp_basis { AEXP_RATINGS, AEXP_RATINGS_AND_ATTRIBUTES, AEXP_ATTRIBUTES, AEXP_POPULARITY, AEXP_NOTHING };
AEXP_PUBLIC const char *aexp_basis_name(enum aexp_basis basis);

// A rating that speaks for an item: what its score is less without that rating, all else equal.
struct aexp_reason {
	const char *item, *title;
	float contribution;
};
struct aexp_scored {
	const char *item, *title; // title NULL where the data has none
	float score;              // as rankings have it: raw, on the scale of the targets
	float rating; // aexp_predict: in the ratings' own scale, as cell metrics have it; NAN where targets are buckets
	const struct aexp_reason *reasons; // (reasons_count) the strongest first
	size_t reasons_count;
};
// The model's own memory, until its next call.
struct aexp_list {
	enum aexp_basis basis;
	const struct aexp_scored *items; // (count)
	size_t count;
};

struct aexp_how {
	size_t top;         // items of a list; 0: 10
	size_t reasons;     // for each of them; 0: none. AEXP_USAGE where a row is an item: there are none
	bool include_rated; // recommends what was rated as well
	bool strict;        // an unknown item or attribute is an error (AEXP_DATA); else it is noted and left out
	void (*note)(void *context, const char *user, const char *text); // may be NULL
	void *context;
};

// threads 0: as many as this process may use. AEXP_DATA where the file is no such model, or is damaged.
AEXP_PUBLIC bool aexp_open(const char *path, size_t threads, struct aexp_model **ret, struct aexp_error *error);
AEXP_PUBLIC void aexp_close(struct aexp_model *model); // NULL is fine

AEXP_PUBLIC const char *aexp_name(const struct aexp_model *model);
AEXP_PUBLIC const char *aexp_id(const struct aexp_model *model);
AEXP_PUBLIC size_t aexp_items(const struct aexp_model *model);
AEXP_PUBLIC const char *aexp_item(const struct aexp_model *model, size_t index);
AEXP_PUBLIC const char *aexp_title(const struct aexp_model *model, size_t index); // NULL where there is none
AEXP_PUBLIC bool aexp_takes_new_users(const struct aexp_model *model);            // not where a row is an item

// A list for each user: the best first, of equal scores the item that stands first in the data. ret_lists: (count)
AEXP_PUBLIC bool aexp_recommend(struct aexp_model *model, const struct aexp_user *users, size_t count,
                                const struct aexp_how *how, struct aexp_list *ret_lists, struct aexp_error *error);
// The scores of the items that each user asks about, in that order.
AEXP_PUBLIC bool aexp_predict(struct aexp_model *model, const struct aexp_user *users, size_t count,
                              const struct aexp_how *how, struct aexp_list *ret_lists, struct aexp_error *error);
// The items whose vectors have the largest cosine with an item's. AEXP_DATA where the item is unknown, AEXP_USAGE where
// the model has no vectors of items.
AEXP_PUBLIC bool aexp_similar(struct aexp_model *model, const char *item, size_t top, struct aexp_list *ret_list,
                              struct aexp_error *error);

#ifdef __cplusplus
}
#endif
#endif
