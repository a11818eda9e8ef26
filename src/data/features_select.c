// Chooses among attributes that a format made itself.
#include "data/features.h"

#include <stdlib.h>
#include <string.h>

#include "data/columns.h"

static struct attribute *find_attribute(const struct attributes *attributes, const char *name) {
	for (size_t i = 0; i < attributes->count; i++) {
		if (strcmp(attributes->items[i].name, name) == 0)
			return &attributes->items[i];
	}
	return NULL;
}

static bool no_attribute(const struct attributes *attributes, const char *what, struct origin at, const char *name,
                         struct error *error) {
	const char **names = memory_alloc(attributes->count * sizeof *names);
	for (size_t i = 0; i < attributes->count; i++)
		names[i] = attributes->items[i].name;
	const char *nearest = columns_nearest(&(struct columns){.names = names, .count = attributes->count}, name);
	error_at(error, ERROR_CONFIG, at, "the format has no %s attribute \"%s\"", what, name);
	if (nearest != NULL)
		error_hint(error, "Did you mean \"%s\"?", nearest);
	free(names);
	return false;
}

static bool select_list(const struct strings *list, bool numeric, const char *what, struct attributes *from,
                        struct attributes *to, struct error *error) {
	for (size_t i = 0; i < list->count; i++) {
		struct origin at = list->at == NULL ? (struct origin){0} : list->at[i];
		struct attribute *attribute = find_attribute(from, list->items[i]);
		if (attribute == NULL)
			return no_attribute(from, what, at, list->items[i], error);
		if (find_attribute(to, list->items[i]) != NULL)
			return error_at(error, ERROR_CONFIG, at, "the %s attribute \"%s\" is named twice", what, attribute->name);
		if (attribute->numeric != numeric)
			return error_at(error, ERROR_CONFIG, at, "the %s attribute \"%s\" is %s", what, attribute->name,
			                attribute->numeric ? "numeric" : "categorical");
		to->items[to->count++] = *attribute;
	}
	return true;
}

static void release_unselected(const struct attributes *all, const struct attributes *kept) {
	for (size_t i = 0; i < all->count; i++) {
		struct attribute *attribute = &all->items[i];
		if (find_attribute(kept, attribute->name) != NULL)
			continue;
		ids_finish(&attribute->levels);
		free(attribute->start);
		free(attribute->level);
		free(attribute->number);
	}
}

bool features_select(const struct features_config *config, const char *what, struct arena *arena,
                     struct attributes *attributes, struct error *error) {
	size_t wanted = config->categorical.count + config->numeric.count + config->multi.count;
	if (wanted == 0)
		return true;
	struct attributes kept = {.rows = attributes->rows};
	kept.items = arena_alloc(arena, wanted * sizeof *kept.items);
	if (!select_list(&config->categorical, false, what, attributes, &kept, error) ||
	    !select_list(&config->numeric, true, what, attributes, &kept, error) ||
	    !select_list(&config->multi, false, what, attributes, &kept, error))
		return false;
	release_unselected(attributes, &kept);
	*attributes = kept;
	return true;
}
