// The pool: every index once whatever the number of threads, results visible to the caller, no wake-up lost.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/pool.h"
#include "base/random.h"

enum { MOST = 10000 };
static const size_t THREADS[] = {1, 2, 3, 8};
enum { KINDS = sizeof THREADS / sizeof THREADS[0] };

struct tally {
	int times[MOST]; // plain ints: a race is for the thread sanitizer to find
	uint32_t value[MOST];
	int salt;
};

static void count_one(void *context, size_t index) {
	struct tally *tally = context;
	tally->times[index]++;
	tally->value[index] = (uint32_t)index * 2654435761u + (uint32_t)tally->salt;
}

static void each_index_once(void **state) {
	(void)state;
	static const size_t counts[] = {0, 1, 2, 3, 7, 8, 9, 100, 1000, MOST};
	static struct tally tally;
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct pool *pool = pool_create(THREADS[kind]);
		assert_int_equal(pool_threads(pool), THREADS[kind]);
		for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
			memset(&tally, 0, sizeof tally);
			tally.salt = (int)c;
			pool_run(pool, counts[c], count_one, &tally);
			for (size_t i = 0; i < MOST; i++) {
				assert_int_equal(tally.times[i], i < counts[c]);
				assert_int_equal(tally.value[i], i < counts[c] ? (uint32_t)i * 2654435761u + (uint32_t)c : 0);
			}
		}
		pool_destroy(pool);
	}
}

// Each run reads what the run before it wrote, through other threads maybe: nothing may be missing or late.
static void step(void *context, size_t index) {
	uint64_t *cells = context; // (2, 16): the old ones and the new
	cells[16 + index] = cells[index] * 6364136223846793005u + cells[(index + 1) % 16];
}

static void many_small_runs(void **state) {
	(void)state;
	uint64_t expected[32];
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct pool *pool = pool_create(THREADS[kind]);
		uint64_t cells[32] = {1, 2, 3};
		for (int run = 0; run < 20000; run++) {
			pool_run(pool, 16, step, cells);
			memcpy(cells, cells + 16, sizeof cells / 2);
		}
		pool_destroy(pool);
		if (kind == 0)
			memcpy(expected, cells, sizeof cells);
		assert_memory_equal(cells, expected, sizeof cells);
	}
}

// The workers fall asleep between runs and must be woken again.
static void runs_after_a_sleep(void **state) {
	(void)state;
	static struct tally tally;
	struct pool *pool = pool_create(3);
	memset(&tally, 0, sizeof tally);
	for (int run = 0; run < 30; run++) {
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
		pool_run(pool, 10, count_one, &tally);
	}
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(tally.times[i], 30);
	pool_destroy(pool);
}

// Blocks of very unequal length: the caller has to wait for a worker that is late.
static void wait_a_while(void *context, size_t index) {
	if (index % 7 == 3)
		nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
	count_one(context, index);
}

static void waits_for_the_slow(void **state) {
	(void)state;
	static struct tally tally;
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct pool *pool = pool_create(THREADS[kind]);
		memset(&tally, 0, sizeof tally);
		for (int run = 0; run < 5; run++)
			pool_run(pool, 20, wait_a_while, &tally);
		for (size_t i = 0; i < 20; i++)
			assert_int_equal(tally.times[i], 5);
		pool_destroy(pool);
	}
}

// A team: every member once, and between two barriers each sees what its neighbour wrote before the first.
struct relay {
	struct pool *pool;
	uint64_t cells[2][8]; // (turn, member)
};
enum { TURNS = 5000 };

static void pass_on(void *context, size_t member) {
	struct relay *relay = context;
	size_t members = pool_threads(relay->pool);
	for (size_t turn = 0; turn < TURNS; turn++) {
		const uint64_t *from = relay->cells[turn % 2];
		relay->cells[(turn + 1) % 2][member] = from[(member + 1) % members] * 6364136223846793005u + member;
		pool_barrier(relay->pool);
	}
}

static void a_team_in_step(void **state) {
	(void)state;
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct relay relay = {.pool = pool_create(THREADS[kind])}, expected = {0};
		size_t members = THREADS[kind];
		for (int run = 0; run < 3; run++) {
			pool_team(relay.pool, pass_on, &relay);
			for (size_t turn = 0; turn < TURNS; turn++)
				for (size_t m = 0; m < members; m++)
					expected.cells[(turn + 1) % 2][m] =
					    expected.cells[turn % 2][(m + 1) % members] * 6364136223846793005u + m;
		}
		assert_memory_equal(relay.cells, expected.cells, sizeof expected.cells);
		pool_destroy(relay.pool);
	}
}

// Work for those who wait: every block once, none before its time, whether it was taken within the team or was left
// over; the barriers hold as without it.
struct spare {
	struct relay relay;
	atomic_size_t turn; // that the team has come to
	struct tally tally;
	bool early;
	bool never; // nothing is ready
};

static bool in_time(void *context, size_t index) {
	struct spare *spare = context;
	return !spare->never && index < atomic_load(&spare->turn);
}

