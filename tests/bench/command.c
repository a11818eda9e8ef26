// Runs other programs: no shell, their output in memory, their messages in the log.
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void bench_say(const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void command_add(struct bench *bench, struct command *command, const char *format, ...) {
	char word[4096];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(word, sizeof(word), format, arguments);
	va_end(arguments);
	if (command->count < COMMAND_WORDS)
		command->words[command->count++] = arena_string(&bench->arena, word);
}

static void remember(struct bench *bench, const struct command *command) {
	for (size_t i = 0; i < command->count; i++)
		text_format(&bench->commands, "%s%s", i ? " " : "", command->words[i]);
	text_append(&bench->commands, "\n");
}

static int start(const struct bench *bench, const struct command *command, int output, pid_t *ret_child) {
	posix_spawn_file_actions_t actions;
	int status = posix_spawn_file_actions_init(&actions);
	if (status != 0)
		return status;
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, bench->log, O_WRONLY | O_CREAT | O_APPEND, 0666);
	status = posix_spawnp(ret_child, command->words[0], &actions, NULL, command->words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return status;
}

static void read_all(int from, struct text *text) {
	char buffer[4096];
	for (;;) {
		ssize_t size = read(from, buffer, sizeof(buffer));
		if (size == 0 || (size < 0 && errno != EINTR))
			return;
		if (size > 0)
			text_append_bytes(text, buffer, (size_t)size);
	}
}

bool command_run(struct bench *bench, const struct command *command, struct text *ret_output) {
	int ends[2], status = 0;
	pid_t child = 0;
	remember(bench, command);
	if (pipe2(ends, O_CLOEXEC) != 0) {
		bench_say("%s cannot be started: %s", command->words[0], strerror(errno));
		return false;
	}
	int reason = start(bench, command, ends[1], &child);
	close(ends[1]);
	if (reason == 0)
		read_all(ends[0], ret_output);
	close(ends[0]);
	if (reason != 0) {
		bench_say("%s cannot be started: %s", command->words[0], strerror(reason));
		return false;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	bench_say("%s %s failed (%s %d), see %s", command->words[0], command->count > 1 ? command->words[1] : "",
	          WIFSIGNALED(status) ? "signal" : "exit code",
	          WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), bench->log);
	return false;
}
