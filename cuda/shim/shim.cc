// The shim's blocks and fibers. A block's threads are run one after the other on one fiber as long as none waits; one
// that does keeps the fiber, and the next thread gets another. Barriers are released when all threads are there; when
// no thread can go on, the barrier diverges.
//
// AEXP_SHIM_ORDER: in which order blocks and threads take their turns, forward (the default), reverse, or shuffled,
// anew in each launch. A barrier that is missing goes unnoticed where the order is the lucky one. Threads take turns;
// in some of the shuffled blocks those of one warp go on as long as they can before any other has its turn.
#include "shim.h"

#include "fiber.h"
#include "memory.h"
#include "stream.h"

#include <mutex>
#include <stdio.h>
#include <stdlib.h>
#include <utility>
#include <vector>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace {

enum thread_state { FRESH, READY, WAITING, DONE };
constexpr unsigned LANES = 32, THREADS_MOST = 1024;

struct place {
	const char *file;
	int line;
};

struct thread {
	thread_state state;
	shim_fiber *fiber;
	place waits;       // where, while it does
	unsigned meetings; // of its warp so far
	bool of_block;     // what it waits for
};

struct warp {
	unsigned there;
	uint64_t brought[2][LANES]; // by turns, so that a lane may be one meeting ahead of those that still read
};

struct block {
	const std::function<void()> *body;
	unsigned count, done, there; // threads, of which ended, and at the block's barrier
	unsigned turn;               // place in `order` of the thread that runs
	bool ahead;                  // the first in order that can go on does, not the next one
	bool released;               // some can since that was looked for
	std::vector<unsigned> order;
	thread threads[THREADS_MOST];
	warp warps[THREADS_MOST / LANES];
};

// Those that have no thread; they end with the plug-in.
struct fibers {
	std::vector<shim_fiber *> all;
	~fibers() {
		for (shim_fiber *fiber : all)
			shim_fiber_destroy(fiber);
	}
};

block now;
fibers idle;

unsigned current() {
	return now.order[now.turn];
}

[[noreturn]] void die(const char *what, const place *a, const place *b) {
	fprintf(stderr, "shim: %s at %s:%d", what, a->file, a->line);
	if (b)
		fprintf(stderr, " and %s:%d", b->file, b->line);
	fprintf(stderr, " (block %u, %u, %u)\n", blockIdx.x, blockIdx.y, blockIdx.z);
	abort();
}

// Threads whose turn it is first, as long as none waits; then this fiber is idle until it is given another thread.
void run_threads(void *) {
	for (;;) {
		threadIdx = uint3{current(), 0, 0};
		(*now.body)();
		now.threads[current()].state = DONE;
		now.done++;
		if (now.turn + 1 < now.count && now.threads[now.order[now.turn + 1]].state == FRESH) {
			now.threads[now.order[now.turn + 1]].fiber = now.threads[current()].fiber;
			now.turn++;
			continue;
		}
		idle.all.push_back(now.threads[current()].fiber);
		shim_fiber_leave(now.threads[current()].fiber);
	}
}

void wait_at(const char *file, int line, bool of_block) {
	unsigned me = current();
	thread *t = &now.threads[me];
	t->waits = place{file, line};
	t->of_block = of_block;
	t->state = WAITING;
	shim_fiber_leave(t->fiber);
	threadIdx = uint3{me, 0, 0};
}

// Those of threads [first, first + count) that wait go on; all must stand at one place.
void release(unsigned first, unsigned count, place here, bool of_block) {
	for (unsigned i = first; i < first + count; i++) {
		thread *t = &now.threads[i];
		if (i == current())
			continue;
		if (t->waits.line != here.line || strcmp(t->waits.file, here.file) != 0 || t->of_block != of_block)
			die("threads meet at different places,", &t->waits, &here);
		t->state = READY;
	}
	now.released = true;
}

void enter(unsigned turn) {
	thread *t = &now.threads[now.order[turn]];
	now.turn = turn;
	if (t->state == FRESH) {
		if (idle.all.empty())
			idle.all.push_back(shim_fiber_create(run_threads));
		t->fiber = idle.all.back();
		idle.all.pop_back();
	}
	shim_fiber_enter(t->fiber);
}

