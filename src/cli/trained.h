// A trained model as a command is given one, and the users of the data that it was trained on.
#ifndef AEXP_CLI_TRAINED_H
#define AEXP_CLI_TRAINED_H

#include "cli/cli.h"
#include "recommend/answer.h"
#include "recommend/asks.h"
#include "recommend/model.h"

struct trained {
	char *path;   // of model.safetensors
	char *folder; // of the run; NULL where the file stands alone
	struct aexp_model *model;
};
// RUN is a run, a folder that holds a model, or its file. Failures are reported; the exit code. trained_close either
// way.
int trained_find(const char *run, const struct options *options, struct trained *ret); // opens nothing
// The model's file alone; free(). ERROR_CONFIG where there is none.
bool trained_path(const char *run, const char *results, char **ret_path, struct error *error);
int trained_open(const char *run, const struct options *options, struct trained *ret);
void trained_close(struct trained *trained);

// The run's data.
struct known {
	struct prepared prepared;
	size_t *start;                       // (users + 1) into entry
	uint32_t *entry;                     // ratings of the data set, user by user
	uint32_t *user_number, *item_number; // by index in the data set: number in the matrices, UINT32_MAX: dropped
};
int known_open(const struct trained *trained, const struct options *options, struct known *ret);
// The same where vectors of items are made of it: where a row is an item, and there is the run's folder.
int known_open_for_vectors(const struct trained *trained, const struct options *options, struct known *ret);
void known_close(struct known *known); // zeroed is fine
bool known_find(const struct known *known, const char *id, size_t *ret_user);
// As the evaluation of the run shows the user to the model; all else that the user rated is left out. In the arena.
void known_user(const struct known *known, const struct aexp_model *model, size_t user, struct arena *arena,
                struct aexp_user *ret);

// What the options say of lists; notes go to standard error.
struct aexp_how how_of(const struct options *options);
enum answer_form form_of(const struct options *options);
int fail_with(const struct aexp_error *error); // prints it; its code
void print_text(struct text *text);            // to standard output; empties it

#endif
