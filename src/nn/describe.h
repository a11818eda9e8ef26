// A planned graph and its weights as plain facts, for whoever prints, draws or stores them.
#ifndef AEXP_NN_DESCRIBE_H
#define AEXP_NN_DESCRIBE_H

#include <stddef.h>

// One node as planned. The inputs `ratings` and `user` are not nodes; they are names that `inputs` may hold.
struct node_facts {
	const char *name, *op;
	const char *detail;        // what a picture says below the name: "relu, normal, l2 0.001", "rate 0.2", ""
	size_t width;              // output shape is (batch, width)
	const char *const *inputs; // (inputs_count)
	size_t inputs_count;
	size_t parameters;  // trainable
	const char *path;   // "sparse" | "dense"; how it is computed in training
	double bytes;       // of weights, gradient and optimizer state, and of its activations at the batch size
	double flops;       // of a training step (forward and backward) at the mean rows of a batch
	double ns;          // of that step on one thread of the machine that the cost model was measured on
	const char *update; // how the optimizer treats it: "touched rows" | "all rows" | "" without parameters
};

struct graph_facts {
	const struct node_facts *nodes; // (count), in the order of the file
	size_t count;
	size_t ratings_width, user_width; // user_width 0 without side information
	// the rest of the shape that it was planned for, see nn/graph.h: who plans it again for this gets the same plan
	size_t batch, rows, refed;
	double ratings_entries, user_entries, target_entries;
	size_t parameters;
	double bytes, flops, ns;
};

// A tensor of the model, row-major and contiguous, as it is stored: dense weights are (inputs, units).
struct tensor_facts {
	const char *name; // "NODE.weight", "NODE.bias", "NODE.gamma", ...
	size_t shape[2];
	size_t dimensions; // 1 or 2
	const float *data; // (shape product)
};

#endif
