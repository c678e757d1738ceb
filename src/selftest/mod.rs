//! Compares every op on a GPU with the CPU, in every kernel variant that the GPU may run.
//!
//! The reference is the CPU implementation of the ops, which this crate's tests compare with
//! float64. The result is a [`Verdict`]: tile classes of the matrix product that are wrong are
//! disabled, and a GPU with an op that is wrong in every variant is not used for training.
//!
//! ```
//! assert!(shadegrad::selftest::check_name(Some("relu")).is_ok());
//! assert!(shadegrad::selftest::check_name(Some("rulu")).is_err());
//! ```

use serde::Serialize;

pub use crate::device::Verdict;
use crate::device::poison::{self, POISON};
use crate::device::{Cpu, Device, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::kernel::{GpuFacts, TileClass};
use crate::ops::ALL;
use crate::ops::fixture::{self, Draft, Fixture};
use crate::plan::{AlteredOp, Array, Launch, Plan, StepId, StepRecord};
use crate::remedy::Remedy;
use crate::tensor::{Element, Precision, Tensor};
use crate::text::suggest::nearest;

/// Maximum error of a result, relative to the largest value of its tensor. Sums of a thousand f32
/// values in a different order differ by a twentieth of it.
pub const TOLERANCE: f64 = 2e-5;

/// Maximum error of a result that is stored in f16, whose rounding error is a thousandth.
pub const TOLERANCE_F16: f64 = 1e-3;

/// The name under which f16 is disabled, if an op is wrong only in f16.
pub const F16: &str = "f16";

/// The result of one comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Name of the op.
    pub op: &'static str,
    /// Sizes and options of the case.
    pub shape: String,
    /// Tile class of a matrix product; `None` if the op has only one variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Whether activations were f16.
    #[serde(rename = "in_half")]
    pub is_f16: bool,
    /// Names of the kernels that ran.
    pub kernels: Vec<String>,
    /// Largest error, relative to the largest value; `None` if there are no finite results.
    pub error: Option<f64>,
    /// Whether every error is within [`TOLERANCE`], or [`TOLERANCE_F16`] for f16 results.
    pub passed: bool,
}

/// Runs all cases, or those of one op, on `device` and on the CPU. `progress` receives the next
/// case with its number and the total, and may end the selftest with an error.
///
/// # Errors
/// [`ErrorKind::Usage`] if `device` is not a GPU or there is no op `only`; otherwise the error of
/// the device or of `progress`.
pub fn run(
    device: &dyn Device,
    only: Option<&str>,
    mut progress: impl FnMut(&str) -> Result<()>,
) -> Result<Vec<Check>> {
    check_name(only)?;
    let facts = device.kernel_facts(Precision::F32).ok_or_else(|| {
        Error::usage("a selftest compares a GPU with the CPU, but the device is the CPU")
            .advise(Remedy::SelftestNeedsGpu)
    })?;
    let facts = GpuFacts { disabled: 0, ..facts };
    let cpu = Cpu::new();
    let mut checks = Vec::new();
    let elements = [Element::F32].into_iter().chain(facts.f16.then_some(Element::F16));
    let fixtures =
        elements.flat_map(|element| fixture::all().into_iter().map(move |fixture| (element, fixture)));
    let work: Vec<_> = fixtures
        .filter(|(element, fixture)| only.is_none_or(|only| fixture.op == only) && fixture.supports(*element))
        .map(|(element, fixture)| (element, classes(&fixture, element, &facts), fixture))
        .collect();
    let count: usize = work.iter().map(|(_, classes, _)| classes.len()).sum();
    for (element, classes, fixture) in work {
        let is_f16 = element == Element::F16;
        let shape = format!("{}{}", fixture.shape, if is_f16 { ", f16" } else { "" });
        for class in classes {
            progress(&format!("{} of {count}: {} {shape}", checks.len() + 1, fixture.op))?;
            let facts = GpuFacts { matmul: class, ..facts };
            let (wanted, _) = outcome(&fixture, element, &cpu, facts)?;
            // A kernel that the driver rejects counts as wrong.
            let (got, kernels) = match outcome(&fixture, element, device, facts) {
                Err(error) if error.kind() == ErrorKind::Device => Default::default(),
                other => other?,
            };
            let errors = wanted.iter().zip(&got).map(|((_, wanted), (_, got))| difference(wanted, got));
            let errors = errors.collect::<Option<Vec<f64>>>().filter(|_| got.len() == wanted.len());
            let is_within = |errors: &Vec<f64>| {
                let mut results = errors.iter().zip(&wanted);
                results.all(|(error, (tolerance, _))| error <= tolerance)
            };
            let passed = errors.as_ref().is_some_and(is_within);
            let error = errors.map(|errors| errors.into_iter().fold(0.0, f64::max));
            checks.push(Check {
                op: fixture.op,
                shape: shape.clone(),
                is_f16,
                class: class.map(TileClass::label),
                kernels,
                error,
                passed,
            });
        }
    }
    Ok(checks)
}

