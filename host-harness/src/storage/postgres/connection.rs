//! One connection to the database.
//!
//! Where it goes to one session of the server, statements are prepared there when they are first asked, which makes each of them
//! less than half as dear. Behind a pooler that gives each transaction another session, they are sent whole each time: what is
//! prepared in one session is not there in another, or is another statement. Which of the two it is, is told by a mark that
//! the connection begins with, and that its session has or has not.
//!
//! The bytes are moved by whoever waits for an answer, on its own thread: handing each trip over to another thread and back would
//! take longer than the trip.

use super::failure::Failure;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::yield_now;
use tokio::time::timeout;
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
const MARK: &str = "SELECT current_setting('usher.session', true)";

/// What a statement is given: a value, and the database's type for it.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// One connection. Dropped, it is closed.
pub(super) struct Connection {
    client: Client,
    tls: MakeRustlsConnect,
    link: Mutex<Link>,
    /// The mark of its session, where it is known to have one of its own.
    mark: Option<String>,
    prepared: Mutex<HashMap<&'static str, Statement>>,
}

/// What moves the bytes between the connection's client and the server.
struct Link {
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
    moving: Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>,
    /// Whether nothing comes any more, or what comes is no answer that anybody waits for.
    over: bool,
}

impl Connection {
    /// Makes one.
    pub(super) fn open(config: &Config, tls: &MakeRustlsConnect, limit: Duration) -> Result<Self, Failure> {
        let mark = getrandom::u64().map_err(|error| Failure::unknown(&error.to_string()))?;
        let mark = format!("{mark:016x}");
        let mut marked = config.clone();
        let options = config.get_options().map(|options| format!("{options} ")).unwrap_or_default();
        marked.options(format!("{options}-c usher.session={mark} {PLANNING}"));
        let mut connection = match Self::connect(&marked, tls, limit) {
            Err(failed) if failed.code.as_ref().is_some_and(|code| UNKNOWN_SETTINGS.contains(code)) => {
                return Self::connect(config, tls, limit);
            }
            connected => connected?,
        };
        let rows = connection.wait(limit, async { Ok(connection.client.query_typed(MARK, &[]).await?) })?;
        let found: Option<String> = rows.first().and_then(|row| row.try_get(0).ok());
        connection.mark = found.filter(|found| *found == mark);
        Ok(connection)
    }

    fn connect(config: &Config, tls: &MakeRustlsConnect, limit: Duration) -> Result<Self, Failure> {
        outside_of_runtimes(|| {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| Failure::unknown(&error.to_string()))?;
            let connected = runtime.block_on(async { timeout(limit, config.connect(tls.clone())).await });
            let (client, moving) = connected.map_err(|_| Failure::timeout())??;
            let link = Link { runtime: Some(runtime), moving: Box::pin(moving), over: false };
            let (tls, link) = (tls.clone(), Mutex::new(link));
            Ok(Self { client, tls, link, mark: None, prepared: Mutex::default() })
        })
    }

    /// Waits until work that uses this connection is done, but no longer than that: then the connection is of no more use. Others wait
    /// for their turn.
    pub(super) fn wait<T: Send>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        let done = outside_of_runtimes(|| {
            let mut link = self.link.lock();
            let Link { runtime: Some(runtime), moving, over } = &mut *link else {
                return Some(Err(Failure::unknown("the connection is closed")));
            };
            if *over {
                return Some(Err(Failure::unknown("the connection was cut")));
            }
            let mut work = pin!(work);
            let moved = poll_fn(|context| {
                if !*over && moving.as_mut().poll(context).is_ready() {
                    *over = true;
                }
                match work.as_mut().poll(context) {
                    Poll::Pending if *over => Poll::Ready(Err(Failure::unknown("the connection was cut"))),
                    polled => polled,
                }
            });
            let done = runtime.block_on(async { timeout(limit, moved).await.ok() });
            if done.is_none() {
                *over = true;
            }
            done
        });
        done.unwrap_or_else(|| {
            self.stop(limit);
            Err(Failure::timeout())
        })
    }

    /// Sends a statement whose answer nobody waits for.
    pub(super) fn send(&self, limit: Duration, statement: &str) -> Result<(), Failure> {
        self.wait(limit, async {
            let mut sent = pin!(self.client.batch_execute(statement));
            // Handed over with the first look, and on its way with the next.
            if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(sent.as_mut().poll(context))).await {
                done?;
            }
            yield_now().await;
            Ok(())
        })
    }

    /// Whether it still goes to the server, as far as the server has said.
    pub(super) fn is_alive(&self, limit: Duration) -> bool {
        let looked = self.wait(limit, async {
            yield_now().await;
            Ok(())
        });
        looked.is_ok() && !self.is_closed()
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
        self.client.is_closed() || self.link.try_lock().is_some_and(|link| link.over)
    }

    /// Tells the server, in the background, to stop what it does for an answer that nobody waits for any more.
    fn stop(&self, limit: Duration) {
        let (token, tls) = (self.client.cancel_token(), self.tls.clone());
        let telling = thread::Builder::new().name("usher-postgres".into()).spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            // Where it cannot be told, it finds out when it wants to answer.
            if let Ok(Err(error)) = runtime.block_on(async { timeout(limit, token.cancel_query(tls)).await }) {
                tracing::debug!(%error, "the database could not be told to stop");
            }
            Ok::<_, std::io::Error>(())
        });
        if let Err(error) = telling {
            tracing::debug!(%error, "the database could not be told to stop");
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The thread that drops it may be one that must not wait.
            runtime.shutdown_background();
        }
    }
}

/// Does something that waits for a runtime of its own. A thread that is a runtime's must not: it has another thread do it.
fn outside_of_runtimes<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if Handle::try_current().is_err() {
        return work();
    }
    thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|panic| resume_unwind(panic))
}
