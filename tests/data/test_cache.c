// A cache gives what the files give, is not used once a byte of them has changed, and is only a cache: damaged, cut
// short or not writable, nothing fails.
#include "load_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/pool.h"
#include "data/cache.h"

static const char plain[] =
    "source: { format = \"delimited\"; path = \"r.csv\"; columns: { time = 4; }; };\n"
    "user_features: { path = \"u.csv\"; id = \"id\"; categorical = [ \"kind\" ]; numeric = [ \"age\" ]; multi = [ "
    "\"likes\" ]; };\n"
    "item_features: { path = \"i.csv\"; id = \"id\"; title = \"name\"; categorical = [ \"colour\" ]; };\n";

static void write_files(struct fixture *f) {
	write_text(f, "r.csv", "user,item,rating,time\nu1,i1,4,100\nu1,i2,0,101\nu2,i2,-3.5,102\nu3,i3,1e1,103\n");
	write_text(f, "u.csv", "id,kind,age,likes\nu1,a,30,x|y\nu2,,,\nu3,\"b,c\",-1,y\n");
	write_text(f, "i.csv", "id,name,colour\ni1,First,red\ni2,,blue\ni3,Third,red\n");
}

static const char *cache_folder(struct fixture *f) {
	return fixture_path(f, "cache");
}

// Loads with the cache and wants it to come from there, or not.
static void must_come(struct fixture *f, const char *keys, const char *from, const char *note) {
	char folder[80];
	snprintf(folder, sizeof folder, "%s/cache", f->folder);
	f->access = (struct data_access){.cache = folder};
	must_load(f, keys);
	data_keep(&f->access, &f->data);
	assert_string_equal(f->access.from, from);
	assert_string_equal(spelled(f, f->access.note.message), note);
	f->access = (struct data_access){0};
}

static size_t count_caches(struct fixture *f) {
	size_t count = 0;
	DIR *folder = opendir(cache_folder(f));
	for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
		count += entry->d_name[0] != '.';
	if (folder != NULL)
		closedir(folder);
	return count;
}

// The path of the only cache there is.
static const char *the_cache(struct fixture *f) {
	const char *path = NULL;
	DIR *folder = opendir(cache_folder(f));
	assert_non_null(folder);
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		assert_null(path);
		path = arena_format(&f->arena, "%s/%s", cache_folder(f), entry->d_name);
	}
	closedir(folder);
	assert_non_null(path);
	return path;
}

static void same_ids(const struct ids *a, const struct ids *b) {
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		uint32_t index;
		assert_string_equal(ids_name(a, i), ids_name(b, i));
		assert_true(ids_find(b, ids_name(a, i), strlen(ids_name(a, i)), &index));
		assert_int_equal(index, i);
	}
}

static void same_attributes(const struct attributes *a, const struct attributes *b) {
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct attribute *x = &a->items[i], *y = &b->items[i];
		assert_string_equal(x->name, y->name);
		assert_int_equal(x->numeric, y->numeric);
		assert_int_equal(a->rows, b->rows);
		if (x->numeric) {
			assert_memory_equal(x->number, y->number, a->rows * sizeof *x->number);
			continue;
		}
		same_ids(&x->levels, &y->levels);
		assert_memory_equal(x->start, y->start, (a->rows + 1) * sizeof *x->start);
		assert_memory_equal(x->level, y->level, x->start[a->rows] * sizeof *x->level);
	}
}

static void same_optional(const void *a, const void *b, size_t size) {
	assert_int_equal(a != NULL, b != NULL);
	if (a != NULL)
		assert_memory_equal(a, b, size);
}

static void same_data(const struct dataset *a, const struct dataset *b) {
	same_ids(&a->users, &b->users);
	same_ids(&a->items, &b->items);
	assert_int_equal(a->count, b->count);
	same_optional(a->user, b->user, a->count * sizeof *a->user);
	same_optional(a->item, b->item, a->count * sizeof *a->item);
	same_optional(a->rating, b->rating, a->count * sizeof *a->rating);
	same_optional(a->time, b->time, a->count * sizeof *a->time);
	same_optional(a->part, b->part, a->count);
	assert_int_equal(a->titles != NULL, b->titles != NULL);
	for (size_t i = 0; a->titles != NULL && i < a->items.count; i++)
		assert_string_equal(a->titles[i], b->titles[i]);
	same_attributes(&a->user_attributes, &b->user_attributes);
	same_attributes(&a->item_attributes, &b->item_attributes);
	assert_string_equal(a->fingerprint, b->fingerprint);
}

