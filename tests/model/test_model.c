// Every model against its formula written out in plain double precision, on small random ratings: what is stored of it,
// and the scores of rows whose input is not what was fitted. Any number of threads gives the same bytes.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/read.h"
#include "model/model.h"

enum { USERS = 40, ITEMS = 15, FACTORS = 4, NEIGHBOURS = 5 };

struct root {
	struct model_config *model;
};
static const struct key root_keys[] = {
    {.name = "model", .type = KEY_GROUP, .flags = KEY_REQUIRED, .schema = &model_schema, .doc = "as in an experiment"},
};
static const struct schema root_schema = SCHEMA(struct root, root_keys);

// Ratings as a full table, 0 where there is none (no rating is 0), the last quarter of the users without any in train.
struct world {
	double train[USERS][ITEMS], input[USERS][ITEMS];
	struct matrices matrices;
	struct csr asked; // (USERS, ITEMS) input
	struct arena arena;
	struct errors errors;
};

static uint32_t next(uint32_t *state) {
	*state = *state * UINT32_C(1664525) + UINT32_C(1013904223); // Knuth's and Lewis' generator
	return *state >> 16;
}

static struct csr build(double table[USERS][ITEMS]) {
	struct csr csr;
	struct error error;
	uint32_t row[USERS * ITEMS], column[USERS * ITEMS];
	float value[USERS * ITEMS];
	size_t count = 0;
	for (uint32_t u = 0; u < USERS; u++)
		for (uint32_t i = 0; i < ITEMS; i++) {
			if (table[u][i] == 0)
				continue;
			row[count] = u;
			column[count] = i;
			value[count++] = (float)table[u][i];
		}
	assert_true(csr_build(USERS, ITEMS, count, row, column, value, NULL, &csr, &error));
	return csr;
}

static void set_up(struct world *w) {
	uint32_t state = 11;
	*w = (struct world){.matrices = {.users = USERS, .items = ITEMS}};
	for (size_t u = 0; u < USERS; u++)
		for (size_t i = 0; i + 1 < ITEMS; i++) { // nobody has the last item
			double value = next(&state) % 100 < 40 ? 1 + next(&state) % 5 : 0;
			w->input[u][i] = value;
			w->train[u][i] = u < USERS * 3 / 4 ? value : 0;
		}
	memset(w->input[5], 0, sizeof(w->input[5]));
	w->matrices.train = build(w->train);
	w->asked = build(w->input);
}

static void tear_down(struct world *w) {
	csr_finish(&w->matrices.train);
	csr_finish(&w->asked);
	arena_finish(&w->arena);
	errors_finish(&w->errors);
}

static const struct model_config *read_config(struct world *w, const char *text) {
	char path[] = "/tmp/aexp-model-XXXXXX";
	int descriptor = mkstemp(path);
	FILE *file = fdopen(descriptor, "w");
	struct root root = {0};
	assert_non_null(file);
	fprintf(file, "model: { %s };\n", text);
	fclose(file);
	const struct value *tree = config_load(path, NULL, 0, &root_schema, &w->arena, &w->errors);
	remove(path);
	assert_non_null(tree);
	assert_true(schema_read(&root_schema, tree, "", &w->arena, &root, &w->errors));
	return root.model;
}

// Scores of all rows, in two batches; and the fit, which the caller destroys.
static void fit_and_score(struct world *w, const struct model_config *config, const struct backend *backend,
                          size_t threads, struct fitted *ret, float ret_scores[USERS][ITEMS]) {
	const struct model *model = model_of(config);
	struct error error = {0};
	struct pool *pool = pool_create(threads);
	struct device *device;
	struct model_scorer *scorer;
	struct batch batch;
	struct batch_source source = {.ratings = &w->asked, .target = &w->asked};
	uint32_t row[USERS];
	for (uint32_t u = 0; u < USERS; u++)
		row[u] = u;
	assert_true(backend->open(backend, pool, NULL, &device, &error));
	if (!model->fit(config->kind.params, &w->matrices, pool, ret, &error))
		fail_msg("%s", error.message);
	assert_true(batch_create(&source, 1, USERS - 3, &batch, &error));
	assert_true(model_scorer_create(ret, backend, device, pool, USERS - 3, &scorer, &error));
	for (size_t first = 0, count; first < USERS; first += count) {
		count = first ? USERS - first : USERS - 3;
		batch_gather(&batch, &source, row + first, count);
		struct matrix scores = model_score(scorer, &batch);
		assert_int_equal(scores.rows, count);
		for (size_t u = 0; u < count; u++)
			for (size_t i = 0; i < ITEMS; i++)
				ret_scores[first + u][i] = (float)scores.data[u * scores.stride + i];
	}
	model_scorer_destroy(scorer);
	batch_destroy(&batch);
	backend->close(device);
	pool_destroy(pool);
}

