//! Shows the progress of a GPU's compiling and tuning of kernels, if it takes more than a second.

use std::mem;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::output;
use super::spinner::{is_visible, spinner};
use crate::device::gpu::preparation::{Item, Observer, Stage};
use crate::text::human::span;

/// Time after which a terminal shows the line.
const PATIENCE: Duration = Duration::from_secs(1);

/// Time after which anything other than a terminal gets a note.
const PATIENCE_OF_FILES: Duration = Duration::from_secs(3);

/// Time between two updates of the line.
const FRAME: Duration = Duration::from_millis(100);

/// Draws a line on a terminal while a GPU prepares a plan. If standard error is not a terminal, it
/// writes a single note per process.
///
/// A separate thread draws the line, because the compiling thread may be busy for a minute.
#[derive(Debug, Default)]
pub(super) struct PreparationLine {
    painter: Mutex<Painter>,
}

#[derive(Debug, Default)]
struct Painter {
    /// The painter of the current stage.
    running: Option<(Sender<String>, JoinHandle<bool>)>,
    /// Whether the note was written.
    is_noted: bool,
}

impl Observer for PreparationLine {
    fn item(&self, item: &Item<'_>) {
        let mut painter = self.painter.lock().expect("nothing panics while it draws");
        let is_noted = painter.is_noted;
        let (items, _) = painter.running.get_or_insert_with(|| {
            let (sender, receiver) = mpsc::channel();
            (sender, thread::spawn(move || paint(&receiver, is_noted)))
        });
        // The painter may have ended already.
        items.send(text(item)).unwrap_or_default();
    }

    fn end(&self) {
        let mut painter = self.painter.lock().expect("nothing panics while it draws");
        if let Some((items, thread)) = mem::take(&mut painter.running) {
            drop(items);
            painter.is_noted |= thread.join().unwrap_or_default();
        }
    }
}

/// Formats the progress, as in `compiling kernels: 3 of 24 (classifier)`.
fn text(item: &Item<'_>) -> String {
    let Item { stage, name, number, count } = item;
    let doing = match stage {
        Stage::Tuning => "tuning",
        Stage::Compiling => "compiling",
    };
    format!("{doing} kernels: {number} of {count} ({name})")
}

/// Draws the items that it receives until the sender is dropped. Returns whether it wrote a note.
fn paint(items: &Receiver<String>, is_noted: bool) -> bool {
    let started = Instant::now();
    let patience = if is_visible() { PATIENCE } else { PATIENCE_OF_FILES };
    let Some(latest) = after(patience, items) else { return is_noted };
    if is_visible() {
        draw(items, latest, started);
    } else if !is_noted {
        output::print_note(&format!("note: {latest}, after {}\n", span(started.elapsed().as_secs_f64())));
        return true;
    }
    is_noted
}

/// Returns the last item received within this time; `None` if the sender is dropped by then.
fn after(patience: Duration, items: &Receiver<String>) -> Option<String> {
    let until = Instant::now() + patience;
    let mut latest = String::new();
    loop {
        match items.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(text) => latest = text,
            Err(RecvTimeoutError::Timeout) => return Some(latest),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

fn draw(items: &Receiver<String>, mut latest: String, started: Instant) {
    let bar = spinner();
    loop {
        bar.set_message(format!("{latest}, {}", span(started.elapsed().as_secs_f64().floor())));
        bar.tick();
        match items.recv_timeout(FRAME) {
            Ok(text) => latest = text,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    bar.finish_and_clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_and_how_many_of_how_many() {
        let item = Item { stage: Stage::Compiling, name: "classifier", number: 3, count: 24 };
        assert_eq!(text(&item), "compiling kernels: 3 of 24 (classifier)");
        let item = Item { stage: Stage::Tuning, name: "matmul nn 8x8x8", number: 1, count: 2 };
        assert_eq!(text(&item), "tuning kernels: 1 of 2 (matmul nn 8x8x8)");
    }

    #[test]
    fn what_is_over_soon_is_not_shown() {
        let (sender, receiver) = mpsc::channel();
        sender.send("first".to_string()).expect("it is there");
        drop(sender);
        assert_eq!(after(Duration::MAX / 4, &receiver), None);
    }

    #[test]
    fn what_takes_longer_is_shown_with_the_latest_item() {
        let (sender, receiver) = mpsc::channel();
        for item in ["first", "second"] {
            sender.send(item.to_string()).expect("it is there");
        }
        assert_eq!(after(Duration::from_millis(1), &receiver).as_deref(), Some("second"));
    }

    #[test]
    fn a_line_can_end_and_begin_again() {
        let line = PreparationLine::default();
        line.end();
        for number in 1..=2 {
            line.item(&Item { stage: Stage::Compiling, name: "classifier", number, count: 2 });
            line.end();
            assert!(line.painter.lock().expect("nothing panicked").running.is_none());
        }
    }
}
