//! The observers of a run: a table or JSON Lines, the dashboard, the profile, and the final report.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use clap::Args;

use super::json::JsonLines;
use super::report::{self, ReportInputs};
use super::terminal::Terminal;
use super::{output, profile_report, remedy, values};
use crate::dashboard::Dashboard;
use crate::device::profile::Profile;
use crate::error::{ErrorKind, Result};
use crate::run::SupervisedRun;
use crate::text::human::percentage;
use crate::train::{Observer, Warning};

#[derive(Args, Debug)]
pub(super) struct OutputFlags {
    /// Print JSON Lines instead of a table
    #[arg(long)]
    json: bool,

    /// Print only warnings and errors
    #[arg(long)]
    quiet: bool,

    /// Print the time spent in each kernel at the end
    #[arg(long)]
    profile: bool,

    /// Show the run in a browser while it trains; listens on this port
    #[arg(long, value_name = "PORT", num_args = 0..=1, value_parser = values::port, allow_negative_numbers = true)]
    dashboard: Option<Option<u16>>,

    /// Address for the dashboard to listen on instead of 127.0.0.1, to share it on the network
    #[arg(long, value_name = "ADDRESS", requires = "dashboard", value_parser = values::address)]
    dashboard_address: Option<IpAddr>,
}

/// The observers that the flags select.
pub(super) struct Observers {
    json: bool,
    profile: Option<Profile>,
    printer: Box<dyn Observer>,
    dashboard: Option<Dashboard>,
}

struct WarningsOnly;

impl Observer for WarningsOnly {
    fn warning(&mut self, warning: &Warning) -> Result<()> {
        output::print_warning(&remedy::warning(warning));
        Ok(())
    }
}

impl OutputFlags {
    /// Whether to print only warnings and errors.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether to print JSON Lines.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Opens the observers, and prints the address of the dashboard.
    pub(super) fn open(&self) -> Result<Observers> {
        let address = self.dashboard_address.unwrap_or(Ipv4Addr::LOCALHOST.into());
        let dashboard = self
            .dashboard
            .map(|port| Dashboard::open(address, port))
            .transpose()
            .map_err(|error| error.at("--dashboard"))?;
        if let Some(dashboard) = &dashboard {
            output::print_note(&format!("note: the dashboard is at {}\n", dashboard.address()));
        }
        let printer: Box<dyn Observer> = match self {
            OutputFlags { json: true, .. } => Box::new(JsonLines),
            OutputFlags { quiet: true, .. } => Box::new(WarningsOnly),
            _ => Box::new(Terminal::new()?),
        };
        Ok(Observers { json: self.json, profile: self.profile.then(Profile::default), printer, dashboard })
    }
}

impl Observers {
    /// Returns the profile that the device adds kernel times to, if one was requested.
    pub(super) fn profile(&self) -> Option<Profile> {
        self.profile.clone()
    }

    pub(super) fn all(&mut self) -> Vec<&mut dyn Observer> {
        let mut all = vec![&mut *self.printer as &mut dyn Observer];
        all.extend(self.dashboard.iter_mut().map(|dashboard| dashboard as &mut dyn Observer));
        all
    }

    /// Writes the report of the run in the folder `run` and shows it in the dashboard.
    pub(super) fn finish(self, run: &Path, supervised: SupervisedRun) -> Result<()> {
        let SupervisedRun { trained, device, test, shape } = supervised;
        let inputs = ReportInputs { test, shape, device: &*device };
        // Removes the progress bar from the screen.
        drop(self.printer);
        // A run that ended early gets a report, too: the user may have stopped it on purpose.
        let profiled = match &self.profile {
            // The report is written even if standard output is closed.
            Some(profile) => profile_report::print(profile, self.json),
            None => Ok(()),
        };
        let shown = run.display();
        let (written, words) = match &trained {
            Ok(end) => {
                let written = report::write(run, Ok(inputs), false);
                let best = written.as_ref().ok().and_then(|written| written.test_accuracy);
                let accuracy = percentage(best.unwrap_or(end.test_accuracy));
                let words = format!(
                    "The run has ended: test accuracy {accuracy} at the best epoch, {} · {shown}",
                    end.best_epoch
                );
                (written, words)
            }
            Err(error) => {
                let inputs = match error.kind() {
                    // The CPU evaluates the saved model.
                    ErrorKind::Device => Ok(inputs),
                    // A user who stops a run does not want to wait for an evaluation.
                    _ => Err(format!("the run ended early ({error}); `shadegrad report {shown}` adds them")),
                };
                (report::write(run, inputs, false), format!("The run has ended early: {error} · {shown}"))
            }
        };
        if let Some(dashboard) = self.dashboard {
            dashboard.finish(written.as_ref().ok().map(|written| written.body.as_str()), &words);
        }
        trained.and(profiled).and(written.map(drop))
    }
}
