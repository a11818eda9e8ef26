// Where a picture came from, in the picture itself: <metadata> of an SVG, a tEXt chunk of a PNG, the Info of a PDF, a
// comment of what LaTeX and Markdown read.
#ifndef AEXP_REPORT_METADATA_H
#define AEXP_REPORT_METADATA_H

#include "base/error.h"
#include "base/memory.h"

// Writes the description into the file at `path`, by the ending of its name. A PDF loses the time at which it was made.
// ERROR_RUN where the file is not what its name says, or cannot be written.
bool picture_describe(const char *path, const char *description, struct error *error);

// JSON with every character beyond ASCII as \uXXXX: what all of these formats hold alike.
void metadata_ascii(const char *json, struct text *text);

#endif
