// Checkpoints: a good one with changes, and the hash that belongs to them, so that the reader gets beyond it. Training
// goes on from what it takes, or begins anew, and ends well or with an error. The first byte of an input chooses the
// training.
#include "fuzz.h"

#include "base/file.h"
#include "base/hash.h"
#include "train/train.h"

#include <dirent.h>
#include <stdio.h>

#define HEAD                                                                                                           \
	"name = \"kept\"; seed = 5; metrics = [ \"mse\", \"ndcg@2\" ]; backend = \"reference\";\n"                         \
	"data: { source: { format = \"synthetic\"; users = 12; items = 5; ratings = 40; };\n"                              \
	"  split: { kind = \"ratio\"; valid = 0.2; }; };\n"                                                                \
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 3; activation = \"tanh\"; path = "          \
	"\"sparse\"; l2 = 0.001; }, { name = \"out\"; op = \"dense\"; units = \"items\"; path = \"sparse\"; } );\n"        \
	"train: { epochs = 3; batch = 1; checkpoint: { share = 1.0; minutes = 1e-9; }; "
static const char *const texts[] = {
    HEAD "}; optimizer: { kind = \"sgd\"; rate = 0.1; };",
    HEAD "early_stop: { metric = \"valid.mse\"; patience = 2; }; alternate: ( { nodes = [ \"h\" ]; }, { nodes = [ "
         "\"out\" ]; "
         "} ); };\noptimizer: { kind = \"adam\"; rate = 0.5; schedule: { kind = \"plateau\"; patience = 1; factor = "
         "0.5; }; };",
    HEAD "on_divergence = \"halve_rate\"; }; optimizer: { kind = \"sgd\"; rate = 20.0; };",
};
enum { KINDS = sizeof texts / sizeof texts[0], DIGITS = HASH_HEX - 1, LEFT = 2 }; // groups of batches

struct world {
	struct experiment experiment;
	struct dataset dataset;
	struct matrices matrices;
	char *good; // (size) a checkpoint, less its hash
	size_t size;
};

static bool interrupted(void *context) {
	size_t *left = context;
	return *left > 0 && --*left == 0;
}

// left: batches until it is interrupted; 0: never.
static bool run(struct world *w, size_t left) {
	struct graph graph = {0};
	struct errors errors = {0};
	struct error error = {0};
	struct run_result result = {0};
	char *backend = NULL;
	const struct train_keep keep = {fuzz_path("kept"), "this", "0123456789ab", NULL, NULL};
	const struct train_observer observer = {.context = &left, .interrupted = interrupted, .keep = &keep};
	fuzz_require(train_plan(&w->experiment, &w->matrices, &graph, &errors));
	bool good = train_run(&w->experiment, &w->matrices, &graph, NULL, &observer, &result, &backend, &error);
	fuzz_require(good || error.message[0] != '\0');
	free(backend);
	train_result_finish(&result);
	graph_finish(&graph);
	errors_finish(&errors);
	return good;
}

static int newest_first(const struct dirent **a, const struct dirent **b) {
	return strcmp((*b)->d_name, (*a)->d_name);
}

static void take_newest(struct world *w) {
	struct dirent **entries;
	struct error error;
	int count = scandir(fuzz_path("kept"), &entries, NULL, newest_first);
	fuzz_require(count > 2);
	char *path = path_join(fuzz_path("kept"), entries[0]->d_name);
	fuzz_require(file_read(path, SIZE_MAX, &w->good, &w->size, &error) && w->size > DIGITS);
	w->size -= DIGITS;
	free(path);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

static void make(struct world *w, const char *text) {
	struct errors errors = {0};
	struct error error = {0};
	fuzz_write("kept.cfg", text, strlen(text));
	fuzz_require(experiment_read(fuzz_path("kept.cfg"), NULL, 0, &w->experiment, &errors));
	fuzz_require(data_load(w->experiment.data, 5, &w->dataset, &error));
	fuzz_require(matrices_create(w->experiment.data, &w->dataset, 5, &w->matrices, &error));
	folder_remove(fuzz_path("kept"), &error);
	fuzz_require(!run(w, LEFT));
	take_newest(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct world worlds[KINDS];
	static const char *folder, *path;
	struct text file = {0};
	struct error error = {0};
	struct hash hash;
	char hex[HASH_HEX];
	if (size == 0)
		return 0;
	if (folder == NULL) {
		folder = fuzz_path("kept");
		path = fuzz_path("kept/00000001.ckpt");
	}
	struct world *w = &worlds[data[0] % KINDS];
	if (w->good == NULL)
		make(w, texts[data[0] % KINDS]);
	fuzz_change(w->good, w->size, data + 1, size - 1, &file);
	hash_init(&hash);
	hash_bytes(&hash, text_string(&file), file.length);
	hash_finish(&hash, hex);
	text_append_bytes(&file, hex, DIGITS);
	fuzz_require(folder_remove(folder, &error) && folder_create(folder, &error));
	fuzz_write("kept/00000001.ckpt", file.data, file.length);
	fuzz_require(file_exists(path));
	run(w, 0);
	text_finish(&file);
	return 0;
}
