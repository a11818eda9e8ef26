// Fibers: a function on a stack of its own that is entered and left again and again, by one thread at a time.
// Sanitizers are told of each change of stacks. x86-64 by a few lines of assembly, other processors by ucontext.
#ifndef AEXP_CUDA_SHIM_FIBER_H
#define AEXP_CUDA_SHIM_FIBER_H

struct shim_fiber;

shim_fiber *shim_fiber_create(void (*body)(void *unused)); // body never returns
void shim_fiber_destroy(shim_fiber *fiber);                // one that has left
void shim_fiber_enter(shim_fiber *fiber);                  // until it leaves
void shim_fiber_leave(shim_fiber *fiber);                  // by the one that runs, back to where it was entered

#endif
