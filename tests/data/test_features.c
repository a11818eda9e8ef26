// Side information: types of columns, missing cells, order, what is refused; and the MovieLens layouts on invented
// data.
#include "load_fixture.h"

#include <math.h>

#define RATINGS "source: { format = \"delimited\"; path = \"r.csv\"; header = false; };\n"
#define USERS(more) RATINGS "user_features: { path = \"u.csv\"; id = \"id\"; " more " };"
#define MOVIELENS(format) "source: { format = \"" format "\"; path = \"ml\"; };\n"

static const struct attribute *attribute_of(const struct attributes *attributes, const char *name) {
	for (size_t i = 0; i < attributes->count; i++) {
		if (strcmp(attributes->items[i].name, name) == 0)
			return &attributes->items[i];
	}
	fail_msg("no attribute %s", name);
	return NULL;
}

// A row's levels by name, as "Drama|War"; "-" where it is missing.
static const char *levels_of(struct fixture *f, const struct attribute *attribute, size_t row) {
	struct text out = {0};
	for (size_t i = attribute->start[row]; i < attribute->start[row + 1]; i++) {
		uint32_t level = attribute->level[i];
		text_format(&out, "%s%s", out.length > 0 ? "|" : "",
		            level == 0 ? "-" : ids_name(&attribute->levels, level - 1));
	}
	const char *kept = arena_string(&f->arena, text_string(&out));
	text_finish(&out);
	return kept;
}

static void test_types(void **state) {
	struct fixture *f = *state;
	write_text(f, "r.csv", "b,x,1\na,x,2\nc,y,3\n");
	write_text(f, "u.csv", "id,skin,age,likes\nz,unseen,no number,p\na,dry,30.5,p|q\nb,,,\nc,oily,-2,q||q|r\n");
	must_load(f, USERS("categorical = [ \"skin\" ]; numeric = [ \"age\" ]; multi = [ \"likes\" ];"));
	const struct attributes *users = &f->data.user_attributes;
	assert_int_equal(users->rows, 3);
	assert_int_equal(users->count, 3);
	assert_int_equal(f->data.users.count, 3); // z is not added
	const struct attribute *skin = &users->items[0], *age = &users->items[1], *likes = &users->items[2];
	assert_string_equal(levels_of(f, skin, 0), "-");
	assert_string_equal(levels_of(f, skin, 1), "dry");
	assert_string_equal(levels_of(f, skin, 2), "oily");
	assert_int_equal(skin->levels.count, 2); // z's level is none
	assert_true(age->numeric && isnan(age->number[0]) && age->number[1] == 30.5 && age->number[2] == -2);
	assert_string_equal(levels_of(f, likes, 0), "-");
	assert_string_equal(levels_of(f, likes, 1), "p|q");
	assert_string_equal(levels_of(f, likes, 2), "q|r");
	char before[HASH_HEX];
	strcpy(before, f->data.fingerprint);
	// neither the order of the lines nor those about others change anything
	write_text(f, "u.csv", "id,skin,age,likes\nc,oily,-2,q|r\nb,,,\na,dry,30.5,p|q\n");
	must_load(f, USERS("categorical = [ \"skin\" ]; numeric = [ \"age\" ]; multi = [ \"likes\" ];"));
	assert_string_equal(f->data.fingerprint, before);
	write_text(f, "u.csv", "id,skin,age,likes\nc,oily,-2,q|r\nb,,,\na,oily,30.5,p|q\n");
	must_load(f, USERS("categorical = [ \"skin\" ]; numeric = [ \"age\" ]; multi = [ \"likes\" ];"));
	assert_string_not_equal(f->data.fingerprint, before);
}

static void test_numbered_columns(void **state) {
	struct fixture *f = *state;
	write_text(f, "r.csv", "b,x,1\na,x,2\n");
	write_text(f, "i.csv", "5;\"x\";brand\n");
	must_load(f, RATINGS "item_features: { path = \"i.csv\"; separator = \";\"; header = false; id = 2; numeric = [ "
	                     "\"1\" ]; categorical = [ \"3\" ]; };");
	assert_true(attribute_of(&f->data.item_attributes, "1")->number[0] == 5);
	assert_string_equal(levels_of(f, attribute_of(&f->data.item_attributes, "3"), 0), "brand");
	assert_null(f->data.titles);
	write_text(f, "i.csv", "id,what,kind\nx,\"Cream, rich\",a\n");
	must_load(f, RATINGS
	          "item_features: { path = \"i.csv\"; id = \"id\"; title = \"what\"; categorical = [ \"kind\" ]; };");
	assert_string_equal(f->data.titles[0], "Cream, rich");
}

