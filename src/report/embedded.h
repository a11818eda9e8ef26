// The files of plots/ as they were when the program was built (scripts/embed.sh), so that it works from anywhere; each
// ended by a NUL.
#ifndef AEXP_REPORT_EMBEDDED_H
#define AEXP_REPORT_EMBEDDED_H

extern const unsigned char embedded_style_gp[], embedded_loss_gp[];
// Of figure files: style, figure, one of the kinds, output.
extern const unsigned char embedded_figure_gp[], embedded_output_gp[];
extern const unsigned char embedded_curves_gp[], embedded_metric_gp[], embedded_heatmap_gp[], embedded_parallel_gp[],
    embedded_pareto_gp[];

#endif
