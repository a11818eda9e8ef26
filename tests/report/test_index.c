// The index of a results folder: it gives what the folders give, whatever became of them or of itself meanwhile.
#include "fixture.h"

#include "base/file.h"
#include "report/query.h"
#include "report/runs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct place {
	char *results, *index;
	struct text metrics; // of the fixture
};

static void add(const struct place *place, const char *name, const char *id, const char *file, const char *data) {
	char *folder = run_folder_path(place->results, name, id), *path = path_join(folder, file);
	struct error error = {0};
	assert_true(folder_create(folder, &error));
	assert_true(file_write(path, data, strlen(data), &error));
	free(path);
	free(folder);
}

// Folder and files get an hour's age: what is fresh is not kept.
static void age(const struct place *place, const char *name, const char *id) {
	static const char *const files[] = {"experiment.cfg", "metrics.json", "sweep.json", "summary.json"};
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
	char *folder = run_folder_path(place->results, name, id);
	clock_gettime(CLOCK_REALTIME, &times[1]);
	times[1].tv_sec -= 3600;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *path = path_join(folder, files[i]);
		utimensat(AT_FDCWD, path, times, 0); // not all are there
		free(path);
	}
	assert_int_equal(utimensat(AT_FDCWD, folder, times, 0), 0);
	free(folder);
}

static void add_run(const struct place *place, const char *name, const char *id, const char *config) {
	add(place, name, id, "experiment.cfg", config);
	add(place, name, id, "metrics.json", text_string(&place->metrics));
	age(place, name, id);
}

static void place_init(struct place *place) {
	*place = (struct place){.results = fixture_folder()};
	place->index = path_join(place->results, ".index.sqlite");
	struct fixture *f = fixture_create(5, 1);
	report_metrics_json(&f->result, &place->metrics);
	fixture_destroy(f);
	add_run(place, "a", "111", "optimizer: { kind = \"sgd\"; rate = 0.5; }; metrics = [ \"mse\" ];");
	add_run(place, "a", "222", "graph: ( { name = \"taste\"; op = \"dense\"; units = 64; } );");
	add_run(place, "b", "333", "optimizer: { kind = \"adam\"; rate = 1e-08; };");
	add(place, "b", "444", "experiment.cfg", "");
	age(place, "b", "444");
	add(place, "b", "555", "experiment.cfg", "sweep: { kind = \"tpe\"; }; seed = 3;");
	add(place, "b", "555", "sweep.json",
	    "{\"schema\": \"aexp.sweep/1\", \"experiment\": \"b\", \"id\": \"555\", \"kind\": \"tpe\", \"early_stop\": "
	    "null, "
	    "\"protocol\": \"p\", \"objectives\": [{\"metric\": \"valid.rmse\", \"goal\": \"min\"}], \"axes\": [], "
	    "\"trials\": [{\"trial\": 1, \"objectives\": [0.9]}, {\"trial\": 2, \"objectives\": [0.8]}], \"best\": [2]}");
	age(place, "b", "555");
}

static void place_finish(struct place *place) {
	struct error error;
	assert_true(folder_remove(place->results, &error));
	text_finish(&place->metrics);
	free(place->index);
	free(place->results);
}

static void read_all(const struct place *place, struct runs *ret) {
	struct error error = {0};
	assert_true(runs_read(place->results, ret, &error));
}

static void assert_same_number(double a, double b) {
	assert_true(a == b || (isnan(a) && isnan(b)));
}

static void assert_same(const struct run_entry *a, const struct run_entry *b) {
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->folder, b->folder);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->finished, b->finished);
	assert_int_equal(a->runs, b->runs);
	assert_int_equal(a->trials, b->trials);
	assert_string_equal(a->backend, b->backend);
	assert_string_equal(a->seed, b->seed);
	assert_string_equal(a->protocol, b->protocol);
	assert_int_equal(a->epochs, b->epochs);
	assert_int_equal(a->best_epoch, b->best_epoch);
	assert_string_equal(a->best_metric, b->best_metric);
	assert_same_number(a->best_value, b->best_value);
	assert_same_number(a->ended, b->ended);
	assert_string_equal(a->config, b->config);
	assert_int_equal(a->final_count, b->final_count);
	for (size_t i = 0; i < a->final_count; i++) {
		assert_string_equal(a->final[i].name, b->final[i].name);
		assert_same_number(a->final[i].value, b->final[i].value);
		assert_same_number(a->final[i].low, b->final[i].low);
		assert_same_number(a->final[i].high, b->final[i].high);
	}
}

