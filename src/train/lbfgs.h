// Training by L-BFGS (descent.h): all rows at once, a line search for each step, an iteration an epoch.
#ifndef AEXP_TRAIN_LBFGS_H
#define AEXP_TRAIN_LBFGS_H

#include "train/trainer.h"

// Until it converges, or for as many epochs as the experiment has. An epoch's loss is that of the weights it ends with.
bool train_lbfgs(struct trainer *trainer, struct error *error);

#endif
