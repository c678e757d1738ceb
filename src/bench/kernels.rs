//! Benchmarks of single ops: time per launch, and fraction of the device's measured peak.

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
    /// Measured peak of multiply-adds between registers, in GFLOP/s.
    pub peak_gflops: f64,
    /// The ops, in the order of a training step.
    pub ops: Vec<Kernel>,
}

/// The speed of one op.
#[derive(Clone, Debug, Serialize)]
pub struct Kernel {
    /// Name of the op.
    pub op: &'static str,
    /// Sizes: `m`x`n`x`k` of a matrix product; batch, height, width, channels and filters of a
    /// convolution; rows and columns of other ops.
    pub shape: String,
    /// What the device runs for the op. On a GPU, these are the kernels chosen by its tuner or by
    /// heuristics.
    pub kernels: Vec<String>,
    /// Seconds per launch.
    pub seconds: Spread,
    /// GFLOP/s of a matrix product or convolution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gflops: Option<f64>,
    /// Memory throughput in GB/s of an op that is bound by memory, counting the bytes it must read
    /// and write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gigabytes_per_second: Option<f64>,
    /// Fraction of the peak, from 0 to 1, of a matrix product or convolution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_share: Option<f64>,
}

/// Times every op for about `seconds` each. `progress` is called with the name of the next op, and
/// an error from it stops the benchmark.
///
/// # Errors
/// Errors of the device and of `progress`.
pub fn measure(
    device: &dyn Device,
    seconds: f64,
    mut progress: impl FnMut(&str) -> Result<()>,
) -> Result<Kernels> {
    progress("peak")?;
    let peak = subjects::peak(device.info().kind);
    let Work::Operations(operations) = peak.work else { unreachable!("the peak is arithmetic") };
    // The fastest repeat counts, because the peak is the reference for the other ops.
    let peak = operations / stopwatch::time(device, peak, seconds)?.seconds.min / 1e9;
    let mut ops = Vec::new();
    let of_f16 =
        device.kernel_facts(Precision::F16).map(|facts| subjects::of_f16(&facts)).unwrap_or_default();
    for subject in subjects::all().into_iter().chain(of_f16) {
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
