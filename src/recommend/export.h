// A model in other forms: all tensors as numpy reads them, or the items' vectors as text.
#ifndef AEXP_RECOMMEND_EXPORT_H
#define AEXP_RECOMMEND_EXPORT_H

#include "base/error.h"
#include "base/memory.h"
#include "recommend/aexp.h"

// path.npz: each tensor a NAME.npy of float32 in C order (numpy's format 1.0), not compressed; the metadata's items and
// titles are not in it. The same model gives the same bytes.
bool export_npz(struct aexp_model *model, const char *path, struct error *error);
// item,title,v0,v1,...: a line for each item. ERROR_CONFIG where the model has no vectors of items.
bool export_csv(struct aexp_model *model, struct text *text, struct error *error);
// What TensorBoard's projector loads: vectors.tsv, and metadata.tsv with item, title and popularity.
bool export_tsv(struct aexp_model *model, const char *folder, struct error *error);

// The graph as an ONNX file (opset 13), batch norm folded into factors and addends; of models without a graph those
// that have weights. Inputs, as the model uses them: `ratings` (rows, columns), coded as the run codes them and 0 where
// nothing is rated; `user` (rows, features); `place` (rows), integers: 0, or 1 + the row's place in training. Output:
// `scores`. The metadata of model.safetensors is in metadata_props. ERROR_CONFIG where the model is none that ONNX can
// hold.
bool export_onnx(struct aexp_model *model, const char *path, struct error *error);

#endif
