// See outcome.h.
#include "train/outcome.h"

#include "train/order.h"
#include "train/train.h"

#include <math.h>
#include <string.h>

void run_add_phase(struct run_result *result, const char *name, double seconds, double ratings) {
	for (size_t i = 0; i < result->phases_count; i++) {
		if (!strcmp(result->phases[i].name, name)) {
			result->phases[i].seconds += seconds;
			result->phases[i].ratings += ratings;
			return;
		}
	}
	if (result->phases_count < sizeof(result->phases) / sizeof(result->phases[0]))
		result->phases[result->phases_count++] = (struct run_phase){name, seconds, ratings};
}

bool run_baselines(const struct evaluation *e, struct run_result *result, struct error *error) {
	const struct matrices *m = e->matrices;
	const struct part *parts[PARTS] = {NULL, &m->valid, &m->test};
	struct baseline_fit *fit = NULL;
	double start = train_seconds();
	bool good = (!m->valid.target.start && !m->test.target.start) ||
	            baseline_fit_create(m, e->experiment->uses, e->experiment->uses_count, e->pool, &fit, error);
	for (int part = PART_VALID; good && part < PARTS; part++)
		if (parts[part]->target.start)
			good = baselines_evaluate(fit, parts[part], part == PART_TEST ? &m->valid : NULL, &e->adjust, e->levels,
			                          e->levels_count, &result->baselines[part], error);
	baseline_fit_destroy(fit);
	run_add_phase(result, "baselines", train_seconds() - start, 0);
	return good;
}

int run_users_part(const struct matrices *m) {
	return m->test.target.start ? PART_TEST : PART_VALID;
}

size_t run_users_most(const struct matrices *m, const struct csr *target) {
	size_t cells = csr_count(target);
	if (!target->start || m->items_as_rows)
		return m->users < cells ? m->users : cells;
	return order_rows_in_use(target);
}

void tensors_hash(const struct tensor_facts *tensors, size_t count, char ret_hex[HASH_HEX]) {
	struct hash hash;
	hash_init(&hash);
	for (size_t i = 0; i < count; i++) {
		const struct tensor_facts *tensor = &tensors[i];
		size_t elements = tensor->shape[0] * (tensor->dimensions == 2 ? tensor->shape[1] : 1);
		hash_string(&hash, tensor->name);
		hash_u64(&hash, tensor->shape[0]);
		hash_u64(&hash, tensor->dimensions == 2 ? tensor->shape[1] : 0);
		hash_bytes(&hash, tensor->data, elements * sizeof(*tensor->data));
	}
	hash_finish(&hash, ret_hex);
}

void run_hash_tensors(struct run_result *r) {
	tensors_hash(r->tensors, r->tensors_count, r->weights_hash);
}

bool run_check_weights(const struct run_result *r, struct error *error) {
	for (size_t i = 0; i < r->tensors_count; i++) {
		const struct tensor_facts *tensor = &r->tensors[i];
		size_t elements = tensor->shape[0] * (tensor->dimensions == 2 ? tensor->shape[1] : 1);
		for (size_t k = 0; k < elements; k++)
			if (!isfinite(tensor->data[k]))
				return error_set(error, ERROR_RUN, "\"%s\" is not finite after epoch %zu", tensor->name,
				                 r->final_epoch);
	}
	return true;
}
