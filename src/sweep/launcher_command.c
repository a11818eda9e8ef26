// Launcher command: any program that takes a command, for schedulers that have no launcher of their own. {command} is
// replaced by the command that runs one batch, {job} by its number from 1, {log} by a file for what it says. The
// program may return when the batch is done (ssh) or as soon as it is queued (qsub): either way the trials' files say
// what became of them. Up to -j of them run at once.
#include "sweep/launch.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { POLL_MS = 200 };

struct submission {
	struct process process;
	struct text said, unread;
	size_t number; // from 0
	bool busy;
};

static void put_word(const struct launch *l, size_t batch, const char *word, size_t length, struct text *text) {
	struct text command = {0};
	if (length == 7 && !strncmp(word, "command", 7)) {
		launch_quote(l->script, &command);
		text_append(&command, " ");
		launch_quote(l->list, &command);
		text_format(&command, " %zu", batch);
	} else if (length == 3 && !strncmp(word, "job", 3)) {
		text_format(&command, "%zu", batch + 1);
	} else if (length == 3 && !strncmp(word, "log", 3)) {
		struct text log = {0};
		text_format(&log, "%s/log/batch-%zu.txt", l->sweep->folder, batch + 1);
		launch_quote(text_string(&log), &command);
		text_finish(&log);
	} else { // not ours: a shell has braces of its own
		text_append(&command, "{");
		text_append_bytes(&command, word, length);
		text_append(&command, "}");
	}
	text_append(text, text_string(&command));
	text_finish(&command);
}

static void fill(const struct launch *l, size_t batch, struct text *text) {
	for (const char *c = l->text; *c; c++) {
		const char *end = *c == '{' ? strchr(c, '}') : NULL;
		if (!end) {
			text_append_bytes(text, c, 1);
			continue;
		}
		put_word(l, batch, c + 1, (size_t)(end - c) - 1, text);
		c = end;
	}
}

static bool start(const struct launch *l, struct submission *batch, size_t number, struct error *error) {
	struct text line = {0};
	fill(l, number, &line);
	const char *const argv[] = {"/bin/sh", "-c", text_string(&line), NULL};
	*batch = (struct submission){.number = number};
	batch->busy = process_start(&(struct command){.argv = argv}, &batch->process, NULL, error);
	text_finish(&line);
	return batch->busy;
}

static bool hear(struct submission *batch, struct error *error) {
	bool open = process_read(&batch->process.err, &batch->said), good = true;
	open = process_read(&batch->process.out, &batch->unread) || open;
	if (open)
		return true;
	int status = process_wait(&batch->process);
	batch->busy = false;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		struct text why = {0};
		process_explain(status, &why);
		good =
		    error_set(error, ERROR_RUN, "the launcher's command for batch %zu failed (%s)%s%.500s", batch->number + 1,
		              text_string(&why), batch->said.length ? ": " : "", text_string(&batch->said));
		text_finish(&why);
	}
	text_finish(&batch->said);
	text_finish(&batch->unread);
	return good;
}

static size_t hear_all(struct submission *batches, size_t count, bool *good, struct error *error) {
	struct pollfd *ends = memory_alloc(2 * count * sizeof(*ends));
	size_t open = 0, busy = 0;
	for (size_t i = 0; i < count; i++)
		if (batches[i].busy) {
			ends[open++] = (struct pollfd){.fd = batches[i].process.out, .events = POLLIN};
			ends[open++] = (struct pollfd){.fd = batches[i].process.err, .events = POLLIN};
		}
	poll(ends, open, POLL_MS);
	for (size_t i = 0; i < count; i++) {
		if (batches[i].busy)
			*good = hear(&batches[i], error) && *good;
		busy += batches[i].busy;
	}
	free(ends);
	return busy;
}

static bool submit(struct launch *l, bool (*interrupted)(void), struct error *error) {
	size_t count = l->beside ? l->beside : 1, next = 0, busy = 0;
	struct submission *batches = memory_alloc(count * sizeof(*batches));
	bool good = true, told = false;
	do {
		for (size_t i = 0; good && !interrupted() && i < count && next < l->batches; i++)
			if (!batches[i].busy)
				good = start(l, &batches[i], next++, error);
		for (size_t i = 0; interrupted() && !told && i < count; i++)
			if (batches[i].busy)
				kill(batches[i].process.pid, SIGTERM);
		told = interrupted();
		busy = hear_all(batches, count, &good, error);
	} while (busy || (good && !interrupted() && next < l->batches));
	free(batches);
	return good && (!interrupted() || error_set(error, ERROR_INTERRUPTED, "interrupted while jobs were submitted"));
}

static bool alive(const struct launch *l, bool *ret_known) {
	(void)l;
	*ret_known = false;
	return false;
}

const struct launcher launcher_command = {
    .row = {.name = "command", .doc = "A command of your own for each batch, with {command}, {job} and {log} in it"},
    .takes_text = true,
    .submit = submit,
    .alive = alive,
};
