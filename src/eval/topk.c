// Top-k by a bounded min-heap whose root is the worst of the chosen; at the end the heap is taken down in place, which
// leaves it sorted best first.
#include "eval/topk.h"

#include <assert.h>

struct selection {
	const float *scores; // (items)
	uint64_t *heap;      // (k)
	size_t k, count;
};

static void sift_down(uint64_t *heap, size_t count, size_t at) {
	uint64_t place = heap[at];
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= count)
			break;
		if (child + 1 < count && heap[child + 1] < heap[child])
			child++;
		if (heap[child] >= place)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = place;
}

static void heapify(uint64_t *heap, size_t count) {
	for (size_t at = count / 2; at-- > 0;)
		sift_down(heap, count, at);
}

// Items come in ascending order, so that once the heap is full an equal score never enters it.
static void offer(struct selection *selection, size_t from, size_t to) {
	const float *scores = selection->scores;
	uint64_t *heap = selection->heap;
	size_t item = from;
	for (; item < to && selection->count < selection->k; item++) {
		heap[selection->count++] = topk_place(scores[item], (uint32_t)item);
		if (selection->count == selection->k)
			heapify(heap, selection->k);
	}
	if (item >= to)
		return;
	float worst = scores[topk_item(heap[0])];
	for (; item < to; item++) {
		if (scores[item] <= worst)
			continue;
		uint64_t place = topk_place(scores[item], (uint32_t)item); // a NaN comes here, too
		if (place <= heap[0])
			continue;
		heap[0] = place;
		sift_down(heap, selection->k, 0);
		worst = scores[topk_item(heap[0])];
	}
}

static void sort_best_first(uint64_t *heap, size_t count) {
	while (count > 1) {
		uint64_t worst = heap[0];
		heap[0] = heap[--count];
		heap[count] = worst;
		sift_down(heap, count, 0);
	}
}

size_t topk_select(const float *scores, size_t items, const uint32_t *excluded, size_t excluded_count, size_t k,
                   uint64_t *ret_places) {
	assert(items <= UINT32_MAX);
	struct selection selection = {.scores = scores, .heap = ret_places, .k = k};
	if (k == 0)
		return 0;
	size_t from = 0;
	for (size_t i = 0; i < excluded_count; i++) {
		assert(excluded[i] < items && (i == 0 || excluded[i] >= excluded[i - 1]));
		offer(&selection, from, excluded[i]);
		from = (size_t)excluded[i] + 1;
	}
	offer(&selection, from, items);
	if (selection.count < k)
		heapify(ret_places, selection.count);
	sort_best_first(ret_places, selection.count);
	return selection.count;
}