static void take_one(void *context, size_t index) {
	struct spare *spare = context;
	size_t turn = atomic_load(&spare->turn);
	if (spare->never ? turn < TURNS : index >= turn)
		spare->early = true;
	count_one(&spare->tally, index);
}

static void step_and_tell(void *context, size_t member) {
	struct spare *spare = context;
	struct relay *relay = &spare->relay;
	size_t members = pool_threads(relay->pool);
	for (size_t turn = 0; turn < TURNS; turn++) {
		const uint64_t *from = relay->cells[turn % 2];
		if (member == 0)
			atomic_store(&spare->turn, turn + 1);
		relay->cells[(turn + 1) % 2][member] = from[(member + 1) % members] * 6364136223846793005u + member;
		pool_barrier(relay->pool);
	}
}

static void waits_are_used(void **state) {
	(void)state;
	static struct spare spare;
	for (size_t kind = 0; kind < KINDS; kind++)
		for (int never = 0; never < 2; never++) {
			struct relay expected = {.pool = pool_create(THREADS[kind])};
			memset(&spare, 0, sizeof spare);
			spare.never = never;
			spare.relay.pool = expected.pool;
			pool_team(expected.pool, pass_on, &expected);
			pool_spare(expected.pool, &(struct pool_work){1000, take_one, in_time, &spare});
			pool_team(expected.pool, step_and_tell, &spare);
			pool_spare_finish(expected.pool);
			for (size_t i = 0; i < 1000; i++)
				assert_int_equal(spare.tally.times[i], 1);
			assert_false(spare.early);
			assert_memory_equal(spare.relay.cells, expected.cells, sizeof expected.cells);
			pool_destroy(expected.pool);
		}
}

// All threads of a pool take part: each waits within its block until the others are there.
static void meet(void *context, size_t index) {
	(void)index;
	pthread_barrier_wait(context);
}

static void the_threads_are_there(void **state) {
	(void)state;
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct pool *pool = pool_create(THREADS[kind]);
		pthread_barrier_t barrier;
		pthread_barrier_init(&barrier, NULL, (unsigned)THREADS[kind]);
		for (int run = 0; run < 10; run++)
			pool_run(pool, THREADS[kind], meet, &barrier); // never ends if one of them stays away
		pthread_barrier_destroy(&barrier);
		pool_destroy(pool);
	}
}

struct witness {
	pthread_t caller;
	atomic_int open; // workers that a signal could reach
	pthread_barrier_t barrier;
};

static void look_at_mask(void *context, size_t index) {
	(void)index;
	struct witness *seen = context;
	sigset_t mask;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (!pthread_equal(pthread_self(), seen->caller) && !sigismember(&mask, SIGINT))
		atomic_fetch_add(&seen->open, 1);
	pthread_barrier_wait(&seen->barrier);
}

static void workers_block_signals(void **state) {
	(void)state;
	struct witness seen = {.caller = pthread_self()};
	pthread_barrier_init(&seen.barrier, NULL, 3);
	struct pool *pool = pool_create(3);
	pool_run(pool, 3, look_at_mask, &seen);
	pool_destroy(pool);
	pthread_barrier_destroy(&seen.barrier);
	assert_int_equal(seen.open, 0);
	sigset_t mask;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	assert_false(sigismember(&mask, SIGINT)); // the caller's own mask is as it was
}

static void created_and_destroyed(void **state) {
	(void)state;
	for (int i = 0; i < 200; i++)
		pool_destroy(pool_create(THREADS[i % KINDS]));
	pool_destroy(NULL);
}

static void no_pool_is_one_thread(void **state) {
	(void)state;
	static struct tally tally;
	assert_int_equal(pool_threads(NULL), 1);
	memset(&tally, 0, sizeof tally);
	pool_run(NULL, 5, count_one, &tally);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(tally.times[i], i < 5);
}

static void as_many_as_the_process_may_use(void **state) {
	(void)state;
	cpu_set_t before, one;
	if (sched_getaffinity(0, sizeof before, &before) != 0)
		skip(); // more processors than the plain type holds
	struct pool *pool = pool_create(0);
	assert_int_equal(pool_threads(pool), CPU_COUNT(&before));
	pool_destroy(pool);
	CPU_ZERO(&one);
	for (size_t i = 0; CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &before))
			CPU_SET(i, &one);
	assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
	pool = pool_create(0);
	size_t threads = pool_threads(pool);
	pool_destroy(pool);
	sched_setaffinity(0, sizeof before, &before);
	assert_int_equal(threads, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_index_once),
	    cmocka_unit_test(many_small_runs),
	    cmocka_unit_test(runs_after_a_sleep),
	    cmocka_unit_test(waits_for_the_slow),
	    cmocka_unit_test(the_threads_are_there),
	    cmocka_unit_test(a_team_in_step),
	    cmocka_unit_test(waits_are_used),
	    cmocka_unit_test(workers_block_signals),
	    cmocka_unit_test(created_and_destroyed),
	    cmocka_unit_test(no_pool_is_one_thread),
	    cmocka_unit_test(as_many_as_the_process_may_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