// Holds a model's scores against `expected`, and all threads' bytes against each other.
static void check(struct world *w, const char *text, double expected[USERS][ITEMS], double tolerance) {
	static const struct backend *const backends[] = {&backend_reference, &backend_openblas};
	const struct model_config *config = read_config(w, text);
	for (size_t b = 0; b < 2; b++) {
		float first[USERS][ITEMS], scores[USERS][ITEMS];
		struct fitted kept, fitted;
		fit_and_score(w, config, backends[b], 1, &kept, first);
		for (size_t u = 0; u < USERS; u++)
			for (size_t i = 0; i < ITEMS; i++)
				if (!(fabs((double)first[u][i] - expected[u][i]) <= tolerance * fmax(1, fabs(expected[u][i]))))
					fail_msg("%s: user %zu, item %zu: %.9g instead of %.9g", text, u, i, (double)first[u][i],
					         expected[u][i]);
		for (size_t threads = 2; threads <= 3; threads++) {
			fit_and_score(w, config, backends[b], threads, &fitted, scores);
			assert_memory_equal(scores, first, sizeof(first));
			assert_int_equal(fitted.tensors_count, kept.tensors_count);
			for (size_t t = 0; t < fitted.tensors_count; t++) {
				const struct tensor_facts *tensor = &fitted.tensors[t];
				assert_memory_equal(tensor->data, kept.tensors[t].data,
				                    tensor->shape[0] * (tensor->dimensions == 2 ? tensor->shape[1] : 1) *
				                        sizeof(float));
			}
			fitted_destroy(&fitted);
		}
		fitted_destroy(&kept);
	}
}

static void naive_gram(const struct world *w, double ret[ITEMS][ITEMS]) {
	for (size_t i = 0; i < ITEMS; i++)
		for (size_t j = 0; j < ITEMS; j++) {
			ret[i][j] = 0;
			for (size_t u = 0; u < USERS; u++)
				ret[i][j] += w->train[u][i] * w->train[u][j];
		}
}

static void times(double input[USERS][ITEMS], double weight[ITEMS][ITEMS], double ret[USERS][ITEMS]) {
	for (size_t u = 0; u < USERS; u++)
		for (size_t j = 0; j < ITEMS; j++) {
			ret[u][j] = 0;
			for (size_t i = 0; i < ITEMS; i++)
				ret[u][j] += input[u][i] * weight[i][j];
		}
}

// By Gauss-Jordan elimination: a is positive definite, so that no pivot is 0.
static void invert(double a[ITEMS][ITEMS], double ret[ITEMS][ITEMS]) {
	for (size_t i = 0; i < ITEMS; i++)
		for (size_t j = 0; j < ITEMS; j++)
			ret[i][j] = i == j;
	for (size_t p = 0; p < ITEMS; p++) {
		double pivot = a[p][p];
		for (size_t j = 0; j < ITEMS; j++) {
			a[p][j] /= pivot;
			ret[p][j] /= pivot;
		}
		for (size_t i = 0; i < ITEMS; i++) {
			double factor = a[i][p];
			for (size_t j = 0; i != p && j < ITEMS; j++) {
				a[i][j] -= factor * a[p][j];
				ret[i][j] -= factor * ret[p][j];
			}
		}
	}
}

static void ease(void **state) {
	(void)state;
	struct world w;
	double gram[ITEMS][ITEMS], p[ITEMS][ITEMS], b[ITEMS][ITEMS], expected[USERS][ITEMS];
	set_up(&w);
	naive_gram(&w, gram);
	for (size_t i = 0; i < ITEMS; i++)
		gram[i][i] += 7.5;
	invert(gram, p);
	for (size_t i = 0; i < ITEMS; i++)
		for (size_t j = 0; j < ITEMS; j++)
			b[i][j] = i == j ? 0 : -p[i][j] / p[j][j];
	times(w.input, b, expected);
	check(&w, "kind = \"ease\"; l2 = 7.5;", expected, 1e-5);
	struct fitted fitted;
	float scores[USERS][ITEMS];
	fit_and_score(&w, read_config(&w, "kind = \"ease\"; l2 = 7.5;"), &backend_openblas, 1, &fitted, scores);
	assert_string_equal(fitted.tensors[0].name, "item.weight");
	for (size_t i = 0; i < ITEMS; i++)
		for (size_t j = 0; j < ITEMS; j++) {
			double stored = (double)fitted.tensors[0].data[i * ITEMS + j];
			assert_true(i == j ? stored == 0 : fabs(stored - b[i][j]) < 1e-6);
		}
	fitted_destroy(&fitted);
	tear_down(&w);
}

