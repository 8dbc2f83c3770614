//! Where the database is, and how it is reached.

use super::error::PostgresError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How long the network may be silent before a connection is looked after.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Where a database is: a URL as `psql` takes it.
///
/// A connection over the network is encrypted, and the server has to prove with a certificate that it is the one that the
/// URL names. `?sslrootcert=FILE` names the certificates of those who may say so, where the system does not know them;
/// `?sslmode=require` leaves the proof out, and `?sslmode=disable` the encryption. A Unix socket needs neither.
///
/// ```
/// use usher_host::storage::PostgresAddress;
///
/// let address = PostgresAddress::parse("postgres://usher:secret@db.example.com:5432/usher")?;
/// assert_eq!(address.to_string(), "postgres://db.example.com:5432/usher");
/// # Ok::<_, usher_host::storage::PostgresError>(())
/// ```
#[derive(Clone)]
pub struct PostgresAddress {
    pub(super) config: Config,
    pub(super) security: Security,
    password_file: Option<PathBuf>,
}

/// How a connection is made safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Security {
    /// Not at all.
    Plain,
    /// Encrypted, to whoever answers.
    Encrypted,
    /// Encrypted, to the server of that name. The certificates of those who may say so: the system's, or a file's.
    Verified(Option<PathBuf>),
}

impl PostgresAddress {
    /// The address that a URL says.
    ///
    /// # Errors
    /// [`PostgresError::Address`] where it cannot be used.
    pub fn parse(url: &str) -> Result<Self, PostgresError> {
        let wrong = |why: &str| PostgresError::Address(format!("the address of the database cannot be used: {why}"));
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(wrong("it is no URL like postgres://user@host/database"));
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots) = (None, None);
        let mut rest = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => roots = Some(PathBuf::from(&*value)),
                _ => {
                    rest.append_pair(&name, &value);
                }
            }
        }
        let (rest, base) = (rest.finish().replace('+', "%20"), base.to_owned());
        let url = if rest.is_empty() { base } else { format!("{base}?{rest}") };
        // What the library says of it may quote it.
        let mut config = Config::from_str(&url).map_err(|error| wrong(&without_values(&error)))?;
        if config.get_dbname().is_none() {
            return Err(wrong("it names no database"));
        }
        let local = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        let security = match mode.as_deref() {
            None if local => Security::Plain,
            None | Some("verify-full") => Security::Verified(roots),
            Some("require") => Security::Encrypted,
            Some("disable") => Security::Plain,
            Some(_) => return Err(wrong("sslmode is verify-full, require or disable")),
        };
        config.ssl_mode(if security == Security::Plain { SslMode::Disable } else { SslMode::Require });
        config.keepalives_idle(KEEPALIVE);
        if config.get_application_name().is_none() {
            config.application_name("usher");
        }
        Ok(Self { config, security, password_file: None })
    }

    /// Has the password read from a file each time a connection is made, so that it can change while connections are in use.
    #[must_use]
    pub fn password_file(mut self, path: impl AsRef<Path>) -> Self {
        self.password_file = Some(path.as_ref().to_owned());
        self
    }

    /// What a connection is made with now.
    pub(super) fn current(&self) -> Result<Config, String> {
        let mut config = self.config.clone();
        if let Some(path) = &self.password_file {
            let read = std::fs::read_to_string(path);
            let password =
                read.map_err(|error| format!("the password cannot be read from {}: {error}", path.display()))?;
            config.password(password.trim_end_matches(['\r', '\n']));
        }
        Ok(config)
    }
}

/// What is wrong, without the parts of the URL that could be secret.
fn without_values(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    text.split_once('`').and_then(|(before, rest)| Some((before, rest.split_once('`')?))).map_or_else(
        || text.clone(),
        |(before, (name, after))| {
            let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if plain && before.contains("option") {
                format!("{before}`{name}`{after}")
            } else {
                "it cannot be read".into()
            }
        },
    )
}

impl fmt::Display for PostgresAddress {
    /// Where it is, without user and password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("postgres://")?;
        for (place, host) in self.config.get_hosts().iter().enumerate() {
            let separator = if place > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(formatter, "{separator}{name}")?,
                Host::Unix(path) => write!(formatter, "{separator}{}", path.display())?,
            }
            let ports = self.config.get_ports();
            if let Some(port) = ports.get(place).or(ports.first()) {
                write!(formatter, ":{port}")?;
            }
        }
        write!(formatter, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PostgresAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn security(url: &str) -> Security {
        PostgresAddress::parse(url).expect(url).security
    }

    #[test]
    fn a_connection_over_the_network_is_verified_unless_the_url_says_otherwise() {
        assert_eq!(security("postgres://usher@db.example.com/usher"), Security::Verified(None));
        assert_eq!(security("postgresql://127.0.0.1/usher"), Security::Verified(None));
        let file = security("postgres://db/usher?sslmode=verify-full&sslrootcert=%2Fetc%2Fa%20b.pem");
        assert_eq!(file, Security::Verified(Some("/etc/a b.pem".into())));
        assert_eq!(security("postgres://db/usher?sslmode=require"), Security::Encrypted);
        assert_eq!(security("postgres://db/usher?sslmode=disable"), Security::Plain);
        assert_eq!(security("postgres:///usher?host=/run/postgresql&user=usher"), Security::Plain);
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_showing_its_password() {
        for url in [
            "",
            "usher",
            "mysql://a:secret@b/c",
            "postgres://a:secret@b",
            "postgres://a:secret@b:port/c",
            "postgres://a:secret@b/c?sslmode=prefer",
            "postgres://a:secret@b/c?password=secret&connect_timeout=secret",
            "postgres://a:secret@b/c?secret=1",
        ] {
            let error = PostgresAddress::parse(url).unwrap_err().to_string();
            assert!(!error.contains(":secret") && !error.contains("secret\""), "{error}");
        }
        let shown = format!("{:?}", PostgresAddress::parse("postgres://a:secret@b,c:1/d").unwrap());
        assert_eq!(shown, "PostgresAddress(postgres://b:5432,c:1/d)");
    }
}
