# The look that all figures share; it stands before the figure's own script.
# Two series must be told apart on a grey print and by colour-blind readers: Okabe and Ito's palette (the blue darkened,
# the yellow left out, so that neighbours differ in lightness too), another dash and another point each.
#
# What may be set before, for what goes into a paper; without it, a picture for the screen:
#   width, height   centimetres
#   letter          the size of letters, in points; titles have the same
#   face            the font of svg, png and pdf; LaTeX has its document's own

set encoding utf8
paper = exists("letter")
if (!exists("width")) { width = 22.225; height = 13.229 }
if (!exists("face")) { face = 'Helvetica' }
pixels(centimetres) = int(centimetres / 2.54 * 96 + 0.5)
letter_pixels = paper ? letter * 96.0 / 72.0 : 15.0
# cairo's letters are measured at 96 to the inch, its points at 72: hence 0.75.
dots = paper ? 3.125 : 2.0 # of a png to one of the svg: 300 and 192 to the inch
line = paper ? 1.3 : 2.0
terminal_svg = sprintf("svg noenhanced size %d,%d font '%s,%g' background '#ffffff' linewidth 1", \
	pixels(width), pixels(height), face, letter_pixels)
terminal_png = sprintf("pngcairo noenhanced size %d,%d font '%s,%g' fontscale %g background '#ffffff' linewidth %g dashlength %g pointscale %g", \
	int(pixels(width) * dots + 0.5), int(pixels(height) * dots + 0.5), face, letter_pixels, (paper ? 0.75 : 0.85) * dots, dots, paper ? 1.2 : 1.5, 1.05 * dots)
terminal_pdf = sprintf("pdfcairo noenhanced color size %gcm,%gcm font '%s,%g' fontscale 0.75 background '#ffffff' linewidth 1.5 dashlength 0.8 pointscale 1.1", \
	width, height, face, 0.75 * letter_pixels)
terminal_tex = sprintf("cairolatex pdf input color size %gcm,%gcm linewidth 1.5 dashlength 0.8 pointscale 1.1", width, height)

text_colour = '#222222'
train_colour = '#1f3b73'
valid_colour = '#d55e00'
set style line 1 linecolor rgb train_colour linewidth line dashtype solid  pointtype 7 pointsize 0.55
set style line 2 linecolor rgb valid_colour linewidth line dashtype (8, 4) pointtype 4 pointsize 0.7
set style line 3 linecolor rgb '#009e73' linewidth line dashtype (3, 3) pointtype 9 pointsize 0.75
set style line 4 linecolor rgb '#cc79a7' linewidth line dashtype (12, 3, 3, 3) pointtype 6 pointsize 0.65
set style line 5 linecolor rgb '#56b4e9' linewidth line dashtype solid pointtype 13 pointsize 0.75
set style line 6 linecolor rgb '#e69f00' linewidth line dashtype (8, 4) pointtype 8 pointsize 0.75
set style line 7 linecolor rgb '#000000' linewidth line dashtype (3, 3) pointtype 2 pointsize 0.65
set style line 8 linecolor rgb '#888888' linewidth line dashtype (12, 3, 3, 3) pointtype 5 pointsize 0.55
set style line 20 linecolor rgb '#444444' linewidth 0.75 * line dashtype (2, 3)
set style line 21 linecolor rgb '#e0e0e0' linewidth 0.7 dashtype solid

# Light is little, dark is much, in colours and in grey: viridis (Smith and van der Walt, matplotlib) from its light end.
set palette defined (0 '#fde725', 1 '#addc30', 2 '#5ec962', 3 '#28ae80', 4 '#21918c', 5 '#2c728e', 6 '#3b528b', 7 '#472d7b', 8 '#440154')

set border 3 linecolor rgb '#555555' linewidth paper ? 0.7 : 1
set grid xtics ytics linestyle 21
set tics nomirror out scale 0.6 textcolor rgb text_colour
set style textbox opaque fillcolor rgb '#ffffff' noborder margins 0.6, 0.4
set key outside below center horizontal Left reverse samplen (paper ? 2.5 : 4) spacing 1.2 textcolor rgb text_colour
if (!paper) { set bmargin 5; set title font ',19' }
set title textcolor rgb text_colour
set datafile separator "\t"
set datafile missing "nan"
