//! What `wit/` says, in Rust. Generated, so that lints of how it is written do not apply; the documentation of its items is
//! that of the WIT.

#![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "provisioner",
    imports: { default: trappable },
    with: { "usher:provisioning/storage.transaction": super::open::Open },
    additional_derives: [PartialEq],
});
