//! Between a function and Postgres: records the bytes of a request's statements and sends the same ones again over the same
//! connection, bare. Ids made for the request are made anew, so that writes can be repeated.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Mutex as AsyncMutex, watch},
};
use uuid::{Uuid, Variant};

/// What a client sent at once, and how many answers it had waited for by then.
type Flight = (u64, Vec<u8>);

#[derive(Default)]
struct Recording {
    flights: Vec<Flight>,
    /// `ReadyForQuery` messages when the recording began.
    base: u64,
}

/// A proxy that accepts one connection after the other.
pub struct Wire {
    pub address: SocketAddr,
    recording: Arc<Mutex<Recording>>,
    upstream: Arc<AsyncMutex<Option<OwnedWriteHalf>>>,
    ready: watch::Sender<u64>,
    /// Answers are kept from the client while a recording is sent again.
    is_replaying: Arc<watch::Sender<bool>>,
}

impl Wire {
    pub async fn open(postgres: SocketAddr) -> Result<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let wire = Arc::new(Self {
            address: listener.local_addr()?,
            recording: Arc::default(),
            upstream: Arc::default(),
            ready: watch::Sender::new(0),
            is_replaying: Arc::new(watch::Sender::new(false)),
        });
        let kept = Arc::clone(&wire);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(postgres).await else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                *kept.upstream.lock().await = Some(to_server);
                tokio::spawn(Arc::clone(&kept).forward(from_client));
                tokio::spawn(Arc::clone(&kept).give_back(from_server, to_client));
            }
        });
        Ok(wire)
    }

    async fn forward(self: Arc<Self>, mut client: OwnedReadHalf) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = client.read(&mut buffer).await {
            self.keep(&buffer[..length]);
            if self.send(&buffer[..length]).await.is_err() {
                return;
            }
        }
    }

    async fn give_back(self: Arc<Self>, mut server: OwnedReadHalf, mut client: OwnedWriteHalf) {
        let mut buffer = vec![0; 1 << 16];
        let mut frames = Frames::default();
        while let Ok(length @ 1..) = server.read(&mut buffer).await {
            let ready = frames.read(&buffer[..length]);
            if !*self.is_replaying.borrow() && client.write_all(&buffer[..length]).await.is_err() {
                return;
            }
            self.ready.send_modify(|count| *count += ready);
        }
    }

    async fn send(&self, bytes: &[u8]) -> Result<()> {
        let mut upstream = self.upstream.lock().await;
        Ok(upstream.as_mut().context("there is no connection")?.write_all(bytes).await?)
    }

    fn keep(&self, bytes: &[u8]) {
        let mut recording = self.recording();
        let waited = *self.ready.borrow() - recording.base;
        recording.flights.push((waited, bytes.to_vec()));
    }

    fn recording(&self) -> MutexGuard<'_, Recording> {
        self.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was recorded before.
    pub fn record(&self) {
        *self.recording() = Recording { flights: Vec::new(), base: *self.ready.borrow() };
    }

    /// Sends the recording again, waiting where the client waited; how long it took. Ids younger than `since` are replaced.
    pub async fn replay(&self, since: u64) -> Result<Duration> {
        let mut fresh = HashMap::new();
        let mut flights = std::mem::take(&mut self.recording().flights);
        for (_, bytes) in &mut flights {
            renew(bytes, since, &mut fresh);
        }
        let mut ready = self.ready.subscribe();
        let base = *ready.borrow();
        let total = *ready.borrow() - self.recording().base;
        self.is_replaying.send_replace(true);
        let start = Instant::now();
        for (waited, bytes) in &flights {
            ready.wait_for(|count| *count >= base + waited).await?;
            self.send(bytes).await?;
        }
        tokio::time::timeout(Duration::from_secs(10), ready.wait_for(|count| *count >= base + total)).await??;
        let took = start.elapsed();
        self.is_replaying.send_replace(false);
        Ok(took)
    }
}

/// Counts `ReadyForQuery` in a stream of messages.
#[derive(Default)]
struct Frames {
    head: Vec<u8>,
    /// Bytes of the current message's body still to come.
    rest: usize,
}

impl Frames {
    fn read(&mut self, mut bytes: &[u8]) -> u64 {
        let mut ready = 0;
        while !bytes.is_empty() {
            let skipped = self.rest.min(bytes.len());
            (self.rest, bytes) = (self.rest - skipped, &bytes[skipped..]);
            let missing = (5 - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            if let [kind, length @ ..] = self.head.as_slice()
                && let Ok(length) = <[u8; 4]>::try_from(length)
            {
                ready += u64::from(*kind == b'Z');
                self.rest = u32::from_be_bytes(length) as usize - 4;
                self.head.clear();
            }
        }
        ready
    }
}

/// Replaces every UUID of version 7 made since `since` (milliseconds), binary or as text, each by another of the same time.
fn renew(bytes: &mut [u8], since: u64, fresh: &mut HashMap<Uuid, Uuid>) {
    let mut replace = |id: Uuid| {
        let is_young = id.get_version_num() == 7 && id.get_variant() == Variant::RFC4122 && {
            let milliseconds = id.as_u64_pair().0 >> 16;
            milliseconds >= since && milliseconds < since + 60_000
        };
        is_young
            .then(|| *fresh.entry(id).or_insert_with(|| Uuid::from_u64_pair(id.as_u64_pair().0, Uuid::new_v4().as_u64_pair().1)))
    };
    for at in 0..bytes.len() {
        if let Some(id) = bytes.get(at..at + 16).and_then(|slice| Uuid::from_slice(slice).ok()).and_then(&mut replace) {
            bytes[at..at + 16].copy_from_slice(id.as_bytes());
        }
        for length in [36, 32] {
            let text = bytes.get(at..at + length).filter(|text| text[0].is_ascii_hexdigit());
            let id = text.and_then(|text| Uuid::try_parse_ascii(text).ok()).and_then(&mut replace);
            if let Some(id) = id {
                let text = if length == 36 { id.hyphenated().to_string() } else { id.simple().to_string() };
                bytes[at..at + length].copy_from_slice(text.as_bytes());
            }
        }
    }
}
