// Backends in shared libraries of their own, so that the program needs nothing of what they need: libaexp_NAME.so,
// which exports one symbol.
#ifndef AEXP_TENSOR_PLUGIN_H
#define AEXP_TENSOR_PLUGIN_H

#include "tensor/backend.h"

// Raised with every change of what passes between a program and a plug-in: struct backend and all that it names.
enum { PLUGIN_SEAM = 3 };
#define PLUGIN_SYMBOL "aexp_plugin"

struct plugin {
	uint32_t seam;                 // PLUGIN_SEAM
	const char *version;           // of aexp, as `aexp --version` has it
	const struct backend *backend; // of the row's name, `apart` and `whole`
};

// The table of a row whose `plugin` is set. Looked for in the folder AEXP_PLUGIN_PATH, and only there where it is set;
// else beside the running program, in the folder lib or src beside it, then where `meson install` puts it. It stays
// loaded. ERROR_BACKEND where it is missing, cannot be loaded or is of another version.
bool plugin_load(const struct backend *row, const struct backend **ret, struct error *error);

#endif
