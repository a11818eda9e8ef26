// See metadata.h. PNG: "Portable Network Graphics", W3C, section 11.3.3.3; PDF: ISO 32000-1, 7.5.6 (an incremental
// update, so that nothing that stands in the file moves) and 14.3.3. What is left out: PDF files whose table of objects
// is compressed (cairo 1.17.6 and later write such), which get a comment behind their end instead.
#include "report/metadata.h"

#include "base/file.h"
#include "report/quote.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURE_MOST = 1 << 28 };

struct picture {
	const char *path, *data; // (size), ended by a NUL
	size_t size;
};

static bool not_what_it_says(const struct picture *picture, const char *kind, struct error *error) {
	return error_at(error, ERROR_RUN, (struct origin){.file = picture->path}, "this is no %s", kind);
}

// --- SVG ---

// Behind the opening tag of the outermost element.
static bool describe_svg(const struct picture *picture, const char *description, struct text *ret,
                         struct error *error) {
	const char *tag = strstr(picture->data, "<svg"), *end = tag ? strchr(tag, '>') : NULL;
	if (!end)
		return not_what_it_says(picture, "SVG", error);
	text_append_bytes(ret, picture->data, (size_t)(end + 1 - picture->data));
	text_append(ret, "\n<metadata>");
	quote_html(ret, description);
	text_append(ret, "</metadata>");
	text_append(ret, end + 1);
	return true;
}

// --- PNG ---

static uint32_t crc(const char *bytes, size_t size) {
	uint32_t remainder = 0xffffffffu;
	for (size_t i = 0; i < size; i++) {
		remainder ^= (unsigned char)bytes[i];
		for (int bit = 0; bit < 8; bit++)
			remainder = (remainder >> 1) ^ (remainder & 1 ? 0xedb88320u : 0);
	}
	return ~remainder;
}

static void append_u32(struct text *text, uint32_t value) {
	const unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
	                                (unsigned char)(value >> 8), (unsigned char)value};
	text_append_bytes(text, bytes, sizeof(bytes));
}

// Behind IHDR, which comes first and has 13 bytes, and 12 around them.
static bool describe_png(const struct picture *picture, const char *description, struct text *ret,
                         struct error *error) {
	static const char signature[] = "\x89PNG\r\n\x1a\n";
	static const char keyword[] = "tEXtDescription"; // a NUL parts keyword and text
	enum { SIGNATURE = sizeof(signature) - 1, HEADER = SIGNATURE + 25, TYPE = 4 };
	if (picture->size < HEADER || memcmp(picture->data, signature, SIGNATURE) != 0)
		return not_what_it_says(picture, "PNG", error);
	struct text chunk = {0};
	text_append_bytes(&chunk, keyword, sizeof(keyword));
	text_append(&chunk, description);
	text_append_bytes(ret, picture->data, HEADER);
	append_u32(ret, (uint32_t)(chunk.length - TYPE));
	text_append_bytes(ret, chunk.data, chunk.length);
	append_u32(ret, crc(chunk.data, chunk.length));
	text_append_bytes(ret, picture->data + HEADER, picture->size - HEADER);
	text_finish(&chunk);
	return true;
}

// --- PDF ---

// The last place of a word; binary streams may hold NUL bytes.
static const char *find_last(const char *data, size_t size, const char *word) {
	size_t length = strlen(word);
	for (size_t at = size < length ? 0 : size - length + 1; at-- > 0;)
		if (memcmp(data + at, word, length) == 0)
			return data + at;
	return NULL;
}

// (D:20261126180138Z) -> (D:19700101000000Z): the same length, so that all offsets stay.
static void drop_dates(char *data, size_t size) {
	static const char *const keys[] = {"/CreationDate (D:", "/ModDate (D:"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *found = find_last(data, size, keys[i]);
		size_t at = found ? (size_t)(found - data) + strlen(keys[i]) : size;
		if (at + 14 < size)
			memcpy(data + at, "19700101000000", 14);
	}
}

static void append_pdf_string(struct text *text, const char *string) {
	text_append(text, "(");
	for (; *string; string++)
		text_format(text, strchr("()\\", *string) ? "\\%c" : "%c", *string);
	text_append(text, ")");
}

// What an update has to repeat of the file's trailer.
struct trailer {
	unsigned long size, root, start;
};