static void test_refused(void **state) {
	struct fixture *f = *state;
	static const struct {
		const char *users, *message, *hint;
	} cases[] = {
	    {"id,age\na,1\n", "u.csv: user \"b\" of the ratings is missing",
	     "The side information needs a line for every user that has ratings."},
	    {"", "u.csv: user \"b\" of the ratings is missing",
	     "The side information needs a line for every user that has ratings."},
	    {"id,age\na,1\nb,2\na,1\n", "u.csv:4: user \"a\" stands here twice", "First on line 2, again on line 4."},
	    {"id,age\na,1\nb,old\n", "u.csv:3: age \"old\" is not a finite number",
	     "Leave the cell empty where the number is not known, or name the column as categorical."},
	    {"id,age\na,1\nb\n", "u.csv:3: the line has 1 field, but \"age\" is column 2", ""},
	    {"id,Age\na,1\nb,2\n", "experiment.cfg:3: no column \"age\" in \"u.csv\"", "Did you mean \"Age\"?"},
	    {"ID,age\na,1\nb,2\n", "u.csv:1: no column \"id\" in \"u.csv\"", "Did you mean \"ID\"?"},
	    {"id;age\na;1\nb;2\n", "u.csv:1: no column \"id\" in \"u.csv\"",
	     "The separator is \",\"; this line looks separated by \";\"."},
	};
	write_text(f, "r.csv", "b,x,1\na,x,2\n");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		write_text(f, "u.csv", cases[i].users);
		must_fail(f, USERS("numeric = [ \"age\" ];"), ERROR_DATA, cases[i].message, cases[i].hint);
	}
	write_text(f, "u.csv", "id,town\na,M\xFCnchen\nb,Rome\n");
	must_fail(f, USERS("categorical = [ \"town\" ];"), ERROR_DATA, "u.csv:2: the line is not UTF-8",
	          "Convert the file, for instance with iconv -f latin1 -t utf-8.");
	must_load(f, USERS("categorical = [ \"id\" ];"));
	unlink(fixture_path(f, "u.csv"));
	must_fail(f, USERS("numeric = [ \"age\" ];"), ERROR_DATA, "cannot read \"u.csv\": No such file or directory", "");
}

static void test_made_attributes(void **state) {
	struct fixture *f = *state;
#define SYNTHETIC "source: { format = \"synthetic\"; users = 50; items = 20; ratings = 200; };\n"
	must_load(f, SYNTHETIC);
	size_t all = f->data.user_attributes.count;
	assert_true(all >= 2);
	char name[64], fingerprint[HASH_HEX];
	snprintf(name, sizeof name, "%s", f->data.user_attributes.items[1].name);
	strcpy(fingerprint, f->data.fingerprint);
	char text[200];
	snprintf(text, sizeof text, SYNTHETIC "user_features: { categorical = [ \"%s\" ]; };", name);
	must_load(f, text);
	assert_int_equal(f->data.user_attributes.count, 1);
	assert_string_equal(f->data.user_attributes.items[0].name, name);
	assert_string_not_equal(f->data.fingerprint, fingerprint);
	snprintf(text, sizeof text, SYNTHETIC "user_features: { numeric = [ \"%s\" ]; };", name);
	assert_false(load(f, text));
	assert_int_equal(f->errors.items[0].code, ERROR_CONFIG);
	snprintf(text, sizeof text, "experiment.cfg:3: the format has no user attribute \"%sx\"", name);
	char hint[100], config[200];
	snprintf(hint, sizeof hint, "Did you mean \"%s\"?", name);
	snprintf(config, sizeof config, SYNTHETIC "user_features: { categorical = [ \"%sx\" ]; };", name);
	must_fail(f, config, ERROR_CONFIG, text, hint);
}

// --- MovieLens ---

#define GENRES(first, last) first "|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|" last
static void write_100k(struct fixture *f) {
	write_text(f, "ml/u.data", "2\t10\t3\t881250949\n1\t10\t5\t881250950\n2\t11\t1\t881250951\n");
	write_text(f, "ml/u.user", "1|24|M|technician|85711\n2|53|F|other|94043\n3|23|M|writer|32067\n");
	write_text(f, "ml/u.item",
	           "10|Caf\xE9 Story (1995)|01-Jan-1995||http://x/|" GENRES("0", "1") "\n11|\"Odd\" (1996)||||" GENRES(
	               "1", "1") "\n"
	                         "12|Unseen|||x|" GENRES("0", "0") "\n");
}

