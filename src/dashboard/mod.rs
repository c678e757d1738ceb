//! `train --dashboard`: the report of a run that is still going, for browsers on this computer.
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

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::checkpoint::SavedModel;
use crate::error::{Error, Result};
use crate::report::{Findings, Record, Report};
use crate::run::checkpoint;
use crate::text::human::{count, figure, percentage, span};
use crate::train::{Checkpoint, Epoch, Observer, Progress, Start};
use server::Server;

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

/// What the run and its watchers share.
#[derive(Debug, Default)]
struct Watched {
    notes: Mutex<Notes>,
    changed: Condvar,
    /// The last body that was drawn, with its version.
    drawn: Mutex<Option<(u64, Arc<str>)>>,
}

/// What the run has said so far.
#[derive(Clone, Debug, Default)]
struct Notes {
    /// The run's directory, once it has started.
    run: Option<PathBuf>,
    /// Epochs that are to be trained.
    epochs: usize,
    /// Goes up when the body of the page changes. 0 is no body.
    version: u64,
    /// How far the run is.
    progress: Option<Tidings>,
    /// The last words.
    end: Option<Arc<str>>,
    /// How many watchers have not heard them.
    listeners: usize,
}

/// How far a run is, as the page says it.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Tidings {
    text: String,
    /// Of all epochs, 0 to 1.
    share: f64,
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
            Error::usage(format!("--dashboard: cannot listen at {place}: {cause}"))
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

impl Tidings {
    fn of(progress: &Progress, epochs: usize) -> Self {
        let Progress { epoch, step, steps, loss, accuracy, images_per_second, seconds_left, .. } = *progress;
        let text = format!(
            "Epoch {epoch} of {epochs}, step {} of {} · loss {} · accuracy {} · {} images/s · {} left",
            count(step as u64),
            count(steps as u64),
            figure(loss),
            percentage(accuracy),
            count(images_per_second.round() as u64),
            span(seconds_left.ceil()),
        );
        let done = (epoch - 1) as f64 + step as f64 / steps.max(1) as f64;
        Tidings { text, share: done / epochs.max(1) as f64 }
    }
}

impl Watched {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        lock(&self.notes)
    }

    /// Waits for something to happen, but not for long.
    fn wait(&self, notes: MutexGuard<'_, Notes>, longest: Duration) {
        drop(self.changed.wait_timeout(notes, longest));
    }

    /// The run's name and the newest body of its page with its version, drawn now if nobody had it drawn.
    fn body(&self) -> Result<(String, u64, Arc<str>)> {
        let Notes { run, version, .. } = self.notes().clone();
        let run = run.ok_or_else(|| Error::usage("the run has not started yet"))?;
        let mut drawn = lock(&self.drawn);
        let name = run.file_name().unwrap_or(run.as_os_str()).to_string_lossy().into_owned();
        if let Some((of, body)) = &*drawn
            && *of >= version
        {
            return Ok((name, *of, Arc::clone(body)));
        }
        let record = Record::read(&run)?;
        let model = newest_model(&run);
        let report = Report { record: &record, model: model.as_ref(), findings: Findings::Pending };
        let body: Arc<str> = report.to_body()?.into();
        *drawn = Some((version, Arc::clone(&body)));
        Ok((name, version, body))
    }
}

/// The last checkpoint's model. The run may just be replacing it; then there is none for now.
fn newest_model(run: &std::path::Path) -> Option<SavedModel> {
    let pointer = std::fs::read_to_string(run.join("last")).ok()?;
    Some(checkpoint::load(&run.join(pointer.trim())).ok()?.model)
}

/// A watcher's thread that panicked is no reason for others to: notes and drawings are whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
