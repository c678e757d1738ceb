//! The report of a run that is still going, for browsers on this computer.
//!
//! The training thread only updates the state of the run. The server's own threads listen, draw and
//! send. They hold the lock on the state no longer than it takes to copy it, so that slow clients
//! neither delay the run nor end it.
//!
//! The page is that of [`report`](crate::report), with a short script that listens to `/events`
//! (server-sent events): `progress` several times a second, `body` after each epoch, and `end`.
//!
//! ```no_run
//! use std::net::Ipv4Addr;
//!
//! use shadegrad::dashboard::Dashboard;
//!
//! let dashboard = Dashboard::open(Ipv4Addr::LOCALHOST.into(), None)?;
//! println!("open {}", dashboard.address());
//! # Ok::<(), shadegrad::Error>(())
//! ```

#[doc(hidden)]
pub mod request;
mod server;
mod state;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::train::{Checkpoint, Epoch, Observer, Progress, Start};
use server::Server;
use state::{ProgressMessage, RunState, SharedState, lock};

/// The default port. If it is in use, any free port is taken.
const DEFAULT_PORT: u16 = 7878;

/// Maximum time that the end of a run waits for clients to receive the last event.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// A page of a run that is served while the run trains.
#[derive(Debug)]
pub struct Dashboard {
    state: Arc<SharedState>,
    server: Server,
}

impl Dashboard {
    /// Listens at `address`. Without a `port`, any free port is used.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the address or the port cannot be used.
    pub fn open(address: IpAddr, port: Option<u16>) -> Result<Self> {
        let listener = match port {
            Some(port) => TcpListener::bind((address, port)),
            None => TcpListener::bind((address, DEFAULT_PORT)).or_else(|_| TcpListener::bind((address, 0))),
        };
        let unusable = |cause| {
            let place = port.map_or(address.to_string(), |port| SocketAddr::new(address, port).to_string());
            Error::usage(format!("cannot listen at {place}: {cause}"))
                .advise("choose another port, or none for any that is free")
        };
        let state = Arc::new(SharedState::default());
        let server = listener.and_then(|listener| Server::start(listener, Arc::clone(&state)));
        Ok(Dashboard { state, server: server.map_err(unusable)? })
    }

    /// Returns the address to open in a browser.
    pub fn address(&self) -> String {
        format!("http://{}/", self.server.address())
    }

    /// Shows `body` if there is one, sends `text` as the last event, and waits briefly for clients
    /// to receive it.
    pub fn finish(&self, body: Option<&str>, text: &str) {
        let mut run_state = self.state.run_state();
        if let Some(body) = body {
            run_state.version += 1;
            *lock(&self.state.drawn) = Some((run_state.version, body.into()));
        }
        run_state.end = Some(text.into());
        self.state.changed.notify_all();
        let deadline = Instant::now() + END_TIMEOUT;
        while run_state.listeners > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.state.changed.wait_timeout(run_state, left);
            run_state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn update(&self, change: impl FnOnce(&mut RunState)) {
        change(&mut self.state.run_state());
        self.state.changed.notify_all();
    }
}

/// All work that the training thread does for the dashboard.
impl Observer for Dashboard {
    fn start(&mut self, start: &Start) -> Result<()> {
        self.update(|run_state| {
            run_state.run = Some(start.run.clone());
            run_state.epochs = start.config.epochs;
            run_state.version += 1;
        });
        Ok(())
    }

    fn progress(&mut self, progress: &Progress) -> Result<()> {
        self.update(|run_state| run_state.progress = Some(ProgressMessage::of(progress, run_state.epochs)));
        Ok(())
    }

    fn epoch(&mut self, _: &Epoch) -> Result<()> {
        self.update(|run_state| run_state.version += 1);
        Ok(())
    }

    /// The page shows the weights of the latest checkpoint.
    fn checkpoint(&mut self, _: &Checkpoint<'_>) -> Result<()> {
        self.update(|run_state| run_state.version += 1);
        Ok(())
    }
}
