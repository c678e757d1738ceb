//! Single ops: how long each takes, and how much of the device's peak that is.

use serde::Serialize;

use super::Spread;
use super::stopwatch::{self, Timed};
use super::subjects::{self, Subject, Work};
use crate::device::Device;
use crate::error::Result;
use crate::tensor::Precision;

/// The speed of single ops.
#[derive(Clone, Debug, Serialize)]
pub struct Kernels {
    /// Multiply-adds between registers, the most that the device was seen to compute.
    pub peak_gflops: f64,
    /// One after the other, as in a step.
    pub ops: Vec<Kernel>,
}

/// The speed of one op.
#[derive(Clone, Debug, Serialize)]
pub struct Kernel {
    /// Which op.
    pub op: &'static str,
    /// Its sizes: `m`x`n`x`k` of a product, batch, height, width, channels and filters of a convolution, rows and columns of
    /// the others.
    pub shape: String,
    /// What the device runs for it: on a GPU the kernels that its tuner or a rule has chosen.
    pub kernels: Vec<String>,
    /// Of one launch.
    pub seconds: Spread,
    /// Of a product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gflops: Option<f64>,
    /// Of an op that moves data more than it computes: bytes read and written at least, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gigabytes_per_second: Option<f64>,
    /// Of the peak, 0 to 1, of a product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_share: Option<f64>,
}

/// Times every op for about `seconds` each. `progress` is told what comes next, and may end it all.
///
/// # Errors
/// What the device or `progress` fails with.
pub fn measure(
    device: &dyn Device,
    seconds: f64,
    mut progress: impl FnMut(&str) -> Result<()>,
) -> Result<Kernels> {
    progress("peak")?;
    let peak = subjects::peak(device.info().kind);
    let Work::Operations(operations) = peak.work else { unreachable!("the peak is arithmetic") };
    // The best of all repeats: a peak is what the others are held against.
    let peak = operations / stopwatch::time(device, peak, seconds)?.seconds.min / 1e9;
    let mut ops = Vec::new();
    let of_halves =
        device.kernel_facts(Precision::F16).map(|facts| subjects::of_halves(&facts)).unwrap_or_default();
    for subject in subjects::all().into_iter().chain(of_halves) {
        progress(&format!("{} {}", subject.op, subject.shape))?;
        ops.push(kernel(device, subject, seconds, peak)?);
    }
    Ok(Kernels { peak_gflops: peak, ops })
}

fn kernel(device: &dyn Device, subject: Subject, budget: f64, peak: f64) -> Result<Kernel> {
    let (op, shape, work) = (subject.op, subject.shape.clone(), subject.work);
    let Timed { seconds, kernels } = stopwatch::time(device, subject, budget)?;
    let (gflops, gigabytes_per_second) = match work {
        Work::Operations(operations) => (Some(operations / seconds.median / 1e9), None),
        Work::Bytes(bytes) => (None, Some(bytes / seconds.median / 1e9)),
    };
    let peak_share = gflops.map(|gflops| gflops / peak);
    Ok(Kernel { op, shape, kernels, seconds, gflops, gigabytes_per_second, peak_share })
}
