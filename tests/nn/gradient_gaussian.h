// Graphs for test_gradient.c with latent layers; each is tried with every reduction, and with the weights of loss.kl
// below.
#ifndef AEXP_TESTS_NN_GRADIENT_GAUSSIAN_H
#define AEXP_TESTS_NN_GRADIENT_GAUSSIAN_H

static const char *const gaussian_shapes[] = {
	// Mult-VAE's shape
	"graph: ( { op = \"dropout\"; input = \"ratings\"; rate = 0.4; },\n"
	"{ name = \"h\"; op = \"dense\"; units = 4; activation = \"tanh\"; },\n"
	"{ name = \"m\"; op = \"dense\"; input = \"h\"; units = 3; }, { name = \"v\"; op = \"dense\"; input = \"h\"; units = 3; },\n"
	"{ op = \"gaussian\"; inputs = [ \"m\", \"v\" ]; },\n"
	"{ op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; } );",
	// heads that others read besides and whose groups begin elsewhere, another deviation
	"graph: ( { name = \"m\"; op = \"dense\"; input = \"ratings\"; units = 5; activation = \"tanh\"; },\n"
	"{ name = \"a\"; op = \"dense\"; input = \"user\"; units = 2; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"m\"; units = 3; },\n"
	"{ name = \"v\"; op = \"concat\"; inputs = [ \"a\", \"b\" ]; },\n"
	"{ name = \"z\"; op = \"gaussian\"; inputs = [ \"m\", \"v\" ]; sd = 0.3; },\n"
	"{ op = \"concat\"; inputs = [ \"z\", \"a\", \"m\" ]; }, { op = \"dense\"; units = \"items\"; } );",
	// both heads one node, data as a head, two latent layers, dropout in z's place
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 4; activation = \"tanh\"; },\n"
	"{ name = \"z\"; op = \"gaussian\"; inputs = [ \"h\", \"h\" ]; }, { name = \"d\"; op = \"dropout\"; rate = 0.3; },\n"
	"{ name = \"o\"; op = \"dense\"; input = \"d\"; units = \"items\"; },\n"
	"{ op = \"gaussian\"; inputs = [ \"o\", \"ratings\" ]; sd = 0.0; } );",
};

static const char *const kl_weights[] = {
	"kl: { cap = 0.7; };",
	"kl: { cap = 0.3; scale = \"entries\"; };",
};

#endif
