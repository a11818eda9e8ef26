// The shim's streams, events and graphs. What is asked for is done at once; with AEXP_SHIM_LATE it is kept and done as
// late as may be, when somebody waits for it: then what a stream does not wait for has not happened yet, and what it
// may overtake it has overtaken. While a stream is captured nothing is done: calls become nodes, with their arguments
// as they are then, and a graph does them when it is launched.
#include "shim.h"

#include "stream.h"

#include <algorithm>
#include <deque>
#include <stdio.h>
#include <stdlib.h>
#include <vector>

struct shim_event {
	struct shim_stream *stream; // NULL: never recorded
	uint64_t done_at;           // what that stream must have done
};
struct node {
	const char *kind; // two graphs are of one form where their nodes' kinds are the same
	std::function<void()> run;
};
struct shim_graph {
	std::vector<node> nodes;
};
struct shim_graph_exec {
	std::vector<node> nodes;
};
struct shim_stream {
	std::deque<std::function<void()>> waiting;
	uint64_t asked, done;
	struct shim_graph *captured; // NULL: it is not
	bool spoiled;
};

namespace {

struct shim_stream *capturing; // one at a time
std::vector<shim_stream *> streams;

bool late() {
	static const bool set = getenv("AEXP_SHIM_LATE") != NULL;
	return set;
}

void do_until(struct shim_stream *stream, uint64_t number) {
	while (stream->done < number && !stream->waiting.empty()) {
		std::function<void()> next = std::move(stream->waiting.front());
		stream->waiting.pop_front();
		next();
		stream->done++;
	}
}

// Of what cannot be done while a stream is captured.
cudaError_t refuse() {
	capturing->spoiled = true;
	return cudaErrorStreamCaptureUnsupported;
}

} // namespace

bool shim_capturing(void) {
	if (capturing)
		capturing->spoiled = true;
	return capturing != NULL;
}

void shim_ask(struct shim_stream *stream, const char *kind, std::function<void()> what) {
	if (stream && stream->captured) {
		stream->captured->nodes.push_back(node{kind, std::move(what)});
	} else if (stream && late()) {
		stream->asked++;
		stream->waiting.push_back(std::move(what));
	} else {
		what();
	}
}

void shim_do_all(void) {
	for (struct shim_stream *stream : streams)
		do_until(stream, stream->asked);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *ret, unsigned) {
	*ret = new shim_stream{};
	streams.push_back(*ret);
	return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
	do_until(stream, stream->asked);
	streams.erase(std::find(streams.begin(), streams.end(), stream));
	delete stream;
	return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
	if (capturing)
		return refuse();
	if (stream)
		do_until(stream, stream->asked);
	return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
	if (capturing)
		return refuse();
	const shim_event then = *event;
	if (then.stream)
		shim_ask(stream, "wait", [then] { do_until(then.stream, then.done_at); });
	return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *ret, unsigned) {
	*ret = new shim_event{};
	return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
	delete event;
	return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
	if (capturing)
		return refuse();
	*event = shim_event{stream, stream->asked};
	return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
	if (capturing)
		return refuse();
	if (event->stream)
		do_until(event->stream, event->done_at);
	return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
	if (capturing)
		return refuse();
	stream->captured = new shim_graph{};
	stream->spoiled = false;
	capturing = stream;
	return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *ret) {
	*ret = stream->captured;
	stream->captured = NULL;
	capturing = NULL;
	if (!stream->spoiled)
		return cudaSuccess;
	delete *ret;
	*ret = NULL;
	return cudaErrorStreamCaptureInvalidated;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *ret, cudaGraph_t graph, unsigned long long) {
	*ret = new shim_graph_exec{graph->nodes};
	return cudaSuccess;
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo *) {
	bool same = exec->nodes.size() == graph->nodes.size();
	for (size_t i = 0; same && i < graph->nodes.size(); i++)
		same = strcmp(exec->nodes[i].kind, graph->nodes[i].kind) == 0;
	if (!same)
		return cudaErrorGraphExecUpdateFailure;
	exec->nodes = graph->nodes;
	return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
	for (const node &n : exec->nodes)
		shim_ask(stream, n.kind, n.run);
	return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
	delete graph;
	return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
	delete exec;
	return cudaSuccess;
}
