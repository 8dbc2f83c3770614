//! A file system that is soon full.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A file system of its own, in memory, for as long as this is kept.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts one of so many mebibytes. Where that is not allowed or not possible, it says so on standard error, with the
    /// name of the test that is left out.
    pub fn mount(test: &str, mebibytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"]).arg(folder.path());
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self(folder)),
            failed => {
                eprintln!("SKIPPED {test}: a small file system cannot be mounted here: {failed:?}");
                None
            }
        }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Takes all the space that is left.
    pub fn fill(&self) {
        let mut filler = File::options().create(true).append(true).open(self.filler()).expect("a file");
        for length in [1 << 20, 4 << 10, 1] {
            while filler.write_all(&vec![b'.'; length]).is_ok() {}
        }
    }

    /// Gives that space back.
    pub fn free(&self) {
        std::fs::remove_file(self.filler()).expect("it is removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Also where a process that was to end has still something open in it.
        let ended = Command::new("umount").arg("-l").arg(self.path()).status();
        if !ended.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.path().display());
        }
    }
}
