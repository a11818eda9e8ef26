// What the shim's launches need of its runtime (memory.cc).
#ifndef AEXP_CUDA_SHIM_MEMORY_H
#define AEXP_CUDA_SHIM_MEMORY_H

bool shim_may_launch(void); // false where AEXP_SHIM_FAIL wants launches to fail
// The device's memory may be touched between these alone, where AEXP_SHIM_GUARD is set.
void shim_memory_open(void);
void shim_memory_close(void);

#endif