void stuck() {
	const place *first = NULL;
	for (unsigned i = 0; i < now.count; i++) {
		const thread *t = &now.threads[i];
		if (t->state == WAITING && !first)
			first = &t->waits;
		else if (t->state == WAITING && t->waits.line != first->line)
			die("barrier divergence: threads wait", first, &t->waits);
	}
	die("barrier divergence: others have ended, threads wait", first, NULL);
}

void run_block() {
	now.done = now.there = 0;
	now.released = false;
	for (unsigned i = 0; i < now.count; i++)
		now.threads[i] = thread{FRESH, NULL, {NULL, 0}, 0, false};
	for (warp &w : now.warps)
		w.there = 0;
	while (now.done < now.count) {
		bool went_on = false;
		for (unsigned turn = 0; turn < now.count;) {
			thread_state state = now.threads[now.order[turn]].state;
			now.turn = turn;
			const bool goes_on = state == FRESH || state == READY;
			if (goes_on)
				enter(turn);
			went_on |= goes_on;
			const bool back = goes_on && now.ahead && now.released; // else those before it wait, or have ended
			turn = back ? 0 : now.turn + 1;
			now.released = now.released && !back;
		}
		if (!went_on)
			stuck();
	}
}

// AEXP_SHIM_ORDER
bool order_is(const char *wanted) {
	const char *name = getenv("AEXP_SHIM_ORDER");
	return name && !strcmp(name, wanted);
}

unsigned draw_below(unsigned limit) {
	static uint64_t state = 1;
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((state >> 33) % limit);
}

std::vector<unsigned> order_of(unsigned count) {
	const bool reverse = order_is("reverse"), shuffled = order_is("shuffled");
	std::vector<unsigned> order(count);
	for (unsigned i = 0; i < count; i++)
		order[i] = reverse ? count - 1 - i : i;
	for (unsigned i = count; shuffled && i > 1; i--)
		std::swap(order[i - 1], order[draw_below(i)]);
	return order;
}

std::vector<unsigned> order_by_warps(unsigned count) {
	std::vector<unsigned> order;
	for (unsigned number : order_of((count + LANES - 1) / LANES))
		for (unsigned lane : order_of(LANES))
			if (number * LANES + lane < count)
				order.push_back(number * LANES + lane);
	return order;
}

} // namespace

void shim_meet_block(const char *file, int line) {
	if (++now.there < now.count)
		return wait_at(file, line, true);
	now.there = 0;
	release(0, now.count, place{file, line}, true);
}

const uint64_t *shim_meet_warp(unsigned mask, uint64_t value, const char *file, int line) {
	unsigned me = current(), number = me / LANES, first = number * LANES;
	unsigned count = now.count - first < LANES ? now.count - first : LANES;
	const place here = {file, line};
	if (mask != ~0u)
		die("only whole warps meet here, not a mask's lanes", &here, NULL);
	warp *w = &now.warps[number];
	uint64_t *brought = w->brought[now.threads[me].meetings++ % 2];
	brought[me % LANES] = value;
	if (++w->there < count) {
		wait_at(file, line, false);
	} else {
		w->there = 0;
		release(first, count, here, false);
	}
	return brought;
}

static void run(dim3 blocks, dim3 threads, const std::function<void()> &body) {
	static std::mutex one_at_a_time; // a card would run them one after the other on a stream, too
	std::lock_guard<std::mutex> lock(one_at_a_time);
	shim_memory_open();
	gridDim = blocks;
	blockDim = threads;
	now.body = &body;
	now.count = threads.x;
	for (unsigned b : order_of(blocks.x * blocks.y * blocks.z)) {
		blockIdx = uint3{b % blocks.x, b / blocks.x % blocks.y, b / blocks.x / blocks.y};
		now.ahead = order_is("shuffled") && draw_below(2);
		now.order = now.ahead ? order_by_warps(threads.x) : order_of(threads.x);
		run_block();
	}
	shim_memory_close();
}

void shim_launch(dim3 blocks, dim3 threads, struct shim_stream *stream, const char *name, std::function<void()> body) {
	const place here = {"launch", 0};
	uint64_t all = (uint64_t)blocks.x * blocks.y * blocks.z;
	if (!all || all > UINT32_MAX || !threads.x || threads.x > THREADS_MOST || threads.y * threads.z != 1 ||
	    blocks.y > 65535 || blocks.z > 65535)
		die("a grid or block that no card takes,", &here, NULL);
	if (!shim_may_launch())
		return;
	shim_ask(stream, name, [blocks, threads, body = std::move(body)] { run(blocks, threads, body); });
}
