// Text from outside (names, ids, titles) made safe for JSON, gnuplot, graphviz and LaTeX. A byte that is not UTF-8 is taken as
// Latin-1, which old rating files are in: readers of JSON and SVG refuse anything but UTF-8.
#ifndef AEXP_REPORT_QUOTE_H
#define AEXP_REPORT_QUOTE_H

#include "base/memory.h"

void quote_json(struct text *text, const char *string); // "..." with escapes
void quote_gnuplot(struct text *text,
                   const char *string); // '...': no escapes, no commands within; control characters become blanks
void quote_html(struct text *text, const char *string); // without quotes, for a graphviz label <...> or XML; likewise
void quote_tex(struct text *text, const char *string); // what LaTeX sets as these characters; blanks for control ones

#endif
