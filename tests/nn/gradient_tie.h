// Graphs with tied weights for test_gradient.c: the owner reads rows or is dense, the other one is at cells or dense.
static const char *const tied[] = {
	// one hidden layer: at cells; dense over the rows; all dense
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 4; activation = \"tanh\"; },\n"
	"{ name = \"y\"; op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; tie = \"h\"; } );",
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 4; activation = \"tanh\"; },\n"
	"{ name = \"y\"; op = \"dense\"; units = \"items\"; activation = \"swish\"; path = \"dense\"; tie = \"h\"; } );",
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 4; activation = \"tanh\"; path = \"dense\"; },\n"
	"{ name = \"y\"; op = \"dense\"; units = \"items\"; bias = false; tie = \"h\"; } );",
	// noise on the data and between, L2 on the weights once
	"graph: ( { name = \"noise\"; op = \"dropout\"; input = \"ratings\"; rate = 0.3; },\n"
	"{ name = \"h\"; op = \"dense\"; units = 4; activation = \"tanh\"; l2 = 0.2; l2_bias = 0.1; },\n"
	"{ op = \"dropout\"; rate = 0.2; },\n"
	"{ name = \"y\"; op = \"dense\"; units = \"items\"; activation = \"swish\"; l2_bias = 0.3; tie = \"h\"; },\n"
	"{ op = \"activation\"; activation = \"tanh\"; } );",
	// two hidden layers, both tied
	"graph: ( { name = \"a\"; op = \"dense\"; input = \"ratings\"; units = 5; activation = \"selu\"; },\n"
	"{ name = \"b\"; op = \"dense\"; units = 3; activation = \"selu\"; },\n"
	"{ name = \"c\"; op = \"dense\"; units = 5; activation = \"selu\"; tie = \"b\"; },\n"
	"{ name = \"y\"; op = \"dense\"; units = \"items\"; tie = \"a\"; } );",
	// the output reads a concat, whose columns are cut otherwise than the owner's
	"graph: ( { name = \"a\"; op = \"dense\"; input = \"ratings\"; units = 5; activation = \"tanh\"; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"user\"; units = 2; }, { name = \"c\"; op = \"dense\"; input = \"a\"; units = 3; },\n"
	"{ op = \"concat\"; inputs = [ \"b\", \"c\" ]; },\n"
	"{ name = \"y\"; op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; tie = \"a\"; } );",
	// the owner reads the other input
	"graph: ( { name = \"a\"; op = \"dense\"; input = \"user\"; units = 4; activation = \"tanh\"; },\n"
	"{ name = \"b\"; op = \"dense\"; units = 5; activation = \"tanh\"; tie = \"a\"; },\n"
	"{ name = \"y\"; op = \"dense\"; units = \"items\"; } );",
	// the other one reads data, made dense for it
	"graph: ( { name = \"a\"; op = \"dense\"; input = \"user\"; units = \"items\"; activation = \"tanh\"; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"ratings\"; units = 5; activation = \"tanh\"; tie = \"a\"; },\n"
	"{ name = \"c\"; op = \"concat\"; inputs = [ \"a\", \"b\" ]; }, { name = \"y\"; op = \"dense\"; units = \"items\"; } );",
};
