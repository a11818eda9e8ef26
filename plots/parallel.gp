# Parallel coordinates: an axis a key and one for the objective, a line a trial, dark where it is better. Columns of the
# table: the trial, its objective, its rank (0 the worst, 1 the best), then its place on each axis, 0 to 1. Wants:
#   axes_count, axis_names[]                             in order; the last one is the objective
#   staggered                                            1: every other name stands a line lower
#   tics_count, tic_axes[], tic_places[], tic_names[]    what stands beside the axes
set xrange [0.4 : axes_count + 0.6]
set yrange [-0.04 : 1.04]
unset grid
set style textbox opaque fillcolor rgb '#ffffff' noborder margins 0.2, 0.1
set lmargin 0
set rmargin 0
unset key
unset border
unset ytics
set xtics () scale 0
do for [i = 1:axes_count] {
	set xtics add ((staggered && i % 2 == 0 ? "\n" : "") . axis_names[i] i)
	set arrow i from i, 0 to i, 1 nohead front linecolor rgb '#555555' linewidth paper ? 0.8 : 1.2
}
do for [i = 1:tics_count] {
	# gnuplot's boxes want one more package of LaTeX.
	if (tex) {
		set label i tic_names[i] at tic_axes[i], tic_places[i] left offset 0.6, 0 front textcolor rgb text_colour
	} else {
		set label i tic_names[i] at tic_axes[i], tic_places[i] left offset 0.6, 0 front boxed textcolor rgb text_colour
	}
}
set cbrange [0 : 1]
unset colorbox
if (staggered) { set bmargin 3.2 }
draw = "for [a = 1:axes_count - 1] table skip 1 using (a):(column(3 + a)):(1):(column(4 + a) - column(3 + a)):3 " . \
	"with vectors nohead linewidth 0.7 * line linecolor palette notitle"
# The best one has a white seam, so that it is seen among dark lines in grey as well.
draw = draw . ", for [a = 1:axes_count - 1] '' skip 1 using (a):($3 >= 1 ? column(3 + a) : NaN):(1):(column(4 + a) - column(3 + a)) " . \
	"with vectors nohead linewidth 3.4 * line linecolor rgb '#ffffff' notitle"
draw = draw . ", for [a = 1:axes_count - 1] '' skip 1 using (a):($3 >= 1 ? column(3 + a) : NaN):(1):(column(4 + a) - column(3 + a)) " . \
	"with vectors nohead linewidth 1.8 * line linecolor rgb valid_colour notitle"
