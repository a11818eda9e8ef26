// Readers of ratings and side information. The first byte of an input chooses the keys, of the table that FUZZ_KEYS
// names; its parts are the files.
#include "dataset.h"

#define SIDE                                                                                                           \
	"user_features: { path = \"users\"; id = \"id\"; categorical = [ \"kind\" ]; numeric = [ \"age\" ]; "              \
	"multi = [ \"likes\" ]; quotes = true; };\n"

static const char *const delimited[] = {
    "source: { format = \"delimited\"; path = \"ratings\"; };",
    "source: { format = \"delimited\"; path = \"ratings\"; columns: { time = 4; }; }; duplicates = \"mean\";\n" SIDE,
    "source: { format = \"delimited\"; path = \"ratings\"; header = false; separator = \"::\"; columns: { user = 1; "
    "item = 2; rating = 3; }; }; duplicates = \"last\";",
    "source: { format = \"delimited\"; path = \"ratings\"; separator = \"\\t\"; header = true; columns: { user = "
    "\"u\"; "
    "item = \"i\"; rating = \"r\"; time = \"t\"; }; }; rows = \"items\";\n"
    "item_features: { path = \"users\"; header = false; id = 1; categorical = [ \"2\" ]; title = \"3\"; };\n"
    "split: { kind = \"time\"; valid = 0.2; test = 0.2; };",
};

static const char *const movielens[] = {
    "source: { format = \"movielens-100k\"; path = \".\"; }; user_features: { }; item_features: { };",
    "source: { format = \"movielens-1m\"; path = \".\"; }; user_features: { }; item_features: { };",
    "source: { format = \"movielens-csv\"; path = \".\"; }; item_features: { };",
};

static const char *const split[] = {
    "source: { format = \"delimited\"; }; split: { kind = \"files\"; train = \"train\"; test = \"test\"; };",
    ("source: { format = \"delimited\"; columns: { time = 4; }; }; duplicates = \"last\"; "
     "filter: { min_user_ratings = 2; }; "
     "split: { kind = \"files\"; train = \"train\"; valid = \"valid\"; test = \"test\"; };"),
    ("source: { format = \"movielens-1m\"; path = \".\"; }; "
     "split: { kind = \"files\"; train = \"train\"; test = \"test\"; valid_share = 0.3; };"),
};

static const char *const files[] = {
    "ratings", "users",       "train",     "valid",      "test",        "u.data",     "u.user",
    "u.item",  "ratings.dat", "users.dat", "movies.dat", "ratings.csv", "movies.csv",
};

enum { KEYS = sizeof(FUZZ_KEYS) / sizeof(FUZZ_KEYS[0]) };

static const struct data_config *keys_of(uint8_t choice) {
	static const struct data_config *made[KEYS];
	const struct data_config **keys = &made[choice % KEYS];
	if (*keys == NULL)
		*keys = fuzz_data_keys(FUZZ_KEYS[choice % KEYS]);
	return *keys;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	(void)delimited, (void)movielens, (void)split;
	if (size == 0)
		return 0;
	const struct data_config *keys = keys_of(data[0]);
	fuzz_write_parts(data, size, files, sizeof files / sizeof files[0]);
	fuzz_load(keys);
	return 0;
}
