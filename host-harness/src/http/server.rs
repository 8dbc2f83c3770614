//! Accepts connections and looks after them.

use super::connections::{Connection, Connections};
use super::service::Service;
use super::settings::Settings;
#[cfg(feature = "console")]
use super::sign_in_links::SignInLinks;
use crate::runtime::Site;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;

/// How long the end of a server waits for what was refused to be noted.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long to wait where the system has no more file handles or memory for another connection.
const PAUSE: Duration = Duration::from_millis(50);

/// How much a connection keeps of a header on its way in, and of a response on its way out besides the part at hand.
const BUFFER: usize = 64 << 10;

/// An HTTP server for one site, bound to its address. It speaks HTTP/1.1; TLS is left to a proxy in front.
///
/// It has to be made and run on a Tokio runtime with I/O and time enabled.
///
/// ```
/// use std::sync::Arc;
/// use usher_host::http::{AdminKey, Server, Settings};
/// use usher_host::{Usher, storage::MemoryStorage};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let site = Usher::load()?.site(Arc::new(MemoryStorage::new()));
/// let (key, text) = AdminKey::generate()?;
/// assert!(key == AdminKey::new(&text) && key == AdminKey::from_hash(key.hash()));
/// let mut settings = Settings::new(key);
/// settings.public_url = Some("https://usher.example.com".into());
/// tokio::runtime::Runtime::new()?.block_on(async {
///     let server = Server::bind(site, settings, "127.0.0.1:0".parse()?).await?;
///     println!("at {}", server.address());
///     // Until a signal comes, say; here at once.
///     let everything_was_answered = server.serve(async {}).await;
///     assert!(everything_was_answered);
///     Ok(())
/// })
/// # }
/// ```
pub struct Server {
    listener: TcpListener,
    service: Arc<Service>,
}

impl Server {
    /// Binds to an address. Clients can connect from now on, and are answered once [`serve`](Server::serve) runs.
    ///
    /// # Errors
    /// Where the address cannot be had: taken, not allowed, or not of this machine.
    pub async fn bind(site: Site, settings: Settings, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let service = Service::new(site, settings, listener.local_addr()?);
        Ok(Self { listener, service: Arc::new(service) })
    }

    /// The address it is bound to, with the port that the system chose where it was asked for port 0.
    pub fn address(&self) -> SocketAddr {
        self.service.state.local
    }

    /// Makes links that sign a browser in to the console.
    #[cfg(feature = "console")]
    pub fn sign_in_links(&self) -> SignInLinks {
        self.service.state.sign_in_links.clone()
    }

    /// Serves until `shutdown` comes. Then it accepts no more connections, ends the streams, answers the requests that
    /// have begun, and returns; it waits no longer than [`Settings::drain`] and says whether everything was answered.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> bool {
        let Self { listener, service } = self;
        let telling = tokio::spawn(tell(service.clone()));
        let connections = Connections::new(service.state.settings.connections);
        let graceful = GracefulShutdown::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                accepted = accept(&listener, &connections) => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let connection = connections.add();
                    tokio::spawn(run(stream, peer.ip(), connection, service.clone(), graceful.watcher()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        service.state.streams.close();
        let drained = tokio::time::timeout(service.state.settings.drain, graceful.shutdown()).await.is_ok();
        telling.abort();
        let last_words = async {
            service.state.sign_ins.tell(&service.state.site).await;
            service.state.refused_keys.tell(&service.state.site).await;
        };
        if tokio::time::timeout(LAST_WORDS, last_words).await.is_err() {
            tracing::warn!("not all refused sign-ins and keys could be noted before the end");
        }
        drained
    }
}

/// Tells of refused sign-ins and keys now and then, until it is dropped.
async fn tell(service: Arc<Service>) {
    loop {
        tokio::time::sleep(service.state.settings.sign_in_report).await;
        service.state.sign_ins.tell(&service.state.site).await;
        service.state.refused_keys.tell(&service.state.site).await;
    }
}

async fn accept(listener: &TcpListener, connections: &Connections) -> io::Result<(TcpStream, SocketAddr)> {
    connections.room().await;
    let (stream, peer) = listener.accept().await?;
    // Without it, a response in two parts waits for the client's acknowledgement of the first.
    stream.set_nodelay(true)?;
    Ok((stream, peer))
}

async fn run(
    stream: TcpStream,
    peer: IpAddr,
    connection: Connection,
    service: Arc<Service>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let settings = &service.state.settings;
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(settings.write_timeout));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.idle_timeout)
        .max_buf_size(BUFFER)
        .serve_connection(
            TokioIo::new(Box::pin(stream)),
            service_fn(|request| {
                let answering = connection.answering();
                let service = &service;
                async move { Ok::<_, Infallible>(service.handle(request, peer, Arc::new(answering)).await) }
            }),
        );
    let served = watcher.watch(served);
    service.state.metrics.connections().inc();
    tokio::select! {
        served = served => {
            if let Err(error) = served {
                tracing::debug!(%error, "a connection broke");
            }
        }
        () = connection.evicted() => tracing::debug!("a connection made room for another"),
    }
    service.state.metrics.connections().dec();
}
