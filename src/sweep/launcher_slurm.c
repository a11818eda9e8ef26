// Launcher slurm: job arrays by sbatch, a task for each batch of trials. Partition, account, time and memory are said
// by sbatch's own variables (SBATCH_PARTITION, SBATCH_ACCOUNT, SBATCH_TIMELIMIT, SBATCH_MEM_PER_NODE). Whether jobs are
// left is asked of squeue: sacct is not everywhere.
#include "sweep/launch.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { ARRAY_MOST = 1000 }; // tasks of one array: Slurm's default MaxArraySize is 1001

static bool not_here(const char *program, struct error *error) {
	error_set(error, ERROR_BACKEND, "%s is not on this machine", program);
	error_hint(error, "Submit from a machine of the cluster, or run the trials here with -j.");
	return false;
}

// sbatch --parsable says "JOB" or "JOB;CLUSTER".
static bool submit_array(struct launch *l, size_t first, size_t count, struct error *error) {
	struct text array = {0}, name = {0}, log = {0}, cores = {0}, said = {0}, begin = {0};
	bool missing = false;
	text_format(&array, "--array=0-%zu", count - 1);
	text_format(&begin, "%zu", first);
	if (l->beside)
		text_format(&array, "%%%zu", l->beside);
	text_format(&name, "--job-name=aexp-%s", l->sweep->experiment.name);
	text_format(&log, "--output=%s/log/slurm-%%A_%%a.txt", l->sweep->folder);
	text_format(&cores, "--cpus-per-task=%zu", l->threads);
	const char *const argv[] = {"sbatch",
	                            "--parsable",
	                            text_string(&array),
	                            text_string(&name),
	                            text_string(&log),
	                            text_string(&cores),
	                            l->script,
	                            l->list,
	                            text_string(&begin),
	                            NULL};
	bool good = process_run(&(struct command){.argv = argv}, &said, &missing, error);
	if (missing)
		not_here("sbatch", error);
	if (good) {
		said.data[strcspn(said.data, ";\n")] = '\0';
		good = launch_note_job(l, said.data, error);
	}
	text_finish(&array);
	text_finish(&name);
	text_finish(&log);
	text_finish(&cores);
	text_finish(&said);
	text_finish(&begin);
	return good;
}

// An index may not be above Slurm's limit either: each array counts from 0, and is told where its lines begin.
static bool submit(struct launch *l, bool (*interrupted)(void), struct error *error) {
	for (size_t first = 0; first < l->batches; first += ARRAY_MOST) {
		size_t left = l->batches - first;
		if (interrupted())
			return error_set(error, ERROR_INTERRUPTED, "interrupted while jobs were submitted");
		if (!submit_array(l, first, left < ARRAY_MOST ? left : ARRAY_MOST, error))
			return false;
	}
	return true;
}

// squeue fails for a job that is long gone: then nothing of it is left. Without squeue it cannot be told.
static bool alive(const struct launch *l, bool *ret_known) {
	struct text jobs = {0}, said = {0};
	struct error error;
	bool missing = false, left = false;
	*ret_known = true;
	if (launch_jobs(l->sweep, &jobs)) {
		const char *const argv[] = {"squeue", "--noheader", "--format=%i", "--jobs", text_string(&jobs), NULL};
		bool good = process_run(&(struct command){.argv = argv}, &said, &missing, &error);
		left = good && said.length > 0;
		*ret_known = good || (!missing && strstr(error.message, "Invalid job id"));
	}
	text_finish(&jobs);
	text_finish(&said);
	return left;
}

const struct launcher launcher_slurm = {
    .row = {.name = "slurm", .doc = "Job arrays by sbatch, a task for each batch of trials"},
    .submit = submit,
    .alive = alive,
};
