# A figure over two keys: one cell a pair of values, dark where it is better. Columns of the table: x and y (places of the
# cells, from 1), the value, and how many trials it is of. Wants:
#   x_count, x_names[], y_count, y_names[]   the tics
#   low, high     of the values; turned_palette  1: small values are the better ones
#   value_label   what the colour shows
#   value_format  of the numbers in the cells
set xrange [0.5 : x_count + 0.5]
set yrange [0.5 : y_count + 0.5]
set xtics () scale 0
set ytics () scale 0
do for [i = 1:x_count] { set xtics add (x_names[i] i) }
do for [i = 1:y_count] { set ytics add (y_names[i] i) }
if (turned) { set xtics rotate by -40 }
unset grid
unset key
set border 0
set cbrange [low : high > low ? high : low + 1]
set cblabel value_label textcolor rgb text_colour
set colorbox noborder
set format cb "%.4g"
set cbtics scale 0
if (turned_palette) {
	set palette defined (0 '#440154', 1 '#472d7b', 2 '#3b528b', 3 '#2c728e', 4 '#21918c', 5 '#28ae80', 6 '#5ec962', 7 '#addc30', 8 '#fde725')
}
share(v) = high > low ? (v - low) / (high - low) : 0.0
dark(v) = turned_palette ? share(v) < 0.55 : share(v) > 0.45
cell(v) = sprintf(value_format, v)
draw = "table skip 1 using 1:2:($1 - 0.48):($1 + 0.48):($2 - 0.48):($2 + 0.48):3 with boxxyerror fillstyle solid 1 noborder fillcolor palette"
if (numbers) {
	draw = draw . ", '' skip 1 using 1:(dark($3) ? $2 : NaN):(cell($3)) with labels textcolor rgb '#ffffff'" . \
		", '' skip 1 using 1:(dark($3) ? NaN : $2):(cell($3)) with labels textcolor rgb '#000000'"
}
