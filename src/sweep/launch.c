// See launch.h.
#include "sweep/launch.h"

#include "base/file.h"
#include "base/nearest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOBS "jobs"
enum { JOBS_MOST = 1 << 20 };

static const struct row *const rows[] = {&launcher_slurm.row, &launcher_command.row};
const struct registry launcher_registry = {
    .what = "launcher", .plural = "launchers", .rows = rows, .count = sizeof(rows) / sizeof(rows[0])};

const struct launcher *launcher_find(const char *word, const char **ret_text, struct error *error) {
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	*ret_text = equals ? equals + 1 : NULL;
	for (size_t i = 0; i < launcher_registry.count; i++) {
		const struct launcher *launcher = (const struct launcher *)rows[i];
		if (strlen(launcher->row.name) == length && !strncmp(launcher->row.name, word, length) &&
		    launcher->takes_text == (*ret_text && **ret_text))
			return launcher;
	}
	error_set(error, ERROR_CONFIG, "unknown launcher \"%s\"", word);
	error_hint(error, "Say local, slurm, or command='...' with {command} where the command goes.");
	return NULL;
}

// --- the script ---

void launch_quote(const char *word, struct text *text) {
	text_append(text, "'");
	for (const char *c = word; *c; c++) {
		if (*c == '\'')
			text_append(text, "'\\''");
		else
			text_append_bytes(text, c, 1);
	}
	text_append(text, "'");
}

static const char script_head[] = "#!/bin/sh\n"
                                  "# Runs the trials of one line of a list, one after the other: launch.sh LIST LINE, "
                                  "the first line being 0; of a task\n"
                                  "# of a Slurm array so many lines later.\n"
                                  "trials=$(sed -n \"$(($2 + ${SLURM_ARRAY_TASK_ID:-0} + 1))p\" \"$1\")\n";

static const char script_tail[] = "export OPENBLAS_NUM_THREADS=1 # others would spin as they are started, for nothing\n"
                                  "for number in $trials; do\n"
                                  "\tlog=$sweep/log/$number.txt code=0\n"
                                  "\t\"$aexp\" trial \"$sweep\" \"$number\" -q -t \"$threads\" 2>\"$log\" || code=$?\n"
                                  "\t[ \"$code\" = 130 ] && exit 130\n"
                                  "\tif [ \"$code\" != 0 ]; then\n"
                                  "\t\twhy=$(grep -v '^  hint:' \"$log\" | tail -n 1)\n"
                                  "\t\t\"$aexp\" trial \"$sweep\" \"$number\" --failed \"${why:-exit code $code}\"\n"
                                  "\tfi\n"
                                  "done\n";

static bool write_script(struct launch *l, struct error *error) {
	struct text text = {0};
	text_append(&text, script_head);
	text_append(&text, "aexp=");
	launch_quote(l->program, &text);
	text_append(&text, "\nsweep=");
	launch_quote(l->sweep->folder, &text);
	text_format(&text, "\nthreads=%zu\n%s", l->threads, script_tail);
	bool good = file_write(l->script, text_string(&text), text.length, error);
	if (good && chmod(l->script, 0755) != 0)
		good = error_set(error, ERROR_RUN, "\"%s\" cannot be made a program: %s", l->script, strerror(errno));
	text_finish(&text);
	return good;
}

static bool write_list(struct launch *l, struct error *error) {
	struct text text = {0};
	size_t in_batch = 0;
	for (size_t i = 0; i < l->sweep->search.trials; i++) {
		if (l->sweep->trials[i].state != TRIAL_OPEN)
			continue;
		l->batches += in_batch == 0;
		text_format(&text, "%zu%s", i + 1, in_batch + 1 == l->per_job ? "\n" : " ");
		in_batch = (in_batch + 1) % l->per_job;
	}
	if (in_batch)
		text_append(&text, "\n");
	bool good = file_write(l->list, text_string(&text), text.length, error);
	text_finish(&text);
	return good;
}

// The list has a name of its own: jobs of an earlier one may still read theirs.
bool launch_write(struct launch *l, struct error *error) {
	char *log = path_join(l->sweep->folder, "log");
	struct text name = {0};
	text_format(&name, "launch-%ld.txt", (long)getpid());
	l->list = path_join(l->sweep->folder, text_string(&name));
	l->script = path_join(l->sweep->folder, "launch.sh");
	bool good = folder_create(log, error) && write_script(l, error) && write_list(l, error);
	text_finish(&name);
	free(log);
	return good;
}

void launch_finish(struct launch *l) {
	free(l->list);
	free(l->script);
}

// --- jobs ---

bool launch_jobs(const struct sweep *sweep, struct text *ret) {
	char *path = path_join(sweep->folder, JOBS), *data = NULL;
	size_t size = 0;
	struct error error;
	bool good = file_exists(path) && file_read(path, JOBS_MOST, &data, &size, &error);
	for (size_t i = 0; good && i < size; i++) {
		if (data[i] == '\n')
			data[i] = ',';
	}
	while (good && size && data[size - 1] == ',')
		data[--size] = '\0';
	if (good)
		text_append(ret, data);
	free(data);
	free(path);
	return good && size;
}

bool launch_note_job(const struct launch *l, const char *job, struct error *error) {
	struct text text = {0};
	char *path = path_join(l->sweep->folder, JOBS);
	launch_jobs(l->sweep, &text);
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] == ',')
			text.data[i] = '\n';
	text_format(&text, "%s%s\n", text.length ? "\n" : "", job);
	bool good = file_write(path, text_string(&text), text.length, error);
	text_finish(&text);
	free(path);
	return good;
}

bool launch_forget_jobs(const struct sweep *sweep, struct error *error) {
	char *path = path_join(sweep->folder, JOBS);
	bool good = unlink(path) == 0 || errno == ENOENT;
	if (!good)
		error_set(error, ERROR_RUN, "cannot remove \"%s\": %s", path, strerror(errno));
	free(path);
	return good;
}
