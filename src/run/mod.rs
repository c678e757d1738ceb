//! The files of a run: checkpoints, metrics, and the record that is needed to resume it.
//!
//! [`RunDirectory`] records a run, and [`reopen`](reopen()) opens the run of another process. A
//! [`checkpoint`] is a folder whose files are verified by a manifest. All writes go through a
//! [`Disk`](crate::fs::disk::Disk), so that tests can make them fail.
//!
//! ```no_run
//! use std::path::Path;
//!
//! let run = shadegrad::run::reopen(Path::new("runs/mine"))?;
//! println!("resuming at step {}", run.snapshot.position.step);
//! # Ok::<(), shadegrad::Error>(())
//! ```

pub mod changes;
pub mod checkpoint;
pub mod clock;
mod data_files;
mod data_source;
pub mod directory;
pub mod event;
mod metrics_file;
pub mod record;
pub mod reopen;
pub mod state;
pub mod supervisor;
pub mod tensorboard;

pub use changes::Change;
pub use data_files::DataFiles;
pub use data_source::DataSource;
pub use directory::RunDirectory;
pub use record::{Record, RecordedDevice};
pub use reopen::{Complaint, Reopened, reopen};
pub use state::State;
pub use supervisor::{
    Continuation, PreparedRun, RecordedRun, RunNotice, RunSource, SupervisedRun, Supervisor,
};
pub use tensorboard::EventFile;
