//! Memory: dlmalloc over the heap that the component begins with, and over what it asks for once that is used up.
//!
//! The heap is part of the memory from the beginning (`--initial-heap`, in the harness's build script), because growing
//! the memory costs a host several system calls, in every instance, and most requests need no more than this.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use dlmalloc::{Allocator, Dlmalloc};

/// The size of a page of WebAssembly memory, in bytes.
const PAGE: usize = 64 << 10;

unsafe extern "C" {
    /// Where the heap begins. The linker gives the address of this, not a value.
    static __heap_base: u8;
    /// Where it ends.
    static __heap_end: u8;
}

/// The allocator of the component.
pub(super) struct Heap(UnsafeCell<Dlmalloc<Memory>>);

// SAFETY: a component of this kind has one thread.
unsafe impl Sync for Heap {}

impl Heap {
    pub(super) const fn new() -> Self {
        Self(UnsafeCell::new(Dlmalloc::new_with_allocator(Memory { taken: AtomicUsize::new(0) })))
    }

    #[expect(clippy::mut_from_ref, reason = "there is one thread, and the allocator does not call itself")]
    fn get(&self) -> &mut Dlmalloc<Memory> {
        // SAFETY: as above.
        unsafe { &mut *self.0.get() }
    }
}

// SAFETY: dlmalloc keeps the promises of an allocator; size and alignment are handed on as they come.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the callee's conditions, here and below.
        unsafe { self.get().malloc(layout.size(), layout.align()) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: see above.
        unsafe { self.get().free(old, layout.size(), layout.align()) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see above.
        unsafe { self.get().calloc(layout.size(), layout.align()) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: see above.
        unsafe { self.get().realloc(old, layout.size(), layout.align(), size) }
    }
}

/// The component's linear memory.
struct Memory {
    /// How many bytes of the first heap have been handed out.
    taken: AtomicUsize,
}

// SAFETY: what it hands out is zeroed memory that nothing else uses: each part of the heap once, and pages that are
// new.
unsafe impl Allocator for Memory {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let heap = &raw const __heap_base as usize..&raw const __heap_end as usize;
        // No more than is asked for: dlmalloc writes to the end of what it gets, and every page that is written to
        // costs the host a page to clear afterwards.
        let taken = self.taken.load(Ordering::Relaxed);
        if size <= heap.len() - taken {
            self.taken.store(taken + size, Ordering::Relaxed);
            return (ptr::with_exposed_provenance_mut(heap.start + taken), size, 0);
        }
        let pages = size.div_ceil(PAGE);
        match wasm32::memory_grow::<0>(pages) {
            usize::MAX => (ptr::null_mut(), 0, 0),
            before => (ptr::with_exposed_provenance_mut(before * PAGE), pages * PAGE, 0),
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        PAGE
    }
}
