//! Making the compiler's target `wasm32-wasip2` available where it is missing.
//!
//! Rustup has it for the asking. Where rustup or its server is out of reach, the target's standard library is built from
//! Debian's packages of the same compiler version, into a folder of the build that the compiler is pointed to: the
//! toolchain itself is changed by rustup only. [`WAY`] asks for one of the two, so that tests can have both.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{announce, cargo, run, rustc};

/// The target of the component.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// The environment variable that says how to come by the target: `rustup` or `debian`. Without it, a target that the
/// compiler has is taken, then rustup is asked, then Debian.
pub const WAY: &str = "USHER_WASM_TARGET";

/// For how many seconds a server may say nothing at all.
const PATIENCE: &str = "20";

/// The Debian suite that has every compiler version of the last months.
const SUITE: &str = "trixie-backports";

/// Sees to it that the compiler can build for [`TARGET`]. Returns the sysroot to pass to it, or `None` where its own
/// will do.
pub(crate) fn ensure(folder: &Path) -> Result<Option<PathBuf>, String> {
    let way = env::var(WAY).ok();
    match way.as_deref() {
        None | Some("") => {}
        Some("rustup") if installed()? => return Ok(None),
        Some("rustup") => return add_with_rustup().map(|()| None),
        Some("debian") => return with_debian(folder).map(Some),
        Some(other) => return Err(format!("{WAY} must be rustup or debian, not {other:?}")),
    }
    if installed()? {
        return Ok(None);
    }
    let made = made_sysroot(folder, &Compiler::ask()?);
    if made.is_dir() {
        return Ok(Some(made));
    }
    let Err(rustup) = add_with_rustup() else {
        return Ok(None);
    };
    with_debian(folder).map(Some).map_err(|debian| {
        format!(
            "the compiler's target {TARGET} is missing and could not be made available.\n\
             Tried: rustup target add {TARGET}\n{}\n\
             Tried: building it from Debian's packages rust-src and wasi-libc\n{}\n\
             To go on, install the target in whichever way suits this machine and build again; `rustc --print \
             target-libdir --target {TARGET}` names the folder in which the compiler looks for it.",
            indent(&rustup),
            indent(&debian),
        )
    })
}

/// Where the sysroot is that was made from Debian's packages for this compiler, once it has been made.
fn made_sysroot(folder: &Path, compiler: &Compiler) -> PathBuf {
    folder.join("debian").join(&compiler.id)
}

/// The sysroot made from Debian's packages; it is made where it is missing.
fn with_debian(folder: &Path) -> Result<PathBuf, String> {
    let compiler = Compiler::ask()?;
    let sysroot = made_sysroot(folder, &compiler);
    if !sysroot.is_dir() {
        announce(&format!("the compiler's target {TARGET}, from Debian's packages (about a minute, once)"));
        let work = folder.join("debian-build");
        let built = build_from_debian(&compiler, &work, &sysroot);
        // Half a gigabyte that nobody needs any more; if it stays, it does no harm.
        let _ = fs::remove_dir_all(&work);
        built?;
    }
    Ok(sysroot)
}

/// Whether the compiler has the target's standard library.
fn installed() -> Result<bool, String> {
    let libdir = run(rustc().args(["--print", "target-libdir", "--target", TARGET]))?;
    Ok(Path::new(libdir.trim()).is_dir())
}

/// Asks rustup for the target, for the toolchain that is in use.
fn add_with_rustup() -> Result<(), String> {
    announce(&format!("the compiler's target {TARGET}, with rustup"));
    let mut rustup = Command::new("rustup");
    // Where a firewall swallows what is sent, rustup would wait for minutes before there is a second way to try.
    let added = run(rustup.args(["target", "add", TARGET]).env("RUSTUP_DOWNLOAD_TIMEOUT", PATIENCE));
    // What counts is the result: the compiler may not be one of rustup's, and another build may have been faster.
    if installed()? {
        return Ok(());
    }
    added?;
    Err("rustup has added it, but to a toolchain other than the one in use".to_owned())
}

/// The compiler, as far as its standard library has to match it.
struct Compiler {
    /// Its version, such as `1.95.0`.
    version: String,
    /// Its version and commit, which tell it from every other compiler.
    id: String,
}

impl Compiler {
    fn ask() -> Result<Self, String> {
        let text = run(rustc().arg("-vV"))?;
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .ok_or_else(|| format!("`rustc -vV` does not tell its {name}"))
        };
        let version = field("release")?.to_owned();
        let id = format!("{version}-{}", field("commit-hash")?);
        Ok(Self { version, id })
    }
}

