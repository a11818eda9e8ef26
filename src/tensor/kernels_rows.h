// What kernels.c does row by row: noise, products of elements, norms of rows. A part of kernels.c.
#ifndef AEXP_TENSOR_KERNELS_ROWS_H
#define AEXP_TENSOR_KERNELS_ROWS_H

static void noise(const struct noise_draw *draw, const struct matrix *x, const struct matrix *y) {
	const double sd = (double)draw->sd;
	for (size_t i = 0; i < y->rows; i++)
		EACH_CHUNK(y->columns, first, n) {
			const real *from = row_of(x, i) + first;
			real *to = row_of(y, i) + first;
			double e[CHUNK];
			random_normals(draw->stream, draw->epoch, draw->row[i], draw->unit + (uint32_t)first, (uint32_t)n, e);
			for (size_t j = 0; j < n; j++)
				to[j] = (real)((double)from[j] + sd * e[j]);
		}
}

static void noise_sparse(const struct noise_draw *draw, const struct sparse *s, real *ret_value) {
	const double sd = (double)draw->sd;
	for (size_t i = 0; i < s->rows; i++)
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++) {
			double e = random_normal(draw->stream, draw->epoch, draw->row[i], s->column[k]);
			ret_value[k] = (real)((double)s->value[k] + sd * e);
		}
}

static void multiply(const struct matrix *left, const struct matrix *right, real beta, const struct matrix *product) {
	for (size_t i = 0; i < product->rows; i++) {
		const real *a = row_of(left, i), *b = row_of(right, i);
		real *restrict y = row_of(product, i);
		if (beta == 0)
			for (size_t j = 0; j < product->columns; j++)
				y[j] = a[j] * b[j];
		else
			for (size_t j = 0; j < product->columns; j++)
				y[j] = beta * y[j] + a[j] * b[j];
	}
}

static inline real inverse_norm(const real *x, size_t n, real epsilon) {
	real norm = real_sqrt(dot(x, x, n));
	return 1 / (norm > epsilon ? norm : epsilon);
}

static void normalize(real epsilon, const struct matrix *input, const struct matrix *output, real *inverse) {
	for (size_t i = 0; i < input->rows; i++) {
		const real *x = row_of(input, i), scale = inverse_norm(x, input->columns, epsilon);
		real *y = row_of(output, i);
		for (size_t j = 0; j < input->columns; j++)
			y[j] = scale * x[j];
		inverse[i] = scale;
	}
}

static void normalize_back(real epsilon, const struct matrix *output, const real *inverse,
                           const struct matrix *gradient, real beta, const struct matrix *ret) {
	const size_t n = output->columns;
	for (size_t i = 0; i < output->rows; i++) {
		const real *y = row_of(output, i), *dy = row_of(gradient, i), scale = inverse[i];
		const real along = scale < 1 / epsilon ? dot(y, dy, n) : 0;
		real *dx = row_of(ret, i);
		if (beta == 0)
			for (size_t j = 0; j < n; j++)
				dx[j] = scale * (dy[j] - along * y[j]);
		else
			for (size_t j = 0; j < n; j++)
				dx[j] = beta * dx[j] + scale * (dy[j] - along * y[j]);
	}
}

static void normalize_sparse(const struct sparse *s, real epsilon, real *ret_value) {
	for (size_t i = 0; i < s->rows; i++) {
		const uint32_t first = s->start[i], end = s->start[i + 1];
		const real scale = inverse_norm(s->value + first, end - first, epsilon);
		for (uint32_t k = first; k < end; k++)
			ret_value[k] = scale * s->value[k];
	}
}

// The sum of a row, and of its squares around a mean.
static inline real row_sum(const real *x, size_t n) {
	lanes a = {0};
	size_t j = 0;
	for (; j + LANES <= n; j += LANES)
		a += load(x + j);
	real tail = 0;
	for (; j < n; j++)
		tail += x[j];
	return sum_of(a) + tail;
}

static inline real row_squares(const real *x, size_t n, real mean) {
	lanes a = {0};
	size_t j = 0;
	for (; j + LANES <= n; j += LANES) {
		lanes d = load(x + j) - mean;
		a += d * d;
	}
	real tail = 0;
	for (; j < n; j++)
		tail += (x[j] - mean) * (x[j] - mean);
	return sum_of(a) + tail;
}

static void layer_norm(const struct layer_norm_state *s, const struct matrix *input, const struct matrix *output) {
	const size_t n = input->columns;
	for (size_t i = 0; i < input->rows; i++) {
		const real *x = row_of(input, i), mean = row_sum(x, n) / (real)n;
		const real inverse = 1 / real_sqrt(row_squares(x, n, mean) / (real)n + s->epsilon);
		real *y = row_of(output, i);
		for (size_t j = 0; j < n; j++)
			y[j] = s->gamma[j] * ((x[j] - mean) * inverse) + s->beta[j];
		s->mean[i] = mean;
		s->inverse[i] = inverse;
	}
}

// The sums over a row of gamma dy, and of that times z.
static inline void layer_norm_row_sums(const struct layer_norm_state *s, size_t i, const real *x, const real *dy,
                                       size_t n, real *ret_sum, real *ret_product) {
	const real mean = s->mean[i];
	lanes sum = {0}, product = {0};
	size_t j = 0;
	for (; j + LANES <= n; j += LANES) {
		lanes g = load(s->gamma + j) * load(dy + j);
		sum += g;
		product += g * (load(x + j) - mean);
	}
	real sum_tail = 0, product_tail = 0;
	for (; j < n; j++) {
		sum_tail += s->gamma[j] * dy[j];
		product_tail += s->gamma[j] * dy[j] * (x[j] - mean);
	}
	*ret_sum = sum_of(sum) + sum_tail;
	*ret_product = (sum_of(product) + product_tail) * s->inverse[i];
}

static void layer_norm_back(const struct layer_norm_state *s, const struct matrix *input, const struct matrix *gradient,
                            real beta, const struct matrix *ret) {
	const size_t n = input->columns;
	for (size_t i = 0; i < input->rows; i++) {
		const real *x = row_of(input, i), *dy = row_of(gradient, i), mean = s->mean[i], inverse = s->inverse[i];
		real *dx = row_of(ret, i), sum, product;
		layer_norm_row_sums(s, i, x, dy, n, &sum, &product);
		const real shift = inverse * sum / (real)n, slope = inverse * inverse * product / (real)n;
		if (beta == 0)
			for (size_t j = 0; j < n; j++)
				dx[j] = inverse * s->gamma[j] * dy[j] - shift - slope * (x[j] - mean);
		else
			for (size_t j = 0; j < n; j++)
				dx[j] = beta * dx[j] + inverse * s->gamma[j] * dy[j] - shift - slope * (x[j] - mean);
	}
}

static void layer_norm_sums(const struct layer_norm_state *s, const struct matrix *input, const struct matrix *gradient,
                            real *dgamma, real *dbeta) {
	EACH_CHUNK(input->columns, first, n) {
		real sum[CHUNK] = {0}, product[CHUNK] = {0};
		for (size_t i = 0; i < input->rows; i++) {
			const real *restrict x = row_of(input, i) + first, *restrict dy = row_of(gradient, i) + first;
			const real mean = s->mean[i], inverse = s->inverse[i];
			for (size_t j = 0; j < n; j++) {
				sum[j] += dy[j];
				product[j] += dy[j] * ((x[j] - mean) * inverse);
			}
		}
		memcpy(dbeta + first, sum, n * sizeof(real));
		memcpy(dgamma + first, product, n * sizeof(real));
	}
}

#endif
