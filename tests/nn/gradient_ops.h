// Graphs for test_gradient.c: each op of rows, noise and products on sparse rows, dense ones and at cells.
#ifndef AEXP_TESTS_NN_GRADIENT_OPS_H
#define AEXP_TESTS_NN_GRADIENT_OPS_H

static const char *const op_shapes[] = {
	// the usual beginning of a denoising autoencoder
	"graph: ( { name = \"n\"; op = \"l2_normalize\"; input = \"ratings\"; }, { op = \"dropout\"; rate = 0.4; },\n"
	"{ op = \"dense\"; units = 4; activation = \"tanh\"; }, { op = \"dense\"; units = \"items\"; } );",
	// normalised after the noise, made dense besides, and side information too
	"graph: ( { op = \"noise\"; input = \"ratings\"; sd = 0.3; }, { name = \"n\"; op = \"l2_normalize\"; epsilon = 0.9; },\n"
	"{ name = \"a\"; op = \"dense\"; units = 4; activation = \"tanh\"; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"n\"; units = 4; path = \"dense\"; },\n"
	"{ name = \"m\"; op = \"mask\"; input = \"user\"; rate = 0.3; }, { name = \"u\"; op = \"l2_normalize\"; },\n"
	"{ name = \"c\"; op = \"dense\"; units = 4; }, { op = \"add\"; inputs = [ \"a\", \"b\", \"c\" ]; },\n"
	"{ op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; } );",
	// rows of activations; some are shorter than epsilon
	"graph: ( { op = \"dense\"; input = \"ratings\"; units = 5; activation = \"swish\"; },\n"
	"{ op = \"l2_normalize\"; epsilon = 0.5; }, { op = \"dense\"; units = 4; activation = \"tanh\"; },\n"
	"{ op = \"l2_normalize\"; }, { op = \"dense\"; units = \"items\"; } );",
	// an input that others read besides, before and after
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 4; activation = \"swish\"; },\n"
	"{ name = \"a\"; op = \"l2_normalize\"; }, { name = \"b\"; op = \"layer_norm\"; input = \"h\"; epsilon = 0.1; },\n"
	"{ op = \"add\"; inputs = [ \"a\", \"h\", \"b\" ]; }, { op = \"dense\"; units = \"items\"; } );",
	// the output itself, of every cell
	"graph: ( { op = \"dense\"; input = \"ratings\"; units = 4; activation = \"tanh\"; },\n"
	"{ op = \"dense\"; units = \"items\"; }, { op = \"layer_norm\"; epsilon = 0.01; }, { op = \"l2_normalize\"; } );",
	// over what may lie in the place of its gradient and value, and over data
	"graph: ( { op = \"layer_norm\"; input = \"ratings\"; epsilon = 0.1; },\n"
	"{ op = \"dense\"; units = 4; activation = \"tanh\"; }, { op = \"layer_norm\"; }, { op = \"dropout\"; rate = 0.2; },\n"
	"{ op = \"dense\"; units = 5; }, { op = \"batch_norm\"; epsilon = 0.1; }, { op = \"l2_normalize\"; },\n"
	"{ op = \"layer_norm\"; epsilon = 0.1; }, { op = \"noise\"; sd = 0.2; }, { op = \"dense\"; units = \"items\"; } );",
	// noise on the hidden units and at cells
	"graph: ( { op = \"dense\"; input = \"ratings\"; units = 4; activation = \"swish\"; }, { op = \"noise\"; sd = 0.5; },\n"
	"{ op = \"mask\"; rate = 0.3; }, { op = \"dense\"; units = \"items\"; }, { op = \"noise\"; sd = 0.2; },\n"
	"{ op = \"mask\"; rate = 0.2; } );",
	// read twice: the second to come back adds
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 4; activation = \"swish\"; },\n"
	"{ name = \"a\"; op = \"noise\"; sd = 0.5; }, { name = \"b\"; op = \"mask\"; input = \"h\"; rate = 0.5; },\n"
	"{ op = \"multiply\"; inputs = [ \"a\", \"b\" ]; }, { op = \"dense\"; units = \"items\"; } );",
	// a node by itself, and by data
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = \"items\"; activation = \"tanh\"; },\n"
	"{ name = \"s\"; op = \"multiply\"; inputs = [ \"h\", \"h\" ]; },\n"
	"{ name = \"t\"; op = \"multiply\"; inputs = [ \"s\", \"h\" ]; }, { op = \"multiply\"; inputs = [ \"ratings\", \"t\" ]; } );",
	// two outputs, at cells
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 4; activation = \"tanh\"; },\n"
	"{ name = \"a\"; op = \"dense\"; input = \"h\"; units = \"items\"; activation = \"sigmoid\"; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"h\"; units = \"items\"; activation = \"swish\"; },\n"
	"{ op = \"multiply\"; inputs = [ \"a\", \"b\" ]; } );",
	// a gate over parts whose groups begin elsewhere
	"graph: ( { name = \"a\"; op = \"dense\"; input = \"ratings\"; units = 3; activation = \"tanh\"; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"user\"; units = 2; }, { name = \"c\"; op = \"concat\"; inputs = [ \"a\", \"b\" ]; },\n"
	"{ name = \"g\"; op = \"dense\"; input = \"ratings\"; units = 5; activation = \"sigmoid\"; },\n"
	"{ op = \"multiply\"; inputs = [ \"g\", \"c\" ]; }, { op = \"dense\"; units = \"items\"; l2 = 0.1; } );",
	// the row's own vector added to what it rated (CDAE's shape), and alone
	"graph: ( { name = \"v\"; op = \"embedding\"; units = 4; l2 = 0.2; },\n"
	"{ name = \"c\"; op = \"dropout\"; input = \"ratings\"; rate = 0.2; }, { name = \"h\"; op = \"dense\"; units = 4; },\n"
	"{ op = \"add\"; inputs = [ \"v\", \"h\" ]; }, { op = \"activation\"; activation = \"sigmoid\"; },\n"
	"{ op = \"dense\"; units = \"items\"; } );",
	"graph: ( { op = \"embedding\"; units = 3; }, { op = \"l2_normalize\"; }, { op = \"dense\"; units = \"items\"; } );",
};

#endif
