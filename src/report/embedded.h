// The files of plots/ as they were when the program was built (scripts/embed.sh), so that it works from anywhere.
#ifndef AEXP_REPORT_EMBEDDED_H
#define AEXP_REPORT_EMBEDDED_H

extern const unsigned char embedded_style_gp[]; // plots/style.gp, ended by a NUL
extern const unsigned char embedded_loss_gp[];  // plots/loss.gp, ended by a NUL

#endif
