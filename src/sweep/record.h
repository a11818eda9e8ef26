// Inside this floor: the files of single trials.
#ifndef AEXP_SWEEP_RECORD_H
#define AEXP_SWEEP_RECORD_H

#include "report/json.h"
#include "sweep/sweep.h"

void record_read(struct sweep *sweep, size_t index); // leaves the trial open where there is no whole file
bool record_write(struct sweep *sweep, size_t index, struct error *error);
bool record_remove(struct sweep *sweep, size_t index, struct error *error);
// A trial as an object of JSON, as in its file and in sweep.json.
void record_json(struct json *json, struct sweep *sweep, size_t index);

#endif
