//! The component compiled ahead of time, kept on disk.
//!
//! A cache file holds machine code that runs with all rights of the process, so that it is taken only from where nobody
//! else could have put it: on Unix, file and folder must belong to the user of the process and be writable by no one
//! else. Elsewhere the folder is taken to be as private as the user's profile. A checksum finds files that were cut short
//! or damaged. Whatever is wrong with a file, the component is compiled anew.

use super::one_call::without_post_return;
use rayon::ThreadPoolBuilder;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use wasmtime::Engine;
use wasmtime::component::Component;

const CHECKSUM_BYTES: usize = 32;

/// Takes the compiled component from `folder`, or compiles it and leaves it there.
///
/// `digest` tells the component from all others: see [`digest`]. A folder that cannot be used costs time, and a line in the
/// log, but no start.
pub(super) fn load(engine: &Engine, bytes: &[u8], digest: &str, folder: &Path) -> wasmtime::Result<Component> {
    let path = folder.join(name(engine, digest));
    match check(&path) {
        Ok(true) => match map(engine, &path) {
            Ok(component) => return Ok(component),
            Err(error) => tracing::warn!(%error, path = %path.display(), "recompiling"),
        },
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, path = %path.display(), "recompiling"),
    }
    let code = precompile(engine, bytes)?;
    match write(&path, &code) {
        // From the file, as at the next start: what is not used of it takes no memory.
        Ok(()) => match map(engine, &path) {
            Ok(component) => return Ok(component),
            Err(error) => tracing::warn!(%error, path = %path.display(), "cannot use the compiled component"),
        },
        Err(error) => tracing::warn!(%error, path = %path.display(), "cannot keep the compiled component"),
    }
    take(engine, &code)
}

/// Compiles the component, and leaves nothing on disk.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
    take(engine, &precompile(engine, bytes)?)
}

/// The compiler and its threads are made for it and end with it. The ones that last would keep some sixty megabytes: the
/// compiler its working space, and threads that have nothing more to do what others free for them.
fn precompile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let bytes = &without_post_return(bytes)?;
    let compiler = Engine::new(engine.config())?;
    match ThreadPoolBuilder::new().thread_name(|number| format!("usher-compile-{number}")).build() {
        Ok(threads) => threads.install(|| compiler.precompile_component(bytes)),
        Err(_) => compiler.precompile_component(bytes),
    }
}

/// The component from what [`precompile`] returned just now.
fn take(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: it comes from `precompile_component` of an engine with the same settings.
    unsafe { Component::deserialize(engine, code) }
}

/// The component from a file that was [checked](check).
fn map(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: only this program could have written the file (see the module's documentation), and it wrote what
    // `precompile_component` gave it, under another name, so that nothing changes in it any more. Its name says for which
    // engine, settings and component.
    unsafe { Component::deserialize_file(engine, path) }
}

/// The user's own cache folder for this program, if there is one.
pub(super) fn of_user() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.cache_dir().join("usher"))
}

/// What tells a component from all others.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A name for this component compiled by this engine with these settings.
fn name(engine: &Engine, digest: &str) -> String {
    let mut all = Digester(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut all);
    all.0.update(digest);
    // What an earlier version compiled had more in it.
    all.0.update("without post-return");
    let mut name = hex(&all.0.finalize()[..16]);
    name.push_str(".cwasm");
    name
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

struct Digester(Sha256);

impl Hasher for Digester {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |all, &byte| all << 8 | u64::from(byte))
    }
}

/// Whether there is such a cache file. Fails where it is not to be used.
fn check(path: &Path) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    private(&file.metadata()?)?;
    private(&fs::metadata(folder_of(path)?)?)?;
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    let (code, checksum) = content.split_at(content.len().saturating_sub(CHECKSUM_BYTES));
    if Sha256::digest(code).as_slice() != checksum {
        return Err(io::Error::other("the file is damaged"));
    }
    Ok(true)
}

/// Writes a cache file in such a way that readers see all of it or nothing.
fn write(path: &Path, code: &[u8]) -> io::Result<()> {
    let folder = folder_of(path)?;
    create_folder(folder)?;
    private(&fs::metadata(folder)?)?;
    let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = create_file(&unfinished)
        .and_then(|mut file| {
            file.write_all(code)?;
            // At the end, where nothing that reads the code looks for anything.
            file.write_all(&Sha256::digest(code))?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // What is left over is small harm, and the first error is the one to tell of.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::Error::other("the cache has no folder"))
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn create_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Fails unless only this process's user can have written there.
#[cfg(unix)]
fn private(metadata: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("the file or its folder belongs to another user"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other("others can write to the file or its folder"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_metadata: &fs::Metadata) -> io::Result<()> {
    Ok(())
}
