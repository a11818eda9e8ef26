// The model that is served: opened once for each thread, so that nobody waits for another, and replaced while it is in
// use. A thread says which opening it uses while it does; an old one is closed when none says so any more. Taking and
// leaving are a few loads and stores, no lock.
#ifndef AEXP_SERVE_MODELS_H
#define AEXP_SERVE_MODELS_H

#include "recommend/model.h"

#include <stdatomic.h>
#include <sys/stat.h>

// One opening of the file. All of it but what a model keeps of its last call stays as it is.
struct served {
	struct aexp_model **model; // (slots)
	size_t slots;
	uint32_t *popular; // (items) the most rated first
};

struct models_slot;
// Zero-initialise; models_close accepts what is half opened.
struct models {
	const char *path; // not owned
	size_t slots;
	_Atomic(struct served *) current;
	struct models_slot *slot; // (slots) what each thread uses
	struct stat seen;         // the file as it was when it was last tried
	atomic_size_t reloads, failures;
};
// ERROR_DATA where the file is no model, ERROR_CONFIG where it has nothing for new users. The thread that opens is the
// one that starts those which serve: they inherit how it rounds (tensor/cpu.c).
bool models_open(struct models *models, const char *path, size_t slots, struct error *error);
void models_close(struct models *models);

// The opening to use, until models_leave. Of a slot's thread alone.
struct served *models_take(struct models *models, size_t slot);
void models_leave(struct models *models, size_t slot);

// Of one thread at a time. When it fails the old opening stays.
bool models_reload(struct models *models, struct error *error);
bool models_changed(const struct models *models); // the file is there, and another one than was last tried

#endif
