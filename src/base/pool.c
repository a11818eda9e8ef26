// A pool of pthreads that live as long as it does. A run is announced by raising `turn`; every thread, the caller too,
// takes indices from one counter until they are used up; the caller leaves when all have reported.
// Waiting is a short spin and then sleep on a condition; whoever ends a wait takes the mutex only when somebody sleeps,
// so that a step of short runs and barriers takes no lock. Not here: nested runs, a run from two threads at once.
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
	size_t threads;        // the caller's own included
	size_t spins;          // 0 where there are more threads than processors: spinning would only keep the others off
	pthread_t *workers;    // (threads - 1)
	struct worker *worker; // (threads - 1): what each is told
	pthread_mutex_t mutex;
	pthread_cond_t changed; // a counter that somebody sleeps on has changed
	bool running;           // the caller is within pool_run or pool_team

	// The run, written before turn is raised and left alone until all have reported.
	size_t count;
	void (*block)(void *context, size_t index);
	void *context;
	bool team; // every thread calls block once, with its own number
	bool stop;

	// What those who wait do; set and ended outside of runs.
	struct pool_work work; // count 0: none

	// Each on a line of its own, so that taking an index does not slow the ones who wait.
	alignas(CACHE_LINE) atomic_size_t turn;     // number of runs announced
	alignas(CACHE_LINE) atomic_size_t next;     // next index to hand out
	alignas(CACHE_LINE) atomic_size_t reported; // reports of workers since the pool began
	alignas(CACHE_LINE) atomic_size_t arrived;  // at the barrier, since the team began
	alignas(CACHE_LINE) atomic_size_t passed;   // barriers, since the pool began
	alignas(CACHE_LINE) atomic_size_t spare;    // next index of the spare work to hand out
	alignas(CACHE_LINE) atomic_size_t sleepers; // threads that sleep, or are about to
};

struct worker {
	struct pool *pool;
	size_t member;
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

// One block of the spare work; false where none is left, or it is too early.
static bool take_spare(struct pool *pool) {
	const struct pool_work *work = &pool->work;
	size_t index = atomic_load_explicit(&pool->spare, memory_order_relaxed);
	do { // again with the next index where another thread was faster
		if (index >= work->count || !work->ready(work->context, index))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&pool->spare, &index, index + 1, memory_order_relaxed,
	                                                memory_order_relaxed));
	work->block(work->context, index);
	return true;
}

// Until *counter is no longer `seen`, or there is nothing to do.
static void use_wait(struct pool *pool, atomic_size_t *counter, size_t seen) {
	while (atomic_load_explicit(counter, memory_order_acquire) == seen && take_spare(pool))
		continue;
}

// Returns when *counter is no longer `seen`. A sleeper says so before its last look, and whoever changes a counter
// looks for sleepers after the change; both in one total order, so that one of them sees the other.
static void wait_for_change(struct pool *pool, atomic_size_t *counter, size_t seen) {
	for (size_t i = 0; i < pool->spins; i++) {
		if (atomic_load_explicit(counter, memory_order_acquire) != seen)
			return;
		relax();
	}
	pthread_mutex_lock(&pool->mutex);
	atomic_fetch_add(&pool->sleepers, 1);
	while (atomic_load(counter) == seen)
		pthread_cond_wait(&pool->changed, &pool->mutex);
	atomic_fetch_sub(&pool->sleepers, 1);
	pthread_mutex_unlock(&pool->mutex);
}

static void wake_sleepers(struct pool *pool) {
	if (atomic_load(&pool->sleepers) == 0)
		return;
	pthread_mutex_lock(&pool->mutex);
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->mutex);
}

static void advance(struct pool *pool, atomic_size_t *counter) {
	atomic_fetch_add(counter, 1);
	wake_sleepers(pool);
}

