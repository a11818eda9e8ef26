# Curves over the epochs, or over whatever the first column counts, with a band where there are several runs. Wants:
#   series_count, series[]   their names; series I is in columns 3 I - 1 (mean), 3 I (low) and 3 I + 1 (high)
#   bands[]                  1: the series has a band
#   every                    points lie this many rows apart
#   x_low, x_high, y_low, y_high   what is drawn; x_log, y_log  1: that axis is logarithmic; points  1: with marks on the lines
max_of(a, b) = a > b ? a : b
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
set xrange [x_log ? below(x_low, x_high, 1) : x_low - air(x_low, x_high, 0.02) : x_log ? above(x_low, x_high, 1) : x_high + air(x_low, x_high, 0.02)]
set yrange [below(y_low, y_high, y_log) : above(y_low, y_high, y_log)]
if (!x_log) { set xtics x_high - x_low <= 8 ? 1 : max_of(x_step(x_low, x_high), 1) }
if (!y_log) { set ytics y_step(y_low, y_high) }
set style fill transparent solid 0.18 noborder

draw = "for [i = 1:series_count] table skip 1 using 1:(bands[i] ? column(3 * i) : NaN):(bands[i] ? column(3 * i + 1) : NaN) " . \
	"with filledcurves linestyle i notitle"
draw = draw . (points ? ", for [i = 1:series_count] '' skip 1 using 1:3 * i - 1 with linespoints linestyle i pointinterval every title series[i]" : \
	", for [i = 1:series_count] '' skip 1 using 1:3 * i - 1 with lines linestyle i title series[i]")
