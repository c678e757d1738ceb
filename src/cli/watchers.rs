//! How a run is shown while it trains.

use clap::Args;

use super::json::JsonLines;
use super::profile_report;
use super::terminal::Terminal;
use crate::device::profile::Profile;
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

    /// Tell at the end where the device's time went, kernel by kernel
    #[arg(long)]
    profile: bool,
}

impl WatcherFlags {
    /// Whether only warnings and errors are wanted.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// What a device adds its times to, if they are wanted.
    pub(super) fn profile(&self) -> Option<Profile> {
        self.profile.then(Profile::default)
    }

    /// Tells where the time went.
    pub(super) fn report(&self, profile: Option<&Profile>) -> Result<()> {
        profile.map_or(Ok(()), |profile| profile_report::print(profile, self.json))
    }

    /// Who watches the run, if anybody does.
    pub(super) fn watcher(&self) -> Result<Option<Box<dyn Observer>>> {
        Ok(match self {
            WatcherFlags { json: true, .. } => Some(Box::new(JsonLines)),
            WatcherFlags { quiet: true, .. } => None,
            _ => Some(Box::new(Terminal::new()?)),
        })
    }
}
