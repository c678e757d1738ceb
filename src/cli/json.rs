//! Prints a training run as JSON Lines: `start`, one `epoch` event per epoch, `end`.

use serde::Serialize;

use super::output::{print_json, print_warning};
use super::remedy;
use crate::config::Config;
use crate::device::DeviceInfo;
use crate::error::Result;
use crate::train::{DatasetInfo, End, Epoch, Observer, Start, Warning};

/// Prints each event on a line as soon as it occurs.
#[derive(Debug, Default)]
pub(super) struct JsonLines;

/// The fields of the `start` event. Other programs rely on their names.
#[derive(Serialize)]
struct StartBody<'a> {
    device: &'a DeviceInfo,
    dataset: &'a DatasetInfo,
    model: &'a str,
    parameters: usize,
    seed: u64,
    config: &'a Config,
    steps_per_epoch: usize,
    /// Steps that were already done: more than 0 if the run was resumed.
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
