// A small pool of pthreads. Work is cut into blocks whose size does not depend on the number of threads, and every
// output belongs to one block, so that results never depend on the number of threads.
// Two ways to use it: pool_run hands out blocks, pool_team runs one body on every thread, with barriers inside.
#ifndef AEXP_BASE_POOL_H
#define AEXP_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool;

// threads 0 means: as many as this process may use (affinity mask). With 1 no thread is started and pool_run is a loop.
// Where the system refuses a thread the pool has fewer, which changes no result; pool_threads tells.
struct pool *pool_create(size_t threads);
void pool_destroy(struct pool *pool);         // NULL is fine
size_t pool_threads(const struct pool *pool); // NULL counts as 1
// Calls block(context, i) for every i in [0, count), each once, spread over the threads, and waits for all.
// Not to be called from within a block. A NULL pool runs a plain loop.
void pool_run(struct pool *pool, size_t count, void (*block)(void *context, size_t index), void *context);
// Calls body(context, member) once on every thread, member in [0, pool_threads), the caller's being 0, and waits for
// all. Within a body pool_barrier returns when every member has come to it; all must come equally often.
void pool_team(struct pool *pool, void (*body)(void *context, size_t member), void *context);
void pool_barrier(struct pool *pool);

// Work for members of teams who would otherwise wait: from pool_spare on, whoever waits at a barrier takes a block of
// it, and so does the caller of pool_team at its end; pool_spare_finish computes what is left and returns when all is
// done. Blocks may be computed anywhere between the two calls, or all in the second. They should be short: a barrier
// may be late by one of them. ready(context, index) says whether it is time for a block, before pool_spare_finish: with
// work for each part of a body, not all of it in the waits of the first one. Neither is called from within a body; one
// such work at a time; pool is not NULL.
struct pool_work {
	size_t count;
	void (*block)(void *context, size_t index);
	bool (*ready)(void *context, size_t index);
	void *context;
};
void pool_spare(struct pool *pool, const struct pool_work *work);
void pool_spare_finish(struct pool *pool);

#endif
