//! The ports of the local cloud. All are bound before the template is read, so that every URL is known.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;

/// How ports are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// This one and the eight after it.
    From(u16),
    /// Whatever is free.
    Ephemeral,
}

/// One bound listener per service.
pub(super) struct Listeners {
    pub api: TcpListener,
    pub websocket: TcpListener,
    pub runtime: TcpListener,
    pub dynamodb: TcpListener,
    pub s3: TcpListener,
    pub sqs: TcpListener,
    pub sandbox: TcpListener,
    pub smtp: TcpListener,
    /// Bound by Postgres itself, which may first have to stop one that an earlier run left
    /// behind on this port; a free one when absent.
    pub postgres: Option<u16>,
}

impl Listeners {
    pub async fn bind(ports: Ports) -> Result<Self> {
        Ok(Self {
            api: bind(ports, 0, "the API").await?,
            websocket: bind(ports, 1, "WebSockets").await?,
            runtime: bind(ports, 2, "the Lambda runtime").await?,
            dynamodb: bind(ports, 3, "DynamoDB").await?,
            s3: bind(ports, 4, "S3").await?,
            sqs: bind(ports, 5, "SQS and SSM").await?,
            sandbox: bind(ports, 6, "the sandbox").await?,
            smtp: bind(ports, 7, "SMTP").await?,
            postgres: match ports {
                Ports::From(first) => Some(nth(first, 8)?),
                Ports::Ephemeral => None,
            },
        })
    }
}

fn nth(first: u16, offset: u16) -> Result<u16> {
    first.checked_add(offset).context("the first port is too high: nine in a row are needed")
}

async fn bind(ports: Ports, offset: u16, service: &str) -> Result<TcpListener> {
    let port = match ports {
        Ports::From(first) => nth(first, offset)?,
        Ports::Ephemeral => 0,
    };
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.with_context(|| {
        format!("port {port} (for {service}) is taken; choose another first port with --port, or free ones with --ephemeral")
    })
}

/// The port a listener has.
pub(super) fn port(listener: &TcpListener) -> Result<u16> {
    Ok(listener.local_addr()?.port())
}
