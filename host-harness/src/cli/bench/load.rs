//! A load generator: so many connections, each with one request under way at a time.

use super::stats::Times;
use super::traffic::{self, Target};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// What a load came to.
pub(super) struct Load {
    pub(super) per_second: f64,
    pub(super) latency: Times,
}

/// Makes users over so many connections for so long. `run` tells the users of this load from those of others.
pub(super) async fn create_users(
    address: SocketAddr,
    target: &Target,
    connections: usize,
    run: usize,
    duration: Duration,
) -> Result<Load, String> {
    let begin = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|number| tokio::spawn(client(address, target.clone(), format!("r{run}c{number}"), begin + duration)))
        .collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.map_err(|error| error.to_string())??);
    }
    let per_second = times.len() as f64 / begin.elapsed().as_secs_f64();
    Ok(Load { per_second, latency: Times::of(times) })
}

async fn client(address: SocketAddr, target: Target, name: String, end: Instant) -> Result<Vec<Duration>, String> {
    let failed = |error: hyper::Error| format!("a connection broke: {error}");
    let stream = TcpStream::connect(address).await.map_err(|error| format!("cannot connect: {error}"))?;
    stream.set_nodelay(true).map_err(|error| format!("cannot connect: {error}"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    tokio::spawn(connection);
    let mut times = Vec::new();
    while Instant::now() < end {
        let body = traffic::user(&format!("{name}n{}", times.len()));
        let request = hyper::Request::post(format!("{}/Users", target.scim_path))
            .header("host", address.to_string())
            .header("authorization", format!("Bearer {}", target.api_key))
            .header("content-type", "application/scim+json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let begin = Instant::now();
        let response = sender.send_request(request).await.map_err(failed)?;
        let status = response.status();
        response.into_body().collect().await.map_err(failed)?;
        times.push(begin.elapsed());
        if status != hyper::StatusCode::CREATED {
            return Err(format!("a measured request was answered {status}"));
        }
    }
    Ok(times)
}