static void nearest(double similarity[ITEMS][ITEMS], bool normalise, double ret[ITEMS][ITEMS]) {
	for (size_t j = 0; j < ITEMS; j++) {
		double sum = 0;
		for (size_t i = 0; i < ITEMS; i++) {
			size_t before = 0;
			for (size_t k = 0; k < ITEMS; k++)
				before += k != j && k != i &&
				          (similarity[k][j] > similarity[i][j] || (similarity[k][j] == similarity[i][j] && k < i));
			ret[i][j] = i != j && before < NEIGHBOURS ? similarity[i][j] : 0;
			sum += fabs(ret[i][j]);
		}
		for (size_t i = 0; normalise && sum > 0 && i < ITEMS; i++)
			ret[i][j] /= sum;
	}
}

static void item_knn(void **state) {
	(void)state;
	struct world w;
	double gram[ITEMS][ITEMS], similarity[ITEMS][ITEMS], weight[ITEMS][ITEMS], expected[USERS][ITEMS];
	set_up(&w);
	naive_gram(&w, gram);
	for (size_t shrunk = 0; shrunk < 2; shrunk++) {
		for (size_t i = 0; i < ITEMS; i++)
			for (size_t j = 0; j < ITEMS; j++) {
				double norms = sqrt(gram[i][i]) * sqrt(gram[j][j]) + (shrunk ? 20 : 0);
				similarity[i][j] = norms > 0 ? gram[i][j] / norms : 0;
			}
		nearest(similarity, shrunk, weight);
		times(w.input, weight, expected);
		check(&w,
		      shrunk ? "kind = \"item_knn\"; neighbours = 5; shrink = 20.0; normalise = true;"
		             : "kind = \"item_knn\"; neighbours = 5;",
		      expected, 1e-6);
	}
	tear_down(&w);
}

// Eigenvalues on the diagonal of a, eigenvectors in the columns of v, by Jacobi's rotations.
static void jacobi(double a[ITEMS][ITEMS], double v[ITEMS][ITEMS]) {
	for (size_t i = 0; i < ITEMS; i++)
		for (size_t j = 0; j < ITEMS; j++)
			v[i][j] = i == j;
	for (size_t sweep = 0; sweep < 60; sweep++)
		for (size_t p = 0; p < ITEMS; p++)
			for (size_t q = p + 1; q < ITEMS; q++) {
				double angle = 0.5 * atan2(2 * a[p][q], a[q][q] - a[p][p]), c = cos(angle), s = sin(angle);
				for (size_t k = 0; k < ITEMS; k++) {
					double x = a[k][p], y = a[k][q];
					a[k][p] = c * x - s * y;
					a[k][q] = s * x + c * y;
				}
				for (size_t k = 0; k < ITEMS; k++) {
					double x = a[p][k], y = a[q][k];
					a[p][k] = c * x - s * y;
					a[q][k] = s * x + c * y;
					x = v[k][p], y = v[k][q];
					v[k][p] = c * x - s * y;
					v[k][q] = s * x + c * y;
				}
			}
}

static void pure_svd(void **state) {
	(void)state;
	struct world w;
	double gram[ITEMS][ITEMS], vector[ITEMS][ITEMS], projector[ITEMS][ITEMS] = {{0}}, expected[USERS][ITEMS];
	set_up(&w);
	naive_gram(&w, gram);
	jacobi(gram, vector);
	for (size_t k = 0; k < ITEMS; k++) {
		size_t larger = 0;
		for (size_t other = 0; other < ITEMS; other++)
			larger += gram[other][other] > gram[k][k];
		for (size_t i = 0; larger < FACTORS && i < ITEMS; i++)
			for (size_t j = 0; j < ITEMS; j++)
				projector[i][j] += vector[i][k] * vector[j][k];
	}
	times(w.input, projector, expected);
	check(&w, "kind = \"pure_svd\"; factors = 4;", expected, 1e-5);
	struct errors errors = {0};
	const struct model_config *many = read_config(&w, "kind = \"pure_svd\"; factors = 16;");
	model_of(many)->check(many->kind.params, &w.matrices, (struct origin){.file = "a.cfg", .line = 3}, &errors);
	assert_int_equal(errors.count, 1);
	assert_int_equal(errors.items[0].code, ERROR_CONFIG);
	errors_finish(&errors);
	tear_down(&w);
}

