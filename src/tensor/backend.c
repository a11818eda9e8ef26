// The registry of backends, and how one is opened.
#include "tensor/backend.h"

#include "tensor/plugin.h"

const struct backend backend_cuda = {
    .row = {.name = "cuda", .doc = "An NVIDIA GPU, by a plug-in; refused with exit code 4 where it cannot be had"},
    .plugin = "cuda",
    .apart = true,
    .whole = true,
};

static const struct row *const rows[] = {&backend_openblas.row, &backend_reference.row, &backend_cuda.row};
const struct registry backend_registry = {"backend", "backends", rows, sizeof(rows) / sizeof(rows[0])};

bool backend_open(const struct backend *backend, struct pool *pool, const struct backend_options *options,
                  const struct backend **ret_backend, struct device **ret_device, struct error *error) {
	static const struct backend_options none = {0};
	const struct backend *table = backend;
	if (backend->plugin && !plugin_load(backend, &table, error))
		return false;
	if (!table->open(table, pool, options ? options : &none, ret_device, error))
		return false;
	*ret_backend = table;
	return true;
}