static void test_100k(void **state) {
	struct fixture *f = *state;
	struct error error;
	assert_true(folder_create(fixture_path(f, "ml"), &error));
	write_100k(f);
	must_load(f, MOVIELENS("movielens-100k"));
	const struct dataset *d = &f->data;
	assert_int_equal(d->count, 3);
	assert_true(d->time[2] == 881250951);
	assert_string_equal(d->titles[0], "Caf\xC3\xA9 Story (1995)");
	assert_string_equal(d->titles[1], "\"Odd\" (1996)");
	const struct attributes *users = &d->user_attributes, *items = &d->item_attributes;
	assert_int_equal(users->count, 3);
	assert_true(attribute_of(users, "age")->number[0] == 53);
	assert_string_equal(levels_of(f, attribute_of(users, "gender"), 1), "M");
	assert_string_equal(levels_of(f, attribute_of(users, "occupation"), 0), "other");
	assert_int_equal(items->count, 1);
	assert_string_equal(levels_of(f, attribute_of(items, "genres"), 0), "Western");
	assert_string_equal(levels_of(f, attribute_of(items, "genres"), 1), "Western|unknown");
	must_load(f, MOVIELENS("movielens-100k") "user_features: { categorical = [ \"zip\" ]; };\n"
	                                         "item_features: { numeric = [ \"Action\" ]; };");
	assert_int_equal(d->user_attributes.count, 1);
	assert_string_equal(levels_of(f, &d->user_attributes.items[0], 0), "94043");
	assert_true(attribute_of(&d->item_attributes, "Action")->number[0] == 0);
	assert_string_equal(d->titles[0], "Caf\xC3\xA9 Story (1995)");
	must_fail(f, MOVIELENS("movielens-100k") "user_features: {\n numeric = [ \"agee\" ]; };", ERROR_DATA,
	          "experiment.cfg:4: no column \"agee\" in \"ml/u.user\"", "Did you mean \"age\"?");
	write_text(f, "u1.base", "2\t10\t3\t5\n");
	write_text(f, "u1.test", "1\t10\t3\t5\n");
	must_load(f, MOVIELENS("movielens-100k") "split: { kind = \"files\"; train = \"u1.base\"; test = \"u1.test\"; };");
	assert_int_equal(d->count, 2);
	assert_true(d->part[0] == PART_TRAIN && d->part[1] == PART_TEST);
	assert_int_equal(d->user_attributes.rows, 2);
	write_text(f, "ml/u.item", "10|T|||x|" GENRES("2", "0") "\n");
	must_fail(f, MOVIELENS("movielens-100k"), ERROR_DATA, "ml/u.item:1: unknown \"2\" is neither 0 nor 1", "");
	unlink(fixture_path(f, "ml/u.user"));
	must_fail(f, MOVIELENS("movielens-100k"), ERROR_DATA, "the folder \"ml\" holds no \"u.user\"", "");
	must_load(f, "source: { format = \"delimited\"; path = \"ml/u.data\"; separator = \"\\t\"; header = false; };");
	must_fail(f, "source: { format = \"movielens-100k\"; path = \"ml/u.data\"; };", ERROR_DATA,
	          "\"ml/u.data\" is neither a folder nor an archive",
	          "Name the folder that holds \"u.data\", or the archive of it.");
}

static const struct member files_1m[] = {
    {"ml-1m/README", "ratings.dat", 11},
    {"ml-1m/ratings.dat", "1::50::5::978300760\n2::51::3::978302109\n1::51::4::978301968\n", 60},
    {"ml-1m/users.dat", "1::F::1::10::48067\n2::M::56::16::70072\n", 39},
    {"ml-1m/movies.dat", "50::Un \xE9t\xE9 (1960)::Comedy|Drama\n51::A: B (1961)::Drama\n", 55},
};
enum { FILES_1M = sizeof files_1m / sizeof files_1m[0] };

