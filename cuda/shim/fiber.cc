// See fiber.h. The stacks have a page at their end that nobody may touch.
#include "fiber.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#endif
#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace {

constexpr size_t STACK = 256 * 1024, GUARD = 4096; // bytes; frames are several times as large under sanitizers

#if defined(__x86_64__)
// Saves what a call must keep, leaves the stack in *save and takes up the one at `stack`.
extern "C" void shim_switch(void **save, void *stack);
__asm__(".text\n"
        ".globl shim_switch\n"
        ".hidden shim_switch\n"
        ".type shim_switch, @function\n"
        "shim_switch:\n"
        "	pushq %rbp\n	pushq %rbx\n	pushq %r12\n	pushq %r13\n	pushq %r14\n	pushq %r15\n"
        "	movq %rsp, (%rdi)\n"
        "	movq %rsi, %rsp\n"
        "	popq %r15\n	popq %r14\n	popq %r13\n	popq %r12\n	popq %rbx\n	popq %rbp\n"
        "	ret\n"
        ".size shim_switch, .-shim_switch\n");
typedef void *context;
#else
#include <ucontext.h>
typedef ucontext_t context;
#endif

} // namespace

struct shim_fiber {
	void (*body)(void *unused);
	char *stack; // (STACK)
	context own, outside;
	void *fake_own, *fake_outside; // of the address sanitizer
	const void *outside_bottom;
	size_t outside_size;
	void *tsan_own, *tsan_outside;
};

namespace {

shim_fiber *starting;

void tell_start(void **fake, const void *bottom, size_t size, void *tsan) {
	(void)fake, (void)bottom, (void)size, (void)tsan;
#ifdef FIBER_ASAN
	__sanitizer_start_switch_fiber(fake, bottom, size);
#endif
#ifdef FIBER_TSAN
	__tsan_switch_to_fiber(tsan, 0);
#endif
}
void tell_end(void *fake, const void **bottom, size_t *size) {
	(void)fake, (void)bottom, (void)size;
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(fake, bottom, size);
#endif
}

void change(context *from, context *to) {
#if defined(__x86_64__)
	shim_switch(from, *to);
#else
	swapcontext(from, to);
#endif
}

void begin(void) {
	shim_fiber *f = starting;
	tell_end(NULL, &f->outside_bottom, &f->outside_size);
	f->body(NULL);
	abort(); // it never returns
}

void prepare(shim_fiber *f) {
#if defined(__x86_64__)
	enum { KEPT = 6 }; // registers that shim_switch takes from the stack before it returns into `begin`
	uintptr_t top = ((uintptr_t)f->stack + STACK) & ~(uintptr_t)15;
	void **slot = (void **)top - 2; // a function begins 8 bytes off a multiple of 16
	*slot = (void *)begin;
	for (int i = 1; i <= KEPT; i++)
		slot[-i] = NULL;
	f->own = slot - KEPT;
#else
	getcontext(&f->own);
	f->own.uc_stack.ss_sp = f->stack;
	f->own.uc_stack.ss_size = STACK;
	makecontext(&f->own, begin, 0);
#endif
}

} // namespace

shim_fiber *shim_fiber_create(void (*body)(void *unused)) {
	shim_fiber *f = (shim_fiber *)calloc(1, sizeof(*f));
	void *memory =
	    mmap(NULL, STACK + GUARD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!f || memory == MAP_FAILED || mprotect(memory, GUARD, PROT_NONE)) {
		fprintf(stderr, "shim: no memory for a fiber\n");
		abort();
	}
	f->body = body;
	f->stack = (char *)memory + GUARD;
	prepare(f);
#ifdef FIBER_TSAN
	f->tsan_own = __tsan_create_fiber(0);
#endif
	return f;
}

void shim_fiber_destroy(shim_fiber *f) {
#ifdef FIBER_TSAN
	__tsan_destroy_fiber(f->tsan_own);
#endif
	munmap((char *)f->stack - GUARD, STACK + GUARD);
	free(f);
}

void shim_fiber_enter(shim_fiber *f) {
	starting = f;
#ifdef FIBER_TSAN
	f->tsan_outside = __tsan_get_current_fiber();
#endif
	tell_start(&f->fake_outside, f->stack, STACK, f->tsan_own);
	change(&f->outside, &f->own);
	tell_end(f->fake_outside, NULL, NULL);
}

void shim_fiber_leave(shim_fiber *f) {
	tell_start(&f->fake_own, f->outside_bottom, f->outside_size, f->tsan_outside);
	change(&f->own, &f->outside);
	tell_end(f->fake_own, &f->outside_bottom, &f->outside_size);
}
