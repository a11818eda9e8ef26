// See diverged.h.
#include "train/diverged.h"

#include "nn/state.h"
#include "train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double SECONDS_MOST = 300; // of each of the two passes: a checkpoint is hardly older

struct search {
	const struct trainer *finished;
	const struct text *snapshot;
	struct train_observer observer;
	struct train_keep keep;
	struct run_result result;
	struct trainer trainer;
	double begun;
	struct divergence found;        // epoch 0: not yet
	const struct parameter *weight; // that is not finite after it; NULL: its loss is not finite
};

static void finish(struct search *s) {
	trainer_finish(&s->trainer);
	free(s->result.epochs);
}

// A trainer like the one that diverged, where that may be taken up again.
static bool begin(struct search *s) {
	const struct trainer *f = s->finished;
	struct error error = {0};
	s->begun = train_seconds();
	s->result = (struct run_result){.experiment = f->experiment, .matrices = f->matrices};
	s->trainer = (struct trainer){.experiment = f->experiment,
	                              .matrices = f->matrices,
	                              .graph = f->graph,
	                              .observer = &s->observer,
	                              .result = &s->result,
	                              .backend = f->backend,
	                              .pool = f->pool,
	                              .device = f->device,
	                              .gradients = true};
	if (!trainer_create(&s->trainer, &error)) {
		finish(s);
		return false;
	}
	keeper_begin(&s->trainer);
	if (s->snapshot->length)
		trainer_take(&s->trainer, (struct bytes_in){.data = s->snapshot->data, .left = s->snapshot->length});
	else
		keeper_take(&s->trainer);
	return true;
}

static bool gives_up(const struct search *s) {
	const struct train_observer *o = &s->observer;
	return train_seconds() - s->begun > SECONDS_MOST || (o->interrupted && o->interrupted(o->context));
}

// One batch; a re-fed one touches every row. True where it is the one.
static bool try_batch(struct search *s, size_t epoch) {
	struct trainer *t = &s->trainer;
	struct divergence at = {epoch, t->at.number};
	struct error error = {0};
	bool good = trainer_step(t, epoch, 1, &error) && trainer_settle(t, epoch, &error);
	s->weight = good ? network_not_finite(t->network, t->refeed.times ? NULL : t->batches) : NULL;
	if (good && !s->weight)
		return false;
	s->found = at;
	return true;
}

// Up to a batch (exclusive), or, where it is of epoch 0, to the one that is sought. True where it came there.
static bool replay(struct search *s, struct divergence to) {
	struct trainer *t = &s->trainer;
	struct error error = {0};
	for (bool ends;;) {
		double loss;
		size_t epoch = s->result.epochs_count + 1;
		if (epoch > s->finished->diverged.epoch)
			return false;
		trainer_begin_epoch(t, epoch, &ends);
		while (trainer_batches_left(t)) {
			if (epoch == to.epoch && t->at.number == to.batch)
				return true;
			if (try_batch(s, epoch))
				return !to.epoch;
			if (gives_up(s))
				return false;
		}
		if (!trainer_close_epoch(t, epoch, ends, &loss, &error) || !trainer_end_epoch(t, epoch, loss, 0, 0, &error))
			return false;
	}
}

static void add(struct error *error, const char *text) {
	size_t length = strlen(error->message);
	snprintf(error->message + length, sizeof(error->message) - length, "%s", text);
}

static void say(const struct search *s, const struct gradient_facts *facts, struct error *error) {
	char text[ERROR_TEXT_MAX];
	const struct parameter *bad = facts->bad ? facts->bad : s->weight, *largest = facts->largest;
	if (bad) {
		snprintf(text, sizeof(text), "; first %s\"%s.%s\" %s epoch %zu, batch %zu",
		         facts->bad ? "the gradient of " : "", bad->node->name, bad->suffix, facts->bad ? "in" : "after",
		         s->found.epoch, s->found.batch);
		add(error, text);
	}
	if (largest) {
		snprintf(text, sizeof(text), "; the largest%s gradient there is %.3g, of \"%s.%s\"",
		         facts->bad ? " finite" : "", facts->size, largest->node->name, largest->suffix);
		add(error, text);
	}
}

// Once more up to that batch, and its gradient by the weights before it.
static void look_at(struct search *s, struct error *error) {
	struct trainer *t = &s->trainer;
	struct divergence found = s->found;
	const struct parameter *weight = s->weight;
	struct gradient_facts facts = {0};
	if (!begin(s))
		return;
	bool there = replay(s, found);
	s->found = found;
	s->weight = weight;
	if (there) {
		trainer_gather(t, t->at.first, 1);
		network_gradients(t->network, t->batches, (uint32_t)found.epoch);
		network_gradient_facts(t->network, t->batches, &facts);
		say(s, &facts, error);
	}
	finish(s);
}

void diverged_explain(const struct trainer *finished, const struct text *snapshot, struct error *error) {
	const struct train_observer *o = finished->observer;
	struct search s = {.finished = finished, .snapshot = snapshot};
	s.observer = (struct train_observer){.context = o->context, .interrupted = o->interrupted};
	if (o->keep) {
		s.keep = *o->keep;
		s.keep.note = NULL; // it was said already
		s.observer.keep = &s.keep;
	}
	if (!begin(&s))
		return;
	bool found = replay(&s, (struct divergence){0});
	finish(&s);
	if (found)
		look_at(&s, error);
}
