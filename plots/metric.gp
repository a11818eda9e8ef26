# A figure over one axis: points with error bars, one series a line, and points that were published. Columns of the
# table: series (from 1; published ones go on counting), x, y, low, high. Wants:
#   series_count, series[]         their names
#   published_count, published[]   likewise
#   connect                        1: a line joins a series' points
#   x_low, x_high, y_low, y_high   what is drawn; x_log, y_log  1: that axis is logarithmic
#   places[], place_names[], places_count   tics of the x axis; places_count = 0: gnuplot's own
if (x_log) { set logscale x }
if (y_log) { set logscale y }
set format x "%g"
set format y "%g"
if (x_log && few_decades(x_low, x_high)) {
	set xtics ()
	do for [power = floor(log10(x_low)) - 1 : ceil(log10(x_high)) + 1] {
		do for [digit in digits_of(x_low, x_high)] { set xtics add (sprintf("%g", digit * 10.0 ** power) digit * 10.0 ** power) }
	}
}
if (y_log && few_decades(y_low, y_high)) {
	set ytics ()
	do for [power = floor(log10(y_low)) - 1 : ceil(log10(y_high)) + 1] {
		do for [digit in digits_of(y_low, y_high)] { set ytics add (sprintf("%g", digit * 10.0 ** power) digit * 10.0 ** power) }
	}
}
set xrange [below(x_low, x_high, x_log) : above(x_low, x_high, x_log)]
set yrange [below(y_low, y_high, y_log) : above(y_low, y_high, y_log)]
if (!x_log) { set xtics x_step(x_low, x_high) }
if (!y_log) { set ytics y_step(y_low, y_high) }
if (places_count > 0) { set xtics () }
do for [i = 1:places_count] { set xtics add (place_names[i] places[i]) }
if (turned) { set xtics rotate by -30 }

draw = "for [i = 1:series_count] table skip 1 using ($1 == i ? $2 : NaN):3:4:5 " . \
	"with yerrorbars linestyle i dashtype solid linewidth 0.6 * line pointsize 0.05 notitle"
if (connect) {
	draw = draw . ", for [i = 1:series_count] '' skip 1 using ($1 == i ? $2 : NaN):3 with linespoints linestyle i title series[i]"
} else {
	draw = draw . ", for [i = 1:series_count] '' skip 1 using ($1 == i ? $2 : NaN):3 with points linestyle i title series[i]"
}
draw = draw . ", for [i = 1:published_count] '' skip 1 using ($1 == series_count + i ? $2 : NaN):3 " . \
	"with points linecolor rgb '#000000' linewidth line pointtype (word('4 6 8 12', (i - 1) % 4 + 1) + 0) pointsize 1.3 title published[i]"
