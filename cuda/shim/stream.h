// What the shim's other files ask of its streams (stream.cc).
#ifndef AEXP_CUDA_SHIM_STREAM_H
#define AEXP_CUDA_SHIM_STREAM_H

#include <functional>

struct shim_stream;

// In turn with the rest of the stream; stream NULL: at once. kind: what it is, a string that lives on.
void shim_ask(struct shim_stream *stream, const char *kind, std::function<void()> what);
// Whether a stream is captured, which the call that asks this spoils.
bool shim_capturing(void);

// What is still kept back is done.
void shim_do_all(void);

#endif
