// See lapack.h. Debian's OpenBLAS has the Fortran symbols, but no lapacke.h; the lengths of character arguments, which
// Fortran passes last, are given, as compilers from GCC 8 on want it.
#include "model/lapack.h"

#include "base/memory.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

void dpotrf_(const char *uplo, const blasint *n, double *a, const blasint *lda, blasint *info, size_t uplo_length);
void dpotri_(const char *uplo, const blasint *n, double *a, const blasint *lda, blasint *info, size_t uplo_length);
void dsyevr_(const char *jobz, const char *range, const char *uplo, const blasint *n, double *a, const blasint *lda,
             const double *vl, const double *vu, const blasint *il, const blasint *iu, const double *abstol, blasint *m,
             double *w, double *z, const blasint *ldz, blasint *isuppz, double *work, const blasint *lwork,
             blasint *iwork, const blasint *liwork, blasint *info, size_t jobz_length, size_t range_length,
             size_t uplo_length);

static bool fits(size_t n, struct error *error) {
	openblas_set_num_threads(1);
	return n <= INT_MAX || error_set(error, ERROR_RUN, "a matrix of %zu rows is more than LAPACK counts", n);
}

bool lapack_invert(double *a, size_t n, struct error *error) {
	blasint size = (blasint)n, info = 0;
	if (n == 0 || !fits(n, error))
		return n == 0;
	dpotrf_("L", &size, a, &size, &info, 1);
	if (info == 0)
		dpotri_("L", &size, a, &size, &info, 1);
	if (info != 0) {
		error_set(error, ERROR_RUN, "a matrix of %zu rows is not positive definite", n);
		error_hint(error, "Give a larger l2.");
		return false;
	}
	for (size_t i = 0; i < n; i++) // "L" by columns is the upper half by rows
		for (size_t j = 0; j < i; j++)
			a[i * n + j] = a[j * n + i];
	return true;
}

struct eigen {
	double *value, *vector, *work; // (n), (count, n), (work_size)
	blasint *support, *integers;   // (2 count), (integers_size)
};

static void eigen_call(double *a, blasint n, blasint count, const struct eigen *e, blasint work_size,
                       blasint integers_size, double *work, blasint *integers, blasint *ret_found, blasint *ret_info) {
	const double none = 0;
	blasint first = n - count + 1;
	dsyevr_("V", "I", "L", &n, a, &n, &none, &none, &first, &n, &none, ret_found, e->value, e->vector, &n, e->support,
	        work, &work_size, integers, &integers_size, ret_info, 1, 1, 1);
}

bool lapack_largest(double *a, size_t n, size_t count, double *ret, struct error *error) {
	if (count == 0 || !fits(n, error))
		return count == 0;
	struct eigen e = {.value = memory_array(n, sizeof(double), "eigenvalues", error)};
	e.vector = e.value ? memory_array(n * count, sizeof(double), "eigenvectors", error) : NULL;
	e.support = e.vector ? memory_array(2 * n, sizeof(blasint), "eigenvectors", error) : NULL;
	double work_size = 0;
	blasint integers_size = 0, found = 0, info = 0;
	bool good = e.support;
	if (good) {
		eigen_call(a, (blasint)n, (blasint)count, &e, -1, -1, &work_size, &integers_size, &found, &info);
		e.work = memory_array((size_t)work_size + 1, sizeof(double), "eigenvectors", error);
		e.integers = e.work ? memory_array((size_t)integers_size + 1, sizeof(blasint), "eigenvectors", error) : NULL;
		good = e.integers;
	}
	if (good) {
		eigen_call(a, (blasint)n, (blasint)count, &e, (blasint)work_size, integers_size, e.work, e.integers, &found,
		           &info);
		good = (info == 0 && found == (blasint)count) ||
		       error_set(error, ERROR_RUN, "the eigenvectors of a matrix of %zu rows were not found", n);
	}
	for (size_t k = 0; good && k < count; k++) // they come with the smallest first
		for (size_t i = 0; i < n; i++)
			ret[k * n + i] = e.vector[(count - 1 - k) * n + i];
	free(e.value);
	free(e.vector);
	free(e.work);
	free(e.support);
	free(e.integers);
	return good;
}
