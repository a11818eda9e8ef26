// Dense re-feeding (Kuchaiev and Ginsburg, "Training Deep AutoEncoders for Collaborative Filtering", 2017,
// section 2.2): after a step on a batch x, another one on f(x), as input and as target, every item of it stored. f(x)
// is the output of the step's own forward pass: by the weights before the update, with the same dropout. With `refeed`
// n that is done n times, f(x) taking the place of x.
#ifndef AEXP_TRAIN_REFEED_H
#define AEXP_TRAIN_REFEED_H

#include "nn/network.h"

struct experiment;

struct refeed {
	struct batch batch[2]; // taken in turn: what follows is made of one while it is trained on
	size_t times;          // 0: no re-feeding, and no batches
	double loss, rows;     // of the epoch at hand: sum over re-fed batches, weighted by their rows, and those
};

// What has no meaning beside train.refeed: losses that some outputs cannot be the targets of, targets that are drawn,
// batch_norm, optimizers of all rows at once. Only where there is a graph.
void refeed_check(const struct experiment *experiment, struct errors *errors);

// For batches of up to `rows` rows of that source. The network it is for needs the room that refeed_room adds.
bool refeed_create(const struct batch_source *source, size_t rows, size_t times, struct refeed *ret,
                   struct error *error);
void refeed_finish(struct refeed *refeed); // accepts what is zeroed or half created
void refeed_room(size_t rows, size_t columns, struct network_room *room);

// A step on the batch, and those on what is re-fed of it. ret_loss: of the step on the batch alone; where that is not
// finite, nothing is re-fed. False where a re-fed batch's loss is not finite; `number` is the batch's, from 1, for the
// message.
bool refeed_train(struct refeed *refeed, struct network *network, const struct batch *batch, uint32_t epoch,
                  size_t number, double *ret_loss, struct error *error);
// The mean loss of the re-fed batches since the last call; NAN where there was none.
double refeed_take_loss(struct refeed *refeed);

#endif
