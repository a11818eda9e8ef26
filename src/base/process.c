// See process.h.
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_MOST = 65536 }; // of what a program says on standard error; what it said before is dropped

static size_t count_words(const char *const *words) {
	size_t count = 0;
	while (words && words[count])
		count++;
	return count;
}

static bool is_set(const char *const *set, const char *variable) {
	size_t length = strcspn(variable, "=") + 1;
	for (size_t i = 0; set && set[i]; i++)
		if (strncmp(set[i], variable, length) == 0)
			return true;
	return false;
}

// This process's environment with some variables set. The words are not copied.
static char **make_environment(const char *const *set) {
	size_t count = count_words((const char *const *)environ), more = count_words(set), used = 0;
	char **ret = memory_alloc((count + more + 1) * sizeof(*ret));
	for (size_t i = 0; i < count; i++)
		if (!is_set(set, environ[i]))
			ret[used++] = environ[i];
	for (size_t i = 0; i < more; i++)
		ret[used++] = (char *)(uintptr_t)set[i];
	return ret;
}

// posix_spawn wants words that it might write to, and does not.
static int spawn(const struct command *command, int out, int err, pid_t *ret_pid) {
	char *const *argv = (char *const *)(uintptr_t)command->argv;
	char **environment = make_environment(command->set);
	posix_spawn_file_actions_t actions;
	int status = posix_spawn_file_actions_init(&actions);
	if (status == 0) {
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
		posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
		if (command->folder)
			posix_spawn_file_actions_addchdir_np(&actions, command->folder);
		status = posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environment);
		posix_spawn_file_actions_destroy(&actions);
	}
	free(environment);
	return status;
}

static void close_end(int *end) {
	if (*end >= 0)
		close(*end);
	*end = -1;
}

bool process_start(const struct command *command, struct process *ret, bool *ret_missing, struct error *error) {
	int out[2] = {-1, -1}, err[2] = {-1, -1};
	*ret = (struct process){.out = -1, .err = -1};
	int status = pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ? errno : 0;
	if (status == 0)
		status = spawn(command, out[1], err[1], &ret->pid);
	close_end(&out[1]);
	close_end(&err[1]);
	if (ret_missing)
		*ret_missing = status == ENOENT;
	if (status != 0) {
		close_end(&out[0]);
		close_end(&err[0]);
		return error_set(error, ERROR_RUN, "%s cannot be started: %s", command->argv[0], strerror(status));
	}
	ret->out = out[0];
	ret->err = err[0];
	fcntl(ret->out, F_SETFL, O_NONBLOCK);
	fcntl(ret->err, F_SETFL, O_NONBLOCK);
	return true;
}

bool process_read(int *end, struct text *text) {
	char buffer[4096];
	while (*end >= 0) {
		ssize_t size = read(*end, buffer, sizeof(buffer));
		if (size > 0)
			text_append_bytes(text, buffer, (size_t)size);
		else if (size < 0 && errno == EAGAIN)
			return true;
		else if (size == 0 || errno != EINTR)
			close_end(end);
	}
	return false;
}

int process_wait(struct process *process) {
	int status = 0;
	close_end(&process->out);
	close_end(&process->err);
	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) {
	}
	return status;
}

void process_explain(int status, struct text *text) {
	if (WIFSIGNALED(status))
		text_format(text, "killed by signal %d (%s)", WTERMSIG(status),
		            WTERMSIG(status) == SIGKILL ? "out of memory, or by someone" : strsignal(WTERMSIG(status)));
	else
		text_format(text, "exit code %d", WEXITSTATUS(status));
}

// The last line that says something; text is changed.
static const char *last_line(struct text *text) {
	while (text->length > 0 && strchr(" \t\r\n", text->data[text->length - 1]))
		text->data[--text->length] = '\0';
	const char *line = text->length > 0 ? strrchr(text->data, '\n') : NULL;
	line = line ? line + 1 : text_string(text);
	return line + strspn(line, " \t");
}

static void keep_end(struct text *text, size_t most) {
	if (text->length <= most)
		return;
	memmove(text->data, text->data + text->length - most, most + 1); // with the terminator
	text->length = most;
}

// What a program that is not there ends with where posix_spawn cannot say so, which POSIX leaves open: under valgrind, and
// where its processes share no memory with their parent until they begin.
enum { NOT_STARTED = 127 };

bool process_run(const struct command *command, struct text *output, bool *ret_missing, struct error *error) {
	struct process process;
	struct text said = {0}, unread = {0}, why = {0};
	if (!process_start(command, &process, ret_missing, error))
		return false;
	while (process.out >= 0 || process.err >= 0) {
		struct pollfd ends[2] = {{.fd = process.out, .events = POLLIN}, {.fd = process.err, .events = POLLIN}};
		poll(ends, 2, -1);
		process_read(&process.out, output ? output : &unread);
		process_read(&process.err, &said);
		keep_end(&said, SAID_MOST);
		keep_end(&unread, 0);
	}
	int status = process_wait(&process);
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED && !said.length) {
		if (ret_missing)
			*ret_missing = true;
		error_set(error, ERROR_RUN, "%s cannot be started", command->argv[0]);
	} else if (!good) {
		const char *line = last_line(&said);
		process_explain(status, &why);
		error_set(error, ERROR_RUN, "%s failed (%s)%s%s", command->argv[0], text_string(&why), *line ? ": " : "", line);
	}
	text_finish(&said);
	text_finish(&unread);
	text_finish(&why);
	return good;
}

bool process_follow_parent(void) {
	pid_t parent = getppid();
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && parent != 1;
}

bool process_path(char **ret_path, struct error *error) {
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (length < 0)
		return error_set(error, ERROR_RUN, "where this program lies cannot be found: %s", strerror(errno));
	path[length] = '\0';
	*ret_path = memory_copy_string(path);
	return true;
}
