// The registry of backends.
#include "tensor/backend.h"

static bool cuda_open(const struct backend *backend, struct pool *pool, struct device **ret, struct error *error) {
	(void)backend, (void)pool, (void)ret;
	error_set(error, ERROR_BACKEND, "backend \"cuda\" is not in this build");
	error_hint(error, "Use backend = \"openblas\".");
	return false;
}

const struct backend backend_cuda = {
    .row = {.name = "cuda", .doc = "An NVIDIA GPU; not in this version, and refused with exit code 4"},
    .open = cuda_open,
};

static const struct row *const rows[] = {&backend_openblas.row, &backend_reference.row, &backend_cuda.row};
const struct registry backend_registry = {"backend", "backends", rows, sizeof(rows) / sizeof(rows[0])};
