// Updates of weights, fused: what a weight's update reads and writes moves once (weight and state both ways, its
// gradient one way), and the gradient of touched rows is summed in registers and never written down. The mathematics is
// tensor/elementwise.h's and tensor/waiting.h's.
#include "gather.h"
#include "loops.h"
#include "seam.h"

#define X(NAME, name)                                                                                                  \
	struct name##_rule {                                                                                               \
		__device__ static void update(const struct optimizer_numbers *n, real *w, real *s, real *d, real g) {          \
			name##_update(n, w, s, d, g);                                                                              \
		}                                                                                                              \
		__device__ static void wait(const struct waiting *f, real *w, real *s, real *d) { name##_wait(f, w, s, d); }   \
	};
OPTIMIZERS(X)
#undef X

// A weight and its state; what the optimizer does not keep is 0 and goes nowhere.
struct weight_cell {
	real w, s, d;
};
__device__ static inline struct weight_cell take(const struct optimizer_rows *rows, size_t place) {
	return weight_cell{rows->weight.data[place], rows->state[0] ? rows->state[0][place] : 0,
	                   rows->state[1] ? rows->state[1][place] : 0};
}
__device__ static inline void put(const struct optimizer_rows *rows, size_t place, struct weight_cell x) {
	rows->weight.data[place] = x.w;
	if (rows->state[0])
		rows->state[0][place] = x.s;
	if (rows->state[1])
		rows->state[1][place] = x.d;
}

template <typename RULE>
__device__ static inline void step(const struct optimizer_rows *rows, struct weight_cell *x, real gradient) {
	RULE::update(&rows->numbers, &x->w, &x->s, &x->d, gradient + 2 * rows->l2 * x->w);
}
template <typename RULE>
__device__ static inline void wait(const struct optimizer_rows *rows, struct weight_cell *x, uint32_t waited) {
	if (!waited)
		return;
	const struct waiting f = waiting_of(rows->waiting, waited);
	RULE::wait(&f, &x->w, &x->s, &x->d);
}

