// The progress of a training. On a terminal a bar that is drawn again; elsewhere a plain line at most every few
// seconds.
#include "cli/cli.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const double BAR_EVERY = 0.1, LINE_EVERY = 5; // seconds

void progress_begin(struct progress *p, const struct experiment *experiment, bool quiet) {
	*p = (struct progress){.experiment = experiment,
	                       .quiet = quiet,
	                       .terminal = isatty(STDERR_FILENO) == 1,
	                       .started = train_seconds(),
	                       .metric = experiment->uses[0].name};
	p->colour = p->terminal && !getenv("NO_COLOR");
	p->last = p->started;
}

static void draw_bar(const struct progress *p, double share) {
	enum { WIDTH = 24 };
	char bar[WIDTH + 1];
	for (size_t i = 0; i < WIDTH; i++)
		bar[i] = (double)i < share * WIDTH ? '#' : '.';
	bar[WIDTH] = '\0';
	fprintf(stderr, "\r%s%s%s", p->colour ? "\033[36m" : "", bar, p->colour ? "\033[0m" : "");
}

void progress_batch(void *context, size_t epoch, double share, double ratings) {
	struct progress *p = context;
	double now = train_seconds();
	if (p->quiet || now - p->last < (p->terminal ? BAR_EVERY : LINE_EVERY))
		return;
	p->last = now;
	size_t epochs = experiment_epochs(p->experiment);
	double done = ((double)(epoch - 1) + share) / (double)epochs, elapsed = now - p->started;
	char left[NUMBER_TEXT], rate[NUMBER_TEXT];
	number_write_seconds(elapsed * (1 - done) / fmax(done - p->done, 0), left);
	number_write_count((uint64_t)((ratings - p->ratings) / elapsed), rate);
	if (p->terminal)
		draw_bar(p, done);
	fprintf(stderr, "%sepoch %zu/%zu  %3.0f %%  %s ratings/s  ETA %s%s", p->terminal ? " " : "", epoch, epochs,
	        100 * share, rate, left, p->terminal ? "\033[K" : "\n");
}

void progress_epoch(void *context, const struct epoch_result *epoch) {
	struct progress *p = context;
	if (p->quiet || !experiment_epochs(p->experiment)) // nothing was trained
		return;
	if (!p->terminal && epoch->epoch != experiment_epochs(p->experiment) && train_seconds() - p->last < LINE_EVERY &&
	    epoch->epoch != 1)
		return;
	if (!p->terminal)
		p->last = train_seconds();
	fprintf(stderr, "%sepoch %zu/%zu  loss %.6f", p->terminal ? "\r\033[K" : "", epoch->epoch,
	        experiment_epochs(p->experiment), epoch->train_loss);
	if (epoch->valid.exists && !isnan(epoch->valid.metric[0]))
		fprintf(stderr, "  valid.%s %.6f", p->metric, epoch->valid.metric[0]);
	fprintf(stderr, "  %.2f s\n", epoch->seconds);
}

void progress_resumed(void *context, size_t epoch, double ratings) {
	struct progress *p = context;
	p->done = (double)(epoch - 1) / (double)experiment_epochs(p->experiment);
	p->ratings = ratings;
	if (!p->quiet)
		fprintf(stderr, "going on from a checkpoint of epoch %zu\n", epoch);
}

void progress_end(struct progress *p) {
	if (!p->quiet && p->terminal)
		fprintf(stderr, "\r\033[K");
}
