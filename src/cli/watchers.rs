//! How a run is shown while it trains.

use clap::Args;

use super::json::JsonLines;
use super::terminal::Terminal;
use crate::error::Result;
use crate::train::Observer;

/// The flags for that.
#[derive(Args, Debug)]
pub(super) struct WatcherFlags {
    /// Print JSON Lines instead of a table
    #[arg(long)]
    json: bool,

    /// Print no table and no progress, only warnings and errors
    #[arg(long)]
    quiet: bool,
}

impl WatcherFlags {
    /// Who watches the run, if anybody does.
    pub(super) fn watcher(&self) -> Result<Option<Box<dyn Observer>>> {
        Ok(match self {
            WatcherFlags { json: true, .. } => Some(Box::new(JsonLines)),
            WatcherFlags { quiet: true, .. } => None,
            _ => Some(Box::new(Terminal::new()?)),
        })
    }
}
