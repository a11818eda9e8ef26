// See team.h. The threads live for all repeats and meet at a barrier before each.
#include "team.h"

#include <math.h>
#include <pthread.h>
#include <time.h>

enum { THREADS_MOST = 256 };

struct team {
	team_work *work;
	void *context;
	size_t threads, repeats;
	pthread_barrier_t barrier;
	double begin[THREADS_MOST], end[THREADS_MOST]; // of the current repeat
};

struct member {
	struct team *team;
	size_t thread;
	double best; // of the team; thread 0 alone
};

double team_now(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double elapsed(const struct team *team) {
	double begin = team->begin[0], end = team->end[0];
	for (size_t i = 1; i < team->threads; i++) {
		begin = fmin(begin, team->begin[i]);
		end = fmax(end, team->end[i]);
	}
	return end - begin;
}

static void *take_part(void *argument) {
	struct member *m = argument;
	struct team *team = m->team;
	m->best = INFINITY;
	for (size_t repeat = 0; repeat <= team->repeats; repeat++) {
		pthread_barrier_wait(&team->barrier);
		team->begin[m->thread] = team_now();
		team->work(team->context, m->thread, team->threads);
		team->end[m->thread] = team_now();
		pthread_barrier_wait(&team->barrier);
		if (m->thread == 0 && repeat > 0)
			m->best = fmin(m->best, elapsed(team));
		pthread_barrier_wait(&team->barrier); // nobody writes the next times before these were read
	}
	return NULL;
}

// A thread that cannot be started leaves those before it at the barrier for good: the program reports and ends then.
double team_best(size_t threads, size_t repeats, team_work *work, void *context) {
	static struct team team;
	struct member member[THREADS_MOST];
	pthread_t handle[THREADS_MOST];
	if (threads == 0 || threads > THREADS_MOST)
		return NAN;
	team = (struct team){.work = work, .context = context, .threads = threads, .repeats = repeats};
	if (pthread_barrier_init(&team.barrier, NULL, (unsigned)threads) != 0)
		return NAN;
	for (size_t i = 0; i < threads; i++)
		member[i] = (struct member){&team, i, 0};
	for (size_t i = 1; i < threads; i++)
		if (pthread_create(&handle[i], NULL, take_part, &member[i]) != 0)
			return NAN;
	take_part(&member[0]);
	for (size_t i = 1; i < threads; i++)
		pthread_join(handle[i], NULL);
	pthread_barrier_destroy(&team.barrier);
	return member[0].best;
}
