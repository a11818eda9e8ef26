# What all figures of figure files begin with, below their facts and style.gp. What it wants to be set above:
#   name      of the files: NAME.tsv is what is drawn
#   formats   "svg pdf png", those that are wanted; tex_wanted  1: LaTeX as well, in a second pass over this script
#   tex       0 in the first pass, 1 in the second, where texts are spelled for LaTeX
#   title, xlabel, ylabel   "" for none
table = name . ".tsv"
set key above # where no label of an axis is in its way
if (strlen(title) > 0) { set title title }
if (strlen(xlabel) > 0) { set xlabel xlabel offset 0, 0.3 textcolor rgb text_colour }
if (strlen(ylabel) > 0) { set ylabel ylabel offset 0.5, 0 textcolor rgb text_colour }

# A range with some air around it; on a logarithmic axis by factors.
air(l, h, share) = h > l ? share * (h - l) : (l == 0 ? 1 : abs(l) * 0.1)
below(l, h, logarithmic) = logarithmic ? l / (h / l) ** 0.06 / (h > l ? 1 : 1.2) : l - air(l, h, 0.06)
above(l, h, logarithmic) = logarithmic ? h * (h / l) ** 0.06 * (h > l ? 1 : 1.2) : h + air(l, h, 0.08)

# Tics of a logarithmic axis: the powers of ten alone are too few where it spans less than one and a half.
few_decades(l, h) = l > 0 && h / l < 30
digits_of(l, h) = h / l < 5 ? "1 2 3 4 5 6 7 8 9" : "1 2 5"

# The distance of tics, 1, 2 or 5 times a power of ten, so that labels of four digits have room: 1.7 centimetres each in
# x, 1.2 in y.
power(x) = 10.0 ** floor(log10(x))
rounded(x) = (x / power(x) <= 1 ? 1 : x / power(x) <= 2 ? 2 : x / power(x) <= 5 ? 5 : 10) * power(x)
x_step(l, h) = rounded((h > l ? h - l : 1.0) / (width / 1.7))
y_step(l, h) = rounded((h > l ? h - l : 1.0) / (height / 1.2))
