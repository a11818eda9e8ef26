// Caches: a good one with changes behind its header, which is made anew, so that the reader gets beyond the checksum.
// The source of the reader is a part of this file, since nothing else can make a header for any bytes.
#include "data/cache.c"

#include "dataset.h"

static const char ratings[] =
    "user,item,rating,time\nu1,i1,4,100\nu1,i2,0,101\nu2,i2,-3.5,102\nu3,i3,10,103\nu3,i1,2,99\n";
static const char users[] = "id,kind,age,likes\nu1,a,30,x|y\nu2,,,\nu3,c,-1,y\n";
static const char items[] = "id,kind,title\ni1,k,One\ni2,,\ni3,l,Three\n";
static const char keys[] =
    "source: { format = \"delimited\"; path = \"ratings\"; columns: { time = 4; }; };\n"
    "user_features: { path = \"users\"; id = \"id\"; categorical = [ \"kind\" ]; numeric = [ \"age\" ]; multi = [ "
    "\"likes\" ]; };\n"
    "item_features: { path = \"items\"; id = \"id\"; categorical = [ \"kind\" ]; title = \"title\"; };\n";

struct good {
	const struct data_config *config;
	char key[HASH_HEX];
	char *data; // (size)
	size_t size;
};

static struct good make(void) {
	struct good good = {0};
	struct error error = {0};
	struct data_access access = {.cache = fuzz_folder()};
	struct dataset data;
	fuzz_write("ratings", ratings, sizeof ratings - 1);
	fuzz_write("users", users, sizeof users - 1);
	fuzz_write("items", items, sizeof items - 1);
	good.config = fuzz_data_keys(keys);
	fuzz_require(data_load_with(good.config, &access, &data, &error));
	data_keep(&access, &data);
	dataset_finish(&data);
	memcpy(good.key, access.key, HASH_HEX);
	char *path = path_of(access.cache, access.key);
	fuzz_require(file_read(path, SIZE_MAX, &good.data, &good.size, &error));
	free(path);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct good good;
	struct text body = {0}, file = {0};
	struct dataset dataset;
	struct error error = {0};
	char checksum[HASH_HEX], head[HEADER_BYTES];
	if (good.data == NULL)
		good = make();
	fuzz_change(good.data + HEADER_BYTES, good.size - HEADER_BYTES, data, size, &body);
	struct chunks chunks = {.feed = feed_memory, .from = text_string(&body), .size = body.length};
	hash_of(NULL, &chunks, checksum);
	make_head(good.key, HEADER_BYTES + body.length, checksum, head);
	text_append_bytes(&file, head, sizeof head);
	text_append_bytes(&file, text_string(&body), body.length);
	char *path = path_of("", good.key);
	fuzz_write(path_base(path), file.data, file.length);
	free(path);
	bool fine = cache_read(fuzz_folder(), good.key, NULL, &dataset, &error);
	fuzz_require(fine || error.code == ERROR_DATA);
	fuzz_require(fine || size > 0);
	if (fine) {
		fuzz_require_sound(good.config, &dataset, false);
		dataset_finish(&dataset);
	}
	text_finish(&body);
	text_finish(&file);
	return 0;
}