// From the files, from the files with a cache left, from the cache: all the same, and so is what is made of it.
static void must_be_kept(struct fixture *f, const char *keys) {
	struct fixture direct = {0};
	strcpy(direct.folder, f->folder);
	must_load(&direct, keys);
	must_come(f, keys, "files", "");
	same_data(&direct.data, &f->data);
	must_come(f, keys, "cache", "");
	same_data(&direct.data, &f->data);
	struct matrices a, b;
	struct error error;
	assert_true(matrices_create(direct.config, &direct.data, 1, &a, &error));
	assert_true(matrices_create(f->config, &f->data, 1, &b, &error));
	assert_memory_equal(a.train.column, b.train.column, csr_count(&a.train) * sizeof *a.train.column);
	assert_memory_equal(a.train.value, b.train.value, csr_count(&a.train) * sizeof *a.train.value);
	matrices_finish(&a);
	matrices_finish(&b);
	fixture_reset(&direct);
}

static void test_same(void **state) {
	struct fixture *f = *state;
	write_files(f);
	must_be_kept(f, plain);
	must_be_kept(f, "source: { format = \"delimited\"; path = \"r.csv\"; };"); // no times, no side information
	write_text(f, "more.csv", "user,item,rating,time\nu1,i3,4,100\n");
	must_be_kept(f, "source: { format = \"delimited\"; };"
	                "split: { kind = \"files\"; train = \"r.csv\"; test = \"more.csv\"; };");
	assert_int_equal(count_caches(f), 3);
}

static void test_movielens(void **state) {
	struct fixture *f = *state;
	assert_int_equal(mkdir(fixture_path(f, "ml"), 0777), 0);
	write_text(f, "ml/ratings.dat", "1::10::5::978300760\n1::20::3::978302109\n2::10::4::978301968\n");
	write_text(f, "ml/users.dat", "1::F::1::10::48067\n2::M::56::16::70072\n");
	write_text(f, "ml/movies.dat", "10::Toy Story (1995)::Animation|Comedy\n20::Mis\xe9rables, Les::Drama\n");
	must_be_kept(f, "source: { format = \"movielens-1m\"; path = \"ml\"; };");
	write_text(f, "ml/ratings.csv", "userId,movieId,rating,timestamp\n1,10,5.0,978300760\n1,20,0.5,978302109\n");
	write_text(f, "ml/movies.csv", "movieId,title,genres\n10,\"Toy, Story\",A|B\n20,X,(no genres listed)\n");
	must_be_kept(f, "source: { format = \"movielens-csv\"; path = \"ml\"; };");
	write_text(f, "ml/u.data", "1\t10\t5\t978300760\n1\t20\t3\t978302109\n");
	write_text(f, "ml/u.user", "1|24|M|technician|85711\n");
	struct text items = {0};
	for (int i = 10; i <= 20; i += 10) {
		text_format(&items, "%d|Toy|||", i);
		for (int genre = 0; genre < 19; genre++)
			text_append(&items, genre == i % 7 ? "|1" : "|0");
		text_append(&items, "\n");
	}
	write_text(f, "ml/u.item", text_string(&items));
	text_finish(&items);
	must_be_kept(f, "source: { format = \"movielens-100k\"; path = \"ml\"; };");
	write_text(f, "ml/users.dat", "1::M::1::10::48067\n2::M::56::16::70072\n"); // one letter
	must_come(f, "source: { format = \"movielens-1m\"; path = \"ml\"; };", "files", "");
}

// Whatever file changes, and where times and sizes stay what they were.
static void test_changed(void **state) {
	struct fixture *f = *state;
	write_files(f);
	must_come(f, plain, "files", "");
	must_come(f, plain, "cache", "");
	struct stat before;
	const char *path = fixture_path(f, "r.csv");
	assert_int_equal(stat(path, &before), 0);
	write_text(f, "r.csv", "user,item,rating,time\nu1,i1,5,100\nu1,i2,0,101\nu2,i2,-3.5,102\nu3,i3,1e1,103\n");
	struct timespec times[2] = {before.st_atim, before.st_mtim};
	assert_int_equal(utimensat(AT_FDCWD, fixture_path(f, "r.csv"), times, 0), 0);
	must_come(f, plain, "files", "");
	assert_true(f->data.rating[0] == 5);
	write_text(f, "u.csv", "id,kind,age,likes\nu1,a,31,x|y\nu2,,,\nu3,\"b,c\",-1,y\n");
	must_come(f, plain, "files", "");
	assert_true(f->data.user_attributes.items[1].number[0] == 31);
	write_text(f, "i.csv", "id,name,colour\ni1,Erster,red\ni2,,blue\ni3,Third,red\n");
	must_come(f, plain, "files", "");
	assert_string_equal(f->data.titles[0], "Erster");
	write_files(f);
	must_come(f, plain, "cache", ""); // as they were at first
}

