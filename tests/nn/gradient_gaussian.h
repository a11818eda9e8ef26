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
	// RecVAE's shape: a composite prior, the copy of the encoder without its dropout, but with its batch norm
	"graph: ( { name = \"n\"; op = \"l2_normalize\"; input = \"ratings\"; }, { op = \"dropout\"; rate = 0.4; },\n"
	"{ name = \"h\"; op = \"dense\"; units = 4; activation = \"swish\"; },\n"
	"{ name = \"l\"; op = \"layer_norm\"; }, { name = \"b\"; op = \"batch_norm\"; },\n"
	"{ name = \"m\"; op = \"dense\"; input = \"b\"; units = 3; }, { name = \"v\"; op = \"dense\"; input = \"b\"; units = 3; },\n"
	"{ op = \"gaussian\"; inputs = [ \"m\", \"v\" ]; prior = \"composite\"; },\n"
	"{ op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; } );",
	// two latent layers that share a copy, one of them below the other, and a decoder tied to the encoder
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 4; activation = \"tanh\"; },\n"
	"{ name = \"z\"; op = \"gaussian\"; inputs = [ \"h\", \"h\" ]; sd = 0.5;\n"
	"prior: { kind = \"composite\"; weights = [ 0.0, 0.6, 0.4 ]; wide = 2.0; }; },\n"
	"{ name = \"k\"; op = \"dense\"; units = 4; }, { op = \"gaussian\"; inputs = [ \"k\", \"h\" ]; prior = \"composite\"; },\n"
	"{ op = \"dense\"; units = \"items\"; tie = \"h\"; } );",
};

static const char *const kl_weights[] = {
	"kl: { cap = 0.7; };",
	"kl: { cap = 0.3; scale = \"entries\"; };",
};

#endif
