//! The report of a run that is still going, for browsers on this computer.
//!
//! The training thread only notes how far it is. Everything else (listening, drawing, sending)
//! happens on threads of the server's own, which hold the notes' lock no longer than it takes to copy
//! them: whoever watches, however slowly, neither delays the run nor ends it.
//!
//! A page is [`report`](crate::report)'s, and a short script in it listens to `/events`
//! (server-sent events): `progress` several times a second, `body` after each epoch, `end`.

#[doc(hidden)]
pub mod request;
mod server;
mod watched;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::train::{Checkpoint, Epoch, Observer, Progress, Start};
use server::Server;
use watched::{Notes, Tidings, Watched, lock};

/// Where the dashboard is if nobody says otherwise, and that is free.
const USUAL_PORT: u16 = 7878;

/// How long the end of a run waits for watchers to be told of it.
const FAREWELL: Duration = Duration::from_secs(2);

/// A run's page, served while the run goes on.
#[derive(Debug)]
pub struct Dashboard {
    watched: Arc<Watched>,
    server: Server,
}

impl Dashboard {
    /// Listens at `address`. Without a `port`, one that is free.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) where the address or the port is not to be had.
    pub fn open(address: IpAddr, port: Option<u16>) -> Result<Self> {
        let listener = match port {
            Some(port) => TcpListener::bind((address, port)),
            None => TcpListener::bind((address, USUAL_PORT)).or_else(|_| TcpListener::bind((address, 0))),
        };
        let unusable = |cause| {
            let place = port.map_or(address.to_string(), |port| SocketAddr::new(address, port).to_string());
            Error::usage(format!("cannot listen at {place}: {cause}"))
                .advise("choose another port, or none for any that is free")
        };
        let watched = Arc::new(Watched::default());
        let server = listener.and_then(|listener| Server::start(listener, Arc::clone(&watched)));
        Ok(Dashboard { watched, server: server.map_err(unusable)? })
    }

    /// What to open in a browser.
    pub fn address(&self) -> String {
        format!("http://{}/", self.server.address())
    }

    /// Shows `body` if there is one, says `words`, and gives the watchers a moment to hear of it.
    pub fn finish(&self, body: Option<&str>, words: &str) {
        let mut notes = self.watched.notes();
        if let Some(body) = body {
            notes.version += 1;
            *lock(&self.watched.drawn) = Some((notes.version, body.into()));
        }
        notes.end = Some(words.into());
        self.watched.changed.notify_all();
        let deadline = Instant::now() + FAREWELL;
        while notes.listeners > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.watched.changed.wait_timeout(notes, left);
            notes = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn note(&self, change: impl FnOnce(&mut Notes)) {
        change(&mut self.watched.notes());
        self.watched.changed.notify_all();
    }
}

/// All that the training thread does for the dashboard.
impl Observer for Dashboard {
    fn start(&mut self, start: &Start) -> Result<()> {
        self.note(|notes| {
            notes.run = Some(start.run.clone());
            notes.epochs = start.config.epochs;
            notes.version += 1;
        });
        Ok(())
    }

    fn progress(&mut self, progress: &Progress) -> Result<()> {
        self.note(|notes| notes.progress = Some(Tidings::of(progress, notes.epochs)));
        Ok(())
    }

    fn epoch(&mut self, _: &Epoch) -> Result<()> {
        self.note(|notes| notes.version += 1);
        Ok(())
    }

    /// Where the page has the weights from.
    fn checkpoint(&mut self, _: &Checkpoint<'_>) -> Result<()> {
        self.note(|notes| notes.version += 1);
        Ok(())
    }
}
