// The page at /, as it was when the program was built (scripts/embed.sh); ended by a NUL.
#ifndef AEXP_SERVE_PAGE_H
#define AEXP_SERVE_PAGE_H

extern const unsigned char embedded_page_html[];

#endif
