//! What lies in the data folder.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use usher_host::http::AdminKey;
use usher_host::storage::EmbeddedStorage;

/// The data folder: `store` holds the site, `cache` the compiled component, `admin-key` the hash of the admin key.
pub(super) struct DataFolder(PathBuf);

impl DataFolder {
    /// Makes the folder where it is missing.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        create_private(path).map_err(|error| {
            format!(
                "cannot make the data folder {}: {error}. Choose another with --data DIR, or --memory to keep nothing.",
                path.display()
            )
        })?;
        Ok(Self(path.to_owned()))
    }

    /// The site's storage.
    pub(super) fn storage(&self) -> Result<EmbeddedStorage, String> {
        EmbeddedStorage::open(self.0.join("store")).map_err(|error| error.to_string())
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    /// The key whose hash is kept here, or a new one, with the text to show.
    pub(super) fn admin_key(&self) -> Result<(AdminKey, Option<String>), String> {
        let path = self.0.join("admin-key");
        let told = |what: &str, error: &dyn std::fmt::Display| {
            format!("cannot {what} the admin key's hash in {}: {error}", path.display())
        };
        match fs::read_to_string(&path) {
            Ok(text) => {
                let hash = from_hex(text.trim());
                let hash =
                    hash.ok_or_else(|| told("read", &"it is no SHA-256 hash. Remove the file for a new key."))?;
                Ok((AdminKey::from_hash(hash), None))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (key, text) = AdminKey::generate().map_err(|error| told("make", &error))?;
                write_new(&path, &to_hex(&key.hash())).map_err(|error| told("write", &error))?;
                Ok((key, Some(text)))
            }
            Err(error) => Err(told("read", &error)),
        }
    }
}

/// Makes a folder that only its owner can enter.
fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file that is not there yet, in full or not at all.
fn write_new(path: &Path, content: &str) -> io::Result<()> {
    let unfinished = path.with_extension("tmp");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    writeln!(file, "{content}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}