static void must_be_1m(struct fixture *f, const char *fingerprint) {
	const struct dataset *d = &f->data;
	assert_int_equal(d->count, 3);
	assert_true(d->rating[1] == 3 && d->time[1] == 978302109);
	assert_string_equal(d->titles[0], "Un \xC3\xA9t\xC3\xA9 (1960)");
	assert_string_equal(d->titles[1], "A: B (1961)");
	assert_true(attribute_of(&d->user_attributes, "age")->number[1] == 56);
	assert_string_equal(levels_of(f, attribute_of(&d->user_attributes, "occupation"), 1), "16");
	assert_string_equal(levels_of(f, attribute_of(&d->user_attributes, "gender"), 0), "F");
	assert_string_equal(levels_of(f, attribute_of(&d->item_attributes, "genres"), 0), "Comedy|Drama");
	if (fingerprint != NULL)
		assert_string_equal(d->fingerprint, fingerprint);
}

// A folder, a folder of compressed files, a zip and a tar: the same data.
static void test_1m(void **state) {
	struct fixture *f = *state;
	struct error error;
	assert_true(folder_create(fixture_path(f, "ml"), &error));
	for (size_t i = 1; i < FILES_1M; i++)
		write_bytes(f, arena_format(&f->arena, "ml/%s", path_base(files_1m[i].name)), files_1m[i].bytes,
		            files_1m[i].size);
	must_load(f, MOVIELENS("movielens-1m"));
	char plain[HASH_HEX];
	strcpy(plain, f->data.fingerprint);
	must_be_1m(f, NULL);
	pack(f, "ml/ratings.dat.xz", "xz", "raw", &files_1m[1], 1);
	must_fail(f, MOVIELENS("movielens-1m"), ERROR_DATA,
	          "\"ml\" holds more than one candidate: \"ratings.dat\" and \"ratings.dat.xz\"",
	          "Leave one of them there.");
	unlink(fixture_path(f, "ml/ratings.dat"));
	must_load(f, MOVIELENS("movielens-1m"));
	must_be_1m(f, plain);
	pack(f, "ml.zip", "none", "zip", files_1m, FILES_1M);
	must_load(f, "source: { format = \"movielens-1m\"; path = \"ml.zip\"; };");
	must_be_1m(f, plain);
	pack(f, "ml.tar.gz", "gzip", "ustar", files_1m, FILES_1M);
	must_load(f, "source: { format = \"movielens-1m\"; path = \"ml.tar.gz\"; };");
	must_be_1m(f, plain);
	pack(f, "ml.zip", "none", "zip", files_1m, FILES_1M - 1);
	must_fail(f, "source: { format = \"movielens-1m\"; path = \"ml.zip\"; };", ERROR_DATA,
	          "\"ml.zip\" holds no \"movies.dat\"",
	          "It holds \"ml-1m/README\", \"ml-1m/ratings.dat\", \"ml-1m/users.dat\".");
}

static void test_csv(void **state) {
	struct fixture *f = *state;
	struct error error;
	assert_true(folder_create(fixture_path(f, "ml"), &error));
	write_text(f, "ml/ratings.csv", "userId,movieId,rating,timestamp\r\n1,7,4.5,964982703\r\n2,8,0.5,964981247\r\n");
	write_text(f, "ml/movies.csv",
	           "movieId,title,genres\n7,\"Story, A (\"\"B\"\")\",Drama|War\n8,Nothing,(no genres listed)\n");
	must_load(f, MOVIELENS("movielens-csv"));
	assert_int_equal(f->data.count, 2);
	assert_true(f->data.rating[1] == 0.5f);
	assert_int_equal(f->data.user_attributes.count, 0);
	assert_string_equal(f->data.titles[0], "Story, A (\"B\")");
	assert_string_equal(levels_of(f, attribute_of(&f->data.item_attributes, "genres"), 0), "Drama|War");
	assert_string_equal(levels_of(f, attribute_of(&f->data.item_attributes, "genres"), 1), "-");
	must_fail(f, MOVIELENS("movielens-csv") "user_features: { numeric = [ \"age\" ]; };", ERROR_CONFIG,
	          "experiment.cfg:3: missing key \"path\" in \"data.user_features\"",
	          "The format has no side information of its own: name a file.");
	write_text(f, "u.csv", "id,age\n1,5\n2,6\n");
	must_load(f,
	          MOVIELENS("movielens-csv") "user_features: { path = \"u.csv\"; id = \"id\"; numeric = [ \"age\" ]; };");
	assert_true(attribute_of(&f->data.user_attributes, "age")->number[1] == 6);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_types, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_numbered_columns, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_made_attributes, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_100k, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_1m, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_csv, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