/// Checks that there is an op with the name `only`.
///
/// # Errors
/// [`ErrorKind::Usage`] if there is none; the remedy lists all ops.
pub fn check_name(only: Option<&str>) -> Result<()> {
    match only {
        Some(name) if !ALL.contains(&name) => {
            let guess = nearest(name, ALL.iter().copied())
                .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            Err(Error::usage(format!("no op is called `{name}`"))
                .advise(format!("{guess}there are {}", ALL.join(", "))))
        }
        _ => Ok(()),
    }
}

/// Returns the tile classes that can run a case; a single `None` if the op has only one variant.
fn classes(fixture: &Fixture, element: Element, facts: &GpuFacts) -> Vec<Option<TileClass>> {
    match fixture.op {
        "matmul" | "conv2d" => {
            let all = TileClass::all(facts).into_iter();
            // Cooperative matrices need f16 operands.
            all.filter(|class| element == Element::F16 || !class.is_cooperative()).map(Some).collect()
        }
        _ => vec![None],
    }
}

/// Results with their tolerances, and the names of the kernels that computed them.
type Outcome = (Vec<(f64, Array)>, Vec<String>);

/// Runs a case on `device`.
fn outcome(fixture: &Fixture, element: Element, device: &dyn Device, facts: GpuFacts) -> Result<Outcome> {
    let mut plan = Plan::new();
    let Draft { step, inputs, .. } = fixture.record(&mut plan, element);
    let outputs = fixture::outputs(&plan);
    plan.wrap_ops(|op| AlteredOp::with_facts(op, facts));
    let mut session = device.load(plan)?;
    poison::fill(&mut *session, inputs)?;
    launch(&mut *session, step, fixture.rows)?;
    let result = |&tensor: &Tensor| {
        let tolerance = if tensor.element() == Element::F16 { TOLERANCE_F16 } else { TOLERANCE };
        Ok((tolerance, session.read(tensor)?))
    };
    let arrays = outputs.iter().map(result).collect::<Result<_>>()?;
    Ok((arrays, session.kernels(step)))
}

fn launch(session: &mut dyn Session, step: StepId, rows: usize) -> Result<()> {
    let record = StepRecord {
        first: 7,
        rows: rows as u32,
        // A slot other than 0, so that an op that ignores the slot is detected.
        slot: 1,
        row_weight: 1.0 / rows as f32,
        epoch: 3,
        step: 5,
        learning_rate: 0.125,
        mean_scale: 1.5,
        root_scale: 1.25,
        average_share: 0.25,
    };
    session.run(&[Launch { step, record }])
}

/// Returns the largest difference of two results, relative to the largest value; `None` if some
/// element is finite in only one of them, or if integers differ.
fn difference(wanted: &Array, got: &Array) -> Option<f64> {
    let (Array::F32(wanted), Array::F32(got)) = (wanted, got) else {
        return (wanted == got).then_some(0.0);
    };
    // An op writes one slot of a ring, so some poison remains. A result of only poison is wrong.
    if wanted.iter().all(|value| value.to_bits() == POISON) {
        return None;
    }
    let mut largest = (0.0f64, 0.0f64);
    for (&wanted, &got) in wanted.iter().zip(got) {
        if wanted.to_bits() != got.to_bits() {
            let error = (f64::from(wanted) - f64::from(got)).abs();
            if !error.is_finite() {
                return None;
            }
            largest.0 = largest.0.max(error);
        }
        // Poison in both results does not count as a value.
        largest.1 = largest.1.max(f64::from(wanted).abs());
    }
    let (error, value) = largest;
    Some(if error == 0.0 { 0.0 } else { error / value.max(f64::MIN_POSITIVE) })
}

impl Verdict {
    /// Computes the verdict on a GPU from the results of all checks. `date` is the day of the test.
    pub fn of(checks: &[Check], date: String) -> Self {
        let mut disabled: Vec<String> = Vec::new();
        let mut broken: Vec<String> = Vec::new();
        let failed = || checks.iter().filter(|check| !check.passed);
        for check in failed() {
            let is_disabled = check.class.is_some() || check.is_f16;
            let list = if is_disabled { &mut disabled } else { &mut broken };
            let only = if check.is_f16 { F16 } else { check.op };
            let name = check.class.clone().unwrap_or_else(|| only.to_owned());
            if !list.contains(&name) {
                list.push(name);
            }
        }
        // Any class that supports f32 products, which cooperative matrices do not.
        let is_left = |check: &Check| {
            !check.is_f16 && check.class.as_ref().is_some_and(|class| !disabled.contains(class))
        };
        let has_classes = checks.iter().any(|check| check.class.is_some());
        if has_classes && !checks.iter().any(is_left) {
            broken.push("matmul".into());
        }
        Verdict { date, checks: checks.len(), failures: failed().count(), disabled, broken }
    }
}
