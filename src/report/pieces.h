// What the files of this floor share among themselves.
#ifndef AEXP_REPORT_PIECES_H
#define AEXP_REPORT_PIECES_H

#include "report/json.h"
#include "train/result.h"

extern const char *const part_names[PARTS]; // "train", "valid", "test"

// {"epoch": 1, "train": {...}, "valid": {...}}, in metrics.json and history.jsonl alike.
void json_epoch(struct json *json, const struct run_result *result, const struct epoch_result *epoch);

// "halved_rates": [ {"epoch": 3, "batch": 17} ]: where training went back to the epoch before, with half the rate;
// nothing where it never did. Batch null: only the weights after the epoch were not finite.
void json_halvings(struct json *json, const struct run_result *result);

// Calls the program `argv[0]` (found by PATH, no shell) in a folder and waits for it. On failure the message is the
// program's last line on standard error; ret_missing tells whether there is no such program.
bool program_run(const char *const argv[], const char *folder, bool *ret_missing, struct error *error);

#endif
