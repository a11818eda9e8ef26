// Figures without a file: what a sweep and a summary of repeats are drawn as into their own folder. No version stands
// in them: as a run's pictures they are the same bytes whoever draws them again.
#include "report/figure_kind.h"

#include <string.h>

enum { KEYS_MOST = 15 };

// As wide as a page's text; only what a browser shows.
static void begin(const struct figure_kind *kind, const char *name, const void *params, struct figure *ret) {
	static const char *formats[] = {"svg"};
	*ret = (struct figure){.name = name,
	                       .font = "Helvetica",
	                       .width = 16,
	                       .height = 10,
	                       .letter = 9,
	                       .formats = {.items = formats, .count = 1, .set = true},
	                       .kind = {.row = &kind->row}};
	memcpy(&ret->kind.params, &params, sizeof(params)); // kinds only read them
}

static bool draw(const struct figure *figure, const char *folder, bool sweep,
                 void (*note)(void *context, const char *line), void *context, bool *ret_drawn, struct error *error) {
	char *folders[] = {NULL};
	memcpy(folders, &folder, sizeof(folder));
	struct figure_folders of = {.runs = sweep ? NULL : folders, .sweeps = sweep ? folders : NULL};
	struct figure_output output = {.folder = folder, .note = note, .context = context};
	bool good = figure_draw(figure, &of, &output, error);
	*ret_drawn = *ret_drawn && output.drawn;
	return good;
}

bool figure_draw_summary(const char *folder, void (*note)(void *context, const char *line), void *context,
                         bool *ret_drawn, struct error *error) {
	static const char *metric[] = {"train.loss"};
	struct curves_config config = {.metrics = {.items = metric, .count = 1, .set = true},
	                               .band.row = registry_find(&figure_band_registry, "t95")};
	struct figure_run run = {.folder = folder};
	void *runs[] = {&run};
	struct figure figure;
	*ret_drawn = true;
	begin(&figure_curves, "curves", &config, &figure);
	figure.runs = (struct groups){.items = runs, .count = 1, .set = true};
	return draw(&figure, folder, false, note, context, ret_drawn, error);
}

// What a sweep of this shape can be drawn as.
static bool draw_kinds(struct figure *figure, const struct trials *sweep, const char *folder,
                       void (*note)(void *context, const char *line), void *context, bool *ret_drawn,
                       struct error *error) {
	struct search_config search = {.band.row = registry_find(&figure_band_registry, "none"),
	                               .over.row = registry_find(figure_search.row.params.keys[1].registry, "trials")};
	struct parallel_config parallel = {0};
	struct pareto_config pareto = {0};
	struct heatmap_config heatmap = {.numbers = true,
	                                 .of.row = registry_find(figure_heatmap.row.params.keys[3].registry, "best")};
	if (sweep->axes_count == 2)
		heatmap.x = sweep->axes[0].key, heatmap.y = sweep->axes[1].key;
	const struct {
		const struct figure_kind *kind;
		const void *params;
		bool fits;
	} kinds[] = {
	    {&figure_search, &search, true},
	    {&figure_parallel, &parallel, sweep->axes_count >= 2 && sweep->axes_count <= KEYS_MOST},
	    {&figure_heatmap, &heatmap, sweep->axes_count == 2},
	    {&figure_pareto, &pareto, sweep->objectives_count >= 2},
	};
	struct groups sweeps = figure->sweeps;
	bool good = true;
	for (size_t i = 0; good && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		begin(kinds[i].kind, kinds[i].kind->row.name, kinds[i].params, figure);
		figure->sweeps = sweeps;
		good = !kinds[i].fits || draw(figure, folder, true, note, context, ret_drawn, error);
	}
	return good;
}

bool figure_draw_sweep(const char *folder, void (*note)(void *context, const char *line), void *context,
                       bool *ret_drawn, struct error *error) {
	struct trials sweep;
	struct figure_sweep asked = {.folder = folder};
	void *sweeps[] = {&asked};
	struct figure figure = {.sweeps = {.items = sweeps, .count = 1, .set = true}};
	*ret_drawn = true;
	bool good =
	    trials_read(folder, &sweep, error) && draw_kinds(&figure, &sweep, folder, note, context, ret_drawn, error);
	trials_finish(&sweep);
	return good;
}
