// Opening the CUDA backend through its plug-in: what can be missing, each with its message, never a fall to another
// backend; and what goes wrong on the device later. AEXP_PLUGIN_PATH is the shim's folder.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tensor/plugin.h"

static bool opens(const struct backend **ret_backend, struct device **ret, struct error *error) {
	*error = (struct error){ 0 };
	*ret = NULL;
	return backend_open(&backend_cuda, NULL, NULL, ret_backend, ret, error);
}

static void must_fail(const char *failure, const char *message, const char *hint) {
	struct error error;
	struct device *device;
	const struct backend *b;
	setenv("AEXP_SHIM_FAIL", failure, 1);
	assert_false(opens(&b, &device, &error));
	unsetenv("AEXP_SHIM_FAIL");
	assert_null(device);
	assert_int_equal(error.code, ERROR_BACKEND);
	assert_non_null(strstr(error.message, message));
	assert_non_null(strstr(error.hint, hint));
}

static void test_refused(void **state) {
	(void)state;
	must_fail("driver", "backend \"cuda\": the NVIDIA driver is too old", "Install a driver");
	must_fail("device", "backend \"cuda\": there is no CUDA device on this machine", "CUDA_VISIBLE_DEVICES");
	must_fail("old", "backend \"cuda\": \"the host (shim)\" has compute capability 6.1, at least 7.5 is needed", "2018");
	must_fail("code", "no kernel image", "-Dgpu_architectures=90");
	must_fail("memory", "backend \"cuda\": the device cannot be set up: out of memory", "");
}

static void test_opens(void **state) {
	(void)state;
	struct error error;
	struct device *device;
	const struct backend *b;
	assert_true(opens(&b, &device, &error));
	assert_string_equal(b->row.name, "cuda");
	assert_true(b->apart && b->whole);
	assert_int_equal(b->members(device), 1);
	assert_non_null(strstr(b->describe(device), "the host (shim) (9.0, 16.0 GiB), driver CUDA 13.0"));
	size_t left, all;
	b->memory(device, &left, &all);
	assert_true(all == (size_t)1 << 34 && left > 0 && left < all);
	b->close(device);
	b->close(NULL);
}

static void test_memory(void **state) {
	(void)state;
	enum { BYTES = 1 << 20 };
	struct error error;
	struct device *device;
	const struct backend *b;
	assert_true(opens(&b, &device, &error));
	setenv("AEXP_SHIM_MEMORY", "1000000", 1);
	assert_null(b->allocate(device, BYTES, &error));
	unsetenv("AEXP_SHIM_MEMORY");
	assert_int_equal(error.code, ERROR_BACKEND);
	assert_non_null(strstr(error.message, "1.0 MiB are needed"));
	assert_true(b->sync(device, &error)); // it was told once
	b->close(device);
}

// Larger than the halves that uploads pass through, and zeroed before.
static void test_copies(void **state) {
	(void)state;
	enum { COUNT = 3 << 20 };
	struct error error;
	struct device *device;
	const struct backend *b;
	assert_true(opens(&b, &device, &error));
	uint32_t *from = memory_alloc(COUNT * sizeof(*from)), *to = memory_alloc(COUNT * sizeof(*to));
	uint32_t *held = b->allocate(device, COUNT * sizeof(*held), &error);
	assert_non_null(held);
	to[0] = to[COUNT - 1] = 1;
	b->download(device, to, held, COUNT * sizeof(*to));
	assert_true(to[0] == 0 && to[COUNT - 1] == 0);
	for (uint32_t i = 0; i < COUNT; i++)
		from[i] = i * 2654435761u;
	b->upload(device, held, from, 12);
	b->upload(device, held + 3, from + 3, (COUNT - 3) * sizeof(*from));
	b->upload(device, held, from, 0);
	b->download(device, to, held, COUNT * sizeof(*to));
	assert_memory_equal(from, to, COUNT * sizeof(*to));
	b->release(device, held);
	assert_true(b->sync(device, &error));
	b->close(device);
	free(from);
	free(to);
}

// A launch that fails is told by sync, with its place, and once.
static void test_launch_fails(void **state) {
	(void)state;
	struct error error;
	struct device *device;
	const struct backend *b;
	assert_true(opens(&b, &device, &error));
	struct matrix x = { b->allocate(device, 64, &error), 4, 4, 4 };
	setenv("AEXP_SHIM_FAIL", "launch", 1);
	b->zero(device, &x);
	unsetenv("AEXP_SHIM_FAIL");
	assert_false(b->sync(device, &error));
	assert_int_equal(error.code, ERROR_RUN);
	assert_non_null(strstr(error.message, "the CUDA device failed at each_cell_kernel: unspecified launch failure"));
	assert_true(b->sync(device, &error));
	b->release(device, x.data);
	b->close(device);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused), cmocka_unit_test(test_opens),        cmocka_unit_test(test_memory),
		cmocka_unit_test(test_copies),  cmocka_unit_test(test_launch_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
