//! What a run leaves on disk: checkpoints, model files, metrics, and what is needed to know how it
//! came about and to go on.
//!
//! [`RunDirectory`] records a run; [`reopen`](reopen()) finds what another process has recorded. A
//! [`checkpoint`] is a folder whose files a `manifest` vouches for. All that is saved goes through a
//! [`Disk`](crate::fs::disk::Disk), so that tests can let it fail.

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
pub use reopen::{Complaint, Reopened, reopen};
pub use state::State;
pub use supervisor::{
    Continuation, PreparedRun, RecordedRun, RunNotice, RunSource, SupervisedRun, Supervisor,
};
pub use tensorboard::EventFile;