/// Builds the target's standard library from Debian's packages and puts it into `sysroot`.
fn build_from_debian(compiler: &Compiler, work: &Path, sysroot: &Path) -> Result<(), String> {
    start_afresh(work)?;
    let apt = Apt::new(work)?;
    apt.run("apt-get", &["update", "--quiet"])?;
    let source = apt.version_of("rust-src", &compiler.version)?;
    apt.run("apt-get", &["download", "--quiet", &format!("rust-src={source}"), "wasi-libc"])?;
    let packages = work.join("packages");
    for package in files_in(&apt.downloads, "deb")? {
        run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&packages))?;
    }

    let target_dir = work.join("target");
    run(cargo(&["-Zforce-unstable-if-unmarked", "-Cembed-bitcode=yes"].map(OsStr::new))
        // The standard library is written in the unstable language of its own compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(packages.join(format!("usr/src/rustc-{}/library", compiler.version)))
        .args(["build", "--quiet", "--release", "--package", "sysroot", "--target", TARGET])
        // As rustup's target is built: without `compiler-builtins-mem`, so that what links here links there.
        .args(["--features", "panic-unwind", "--target-dir"])
        .arg(&target_dir))?;

    // Laid out beside its place and then moved there whole, so that nobody finds half of it.
    let made = work.join("sysroot");
    let libdir = made.join("lib/rustlib").join(TARGET).join("lib");
    let built = target_dir.join(TARGET).join("release/deps");
    copy(files_in(&built, "rlib")?.into_iter().chain(files_in(&built, "rmeta")?), &libdir)?;
    let libc = packages.join("usr/lib").join(TARGET);
    copy(["crt1-command.o", "crt1-reactor.o", "libc.a"].map(|name| libc.join(name)), &libdir.join("self-contained"))?;
    start_afresh(sysroot.parent().expect("a sysroot is inside a folder"))?;
    fs::rename(&made, sysroot).map_err(|error| format!("cannot make {}: {error}", sysroot.display()))
}

/// Debian's package tools on the packages of [`SUITE`], apart from the machine's own package lists, and with no need to
/// be root.
struct Apt {
    options: Vec<String>,
    downloads: PathBuf,
}

impl Apt {
    fn new(work: &Path) -> Result<Self, String> {
        let mirror = debian_mirror()?;
        let folder = |name: &str| {
            let folder = work.join("apt").join(name);
            make_folder(&folder).map(|()| folder)
        };
        let lists = folder("lists")?;
        let cache = folder("cache")?;
        let downloads = folder("downloads")?;
        let sources = work.join("apt/sources.list");
        let source = format!("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} {SUITE} main\n");
        fs::write(&sources, source).map_err(|error| format!("cannot write {}: {error}", sources.display()))?;
        let options = [
            format!("Dir::Etc::sourcelist={}", sources.display()),
            "Dir::Etc::sourceparts=-".to_owned(),
            format!("Dir::State::lists={}", lists.display()),
            format!("Dir::Cache={}", cache.display()),
            format!("Acquire::http::Timeout={PATIENCE}"),
            format!("Acquire::https::Timeout={PATIENCE}"),
            // As root, apt would drop to a user that may not be allowed into these folders.
            "APT::Sandbox::User=root".to_owned(),
        ];
        Ok(Self { options: options.into(), downloads })
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(program);
        for option in &self.options {
            command.args(["-o", option]);
        }
        run(command.args(arguments).current_dir(&self.downloads))
    }

    /// The version of the package that was made from version `upstream` of its source.
    fn version_of(&self, package: &str, upstream: &str) -> Result<String, String> {
        let offered = self.run("apt-cache", &["madison", package])?;
        let versions: Vec<&str> = offered.lines().filter_map(|line| line.split('|').nth(1).map(str::trim)).collect();
        versions
            .iter()
            .find(|version| version.split(['+', '-']).next() == Some(upstream))
            .map(|&version| version.to_owned())
            .ok_or_else(|| format!("{SUITE} has no {package} {upstream}, only {}", versions.join(", ")))
    }
}

/// The Debian mirror that this machine uses.
fn debian_mirror() -> Result<String, String> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .filter(|_| release.lines().any(|line| line == "ID=debian"))
        .ok_or("this is not Debian")?;
    // Each line is the address of an index, in quotes, and more that does not matter here.
    let indexes = run(Command::new("apt-get").args(["update", "--print-uris"]))?;
    let end = format!("/dists/{codename}/InRelease");
    indexes
        .lines()
        .find_map(|line| line.strip_prefix('\'')?.split('\'').next()?.strip_suffix(&end))
        .map(str::to_owned)
        .ok_or_else(|| format!("no package source of this machine has Debian {codename}"))
}

/// The files in `folder` whose names end in `.extension`.
fn files_in(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    Ok(entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension() == Some(OsStr::new(extension)))
        .collect())
}

/// Copies `files` into `folder`, and makes the folder.
fn copy(files: impl IntoIterator<Item = PathBuf>, folder: &Path) -> Result<(), String> {
    make_folder(folder)?;
    for file in files {
        let name = file.file_name().expect("a file has a name");
        fs::copy(&file, folder.join(name)).map_err(|error| format!("cannot copy {}: {error}", file.display()))?;
    }
    Ok(())
}

/// Makes `folder`, and empties it where it is there already.
fn start_afresh(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    }
    make_folder(folder)
}

fn make_folder(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