static bool read_trailer(const struct picture *picture, struct trailer *ret) {
	const char *trailer = find_last(picture->data, picture->size, "trailer");
	const char *size = trailer ? strstr(trailer, "/Size ") : NULL, *root = trailer ? strstr(trailer, "/Root ") : NULL;
	const char *start = trailer ? strstr(trailer, "startxref") : NULL;
	return size && root && start && sscanf(size, "/Size %lu", &ret->size) == 1 &&
	       sscanf(root, "/Root %lu 0 R", &ret->root) == 1 && sscanf(start, "startxref %lu", &ret->start) == 1;
}

static bool describe_pdf(const struct picture *picture, const char *description, struct text *ret,
                         struct error *error) {
	struct trailer trailer;
	if (picture->size < 8 || memcmp(picture->data, "%PDF-", 5) != 0)
		return not_what_it_says(picture, "PDF", error);
	text_append_bytes(ret, picture->data, picture->size);
	drop_dates(ret->data, ret->length);
	if (ret->data[ret->length - 1] != '\n')
		text_append(ret, "\n");
	if (!read_trailer(picture, &trailer)) {
		text_format(ret, "%% %s\n", description);
		return true;
	}
	size_t object = ret->length;
	text_format(ret, "%lu 0 obj\n<< /Producer (cairo) /Subject ", trailer.size);
	append_pdf_string(ret, description);
	text_append(ret, " >>\nendobj\n");
	size_t table = ret->length;
	text_format(ret, "xref\n%lu 1\n%010zu 00000 n \ntrailer\n", trailer.size, object);
	text_format(ret, "<< /Size %lu /Root %lu 0 R /Info %lu 0 R /Prev %lu >>\nstartxref\n%zu\n%%%%EOF\n",
	            trailer.size + 1, trailer.root, trailer.size, trailer.start, table);
	return true;
}

// --- text ---

static bool describe_tex(const struct picture *picture, const char *description, struct text *ret,
                         struct error *error) {
	(void)error;
	text_format(ret, "%% %s\n", description);
	text_append_bytes(ret, picture->data, picture->size);
	return true;
}

// A comment ends at "--", which no JSON of ours holds outside of strings: there it becomes two blanks.
static bool describe_markdown(const struct picture *picture, const char *description, struct text *ret,
                              struct error *error) {
	(void)error;
	size_t start = ret->length + strlen("<!-- ");
	text_format(ret, "<!-- %s -->\n\n", description);
	for (char *dashes; (dashes = strstr(ret->data + start, "--")) && dashes[2] != '>';)
		dashes[0] = dashes[1] = ' ';
	text_append_bytes(ret, picture->data, picture->size);
	return true;
}

static const struct {
	const char *ending;
	bool (*describe)(const struct picture *picture, const char *description, struct text *ret, struct error *error);
} formats[] = {
    {".svg", describe_svg}, {".png", describe_png},     {".pdf", describe_pdf},
    {".tex", describe_tex}, {".md", describe_markdown},
};

bool picture_describe(const char *path, const char *description, struct error *error) {
	const char *ending = strrchr(path_base(path), '.');
	struct picture picture = {.path = path};
	struct text text = {0};
	char *data;
	size_t i = 0;
	while (i < sizeof(formats) / sizeof(formats[0]) && (!ending || strcmp(formats[i].ending, ending) != 0))
		i++;
	if (i == sizeof(formats) / sizeof(formats[0]))
		return not_what_it_says(&picture, "picture that can be described", error);
	if (!file_read(path, PICTURE_MOST, &data, &picture.size, error))
		return false;
	picture.data = data;
	bool good = formats[i].describe(&picture, description, &text, error) &&
	            file_write(path, text_string(&text), text.length, error);
	text_finish(&text);
	free(data);
	return good;
}

// The code point at *s, which is UTF-8; *s goes to the next one.
static uint32_t next_code(const unsigned char **s) {
	const unsigned char *at = *s;
	size_t more = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : *at >= 0xc0 ? 1 : 0;
	uint32_t code = more ? *at & (0x3fu >> more) : *at;
	for (at++; more > 0 && (*at & 0xc0) == 0x80; more--)
		code = code << 6 | (*at++ & 0x3fu);
	*s = at;
	return code;
}

void metadata_ascii(const char *json, struct text *text) {
	for (const unsigned char *s = (const unsigned char *)json; *s;) {
		uint32_t code = next_code(&s);
		if (code < 0x80)
			text_format(text, "%c", (int)code);
		else if (code < 0x10000)
			text_format(text, "\\u%04x", (unsigned)code);
		else
			text_format(text, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((code - 0x10000) >> 10)),
			            (unsigned)(0xdc00 + ((code - 0x10000) & 0x3ff)));
	}
}
