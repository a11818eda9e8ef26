// Calls gnuplot and graphviz in a folder: no shell, nothing of theirs on our terminal, their complaint in our error.
#include "base/file.h"
#include "report/metadata.h"
#include "report/pieces.h"
#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMPLAINT_MOST = 65536 }; // of what a program says last; what it said before is dropped

// The environment with a clock that stands still, for what would otherwise write the time into a picture (cairo, and
// whoever follows reproducible-builds.org).
struct environment {
	char **names; // (count + 1), the last one NULL
};

static void environment_make(struct environment *ret) {
	static char still[] = "SOURCE_DATE_EPOCH=0", zone[] = "TZ=UTC0";
	size_t count = 0, kept = 0;
	while (environ[count])
		count++;
	ret->names = memory_alloc((count + 3) * sizeof(*ret->names));
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], "SOURCE_DATE_EPOCH=", 18) != 0 && strncmp(environ[i], "TZ=", 3) != 0)
			ret->names[kept++] = environ[i];
	ret->names[kept++] = still;
	ret->names[kept++] = zone;
}

static int start(const char *const argv[], const char *folder, int complaint, pid_t *ret_child) {
	char *arguments[12] = {NULL};
	struct environment environment;
	environment_make(&environment);
	for (size_t i = 0; argv[i] && i < 11; i++)
		arguments[i] = memory_copy_string(argv[i]);
	posix_spawn_file_actions_t actions;
	int status = posix_spawn_file_actions_init(&actions);
	if (status == 0) {
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
		posix_spawn_file_actions_adddup2(&actions, complaint, STDERR_FILENO);
		posix_spawn_file_actions_addchdir_np(&actions, folder);
		status = posix_spawnp(ret_child, arguments[0], &actions, NULL, arguments, environment.names);
		posix_spawn_file_actions_destroy(&actions);
	}
	for (size_t i = 0; arguments[i]; i++)
		free(arguments[i]);
	free(environment.names);
	return status;
}

static void keep_end(struct text *text, size_t length) {
	memmove(text->data, text->data + text->length - length, length + 1); // with the terminator
	text->length = length;
}

static void read_complaint(int from, struct text *text) {
	char buffer[4096];
	for (;;) {
		ssize_t size = read(from, buffer, sizeof(buffer));
		if (size == 0 || (size < 0 && errno != EINTR))
			return;
		if (size > 0)
			text_append_bytes(text, buffer, (size_t)size);
		if (text->length > COMPLAINT_MOST)
			keep_end(text, COMPLAINT_MOST / 2);
	}
}

// The last line that says something; text is changed.
static const char *last_line(struct text *text) {
	while (text->length > 0 && strchr(" \t\r\n", text->data[text->length - 1]))
		text->data[--text->length] = '\0';
	const char *line = text->length > 0 ? strrchr(text->data, '\n') : NULL;
	line = line ? line + 1 : text_string(text);
	return line + strspn(line, " \t");
}

static bool judge(const char *program, int status, struct text *complaint, struct error *error) {
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	const char *line = last_line(complaint);
	bool signalled = WIFSIGNALED(status);
	return error_set(error, ERROR_RUN, "%s failed (%s %d)%s%s", program, signalled ? "signal" : "exit code",
	                 signalled ? WTERMSIG(status) : WEXITSTATUS(status), *line ? ": " : "", line);
}

bool program_run(const char *const argv[], const char *folder, bool *ret_missing, struct error *error) {
	int ends[2];
	*ret_missing = false;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set(error, ERROR_RUN, "%s cannot be started: %s", argv[0], strerror(errno));
	pid_t child = 0;
	int reason = start(argv, folder, ends[1], &child);
	close(ends[1]);
	if (reason != 0) {
		close(ends[0]);
		*ret_missing = reason == ENOENT;
		return error_set(error, ERROR_RUN, "%s cannot be started: %s", argv[0], strerror(reason));
	}
	struct text complaint = {0};
	read_complaint(ends[0], &complaint);
	close(ends[0]);
	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	bool ok = judge(argv[0], status, &complaint, error);
	text_finish(&complaint);
	return ok;
}

// One picture program: what it is called for, and what to say without it.
struct drawing {
	const char *argv[6];
	const char *missing; // "gnuplot is not installed"
	const char *undrawn; // "loss.svg and loss.png were not drawn (...)"
	const char *pictures[2];
};

// What stands in the pictures of a run: whose they are.
static bool describe(const struct drawing *drawing, const char *folder, const struct run_result *result,
                     struct error *error) {
	struct text text = {0}, ascii = {0};
	struct json json = {.text = &text, .compact = true};
	bool good = true;
	json_object(&json, NULL, JSON_INLINE);
	json_string(&json, "experiment", result->experiment->name);
	json_string(&json, "id", result->id);
	json_end(&json);
	metadata_ascii(text_string(&text), &ascii);
	for (size_t i = 0; good && i < 2 && drawing->pictures[i]; i++) {
		char *path = path_join(folder, drawing->pictures[i]);
		good = picture_describe(path, text_string(&ascii), error);
		free(path);
	}
	text_finish(&text);
	text_finish(&ascii);
	return good;
}

// -d: the person's own start-up files would change the picture.
static const struct drawing loss_drawing = {{"gnuplot", "-d", "loss.gp"},
                                            "gnuplot is not installed",
                                            "loss.svg and loss.png were not drawn (the data and the script are there)",
                                            {"loss.svg", "loss.png"}};
static const struct drawing graph_drawing = {{"dot", "-Tsvg", "-o", "graph.svg", "graph.dot"},
                                             "graphviz is not installed",
                                             "graph.svg was not drawn (its source graph.dot is there)",
                                             {"graph.svg"}};

static bool draw(const struct drawing *drawing, const char *folder, const struct run_result *result,
                 struct error *error) {
	bool missing;
	struct error why = {0};
	if (program_run(drawing->argv, folder, &missing, &why) && describe(drawing, folder, result, &why))
		return true;
	for (size_t i = 0; i < 2 && drawing->pictures[i]; i++) {
		char *path = path_join(folder, drawing->pictures[i]);
		unlink(path);
		free(path);
	}
	return error_set(error, ERROR_RUN, "%s: %s", missing ? drawing->missing : why.message, drawing->undrawn);
}

bool draw_loss(const char *folder, const struct run_result *result, struct error *error) {
	return draw(&loss_drawing, folder, result, error);
}

bool draw_graph(const char *folder, const struct run_result *result, struct error *error) {
	return draw(&graph_drawing, folder, result, error);
}
