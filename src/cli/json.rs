//! A training run as JSON Lines: `start`, an `epoch` each, `end`.

use serde::Serialize;

use super::output::{print_json, print_warning};
use super::remedy;
use crate::config::Config;
use crate::device::DeviceInfo;
use crate::error::Result;
use crate::train::{DatasetInfo, End, Epoch, Observer, Start, Warning};

/// Prints a line for each event, as it comes.
#[derive(Debug, Default)]
pub(super) struct JsonLines;

/// The names of the `start` event, which other programs rely on.
#[derive(Serialize)]
struct StartBody<'a> {
    device: &'a DeviceInfo,
    dataset: &'a DatasetInfo,
    model: &'a str,
    parameters: usize,
    seed: u64,
    config: &'a Config,
    steps_per_epoch: usize,
    /// Steps that were done before: more than 0 where the run goes on.
    step: usize,
    run: String,
}

impl Observer for JsonLines {
    fn start(&mut self, start: &Start) -> Result<()> {
        let body = StartBody {
            device: &start.device,
            dataset: &start.dataset,
            model: &start.model,
            parameters: start.parameters,
            seed: start.config.seed,
            config: &start.config,
            steps_per_epoch: start.steps_per_epoch,
            step: start.step,
            run: start.run.display().to_string(),
        };
        print_json("start", &body)
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        print_json("epoch", epoch)
    }

    fn warning(&mut self, warning: &Warning) -> Result<()> {
        print_warning(&remedy::warning(warning));
        Ok(())
    }

    fn end(&mut self, end: &End) -> Result<()> {
        print_json("end", end)
    }
}
