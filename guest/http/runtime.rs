//! What a component without the standard library needs of its own. The standard library would import files, sockets and
//! the environment.

#![expect(unsafe_code, reason = "the canonical ABI hands memory over as pointers")]

use core::alloc::Layout;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Makes room for what is passed in. The one in the target's C library would take it from another allocator.
///
/// # Safety
/// As the canonical ABI demands: `old` is null with `old_len` 0, or what an earlier call returned for `old_len` and the
/// same `align`.
#[unsafe(export_name = "cabi_realloc")]
unsafe extern "C" fn canonical_realloc(old: *mut u8, old_len: usize, align: usize, new_len: usize) -> *mut u8 {
    if new_len == 0 {
        return core::ptr::without_provenance_mut(align);
    }
    // SAFETY: `align` is a power of two and `new_len` is not zero; the rest is what the caller promises.
    let new = unsafe {
        let layout = Layout::from_size_align_unchecked(if old_len == 0 { new_len } else { old_len }, align);
        if old_len == 0 { alloc::alloc::alloc(layout) } else { alloc::alloc::realloc(old, layout, new_len) }
    };
    if new.is_null() {
        core::arch::wasm32::unreachable()
    }
    new
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Nothing has to be done when a call is over. Without this function, the linker takes the one of the target's C
/// library, and with it an allocator, a way to exit, and the description of interfaces that this component imports only
/// in part.
#[unsafe(no_mangle)]
extern "C" fn __wasm_call_dtors() {}