// Keys that change what is read have a cache of their own; those that come later share it.
static void test_keys(void **state) {
	struct fixture *f = *state;
	write_text(f, "r.csv", "user,item,rating,time\n1,2,4,100\n1,3,0,101\n2,2,-3.5,102\n2,2,1,103\n");
#define SOURCE "source: { format = \"delimited\"; path = \"r.csv\"; "
	must_come(f, SOURCE "}; duplicates = \"last\";", "files", "");
	must_come(f, SOURCE "}; duplicates = \"mean\";", "files", "");
	must_come(f, SOURCE "columns: { time = 4; }; }; duplicates = \"last\";", "files", "");
	must_come(f, SOURCE "columns: { user = 2; item = 1; }; }; duplicates = \"last\";", "files", "");
	must_come(f, SOURCE "columns: { rating = 4; }; }; duplicates = \"last\";", "files", "");
	assert_true(f->data.rating[0] == 100);
	must_come(f,
	          SOURCE "}; duplicates = \"last\"; rows = \"items\"; liked = 3; split: { kind = \"ratio\"; seed = 7; };",
	          "cache", "");
	must_come(f, SOURCE "}; duplicates = \"last\"; filter: { min_user_ratings = 2; };", "cache", "");
	write_text(f, "elsewhere.csv", "user,item,rating,time\n1,2,4,100\n1,3,0,101\n2,2,-3.5,102\n2,2,1,103\n");
	must_come(f, "source: { format = \"delimited\"; path = \"elsewhere.csv\"; }; duplicates = \"last\";", "cache", "");
	assert_int_equal(count_caches(f), 5);
}

// Every byte of a cache, flipped; and the file cut short at every place: read from the files, with a note, and mended.
static void test_damaged(void **state) {
	struct fixture *f = *state;
	write_files(f);
	must_come(f, plain, "files", "");
	char fingerprint[HASH_HEX], *good, note[200], name[120];
	size_t size;
	struct error error;
	strcpy(fingerprint, f->data.fingerprint);
	snprintf(name, sizeof name, "%s", the_cache(f));
	assert_true(file_read(name, SIZE_MAX - 2, &good, &size, &error));
	snprintf(note, sizeof note, "the cache \"%s\" is damaged; the data is read from its files", spelled(f, name));
	for (size_t i = 0; i < 2 * size; i += i < 300 ? 1 : 7) {
		bool cut = i >= size;
		char *bad = malloc(size);
		memcpy(bad, good, size);
		bad[i % size] ^= (char)(1 << i % 8);
		assert_true(file_write(name, bad, cut ? i - size : size, &error));
		free(bad);
		must_come(f, plain, "files", note);
		assert_string_equal(f->data.fingerprint, fingerprint);
	}
	free(good);
	must_come(f, plain, "cache", "");
}

// Where nothing can be written nothing fails, and there is a note.
static void test_unwritable(void **state) {
	struct fixture *f = *state;
	write_files(f);
	write_text(f, "cache", "a file where the folder should be");
	must_come(f, plain, "files", "cannot create the folder \"cache\": Not a directory");
	assert_int_equal(f->data.count, 4);
}

// Not asked to keep: nothing is left, but what is there is used. Data that is made is never kept; no more is data that
// cannot be read.
static void test_not_kept(void **state) {
	struct fixture *f = *state;
	write_files(f);
	char folder[80];
	snprintf(folder, sizeof folder, "%s/cache", f->folder);
	f->access = (struct data_access){.cache = folder};
	must_load(f, plain);
	assert_int_equal(count_caches(f), 0);
	must_come(f, "source: { format = \"synthetic\"; users = 20; items = 5; ratings = 40; };", "synthetic", "");
	assert_int_equal(count_caches(f), 0);
	must_come(f, plain, "files", "");
	f->access = (struct data_access){.cache = folder};
	must_load(f, plain);
	assert_string_equal(f->access.from, "cache");
	f->access = (struct data_access){.cache = folder};
	write_text(f, "r.csv", "user,item,rating,time\nu1,i1,x,100\n");
	assert_false(load(f, plain));
	assert_int_equal(f->errors.items[0].line, 2);
	assert_int_equal(count_caches(f), 1);
	f->access = (struct data_access){0};
}

// Several threads hash and read alike.
static void test_threads(void **state) {
	struct fixture *f = *state;
	struct text text = {0};
	text_append(&text, "user,item,rating\n");
	for (unsigned i = 0; i < 300000; i++)
		text_format(&text, "%u,%u,%u\n", i / 100, i % 100 * 7, i % 5);
	write_bytes(f, "r.csv", text.data, text.length);
	text_finish(&text);
	must_come(f, "source: { format = \"delimited\"; path = \"r.csv\"; };", "files", "");
	struct pool *pool = pool_create(4);
	char folder[80], fingerprint[HASH_HEX];
	strcpy(fingerprint, f->data.fingerprint);
	snprintf(folder, sizeof folder, "%s/cache", f->folder);
	f->access = (struct data_access){.cache = folder, .pool = pool};
	must_load(f, "source: { format = \"delimited\"; path = \"r.csv\"; };");
	assert_string_equal(f->access.from, "cache");
	assert_string_equal(f->data.fingerprint, fingerprint);
	f->access = (struct data_access){0};
	pool_destroy(pool);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_same, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_movielens, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_changed, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_keys, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_damaged, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_unwritable, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_not_kept, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_threads, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
