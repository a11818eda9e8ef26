// A pass through the graph as a list of steps, made once: which function runs on which part of its node, on which
// thread, and where the threads must wait for each other.
//
// A node's columns are cut into fixed groups; each group belongs to one thread, with its activations, its weights and
// their optimizer state, so that most steps need nothing from another thread. A step that does reads what others wrote:
// it names that, and a barrier is put where it is needed. The groups do not depend on the number of threads, only whose
// they are, which changes no result.
#ifndef AEXP_NN_PROGRAM_H
#define AEXP_NN_PROGRAM_H

#include "nn/batch.h"
#include "nn/graph.h"

struct network;

// How a step is cut.
enum cut {
	CUT_COLUMNS, // by the column groups of `by`, each on its thread
	CUT_ROWS,    // by rows, in blocks of CELL_ROWS
	CUT_BLOCKS,  // by rows, in blocks of GEMM_ROWS
	CUT_NONE,    // one thread does all; which one does not matter
};
// Where the graph's shape is `whole`, a node has one group, and all rows are one block.
//
// Blocks of rows have fixed sizes too: where a loop's vectors end, and what OpenBLAS is given, may enter the rounding.
enum { CELL_ROWS = 16, GEMM_ROWS = 256 };
// Rows that consecutive steps of a group are run on at a time, where they are `by_row`: 64 rows of 64 floats are half
// of a first-level cache.
enum { ROWS_AT_ONCE = 64 };

// What a step is run on.
struct tile {
	size_t row, rows, column, columns, group; // all columns where it is cut by rows, and the other way round
};

// Whose groups are whose: of the device's team, or of one thread alone.
struct crew {
	size_t members, idlest; // the one with the least to do
	uint16_t **owner;       // by groups and group: the member whose columns they are
};

// One member's pass over one batch.
struct pass {
	struct network *network;
	const struct crew *crew;
	const struct batch *batch;       // the host's: for its numbers
	const struct batch *on;          // the same with its arrays in memory of the device: for the backend
	bool training, at_cells, update; // update: weights too, not only gradients
	bool to_loss;                    // a loss is computed, not predictions
	bool quiet;                      // training without noise on the data
	uint32_t epoch, step;            // of training, from 1
	struct optimizer_numbers numbers;
	double *loss; // (1), of the device: where the batch's loss goes
	size_t member;
};

struct step {
	void (*run)(const struct pass *pass, const struct step *step, const struct tile *tile);
	const struct node *node, *input; // what it is about; input: of several the one
	size_t at;                       // the input's first column in the node
	const struct parameter *parameter;
	real beta; // 0: the first to write to a gradient; 1: adds to it
	enum cut cut;
	const struct node *by;
	bool by_row;    // is run a block of rows at a time, one block after the other
	bool after_all; // by row, but of what the steps before it make of all rows
	bool barrier;   // all wait before it
};

// What steps read and write, of a node or of a parameter.
enum tensor_kind {
	TENSOR_VALUE,    // of a node; at cells its own are its rows
	TENSOR_SPARSE,   // a sparse node's values; its own are its rows
	TENSOR_GRADIENT, // by the value, in the same layout
	TENSOR_PARTS,    // what each group of the input adds to the cells; by the input's columns
	TENSOR_SUMS,     // of the loss, by row and group
	TENSOR_SOFTMAX,  // parts and factors of the output's groups, by row and group
	TENSOR_EXTRA,    // what a node adds to the loss, by row and group
	TENSOR_WEIGHT,   // a parameter with its optimizer state and gradient
	TENSOR_CLIP,     // norms of the gradients and the factor made of them; of the output
};
enum access { READ_OWN, WRITE_OWN, READ_ALL, WRITE_ALL }; // own: only what belongs to the thread

struct program {
	struct step *steps;
	size_t count;
	struct segment *segments; // (segments_count): what is run together, part by part
	size_t segments_count;
	bool transposed; // reads the batches' transposed patterns
};

struct program_kind {
	bool at_cells, loss, backward, update;
	bool below_output;         // all but the output
	const struct phase *phase; // NULL: everything learns
};

// For the team's size. Memory in the arena of the caller.
void program_make(const struct network *network, const struct program_kind *kind, struct arena *arena,
                  struct program *ret);
void program_pass(const struct program *program, const struct pass *pass);

// --- for ops, while a program is made ---

struct maker;
const struct graph *maker_graph(const struct maker *maker);
const struct program_kind *maker_kind(const struct maker *maker);
// Appends a step; what it reads and writes follows, and belongs to the last step.
struct step *maker_step(struct maker *maker, const struct node *node,
                        void (*run)(const struct pass *, const struct step *, const struct tile *), enum cut cut,
                        const struct node *by);
void maker_tensor(struct maker *maker, enum tensor_kind kind, const struct node *node, enum access access);
void maker_weight(struct maker *maker, const struct parameter *parameter, enum access access);
// Columns [at, at + width of the step's `by`) of the node's value or gradient, group by group: own where they are the
// same threads'.
void maker_columns(struct maker *maker, enum tensor_kind kind, const struct node *node, size_t at, bool write);
// The elements of an input that stand where the step's own do: its columns, or at cells its rows.
void maker_elements(struct maker *maker, enum tensor_kind kind, const struct node *input, bool write);
// A step of a node that maps its one input element by element, and one of its way back.
void maker_map(struct maker *maker, const struct node *node,
               void (*run)(const struct pass *, const struct step *, const struct tile *));
void maker_map_back(struct maker *maker, const struct node *node,
                    void (*run)(const struct pass *, const struct step *, const struct tile *));
// Whether the node's gradient is asked for: it, or something below it, learns under this program.
bool maker_needs(const struct maker *maker, const struct node *node);
bool maker_learns(const struct maker *maker, const struct parameter *parameter);
// The step writes to the node's gradient: the first one overwrites it, later ones add.
void maker_first_writes(struct maker *maker, const struct node *node);
// Under this program the node's value is packed at the target cells.
bool maker_at_cells(const struct maker *maker, const struct node *node);
// Under this program the node's activation is left out; see pass_logits.
bool maker_logits(const struct maker *maker, const struct node *node);

#endif
