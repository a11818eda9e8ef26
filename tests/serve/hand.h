// A model written by hand: items a b c d, hidden = ratings W, scores = hidden V + bias. As in
// tests/recommend/test_model.c: of {"a": 2, "b": 3} the scores are 2.5, 7, 12, 9.
#ifndef AEXP_TESTS_SERVE_HAND_H
#define AEXP_TESTS_SERVE_HAND_H

#include "base/file.h"
#include "report/json.h"

#include <stdint.h>

// (4, 2) and a bias of 2; (2, 4) and a bias of 4
static const float hand_weights[] = {1, 0, 0, 1, 1, 1, 2, 0, 0, 0, 1, 2, 0, 3, 0, 1, 4, 1, 0.5f, 0, 0, 0};
static const struct {
	const char *name;
	size_t rows, columns, first;
} hand_tensors[] = {
    {"taste.weight", 4, 2, 0}, {"taste.bias", 2, 0, 8}, {"score.weight", 2, 4, 10}, {"score.bias", 4, 0, 18}};
static const char *const hand_metadata[][2] = {
    {"format", "aexp.model/1"},
    {"name", "hand"},
    {"rows", "users"},
    {"liked", "-inf"},
    {"items", "[\"a\",\"b\",\"c\",\"d\"]"},
    {"titles", "[\"Alpha\",null,\"\",\"Delta\"]"},
    {"popularity", "[3,9,1,9]"},
    {"coding", "[]"},
    {"graph",
     "{\"ratings_width\":4,\"user_width\":0,\"shape\":{\"batch\":2,\"rows\":5,\"refed\":0,\"ratings_entries\":2,"
     "\"user_entries\":0,\"target_entries\":2},\"nodes\":[]}"},
    {"experiment", "graph = ( { name = \"taste\"; op = \"dense\"; input = \"ratings\"; units = 2; },"
                   " { name = \"score\"; op = \"dense\"; units = \"items\"; } );"},
};

static void hand_header(const char *id, struct text *ret) {
	struct json json = {.text = ret, .compact = true};
	json_object(&json, NULL, JSON_INLINE);
	json_object(&json, "__metadata__", JSON_INLINE);
	for (size_t i = 0; i < sizeof(hand_metadata) / sizeof(hand_metadata[0]); i++)
		json_string(&json, hand_metadata[i][0], hand_metadata[i][1]);
	json_string(&json, "id", id);
	json_end(&json);
	for (size_t i = 0; i < 4; i++) {
		size_t rows = hand_tensors[i].rows, columns = hand_tensors[i].columns, first = hand_tensors[i].first;
		json_object(&json, hand_tensors[i].name, JSON_INLINE);
		json_string(&json, "dtype", "F32");
		json_array(&json, "shape", JSON_INLINE);
		json_count(&json, NULL, rows);
		if (columns)
			json_count(&json, NULL, columns);
		json_end(&json);
		json_array(&json, "data_offsets", JSON_INLINE);
		json_count(&json, NULL, first * sizeof(float));
		json_count(&json, NULL, (first + rows * (columns ? columns : 1)) * sizeof(float));
		json_end(&json);
		json_end(&json);
	}
	json_end(&json);
	while (ret->length % 8)
		text_append(ret, " ");
}

// True where it could be written; under another name first, as a run does.
static bool hand_write(const char *path, const char *id) {
	struct text header = {0}, file = {0};
	struct error error = {0};
	hand_header(id, &header);
	uint64_t length = header.length;
	text_append_bytes(&file, &length, sizeof(length));
	text_append_bytes(&file, header.data, header.length);
	text_append_bytes(&file, hand_weights, sizeof(hand_weights));
	bool good = file_write(path, file.data, file.length, &error);
	text_finish(&header);
	text_finish(&file);
	return good;
}

#endif
