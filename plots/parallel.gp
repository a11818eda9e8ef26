# Parallel coordinates: an axis a key and one for the objective, a line a trial, dark where it is better. Columns of the
# table: the trial, its objective, its rank (0 the worst, 1 the best), then its place on each axis, 0 to 1. Wants:
#   axes_count, axis_names[]                             in order; the last one is the objective
#   tics_count, tic_axes[], tic_places[], tic_names[]    what stands beside the axes
set xrange [0.82 : axes_count + 0.3]
set yrange [-0.04 : 1.04]
unset grid
unset key
unset border
unset ytics
set xtics () scale 0
do for [i = 1:axes_count] {
	set xtics add (axis_names[i] i)
	set arrow i from i, 0 to i, 1 nohead front linecolor rgb '#555555' linewidth paper ? 0.8 : 1.2
}
do for [i = 1:tics_count] {
	set label i tic_names[i] at tic_axes[i], tic_places[i] left offset 0.5, 0 front textcolor rgb text_colour
}
set cbrange [0 : 1]
unset colorbox
if (turned) { set xtics rotate by -20 }
draw = "for [a = 1:axes_count - 1] table skip 1 using (a):(column(3 + a)):(1):(column(4 + a) - column(3 + a)):3 " . \
	"with vectors nohead linewidth 0.7 * line linecolor palette notitle"
draw = draw . ", for [a = 1:axes_count - 1] '' skip 1 using (a):($3 >= 1 ? column(3 + a) : NaN):(1):(column(4 + a) - column(3 + a)) " . \
	"with vectors nohead linewidth 1.8 * line linecolor rgb valid_colour notitle"
