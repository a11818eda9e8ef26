# The look that all figures share; it stands before the figure's own script.
# Two series must be told apart on a grey print and by colour-blind readers: dark blue and vermilion (Okabe and Ito's
# palette, the blue darkened so that the two differ in lightness too), another dash and another point.

set encoding utf8
terminal_svg = "svg noenhanced size 840,500 font 'Helvetica,15' background '#ffffff' linewidth 1"
terminal_png = "pngcairo noenhanced size 1680,1000 font 'Helvetica,15' fontscale 1.7 background '#ffffff' linewidth 2 dashlength 1.5 pointscale 2.1"

text_colour = '#222222'
train_colour = '#1f3b73'
valid_colour = '#d55e00'
set style line 1 linecolor rgb train_colour linewidth 2 dashtype solid  pointtype 7 pointsize 0.55
set style line 2 linecolor rgb valid_colour linewidth 2 dashtype (8, 4) pointtype 4 pointsize 0.7
set style line 8 linecolor rgb '#444444' linewidth 1.5 dashtype (2, 3)
set style line 9 linecolor rgb '#e0e0e0' linewidth 0.7 dashtype solid

set border 3 linecolor rgb '#555555' linewidth 1
set grid xtics ytics linestyle 9
set tics nomirror out scale 0.6 textcolor rgb text_colour
set style textbox opaque fillcolor rgb '#ffffff' noborder margins 0.6, 0.4
set key outside below center horizontal Left reverse samplen 4 spacing 1.2 textcolor rgb text_colour
set bmargin 5
set title font ',19' textcolor rgb text_colour
set datafile separator "\t"
set datafile missing "nan"
