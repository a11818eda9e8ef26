// A pool of pthreads that live as long as it does. A run is announced by raising `turn`; every thread, the caller too,
// takes indices from one counter until they are used up; the caller leaves when all have reported.
// Waiting is a short spin and then sleep on a condition. Not here: nested runs, a run from two threads at once.
#include "base/pool.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

// Looks at the flag before sleeping: about the time that a sleep and a wake-up would cost (some microseconds).
enum { SPINS = 2000, CACHE_LINE = 64 };

struct pool {
	size_t threads;     // the caller's own included
	size_t spins;       // 0 where there are more threads than processors: spinning would only keep the others off
	pthread_t *workers; // (threads - 1)
	pthread_mutex_t mutex;
	pthread_cond_t announced; // turn was raised
	pthread_cond_t reported;  // working fell to 0
	bool running;             // the caller is within pool_run

	// The run, written before turn is raised and left alone until all have reported.
	size_t count;
	void (*block)(void *context, size_t index);
	void *context;
	bool stop;

	// Each on a line of its own, so that taking an index does not slow the ones who wait.
	alignas(CACHE_LINE) atomic_size_t turn;    // number of runs announced; raised under the mutex
	alignas(CACHE_LINE) atomic_size_t next;    // next index to hand out
	alignas(CACHE_LINE) atomic_size_t working; // workers that have not reported
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static void take_blocks(struct pool *pool) {
	for (;;) {
		size_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
		if (index >= pool->count)
			return;
		pool->block(pool->context, index);
	}
}

static void wait_for_turn(struct pool *pool, size_t seen) {
	for (size_t i = 0; i < pool->spins; i++) {
		if (atomic_load_explicit(&pool->turn, memory_order_acquire) != seen)
			return;
		relax();
	}
	pthread_mutex_lock(&pool->mutex);
	while (atomic_load_explicit(&pool->turn, memory_order_relaxed) == seen)
		pthread_cond_wait(&pool->announced, &pool->mutex);
	pthread_mutex_unlock(&pool->mutex);
}

static void wait_for_reports(struct pool *pool) {
	for (size_t i = 0; i < pool->spins; i++) {
		if (atomic_load_explicit(&pool->working, memory_order_acquire) == 0)
			return;
		relax();
	}
	pthread_mutex_lock(&pool->mutex);
	while (atomic_load_explicit(&pool->working, memory_order_acquire) != 0)
		pthread_cond_wait(&pool->reported, &pool->mutex);
	pthread_mutex_unlock(&pool->mutex);
}

// The last one signals under the mutex, so never between the caller's look at `working` and its sleep.
static void report(struct pool *pool) {
	size_t before = atomic_fetch_sub_explicit(&pool->working, 1, memory_order_acq_rel);
	if (before != 1)
		return;
	pthread_mutex_lock(&pool->mutex);
	pthread_cond_signal(&pool->reported);
	pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *argument) {
	struct pool *pool = argument;
	for (size_t seen = 0;; seen++) {
		wait_for_turn(pool, seen);
		if (pool->stop)
			return NULL;
		take_blocks(pool);
		report(pool);
	}
}

static void announce(struct pool *pool) {
	pthread_mutex_lock(&pool->mutex);
	atomic_fetch_add_explicit(&pool->turn, 1, memory_order_release);
	pthread_cond_broadcast(&pool->announced);
	pthread_mutex_unlock(&pool->mutex);
}

// Processors that this process may use; the mask grows until the kernel's fits.
static size_t processors(void) {
	for (int size = CPU_SETSIZE; size <= 1 << 20; size *= 2) {
		cpu_set_t *set = CPU_ALLOC((size_t)size);
		if (set == NULL)
			memory_exhausted(CPU_ALLOC_SIZE((size_t)size));
		bool known = sched_getaffinity(0, CPU_ALLOC_SIZE((size_t)size), set) == 0;
		int count = known ? CPU_COUNT_S(CPU_ALLOC_SIZE((size_t)size), set) : 0;
		CPU_FREE(set);
		if (known)
			return count < 1 ? 1 : (size_t)count;
	}
	return 1;
}

// Signals are the main thread's business: the workers start with all of them blocked.
static void start_workers(struct pool *pool, size_t wanted) {
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pool->threads = 1;
	for (size_t i = 0; i < wanted; i++) {
		if (pthread_create(&pool->workers[i], NULL, work, pool) != 0)
			break;
		pool->threads++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct pool *pool_create(size_t threads) {
	size_t available = processors();
	if (threads == 0)
		threads = available;
	struct pool *pool = memory_array(1, sizeof *pool, "a pool of threads", NULL); // aligned, as its members ask
	if (pool == NULL)
		memory_exhausted(sizeof *pool);
	pool->spins = threads <= available ? SPINS : 0;
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->announced, NULL);
	pthread_cond_init(&pool->reported, NULL);
	pool->workers = memory_alloc((threads - 1) * sizeof *pool->workers);
	start_workers(pool, threads - 1);
	return pool;
}

void pool_destroy(struct pool *pool) {
	if (pool == NULL)
		return;
	pool->stop = true;
	announce(pool);
	for (size_t i = 0; i + 1 < pool->threads; i++)
		pthread_join(pool->workers[i], NULL);
	pthread_cond_destroy(&pool->reported);
	pthread_cond_destroy(&pool->announced);
	pthread_mutex_destroy(&pool->mutex);
	free(pool->workers);
	free(pool);
}

size_t pool_threads(const struct pool *pool) {
	return pool == NULL ? 1 : pool->threads;
}

void pool_run(struct pool *pool, size_t count, void (*block)(void *context, size_t index), void *context) {
	if (pool == NULL || pool->threads == 1 || count <= 1) {
		for (size_t i = 0; i < count; i++)
			block(context, i);
		return;
	}
	assert(!pool->running);
	pool->running = true;
	pool->count = count;
	pool->block = block;
	pool->context = context;
	atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
	atomic_store_explicit(&pool->working, pool->threads - 1, memory_order_relaxed);
	announce(pool);
	take_blocks(pool);
	wait_for_reports(pool);
	pool->running = false;
}