struct sums {
	double all, count, item[ITEMS], item_count[ITEMS];
};

static struct sums add_up(const struct world *w) {
	struct sums s = {0};
	for (size_t u = 0; u < USERS; u++)
		for (size_t i = 0; i < ITEMS; i++) {
			bool there = w->train[u][i] > 0;
			s.all += w->train[u][i];
			s.count += there;
			s.item[i] += w->train[u][i];
			s.item_count[i] += there;
		}
	return s;
}

static void means_and_popularity(void **state) {
	(void)state;
	struct world w;
	double expected[3][USERS][ITEMS];
	set_up(&w);
	struct sums s = add_up(&w);
	double mean = s.all / s.count;
	for (size_t u = 0; u < USERS; u++)
		for (size_t i = 0; i < ITEMS; i++) {
			expected[0][u][i] = mean;
			expected[1][u][i] = (s.item[i] + 3 * mean) / (s.item_count[i] + 3);
			expected[2][u][i] = s.item_count[i];
		}
	check(&w, "kind = \"global_mean\";", expected[0], 1e-6);
	check(&w, "kind = \"item_mean\"; shrink = 3.0;", expected[1], 1e-6);
	check(&w, "kind = \"popularity\";", expected[2], 0);
	for (size_t i = 0; i < ITEMS; i++)
		for (size_t u = 0; u < USERS; u++)
			expected[1][u][i] = s.item_count[i] > 0 ? s.item[i] / s.item_count[i] : mean;
	check(&w, "kind = \"item_mean\";", expected[1], 1e-6);
	tear_down(&w);
}

// A user's bias from a row of ratings.
static double user_bias(const double row[ITEMS], double mean, const double item[ITEMS], double reg) {
	double sum = 0, count = 0;
	for (size_t i = 0; i < ITEMS; i++)
		if (row[i] > 0) {
			sum += row[i] - mean - item[i];
			count++;
		}
	return count > 0 ? sum / (reg + count) : 0;
}

// Those who took no part are scored by the bias of their input.
static void user_item_bias(void **state) {
	(void)state;
	struct world w;
	double expected[USERS][ITEMS], user[USERS] = {0}, item[ITEMS] = {0};
	set_up(&w);
	struct sums s = add_up(&w);
	double mean = s.all / s.count;
	for (size_t epoch = 0; epoch < 3; epoch++) {
		for (size_t i = 0; i < ITEMS; i++) {
			double sum = 0;
			for (size_t u = 0; u < USERS; u++)
				sum += w.train[u][i] > 0 ? w.train[u][i] - mean - user[u] : 0;
			item[i] = s.item_count[i] > 0 ? sum / (2 + s.item_count[i]) : 0;
		}
		for (size_t u = 0; u < USERS; u++)
			user[u] = user_bias(w.train[u], mean, item, 4);
	}
	for (size_t u = 0; u < USERS; u++)
		for (size_t i = 0; i < ITEMS; i++)
			expected[u][i] = mean + user_bias(w.input[u], mean, item, 4) + item[i];
	check(&w, "kind = \"user_item_bias\"; reg_item = 2.0; reg_user = 4.0; epochs = 3;", expected, 1e-6);
	tear_down(&w);
}

static void every_row_is_complete(void **state) {
	(void)state;
	for (size_t i = 0; i < model_registry.count; i++) {
		const struct model *model = (const struct model *)model_registry.rows[i];
		assert_true(strlen(model->row.doc) > 10);
		assert_true(model->fit && model->parameters && model->bytes);
	}
}

static void no_train_entry_is_an_error(void **state) {
	(void)state;
	struct world w;
	struct error error = {0};
	struct fitted fitted;
	set_up(&w);
	csr_finish(&w.matrices.train);
	memset(w.train, 0, sizeof(w.train));
	w.matrices.train = build(w.train);
	const struct model_config *config = read_config(&w, "kind = \"user_item_bias\";");
	assert_false(model_of(config)->fit(config->kind.params, &w.matrices, NULL, &fitted, &error));
	assert_int_equal(error.code, ERROR_RUN);
	fitted_destroy(&fitted);
	fitted_destroy(NULL);
	tear_down(&w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ease),
	    cmocka_unit_test(item_knn),
	    cmocka_unit_test(pure_svd),
	    cmocka_unit_test(means_and_popularity),
	    cmocka_unit_test(user_item_bias),
	    cmocka_unit_test(every_row_is_complete),
	    cmocka_unit_test(no_train_entry_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