// What is read now is what the folders hold, read without an index.
static void assert_true_to_folders(const struct place *place, bool noted) {
	struct runs indexed, plain;
	read_all(place, &indexed);
	assert_int_equal(indexed.note.code != ERROR_NONE, noted);
	char *aside = path_join(place->results, ".aside");
	bool moved = rename(place->index, aside) == 0;
	read_all(place, &plain);
	assert_int_equal(indexed.count, plain.count);
	for (size_t i = 0; i < plain.count; i++)
		assert_same(&indexed.items[i], &plain.items[i]);
	if (moved)
		assert_int_equal(rename(aside, place->index), 0);
	free(aside);
	runs_finish(&indexed);
	runs_finish(&plain);
}

static int count_rows(const struct place *place) {
	sqlite3 *db;
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_open_v2(place->index, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM run", -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int rows = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return rows;
}

static void execute(const struct place *place, const char *sql) {
	sqlite3 *db;
	assert_int_equal(sqlite3_open(place->index, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_reads(void **state) {
	(void)state;
	struct place place;
	struct runs runs;
	place_init(&place);
	for (int time = 0; time < 2; time++) { // made, then used
		read_all(&place, &runs);
		assert_int_equal(runs.count, 5);
		assert_string_equal(runs.items[0].config,
		                    "metrics\t[ \"mse\" ]\noptimizer.kind\t\"sgd\"\noptimizer.rate\t0.5\n");
		assert_string_equal(runs.items[1].config,
		                    "graph.taste.name\t\"taste\"\ngraph.taste.op\t\"dense\"\ngraph.taste.units\t64\n");
		assert_int_equal(runs.items[1].final_count, 9);
		assert_false(runs.items[3].finished);
		assert_int_equal(runs.items[4].kind, RUN_SWEEP);
		assert_int_equal(runs.items[4].trials, 2);
		assert_string_equal(runs.items[4].best_metric, "valid.rmse");
		assert_true(runs.items[4].best_value == 0.8);
		assert_string_equal(runs.items[4].config, "seed\t3\nsweep.kind\t\"tpe\"\n");
		assert_true(runs.items[4].ended > 1e9);
		runs_finish(&runs);
		assert_int_equal(count_rows(&place), 5);
	}
	assert_true_to_folders(&place, false);
	place_finish(&place);
}

// The file of a row is not opened again: a change that keeps time, size and inode goes unseen. Nobody changes a run so;
// it shows that rows are used.
static void test_is_used(void **state) {
	(void)state;
	struct place place;
	struct runs runs;
	place_init(&place);
	read_all(&place, &runs);
	runs_finish(&runs);
	char *folder = run_folder_path(place.results, "a", "111"), *path = path_join(folder, "metrics.json");
	struct stat before;
	assert_int_equal(stat(path, &before), 0);
	int file = open(path, O_WRONLY);
	assert_int_equal(pwrite(file, "x", 1, 0), 1);
	close(file);
	struct timespec times[2] = {before.st_atim, before.st_mtim};
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	read_all(&place, &runs);
	assert_true(runs.items[0].finished);
	runs_finish(&runs);
	assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0); // now its time says so
	read_all(&place, &runs);
	assert_false(runs.items[0].finished);
	runs_finish(&runs);
	free(path);
	free(folder);
	place_finish(&place);
}

static void test_changes(void **state) {
	(void)state;
	struct place place;
	struct runs runs;
	struct error error;
	place_init(&place);
	read_all(&place, &runs);
	runs_finish(&runs);
	add_run(&place, "c", "666", "seed = 1;"); // appears
	assert_true_to_folders(&place, false);
	assert_int_equal(count_rows(&place), 6);
	add(&place, "a", "111", "experiment.cfg", "seed = 2;"); // changes, just now
	assert_true_to_folders(&place, false);
	add(&place, "b", "333", "metrics.json", "{}"); // no longer finished
	assert_true_to_folders(&place, false);
	age(&place, "b", "333"); // another time
	assert_true_to_folders(&place, false);
	add(&place, "b", "444", "metrics.json", text_string(&place.metrics)); // is finished
	age(&place, "b", "444");
	assert_true_to_folders(&place, false);
	char *folder = run_folder_path(place.results, "a", "222");
	assert_true(folder_remove(folder, &error)); // vanishes
	assert_true_to_folders(&place, false);
	assert_int_equal(count_rows(&place), 5);
	free(folder);
	place_finish(&place);
}

// What changed a moment ago could change again within the tick of a coarse clock.
static void test_fresh(void **state) {
	(void)state;
	struct place place;
	struct runs runs;
	place_init(&place);
	add(&place, "d", "777", "experiment.cfg", "seed = 1;");
	read_all(&place, &runs);
	assert_int_equal(runs.count, 6);
	runs_finish(&runs);
	assert_int_equal(count_rows(&place), 5);
	place_finish(&place);
}

static void test_damaged(void **state) {
	(void)state;
	struct place place;
	struct error error = {0};
	place_init(&place);
	assert_true_to_folders(&place, false);
	char *data;
	size_t size;
	assert_true(file_read(place.index, 1 << 30, &data, &size, &error));
	for (size_t cut = 0; cut < size; cut += size / 13 + 1) { // cut short
		assert_true(file_write(place.index, data, cut, &error));
		assert_true_to_folders(&place, false);
	}
	for (size_t i = 0; i < size; i += 37) { // one byte another, anywhere: no wrong figure, whatever SQLite makes of it
		char old = data[i];
		data[i] = (char)(old ^ 0x55);
		assert_true(file_write(place.index, data, size, &error));
		assert_true_to_folders(&place, false);
		data[i] = old;
	}
	assert_true(file_write(place.index, "no database at all", 18, &error));
	assert_true_to_folders(&place, false);
	assert_int_equal(count_rows(&place), 5);
	free(data);
	place_finish(&place);
}

static void test_altered(void **state) {
	(void)state;
	static const char *const changes[] = {"UPDATE run SET best_value = 0.001",
	                                      "UPDATE run SET figures = replace(figures, 'mse', 'rmse')",
	                                      "UPDATE run SET id = '000' WHERE id = '111'",
	                                      "UPDATE run SET hash = NULL",
	                                      "UPDATE run SET stamp = NULL",
	                                      "DROP TABLE run",
	                                      "ALTER TABLE run RENAME COLUMN kind TO x",
	                                      "PRAGMA user_version = 99",
	                                      "DELETE FROM run WHERE id > '1'",
	                                      "UPDATE run SET kind = 70000, finished = 7, epochs = -1",
	                                      "INSERT INTO run (name, id) VALUES ('', '')"};
	struct place place;
	place_init(&place);
	assert_true_to_folders(&place, false);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		execute(&place, changes[i]);
		assert_true_to_folders(&place, false);
		assert_int_equal(count_rows(&place), 5);
	}
	place_finish(&place);
}

// An index may come from anywhere: a table that is a program, and rows of a kind that there is not, whose hash is right
// for all that they say. Neither ends, nor ends the program, nor is believed.
static void test_hostile(void **state) {
	(void)state;
	static const char *const made[] = {
	    "ALTER TABLE run RENAME TO other; CREATE VIEW run AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 "
	    "FROM n) "
	    "SELECT 'a' || i AS name, '1' AS id, 0 AS stamp, 0 AS hash, 0 AS kind, 0 AS finished, 0 AS runs, 0 AS trials, "
	    "0 AS "
	    "backend, 0 AS seed, 0 AS protocol, 0 AS epochs, 0 AS best_epoch, 0 AS best_metric, 0 AS best_value, 0 AS "
	    "figures, 0 "
	    "AS config FROM n",
	    ("CREATE TRIGGER more AFTER DELETE ON run BEGIN INSERT INTO run (name, id) VALUES (old.name || 'x', old.id); "
	     "END"),
	    "UPDATE run SET kind = 1000000",
	    "DROP TABLE run; CREATE VIEW run AS SELECT 1 AS name, 2 AS id; PRAGMA user_version = 0",
	};
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		struct place place;
		struct runs runs;
		place_init(&place);
		read_all(&place, &runs);
		runs_finish(&runs);
		execute(&place, made[i]);
		assert_true_to_folders(&place, false);
		assert_int_equal(count_rows(&place), 5);
		place_finish(&place);
	}
}

static void test_cannot_be_written(void **state) {
	(void)state;
	struct place place;
	struct error error = {0};
	place_init(&place);
	assert_true(folder_create(place.index, &error)); // a folder of that name
	struct runs runs;
	read_all(&place, &runs);
	assert_int_equal(runs.count, 5);
	assert_true(runs.items[0].finished);
	assert_int_equal(runs.note.code, ERROR_RUN);
	assert_non_null(strstr(runs.note.message, "is not used"));
	runs_finish(&runs);
	place_finish(&place);
}

// The same from any number of threads.
static void test_threads(void **state) {
	(void)state;
	enum { RUNS = 300 };
	struct place place;
	place_init(&place);
	for (size_t i = 0; i < RUNS; i++) {
		char id[16], config[128];
		snprintf(id, sizeof(id), "%06zu", i);
		snprintf(config, sizeof(config), "seed = %zu; optimizer: { rate = %zu.5; };", i, i);
		add(&place, "many", id, "experiment.cfg", config);
		if (i % 3)
			add(&place, "many", id, "metrics.json", text_string(&place.metrics));
	}
	struct runs one, more;
	struct error error = {0};
	struct pool *pool = pool_create(4);
	read_all(&place, &one);
	assert_int_equal(unlink(place.index), 0);
	assert_true(runs_read_on(place.results, pool, &more, &error));
	assert_int_equal(one.count, RUNS + 5);
	assert_int_equal(more.count, one.count);
	for (size_t i = 0; i < one.count; i++)
		assert_same(&one.items[i], &more.items[i]);
	assert_string_equal(more.items[4 + RUNS].config, "optimizer.rate\t299.5\nseed\t299\n");
	runs_finish(&one);
	runs_finish(&more);
	pool_destroy(pool);
	place_finish(&place);
}

// Somebody else holds it: reading waits a moment, then goes to the folders.
static void test_locked(void **state) {
	(void)state;
	struct place place;
	struct runs runs;
	sqlite3 *db;
	place_init(&place);
	read_all(&place, &runs);
	runs_finish(&runs);
	assert_int_equal(sqlite3_open(place.index, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	read_all(&place, &runs);
	assert_int_equal(runs.count, 5);
	assert_true(runs.items[0].finished);
	assert_int_equal(runs.note.code, ERROR_RUN);
	runs_finish(&runs);
	sqlite3_close(db);
	assert_true_to_folders(&place, false);
	place_finish(&place);
}

// Processes that make, use and lose it at once all read what is there.
static void test_several_processes(void **state) {
	(void)state;
	enum { PROCESSES = 4, TIMES = 15 };
	struct place place;
	place_init(&place);
	pid_t children[PROCESSES];
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		for (int time = 0; children[i] == 0 && time < TIMES; time++) {
			struct runs runs;
			struct error error = {0};
			bool good = runs_read(place.results, &runs, &error) && runs.count == 5 && runs.items[2].finished &&
			            runs.items[2].final_count == 9 && runs.items[4].trials == 2;
			runs_finish(&runs);
			if (i == 0)
				unlink(place.index);
			if (!good || time == TIMES - 1)
				_exit(good ? 0 : 1);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_true_to_folders(&place, false);
	place_finish(&place);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads),
	    cmocka_unit_test(test_is_used),
	    cmocka_unit_test(test_changes),
	    cmocka_unit_test(test_fresh),
	    cmocka_unit_test(test_damaged),
	    cmocka_unit_test(test_altered),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_threads),
	    cmocka_unit_test(test_locked),
	    cmocka_unit_test(test_cannot_be_written),
	    cmocka_unit_test(test_several_processes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
