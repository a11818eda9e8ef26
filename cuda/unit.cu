// Steps as graphs: a unit's kernels are captured instead of launched, and the graph that they are launches them all by
// one call. The next time they are captured again, since their numbers and shapes are others, and where they are the
// same kernels in the same order the graph takes over the new arguments; else another one is made.
//
// The first time a unit is launched plainly: by then scratch memory has its size and libraries are loaded. So it is
// where something in it cannot be captured (scratch memory that has to grow), and where AEXP_CUDA_PLAIN is set.
#include "seam.h"

static struct unit *find_unit(struct device *device, const void *key) {
	for (struct unit &u : device->units) {
		if (u.key == key)
			return &u;
		if (!u.key) {
			u.key = key;
			return &u;
		}
	}
	return NULL; // more than there is room for: plainly
}

void gpu_forget_units(struct device *device) {
	for (struct unit &u : device->units) {
		if (u.graph)
			cudaGraphExecDestroy(u.graph);
		u = unit{};
	}
}

// False where it cannot be captured; then nothing has been asked for.
static bool capture(struct device *device, void (*body)(void *context), void *context, cudaGraph_t *ret) {
	const cudaError_t failed = device->failed;
	*ret = NULL;
	if (cudaStreamBeginCapture(device->stream, cudaStreamCaptureModeThreadLocal) != cudaSuccess) {
		cudaGetLastError();
		return false;
	}
	device->capturing = true;
	device->spoiled = false;
	body(context);
	device->capturing = false;
	const cudaError_t code = cudaStreamEndCapture(device->stream, ret);
	if (code == cudaSuccess && *ret && !device->spoiled && device->failed == failed)
		return true;
	cudaGetLastError();
	if (*ret)
		cudaGraphDestroy(*ret);
	device->failed = failed;
	return false;
}

// False where no graph can be made of it.
static bool renew(struct unit *u, cudaGraph_t graph) {
	cudaGraphExecUpdateResultInfo info;
	if (u->graph && cudaGraphExecUpdate(u->graph, graph, &info) == cudaSuccess)
		return true;
	cudaGetLastError();
	if (u->graph)
		cudaGraphExecDestroy(u->graph);
	u->graph = NULL;
	if (cudaGraphInstantiate(&u->graph, graph, 0) == cudaSuccess)
		return true;
	cudaGetLastError();
	u->graph = NULL;
	return false;
}

void gpu_unit(struct device *device, const void *key, void (*body)(void *context), void *context) {
	struct unit *u = device->plain || device->failed != cudaSuccess ? NULL : find_unit(device, key);
	cudaGraph_t graph;
	if (!u || u->times++ == 0 || !capture(device, body, context, &graph)) {
		body(context);
		return;
	}
	const bool made = renew(u, graph);
	cudaGraphDestroy(graph);
	if (made)
		device_check(device, cudaGraphLaunch(u->graph, device->stream), "a step's graph");
	else
		body(context);
}
