// See refeed.h.
#include "train/refeed.h"

#include "nn/op.h"
#include "train/experiment.h"

#include <math.h>

// --- checks ---

static void refuse_nodes(const struct experiment *e, struct errors *errors) {
	for (size_t i = 0; i < e->graph.count; i++) {
		const struct node_config *node = e->graph.items[i];
		const struct op *op = (const struct op *)node->op.row;
		if (!op->running_averages)
			continue;
		struct error *error = errors_add(errors, ERROR_CONFIG, e->graph.from[i]->at,
		                                 "op \"%s\" cannot be in a graph whose output is re-fed", op->row.name);
		error_hint(error,
		           "Its running averages would mix rows of ratings with dense ones, and evaluation sees only the "
		           "first: leave out train.refeed, or take layer_norm.");
	}
}

void refeed_check(const struct experiment *e, struct errors *errors) {
	const struct loss *loss = (const struct loss *)e->loss->kind.row;
	const struct optimizer *optimizer = (const struct optimizer *)e->optimizer->kind.row;
	struct origin at = value_origin(e->tree, "train.refeed");
	if (!e->train->refeed)
		return;
	if (loss->least != loss->most) {
		struct error *error =
		    errors_add(errors, ERROR_CONFIG, at, "an output cannot be re-fed to loss \"%s\", which needs values %s",
		               loss->row.name, loss_needs(loss));
		error_hint(error, "An output may be any number: take masked_mse, or leave out train.refeed.");
	}
	if (loss_targets(e->loss) == TARGETS_SAMPLED) {
		struct error *error =
		    errors_add(errors, ERROR_CONFIG, at, "outputs are re-fed, but targets are drawn beside the ratings");
		error_hint(error, "A re-fed row has no cell left to draw: leave out loss.negatives or train.refeed.");
	}
	if (optimizer->full_batch) {
		struct error *error = errors_add(errors, ERROR_CONFIG, at,
		                                 "optimizer \"%s\" takes the same rows in every step, re-fed ones are others",
		                                 optimizer->row.name);
		error_hint(error, "Leave out train.refeed, or choose another optimizer.");
	}
	refuse_nodes(e, errors);
}

// --- training ---

void refeed_room(size_t rows, size_t columns, struct network_room *room) {
	size_t entries = rows * columns; // batch_create_full has found that this fits
	room->cells = room->cells > entries ? room->cells : entries;
	room->rating_entries = room->rating_entries > entries ? room->rating_entries : entries;
	room->full_rows = room->full_rows > rows ? room->full_rows : rows;
}

bool refeed_create(const struct batch_source *source, size_t rows, size_t times, struct refeed *ret,
                   struct error *error) {
	*ret = (struct refeed){.times = times};
	for (size_t i = 0; i < times && i < 2; i++)
		if (!batch_create_full(source, rows, &ret->batch[i], error))
			return false;
	return true;
}

void refeed_finish(struct refeed *r) {
	for (size_t i = 0; i < 2; i++)
		batch_destroy(&r->batch[i]);
}

// The outputs for a batch, from the weights before the step on it: what the next step is made on.
static struct batch *feed(struct refeed *r, struct network *network, const struct batch *batch, uint32_t epoch) {
	struct batch *next = &r->batch[batch->refed % 2];
	struct matrix outputs = network_outputs(network, batch, epoch);
	batch_refeed(next, batch, &outputs);
	return next;
}

bool refeed_train(struct refeed *r, struct network *network, const struct batch *batch, uint32_t epoch, size_t number,
                  double *ret_loss, struct error *error) {
	for (size_t time = 0; time <= r->times; time++) {
		const struct batch *next = time < r->times ? feed(r, network, batch, epoch) : NULL;
		double loss = network_step(network, batch, epoch), rows = (double)batch->rows;
		batch = next;
		if (time == 0) {
			*ret_loss = loss;
			if (!isfinite(loss))
				return true;
			continue;
		}
		if (!isfinite(loss)) {
			error_set(error, ERROR_RUN, "the loss is not finite in the re-fed batch of epoch %u, batch %zu", epoch,
			          number);
			error_hint(error, "Set optimizer.clip_norm, or a lower optimizer.rate.");
			return false;
		}
		r->loss += loss * rows;
		r->rows += rows;
	}
	return true;
}

double refeed_take_loss(struct refeed *r) {
	double mean = r->rows > 0 ? r->loss / r->rows : NAN;
	r->loss = r->rows = 0;
	return mean;
}
