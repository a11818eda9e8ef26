// See answer.h. JSON: {"id": "new1", "items": [{"item": "64", "score": 0.93, "title": "..."}], "from": "ratings"}.
#include "recommend/answer.h"

#include "base/number.h"
#include "report/json.h"

#include <math.h>
#include <string.h>

// --- JSON ---

static void json_title(struct json *json, const char *title) {
	if (title)
		json_string(json, "title", title);
}

static void json_reasons(struct json *json, const struct aexp_scored *s) {
	if (!s->reasons_count)
		return;
	json_array(json, "because", JSON_INLINE);
	for (size_t i = 0; i < s->reasons_count; i++) {
		json_object(json, NULL, JSON_INLINE);
		json_string(json, "item", s->reasons[i].item);
		json_single(json, "contribution", s->reasons[i].contribution);
		json_title(json, s->reasons[i].title);
		json_end(json);
	}
	json_end(json);
}

static void write_json(const struct answer *a, const char *id, const struct aexp_list *list, struct text *text) {
	struct json json = {.text = text};
	json_object(&json, NULL, JSON_INLINE);
	json_string(&json, "id", id);
	json_array(&json, "items", JSON_INLINE);
	for (size_t i = 0; i < list->count; i++) {
		const struct aexp_scored *s = &list->items[i];
		json_object(&json, NULL, JSON_INLINE);
		json_string(&json, "item", s->item);
		json_single(&json, "score", s->score);
		if (a->predicts && !isnan(s->rating))
			json_single(&json, "rating", s->rating);
		json_title(&json, s->title);
		json_reasons(&json, s);
		json_end(&json);
	}
	json_end(&json);
	if (!a->bare)
		json_string(&json, "from", aexp_basis_name(list->basis));
	json_end(&json);
	text_append(text, "\n");
}

// --- CSV ---

static void append_csv(struct text *text, const char *cell) {
	if (!strpbrk(cell, "\",\r\n")) {
		text_append(text, cell);
		return;
	}
	text_append(text, "\"");
	for (const char *c = cell; *c; c++)
		text_append_bytes(text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
	text_append(text, "\"");
}

static void append_number(struct text *text, float number) {
	char digits[NUMBER_TEXT];
	number_write_single(number, digits);
	text_append(text, isnan(number) ? "" : digits);
}

// 50:0.12 181:0.03
static void csv_reasons(const struct aexp_scored *s, struct text *text) {
	struct text cell = {0};
	for (size_t i = 0; i < s->reasons_count; i++) {
		text_format(&cell, "%s%s:", i ? " " : "", s->reasons[i].item);
		append_number(&cell, s->reasons[i].contribution);
	}
	append_csv(text, text_string(&cell));
	text_finish(&cell);
}

static void write_csv(const struct answer *a, const char *id, const struct aexp_list *list, struct text *text) {
	for (size_t i = 0; i < list->count; i++) {
		const struct aexp_scored *s = &list->items[i];
		append_csv(text, id);
		text_append(text, ",");
		append_csv(text, s->item);
		text_append(text, ",");
		append_number(text, s->score);
		text_append(text, ",");
		if (a->predicts)
			append_number(text, s->rating);
		text_append(text, a->predicts ? "," : "");
		append_csv(text, s->title ? s->title : "");
		if (!a->bare)
			text_format(text, ",%s,", aexp_basis_name(list->basis));
		if (!a->bare)
			csv_reasons(s, text);
		text_append(text, "\n");
	}
}

// --- for people ---

static int longest_item(const struct aexp_list *list) {
	enum { LEAST = 4, MOST = 40 };
	size_t most = LEAST;
	for (size_t i = 0; i < list->count; i++)
		most = strlen(list->items[i].item) > most ? strlen(list->items[i].item) : most;
	return (int)(most < MOST ? most : MOST);
}

static void text_reasons(const struct aexp_scored *s, struct text *text) {
	for (size_t i = 0; i < s->reasons_count; i++) {
		const struct aexp_reason *r = &s->reasons[i];
		text_format(text, "        %+.4g  %s%s%s\n", (double)r->contribution, r->item, r->title ? "  " : "",
		            r->title ? r->title : "");
	}
}

static void write_people(const struct answer *a, const char *id, const struct aexp_list *list, struct text *text) {
	int width = longest_item(list);
	text_format(text, "%s", id);
	if (!a->bare)
		text_format(text, "  (from %s)", aexp_basis_name(list->basis));
	text_append(text, "\n");
	for (size_t i = 0; i < list->count; i++) {
		const struct aexp_scored *s = &list->items[i];
		text_format(text, "%5zu  %-*s  %10.6g", i + 1, width, s->item, (double)s->score);
		if (a->predicts && !isnan(s->rating))
			text_format(text, "  rating %.4g", (double)s->rating);
		text_format(text, "%s%s\n", s->title ? "  " : "", s->title ? s->title : "");
		text_reasons(s, text);
	}
}

void answer_head(const struct answer *a, struct text *text) {
	if (a->form == ANSWER_CSV)
		text_append(text, a->bare       ? "id,item,score,title\n"
		                  : a->predicts ? "id,item,score,rating,title,from,because\n"
		                                : "id,item,score,title,from,because\n");
}

void answer_write(const struct answer *a, const char *id, const struct aexp_list *list, struct text *text) {
	static void (*const writers[])(const struct answer *a, const char *id, const struct aexp_list *list,
	                               struct text *text) = {
	    [ANSWER_TEXT] = write_people, [ANSWER_CSV] = write_csv, [ANSWER_JSON] = write_json};
	writers[a->form](a, id, list, text);
}