// visitor(rule) with the rule of an id.
template <typename F> static void by_rule(enum optimizer_id id, F visitor) {
	switch (id) {
#define X(NAME, name)                                                                                                  \
	case OPTIMIZER_##NAME:                                                                                             \
		visitor(name##_rule{});                                                                                        \
		break;
		OPTIMIZERS(X)
#undef X
	case OPTIMIZER_COUNT:
		break;
	}
}

// --- all rows ---

template <typename RULE>
static void optimize_by(struct device *device, const struct optimizer_rows &rows, const struct matrix &gradient) {
	each_cell(device, rows.weight.rows, rows.weight.columns, [=] __device__(size_t i, size_t j) {
		const size_t place = i * rows.weight.stride + j;
		struct weight_cell x = take(&rows, place);
		step<RULE>(&rows, &x, *at(&gradient, i, j));
		put(&rows, place, x);
	});
}

void gpu_optimize(struct device *device, const struct optimizer_rows *rows, const struct matrix *gradient,
                  double *ret) {
	if (rows->l2 > 0)
		gpu_squares(device, &rows->weight, ret);
	by_rule(rows->id, [&](auto rule) { optimize_by<decltype(rule)>(device, *rows, *gradient); });
}

// --- touched rows ---

// Lazily the lists are the touched rows; else they are all rows, of which those that are not touched are empty lists.
struct touched_lists {
	struct column_lists columns;
	bool lazy;
	__device__ bool exists(size_t i) const { return !lazy || columns.exists(i); }
	__device__ bool find(size_t i, size_t *ret_place) const {
		*ret_place = i;
		return lazy || transposed_find(&columns.t, i, ret_place);
	}
	__device__ struct span range(size_t i) const {
		size_t place;
		return find(i, &place) ? columns.range(place) : span{0, 0};
	}
	__device__ real value(uint32_t k) const { return columns.value(k); }
	__device__ const real *row(uint32_t k) const { return columns.row(k); }
	__device__ size_t row_of(size_t i) const { return lazy ? columns.t.column[i] : i; }
};

template <typename RULE> struct update_rows {
	struct optimizer_rows rows;
	struct touched_lists lists;
	template <int V> __device__ void operator()(size_t i, size_t column, reals_of<V> gradient) const {
		const size_t place = lists.row_of(i) * rows.weight.stride + column;
		const bool waits = rows.lazy && !rows.caught_up;
#pragma unroll
		for (int v = 0; v < V; v++) {
			struct weight_cell x = take(&rows, place + v);
			if (waits)
				wait<RULE>(&rows, &x, lists.columns.t.waited[i]);
			step<RULE>(&rows, &x, gradient.v[v]);
			put(&rows, place + v, x);
		}
	}
};

// The sum of squares of the touched rows: (1).
static void touched_squares(struct device *device, const struct optimizer_rows *rows, const struct transposed *t,
                            double *ret) {
	const struct matrix w = rows->weight;
	const struct transposed list = *t;
	sum_cells(
	    device, t->count, w.columns,
	    [=] __device__(size_t i, size_t j) {
		    const double x = i < touched_count(list) ? *at(&w, list.column[i], j) : 0;
		    return x * x;
	    },
	    ret);
}

// The rows that wait have not shrunk yet.
static __global__ void lazy_squares_kernel(struct optimizer_rows rows, const double *touched, double *ret) {
	const double before = *rows.squares, shrink = 1 - 2 * (double)rows.numbers.rate * (double)rows.l2;
	*ret = before;
	*rows.squares = (before - touched[0]) * shrink * shrink + touched[1];
}

// `update` between what is asked about the squares before and after.
template <typename F>
static void with_squares(struct device *device, const struct optimizer_rows *rows, const struct transposed *t,
                         double *ret, F update) {
	const bool lazily = rows->l2 > 0 && rows->lazy;
	if (lazily)
		touched_squares(device, rows, t, &device->numbers[0]);
	else if (rows->l2 > 0)
		gpu_squares(device, &rows->weight, ret);
	update();
	if (!lazily)
		return;
	touched_squares(device, rows, t, &device->numbers[1]);
	RUN_ON(device, lazy_squares_kernel, dim3(1), 1, *rows, device->numbers, ret);
}

// Sums of values: the rows are numbers that are 1.
struct value_lists : touched_lists {
	__device__ const real *row(uint32_t) const { return one; }
	const real *one; // (1)
};

template <typename RULE>
static void touch_by(struct device *device, const struct optimizer_rows &rows, const struct touched_lists &lists,
                     bool values) {
	const size_t count = rows.lazy ? lists.columns.t.count : rows.weight.rows, n = rows.weight.columns;
	const struct update_rows<RULE> finish = { rows, lists };
	if (values) {
		struct value_lists sums = {lists, device->one};
		gather_lists<1>(device, sums, count, 1, 1, finish);
	} else if (aligned(&lists.columns.y)) {
		gather_lists<4>(device, lists, count, n, 1, finish);
	} else {
		gather_lists<1>(device, lists, count, n, 1, finish);
	}
}

void gpu_optimize_touched(struct device *device, const struct optimizer_rows *rows, const struct transposed *t,
                          const real *value, const struct matrix *y, double *ret) {
	const struct touched_lists lists = {{*t, value, y ? *y : matrix{}}, rows->lazy};
	with_squares(device, rows, t, ret,
	             [&] { by_rule(rows->id, [&](auto rule) { touch_by<decltype(rule)>(device, *rows, lists, !y); }); });
}

// --- listed rows ---

template <typename RULE>
static void list_by(struct device *device, const struct optimizer_rows &rows, const struct transposed &t,
                    const struct matrix &gradient) {
	const struct touched_lists lists = {{t, NULL, {}}, rows.lazy};
	const size_t count = rows.lazy ? t.count : rows.weight.rows;
	each_cell(device, count, rows.weight.columns, [=] __device__(size_t i, size_t j) {
		size_t listed;
		if (!lists.exists(i))
			return;
		const bool touched = lists.find(i, &listed);
		const size_t place = lists.row_of(i) * rows.weight.stride + j;
		struct weight_cell x = take(&rows, place);
		if (rows.lazy && !rows.caught_up)
			wait<RULE>(&rows, &x, t.waited[i]);
		step<RULE>(&rows, &x, touched ? *at(&gradient, listed, j) : 0);
		put(&rows, place, x);
	});
}

void gpu_optimize_listed(struct device *device, const struct optimizer_rows *rows, const struct transposed *list,
                         const struct matrix *gradient, double *ret) {
	with_squares(device, rows, list, ret, [&] {
		by_rule(rows->id, [&](auto rule) { list_by<decltype(rule)>(device, *rows, *list, *gradient); });
	});
}

// --- rows that waited ---

template <typename RULE>
static void catch_up_by(struct device *device, const struct optimizer_rows &rows, const uint32_t *row,
                        const uint32_t *waited, size_t count) {
	each_cell(device, count, rows.weight.columns, [=] __device__(size_t i, size_t j) {
		if (!waited[i])
			return;
		const size_t place = (row ? row[i] : i) * rows.weight.stride + j;
		struct weight_cell x = take(&rows, place);
		wait<RULE>(&rows, &x, waited[i]);
		put(&rows, place, x);
	});
}

void gpu_catch_up(struct device *device, const struct optimizer_rows *rows, const uint32_t *row, const uint32_t *waited,
                  size_t count) {
	by_rule(rows->id, [&](auto rule) { catch_up_by<decltype(rule)>(device, *rows, row, waited, count); });
}
