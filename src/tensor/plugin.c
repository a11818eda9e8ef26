// See plugin.h.
#include "tensor/plugin.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// From the folder of the program, in this order: of a build folder, of an installation.
static const char *const places[] = {".", "cuda", "../lib/aexp", "../libexec/aexp", "../lib"};

static char *find_beside(const char *folder, const char *name) {
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *below = path_join(folder, places[i]), *path = path_join(below, name);
		free(below);
		if (file_exists(path))
			return path;
		free(path);
	}
	return NULL;
}

static bool find_plugin(const char *name, char **ret_path, struct error *error) {
	const char *folder = getenv("AEXP_PLUGIN_PATH");
	char *program, *beside;
	if (folder && *folder) {
		*ret_path = path_join(folder, name);
		if (file_exists(*ret_path))
			return true;
		error_set(error, ERROR_BACKEND, "there is no plug-in \"%s\"", *ret_path);
		error_hint(error, "AEXP_PLUGIN_PATH names its folder; unset, it is looked for beside the program.");
		free(*ret_path);
		return false;
	}
	if (!process_path(&program, error))
		return false;
	beside = path_folder(program);
	*ret_path = find_beside(beside, name);
	if (!*ret_path) {
		error_set(error, ERROR_BACKEND, "there is no plug-in \"%s\" beside the program in \"%s\"", name, beside);
		error_hint(error,
		           "It is built where nvcc is found (meson setup -Dcuda=enabled build), or its folder is named by "
		           "AEXP_PLUGIN_PATH; backend = \"openblas\" needs none.");
	}
	free(beside);
	free(program);
	return *ret_path;
}

static bool check(const struct plugin *plugin, const struct backend *row, const char *path, struct error *error) {
	if (plugin->seam != PLUGIN_SEAM || strcmp(plugin->version, AEXP_VERSION) != 0) {
		error_set(error, ERROR_BACKEND,
		          "plug-in \"%s\" is of aexp %s (seam %u), this is aexp " AEXP_VERSION " (seam %d)", path,
		          plugin->seam == PLUGIN_SEAM ? plugin->version : "of another version", plugin->seam, PLUGIN_SEAM);
		error_hint(error, "Build and install both from the same source.");
		return false;
	}
	assert(!strcmp(plugin->backend->row.name, row->row.name) && plugin->backend->apart == row->apart &&
	       plugin->backend->whole == row->whole);
	return true;
}

bool plugin_load(const struct backend *row, const struct backend **ret, struct error *error) {
	char name[64], *path;
	snprintf(name, sizeof(name), "libaexp_%s.so", row->plugin);
	if (!find_plugin(name, &path, error))
		return false;
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct plugin *plugin = library ? dlsym(library, PLUGIN_SYMBOL) : NULL;
	if (!plugin) {
		error_set(error, ERROR_BACKEND, "plug-in \"%s\" cannot be loaded: %s", path, dlerror());
		error_hint(error, "What it needs is not on this machine, or the file is damaged; backend = \"openblas\" needs "
		                  "none.");
	}
	bool good = plugin && check(plugin, row, path, error);
	free(path);
	if (good)
		*ret = plugin->backend;
	else if (library)
		dlclose(library);
	return good;
}
