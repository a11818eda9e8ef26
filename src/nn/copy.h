// Copies of the nodes below one, whose weights are those of some time ago: what a composite prior (RecVAE) calls the
// old encoder. They start from weights of their own, take over the present ones when they are renewed (network_renew),
// and never learn. As at evaluation they have no noise: a copy reads what stands below it.
#ifndef AEXP_NN_COPY_H
#define AEXP_NN_COPY_H

#include "nn/graph.h"

// For each node whose op reads_old: behind its inputs come the copies of them. all: (count) nodes with room for twice
// as many, of which the ordered ones come after their inputs. Returns the new count. A tied node cannot be copied.
size_t copy_below(struct arena *arena, struct node *all, size_t count, struct node *const *order,
                  struct errors *errors);

#endif
