// Runs a fuzz target on files, in place of libFuzzer: the corpora as a test, with any compiler. Arguments: files, and
// folders of files. Fails where there is none.
#include "fuzz.h"

#include "base/file.h"

#include <dirent.h>
#include <stdio.h>

static size_t count;

static bool run_file(const char *path) {
	char *data;
	size_t size;
	struct error error = {0};
	if (!file_read(path, (size_t)1 << 30, &data, &size, &error)) {
		fprintf(stderr, "%s\n", error.message);
		return false;
	}
	// The very bytes, so that a sanitizer sees what is read beyond them.
	uint8_t *copy = malloc(size > 0 ? size : 1);
	fuzz_require(copy != NULL);
	memcpy(copy, data, size);
	free(data);
	printf("%s\n", path);
	fflush(stdout); // it is the last line where the next one ends the process
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	count++;
	return true;
}

static int no_dots(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

static bool run_folder(const char *path) {
	struct dirent **entries;
	int files = scandir(path, &entries, no_dots, alphasort);
	bool good = files >= 0;
	for (int i = 0; i < files; i++) {
		char *file = path_join(path, entries[i]->d_name);
		good = run_file(file) && good;
		free(file);
		free(entries[i]);
	}
	if (files >= 0)
		free(entries);
	return good;
}

int main(int argc, char **argv) {
	bool good = true;
	for (int i = 1; i < argc; i++)
		good = (file_is_folder(argv[i]) ? run_folder(argv[i]) : run_file(argv[i])) && good;
	printf("%zu inputs\n", count);
	return good && count > 0 ? 0 : 1;
}
