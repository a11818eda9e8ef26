// See export.h.
#include "recommend/export.h"

#include "base/number.h"
#include "recommend/model.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// --- npz ---

// numpy.lib.format, version 1.0: magic, version, length of the header, the header, padded to 64 bytes in all.
static void npy_header(const struct tensor_facts *tensor, struct text *text) {
	enum { MAGIC = 8, ALIGN = 64 };
	struct text header = {0};
	text_format(&header, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu,", tensor->shape[0]);
	if (tensor->dimensions == 2)
		text_format(&header, " %zu", tensor->shape[1]);
	text_append(&header, "), }");
	while ((MAGIC + 2 + header.length + 1) % ALIGN != 0)
		text_append(&header, " ");
	text_append(&header, "\n");
	unsigned char length[2] = {(unsigned char)(header.length & 255), (unsigned char)(header.length >> 8)};
	text_append_bytes(text, "\x93NUMPY\x01\x00", MAGIC);
	text_append_bytes(text, length, 2);
	text_append_bytes(text, header.data, header.length);
	text_finish(&header);
}

static bool add_tensor(struct archive *zip, const struct tensor_facts *tensor) {
	struct text header = {0}, name = {0};
	struct archive_entry *entry = archive_entry_new();
	size_t bytes = tensor->shape[0] * (tensor->dimensions == 2 ? tensor->shape[1] : 1) * sizeof(float);
	npy_header(tensor, &header);
	text_format(&name, "%s.npy", tensor->name);
	archive_entry_set_pathname(entry, text_string(&name));
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_mtime(entry, 315532800, 0); // 1980-01-01, where zip's time begins: the same bytes again
	archive_entry_set_size(entry, (la_int64_t)(header.length + bytes));
	bool good = archive_write_header(zip, entry) == ARCHIVE_OK &&
	            archive_write_data(zip, header.data, header.length) == (la_ssize_t)header.length &&
	            (!bytes || archive_write_data(zip, tensor->data, bytes) == (la_ssize_t)bytes);
	archive_entry_free(entry);
	text_finish(&header);
	text_finish(&name);
	return good;
}

static bool write_zip(const struct aexp_model *m, const char *path, struct error *error) {
	struct archive *zip = archive_write_new();
	bool good = archive_write_set_format_zip(zip) == ARCHIVE_OK &&
	            archive_write_zip_set_compression_store(zip) == ARCHIVE_OK &&
	            archive_write_open_filename(zip, path) == ARCHIVE_OK;
	for (size_t i = 0; good && i < m->stored.tensors_count; i++)
		good = add_tensor(zip, &m->stored.tensors[i]);
	good = good && archive_write_close(zip) == ARCHIVE_OK;
	if (!good)
		error_set(error, ERROR_RUN, "cannot write \"%s\": %s", path,
		          archive_error_string(zip) ? archive_error_string(zip) : "unknown reason");
	archive_write_free(zip);
	return good;
}

bool export_npz(struct aexp_model *m, const char *path, struct error *error) {
	struct text temporary = {0};
	text_format(&temporary, "%s.%ld.tmp", path, (long)getpid());
	bool good = write_zip(m, text_string(&temporary), error) && file_publish(text_string(&temporary), path, error);
	if (!good)
		unlink(text_string(&temporary));
	text_finish(&temporary);
	return good;
}

// --- vectors as text ---

static void append_vector(const struct aexp_model *m, const struct item_vectors *v, size_t item, const char *separator,
                          struct text *text) {
	char number[NUMBER_TEXT];
	for (size_t k = 0; k < v->width; k++) {
		number_write_single(item_vector_at(m, v, item, k), number);
		text_append(text, k ? separator : "");
		text_append(text, number);
	}
}

static void append_quoted(struct text *text, const char *cell) {
	bool plain = !strpbrk(cell, "\",\r\n");
	text_append(text, plain ? "" : "\"");
	for (const char *c = cell; *c; c++)
		text_append_bytes(text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
	text_append(text, plain ? "" : "\"");
}

bool export_csv(struct aexp_model *m, struct text *text, struct error *error) {
	struct item_vectors v;
	if (!model_vectors(m, &v, error))
		return false;
	text_append(text, "item,title");
	for (size_t k = 0; k < v.width; k++)
		text_format(text, ",v%zu", k);
	text_append(text, "\n");
	for (size_t i = 0; i < m->items; i++) {
		append_quoted(text, aexp_item(m, i));
		text_append(text, ",");
		append_quoted(text, m->titles && m->titles[i] ? m->titles[i] : "");
		text_append(text, ",");
		append_vector(m, &v, i, ",", text);
		text_append(text, "\n");
	}
	return true;
}

// The projector knows no quotes.
static void append_plain(struct text *text, const char *cell) {
	for (const char *c = cell; *c; c++)
		text_append_bytes(text, strchr("\t\r\n", *c) ? " " : c, 1);
}

static bool write_file(const char *folder, const char *name, struct text *text, struct error *error) {
	char *path = path_join(folder, name);
	bool good = file_write(path, text_string(text), text->length, error);
	free(path);
	text_finish(text);
	return good;
}

bool export_tsv(struct aexp_model *m, const char *folder, struct error *error) {
	struct text vectors = {0}, facts = {0};
	struct item_vectors v;
	if (!model_vectors(m, &v, error) || !folder_create(folder, error))
		return false;
	text_append(&facts, "item\ttitle\tpopularity\n");
	for (size_t i = 0; i < m->items; i++) {
		append_vector(m, &v, i, "\t", &vectors);
		text_append(&vectors, "\n");
		append_plain(&facts, aexp_item(m, i));
		text_append(&facts, "\t");
		append_plain(&facts, m->titles && m->titles[i] ? m->titles[i] : "");
		text_format(&facts, "\t%.0f\n", (double)m->popularity[i]);
	}
	bool good = write_file(folder, "vectors.tsv", &vectors, error);
	return write_file(folder, "metadata.tsv", &facts, error) && good;
}