static void wait_for_reports(struct pool *pool, size_t before) {
	for (;;) {
		size_t reported = atomic_load_explicit(&pool->reported, memory_order_acquire);
		if (reported - before == pool->threads - 1)
			return;
		if (pool->team)
			use_wait(pool, &pool->reported, reported);
		wait_for_change(pool, &pool->reported, reported);
	}
}

static void *work(void *argument) {
	const struct worker *worker = argument;
	struct pool *pool = worker->pool;
	for (size_t seen = 0;; seen++) {
		wait_for_change(pool, &pool->turn, seen);
		if (pool->stop)
			return NULL;
		if (pool->team)
			pool->block(pool->context, worker->member);
		else
			take_blocks(pool);
		advance(pool, &pool->reported);
	}
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
		pool->worker[i] = (struct worker){pool, i + 1};
		if (pthread_create(&pool->workers[i], NULL, work, &pool->worker[i]) != 0)
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
	pthread_cond_init(&pool->changed, NULL);
	pool->workers = memory_alloc((threads - 1) * sizeof *pool->workers);
	pool->worker = memory_alloc((threads - 1) * sizeof *pool->worker);
	start_workers(pool, threads - 1);
	return pool;
}

void pool_destroy(struct pool *pool) {
	if (pool == NULL)
		return;
	pool->stop = true;
	advance(pool, &pool->turn);
	for (size_t i = 0; i + 1 < pool->threads; i++)
		pthread_join(pool->workers[i], NULL);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->mutex);
	free(pool->workers);
	free(pool->worker);
	free(pool);
}

size_t pool_threads(const struct pool *pool) {
	return pool == NULL ? 1 : pool->threads;
}

static void begin(struct pool *pool, void (*block)(void *context, size_t index), void *context, bool team) {
	assert(!pool->running);
	pool->running = true;
	pool->block = block;
	pool->context = context;
	pool->team = team;
	atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
	atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
}

void pool_run(struct pool *pool, size_t count, void (*block)(void *context, size_t index), void *context) {
	if (pool == NULL || pool->threads == 1 || count <= 1) {
		for (size_t i = 0; i < count; i++)
			block(context, i);
		return;
	}
	size_t before = atomic_load_explicit(&pool->reported, memory_order_relaxed);
	begin(pool, block, context, false);
	pool->count = count;
	advance(pool, &pool->turn);
	take_blocks(pool);
	wait_for_reports(pool, before);
	pool->running = false;
}

void pool_team(struct pool *pool, void (*body)(void *context, size_t member), void *context) {
	if (pool == NULL || pool->threads == 1) {
		body(context, 0);
		return;
	}
	size_t before = atomic_load_explicit(&pool->reported, memory_order_relaxed);
	begin(pool, body, context, true);
	advance(pool, &pool->turn);
	body(context, 0);
	wait_for_reports(pool, before);
	pool->running = false;
}

void pool_barrier(struct pool *pool) {
	if (pool == NULL || pool->threads == 1)
		return;
	size_t passed = atomic_load_explicit(&pool->passed, memory_order_relaxed); // nobody passes before this one arrives
	if (atomic_fetch_add_explicit(&pool->arrived, 1, memory_order_acq_rel) + 1 < pool->threads) {
		use_wait(pool, &pool->passed, passed);
		wait_for_change(pool, &pool->passed, passed);
		return;
	}
	atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
	advance(pool, &pool->passed);
}

void pool_spare(struct pool *pool, const struct pool_work *work) {
	assert(!pool->running && !pool->work.count);
	pool->work = *work;
	atomic_store_explicit(&pool->spare, 0, memory_order_relaxed);
}

static void spare_rest(void *context, size_t index) {
	const struct pool *pool = context;
	pool->work.block(pool->work.context, atomic_load_explicit(&pool->spare, memory_order_relaxed) + index);
}

void pool_spare_finish(struct pool *pool) {
	size_t taken = atomic_load_explicit(&pool->spare, memory_order_relaxed);
	if (taken < pool->work.count)
		pool_run(pool, pool->work.count - taken, spare_rest, pool);
	pool->work.count = 0;
}
