// The loss curve: loss.tsv, and loss.gp with the facts that plots/loss.gp asks for above it. Which curves, which axes
// and where the mark stands is decided here and in the template; gnuplot alone redraws.
#include "base/number.h"
#include "report/embedded.h"
#include "report/quote.h"
#include "report/report.h"

#include <math.h>
#include <string.h>

enum { POINTS_DRAWN = 20, TSV_FIRST_METRIC = 3, TITLE_MOST = 70 }; // columns of loss.tsv count from 1

// The finite values of one curve.
struct curve {
	size_t points;
	double low, high; // 0 without points
};

static void curve_add(struct curve *curve, double value) {
	if (!isfinite(value))
		return;
	curve->low = curve->points == 0 ? value : fmin(curve->low, value);
	curve->high = curve->points == 0 ? value : fmax(curve->high, value);
	curve->points++;
}

static struct curve train_curve(const struct run_result *result) {
	struct curve curve = {0};
	for (size_t i = 0; i < result->epochs_count; i++)
		curve_add(&curve, result->epochs[i].train_loss);
	return curve;
}

static struct curve valid_curve(const struct run_result *result, size_t use) {
	struct curve curve = {0};
	for (size_t i = 0; i < result->epochs_count; i++)
		if (result->epochs[i].valid.exists)
			curve_add(&curve, result->epochs[i].valid.metric[use]);
	return curve;
}

static bool any_valid(const struct run_result *result) {
	bool any = false;
	for (size_t i = 0; i < result->epochs_count; i++)
		any = any || result->epochs[i].valid.exists;
	return any;
}

static void append_cell(struct text *text, double value) {
	char number[NUMBER_TEXT];
	number_write(value, number);
	text_format(text, "\t%s", isfinite(value) ? number : "nan");
}

void report_loss_tsv(const struct run_result *result, struct text *text) {
	const struct experiment *experiment = result->experiment;
	size_t metrics = any_valid(result) ? experiment->uses_count : 0;
	text_append(text, "epoch\ttrain.loss");
	for (size_t i = 0; i < metrics; i++)
		text_format(text, "\tvalid.%s", experiment->uses[i].name);
	text_append(text, "\n");
	for (size_t i = 0; i < result->epochs_count; i++) {
		const struct epoch_result *epoch = &result->epochs[i];
		text_format(text, "%zu", epoch->epoch);
		append_cell(text, epoch->train_loss);
		for (size_t k = 0; k < metrics; k++)
			append_cell(text, epoch->valid.exists ? epoch->valid.metric[k] : (double)NAN);
		text_append(text, "\n");
	}
}

// The metric that is drawn: the one that chose the best epoch, else the first that has a value; uses_count if none.
static size_t drawn_use(const struct run_result *result) {
	const struct experiment *experiment = result->experiment;
	const char *best = result->best_metric ? result->best_metric : "";
	size_t first = experiment->uses_count;
	for (size_t i = experiment->uses_count; i-- > 0;) {
		if (valid_curve(result, i).points == 0)
			continue;
		first = i;
		if (strncmp(best, "valid.", 6) == 0 && strcmp(best + 6, experiment->uses[i].name) == 0)
			return i;
	}
	return first;
}

// Whether the loss is the metric's own quantity, so that the gap between the curves means something: masked_mse and
// mse.
static bool same_quantity(const struct loss_config *loss, const char *metric) {
	static const char masked[] = "masked_";
	const char *kind = loss->kind.row->name;
	return strcmp(loss->reduction.row->name, "mean") == 0 && loss->negatives == 0 &&
	       strncmp(kind, masked, sizeof(masked) - 1) == 0 && strcmp(kind + sizeof(masked) - 1, metric) == 0;
}

static void put_text(struct text *text, const char *name, const char *value) {
	text_format(text, "%s = ", name);
	quote_gnuplot(text, value);
	text_append(text, "\n");
}

static void put_curve(struct text *text, const char *name, struct curve curve) {
	char low[NUMBER_TEXT], high[NUMBER_TEXT];
	number_write(curve.low, low);
	number_write(curve.high, high);
	size_t every = (curve.points + POINTS_DRAWN - 1) / POINTS_DRAWN;
	text_format(text, "%s_points = %zu; %s_low = %s; %s_high = %s; %s_every = %zu\n", name, curve.points, name, low,
	            name, high, name, every > 0 ? every : 1);
}

static void put_best(const struct run_result *result, struct text *text) {
	struct text label = {0};
	if (result->best_epoch > 0)
		text_format(&label, "best epoch %zu", result->best_epoch);
	if (result->best_epoch > 0 && result->best_metric) {
		const char *dot = strchr(result->best_metric, '.');
		bool valid = strncmp(result->best_metric, "valid.", 6) == 0;
		text_format(&label, ": %s %s %.4g", valid ? "validation" : "train", dot ? dot + 1 : result->best_metric,
		            result->best_value);
	}
	text_format(text, "best_epoch = %zu\n", result->best_epoch);
	put_text(text, "best_label", text_string(&label));
	text_finish(&label);
}

static void put_labels(const struct run_result *result, const char *metric, bool shared, struct text *text) {
	struct text left = {0}, name = {0};
	const struct loss_config *loss = result->experiment->loss; // NULL: a model that has none
	text_format(&left, shared ? "loss / %s" : "loss (%s)", shared ? metric : loss ? loss->kind.row->name : "none");
	text_format(&name, "validation %s", metric);
	put_text(text, "left_label", text_string(&left));
	put_text(text, "valid_name", text_string(&name));
	text_finish(&left);
	text_finish(&name);
}

// A title that fits above the picture; cut between characters of UTF-8.
static void put_title(const char *name, struct text *text) {
	size_t length = strlen(name);
	struct text title = {0};
	if (length > TITLE_MOST) {
		for (length = TITLE_MOST; length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80;)
			length--;
		text_append_bytes(&title, name, length);
		text_append(&title, "...");
	} else
		text_append(&title, name);
	put_text(text, "title", text_string(&title));
	text_finish(&title);
}

void report_loss_gp(const struct run_result *result, struct text *text) {
	const struct experiment *experiment = result->experiment;
	size_t use = drawn_use(result);
	bool drawn = use < experiment->uses_count;
	const char *metric = drawn ? experiment->uses[use].name : "";
	bool shared = drawn && experiment->loss && same_quantity(experiment->loss, metric);
	text_append(text, "# `gnuplot loss.gp` here draws loss.svg and loss.png from loss.tsv.\n\n");
	put_title(experiment->name, text);
	text_format(text, "epochs = %zu\n", result->epochs_count > 0 ? result->epochs[result->epochs_count - 1].epoch : 0);
	put_curve(text, "train", train_curve(result));
	put_curve(text, "valid", drawn ? valid_curve(result, use) : (struct curve){0});
	text_format(text, "valid_column = %zu; shared = %d\n", drawn ? use + TSV_FIRST_METRIC : 0, shared);
	put_labels(result, metric, shared, text);
	put_best(result, text);
	text_format(text, "\n%s\n%s", (const char *)embedded_style_gp, (const char *)embedded_loss_gp);
}
