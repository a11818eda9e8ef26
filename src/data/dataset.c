// Releases a data set.
#include "data/dataset.h"

#include <stdlib.h>

#include "data/ratings.h"

void attributes_finish(struct attributes *attributes) {
	for (size_t i = 0; i < attributes->count; i++) {
		struct attribute *attribute = &attributes->items[i];
		ids_finish(&attribute->levels);
		free(attribute->start);
		free(attribute->level);
		free(attribute->number);
	}
	*attributes = (struct attributes){0};
}

void dataset_finish(struct dataset *dataset) {
	loading_destroy(dataset->loading);
	ids_finish(&dataset->users);
	ids_finish(&dataset->items);
	if (dataset->cache.data == NULL) {
		free(dataset->user);
		free(dataset->item);
		free(dataset->rating);
		free(dataset->time);
		free(dataset->part);
	}
	file_unmap(&dataset->cache);
	attributes_finish(&dataset->user_attributes);
	attributes_finish(&dataset->item_attributes);
	arena_finish(&dataset->arena);
	*dataset = (struct dataset){0};
}
