// Compressed files and archives. The first byte of an input chooses who reads it; the rest is the file.
#include "dataset.h"

static const char *const texts[] = {
    "source: { format = \"delimited\"; path = \"packed\"; };",
    "source: { format = \"movielens-100k\"; path = \"packed\"; }; user_features: { }; item_features: { };",
    ("source: { format = \"delimited\"; path = \"ratings\"; };\n"
     "user_features: { path = \"packed\"; id = \"id\"; categorical = [ \"kind\" ]; };"),
};
enum { KEYS = sizeof texts / sizeof texts[0] };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct data_config *keys[KEYS];
	static const char ratings[] = "user,item,rating\nu1,i1,3\nu2,i1,4\n";
	if (size == 0)
		return 0;
	size_t choice = data[0] % KEYS;
	if (keys[choice] == NULL) {
		fuzz_write("ratings", ratings, sizeof ratings - 1);
		keys[choice] = fuzz_data_keys(texts[choice]);
	}
	fuzz_write("packed", data + 1, size - 1);
	fuzz_load(keys[choice]);
	return 0;
}
