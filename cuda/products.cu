// Dense products by cuBLAS. It is column-major: our row-major c = op(a) op(b) is its c' = op(b)' op(a)'. On one stream
// and with the workspace of its handle it gives the same bytes each time.
#include "loops.h"
#include "seam.h"

void gpu_gemm(struct device *device, bool transpose_a, bool transpose_b, const struct matrix *a, const struct matrix *b,
              real beta, const struct matrix *c) {
	const size_t inner = transpose_a ? a->rows : a->columns;
	const float one = 1;
	if (!c->rows || !c->columns)
		return;
	if (!inner) { // cuBLAS would refuse the empty operands
		const struct matrix to = *c;
		each_cell(device, c->rows, c->columns,
		          [=] __device__(size_t i, size_t j) { *at(&to, i, j) = blend(beta, at(&to, i, j), 0); });
		return;
	}
	cublasStatus_t status =
	    cublasSgemm(device->blas, transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N, transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N,
	                (int)c->columns, (int)c->rows, (int)inner, &one, b->data, (int)b->stride, a->data, (int)a->stride,
	                &beta, c->data, (int)c->stride);
	if (status != CUBLAS_STATUS_SUCCESS)
		device_check(device, cudaErrorUnknown, "cublasSgemm");
}
