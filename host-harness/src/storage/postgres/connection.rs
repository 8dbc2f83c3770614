//! One connection to the database.
//!
//! Where it goes to one session of the server, statements are prepared there when they are first asked, which makes each of them
//! less than half as dear. Behind a pooler that gives each transaction another session, they are sent whole each time: what is
//! prepared in one session is not there in another, or is another statement. Which of the two it is, is told by a mark that
//! the connection begins with, and that its session has or has not.

use super::failure::Failure;
use parking_lot::Mutex;
use std::collections::HashMap;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How a session with a mark is to plan: once for each statement, and by the primary key, as all of them go by it. Left to itself, the
/// database would keep what it has planned while the tables were empty: to read them from one end to the other.
const PLANNING: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off";

/// What a pooler, or another database of the protocol, says that does not know such settings.
const UNKNOWN_SETTINGS: [SqlState; 3] =
    [SqlState::PROTOCOL_VIOLATION, SqlState::UNDEFINED_OBJECT, SqlState::INVALID_PARAMETER_VALUE];

/// What the mark of a session is, or nothing.
const MARK: &str = "current_setting('usher.session', true)";

/// What a statement is given: a value, and the database's type for it.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// One connection. Dropped, it is closed.
pub(super) struct Connection {
    client: Client,
    /// The mark of its session, where it is known to have one of its own.
    mark: Option<String>,
    prepared: Mutex<HashMap<&'static str, Statement>>,
}

impl Connection {
    /// Makes one. On the database's own thread.
    pub(super) async fn open(config: Config, tls: MakeRustlsConnect) -> Result<Self, Failure> {
        let mark = getrandom::u64().map_err(|error| Failure::unknown(&error.to_string()))?;
        let mark = format!("{mark:016x}");
        let mut marked = config.clone();
        let options = config.get_options().map(|options| format!("{options} ")).unwrap_or_default();
        marked.options(format!("{options}-c usher.session={mark} {PLANNING}"));
        match Self::connect(&marked, tls.clone()).await {
            Ok(client) => {
                let rows = client.query_typed(&format!("SELECT {MARK}"), &[]).await?;
                let found: Option<String> = rows.first().and_then(|row| row.try_get(0).ok());
                Ok(Self { client, mark: found.filter(|found| *found == mark), prepared: Mutex::default() })
            }
            Err(error) if error.code().is_some_and(|code| UNKNOWN_SETTINGS.contains(code)) => {
                let client = Self::connect(&config, tls).await?;
                Ok(Self { client, mark: None, prepared: Mutex::default() })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn connect(config: &Config, tls: MakeRustlsConnect) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = config.connect(tls).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                // Whoever waits for an answer is told so, and what comes of it is logged there.
                tracing::debug!(%error, "a connection to the database has ended");
            }
        });
        Ok(client)
    }

    /// Whether a session with this mark can be this connection's.
    pub(super) fn is_of(&self, mark: Option<&str>) -> bool {
        self.mark.is_none() || self.mark.as_deref() == mark
    }

    /// The rows of a statement.
    pub(super) async fn query(
        &self,
        statement: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        if self.mark.is_none() {
            return Ok(self.client.query_typed(statement, parameters).await?);
        }
        let known = self.prepared.lock().get(statement).cloned();
        let prepared = match known {
            Some(prepared) => prepared,
            None => {
                let types: Vec<Type> = parameters.iter().map(|(_, of)| of.clone()).collect();
                let prepared = self.client.prepare_typed(statement, &types).await?;
                self.prepared.lock().insert(statement, prepared.clone());
                prepared
            }
        };
        let values: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|(value, _)| *value).collect();
        Ok(self.client.query(&prepared, &values).await?)
    }

    /// The rows of a statement that is sent whole, with the driver's own error.
    pub(super) async fn try_query(&self, statement: &str) -> Result<Vec<Row>, tokio_postgres::Error> {
        self.client.query_typed(statement, &[]).await
    }

    /// Statements without parameters or answers.
    pub(super) async fn run(&self, statements: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(statements).await?)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// What tells the server to stop what it does on this connection.
    pub(super) fn stop(&self, tls: MakeRustlsConnect) -> impl Future<Output = ()> + Send + use<> {
        let token = self.client.cancel_token();
        async move {
            if let Err(error) = token.cancel_query(tls).await {
                tracing::debug!(%error, "the database could not be told to stop");
            }
        }
    }
}
