//! Runs cases on devices and compares the results: the CPU with float64 loops, and every GPU with
//! the CPU.

use shadegrad::device::Session;
use shadegrad::device::poison::{self, POISON};
use shadegrad::plan::{Array, Launch, Plan, Role};
use shadegrad::tensor::{Element, Tensor};

use super::bench::{Bench, Case, Output, Recorded, SLOTS, widen};
use super::compare::{Side, Tolerance, compare};
use super::subject::Subject;

/// Cases share a plan until their tensors have this size, so that their pipelines are created once.
const PLAN_BYTES: usize = 128 << 20;

/// The result of a comparison.
#[derive(Debug, Default)]
pub struct Report {
    /// Number of cases that ran on all devices.
    pub cases: usize,
    /// Every disagreement, in words that begin with the case.
    pub failures: Vec<String>,
}

impl Report {
    /// Asserts that there was no disagreement.
    #[track_caller]
    pub fn assert_agreement(&self) {
        let first: Vec<&str> = self.failures.iter().take(20).map(String::as_str).collect();
        let number = self.failures.len();
        assert!(number == 0, "{number} disagreements in {} cases:\n{}", self.cases, first.join("\n"));
    }

    fn compare(&mut self, output: &str, wanted: Side, got: Side, tolerance: &Tolerance) {
        let complaint = compare(&wanted, &got, tolerance).err();
        self.failures.extend(complaint.map(|complaint| format!("{output}: {complaint}")));
    }
}

/// The elements that an op wrote, or why they cannot be right.
type Found = Result<Vec<f64>, String>;

/// Runs `cases` on the CPU, which must agree with the references, and on each GPU, which must agree
/// with the CPU. `element` is the type of activations.
pub fn check_cases(cases: &[Box<dyn Case>], cpu: &Subject, gpus: &[Subject], element: Element) -> Report {
    let mut report = Report { cases: cases.len(), ..Report::default() };
    let mut rest = cases;
    while !rest.is_empty() {
        let (plan, mut recorded) = record(rest, element);
        let batch;
        (batch, rest) = rest.split_at(recorded.len());
        let on_cpu = run(plan, &mut recorded, cpu);
        for (output, found) in outputs(recorded).zip(&on_cpu) {
            match found {
                Ok(values) => {
                    let wanted = (output.reference)();
                    let wanted = Side { name: "float64 loops", values: &wanted };
                    let got = Side { name: &cpu.name, values };
                    report.compare(&output.name, wanted, got, &output.tolerance);
                }
                Err(complaint) => report.failures.push(format!("{}: {complaint}", output.name)),
            }
        }
        for gpu in gpus {
            let (plan, mut recorded) = record(batch, element);
            let on_gpu = run(plan, &mut recorded, gpu);
            for ((output, wanted), got) in outputs(recorded).zip(&on_cpu).zip(&on_gpu) {
                match (wanted, got) {
                    (Ok(wanted), Ok(got)) => {
                        let wanted = Side { name: &cpu.name, values: wanted };
                        let got = Side { name: &gpu.name, values: got };
                        report.compare(&output.name, wanted, got, &output.tolerance);
                    }
                    (_, Err(complaint)) => report.failures.push(format!("{}: {complaint}", output.name)),
                    // The CPU's failure has already been reported.
                    (Err(_), Ok(_)) => {}
                }
            }
        }
    }
    report
}

/// The bits of every output of `cases` on one device, with activations of type `element`.
pub fn bits_of(cases: &[Box<dyn Case>], subject: &Subject, element: Element) -> Vec<Vec<u64>> {
    let mut found = Vec::new();
    let mut rest = cases;
    while !rest.is_empty() {
        let (plan, mut recorded) = record(rest, element);
        rest = &rest[recorded.len()..];
        for values in run(plan, &mut recorded, subject) {
            let values = values.unwrap_or_else(|complaint| panic!("{complaint}"));
            found.push(values.into_iter().map(f64::to_bits).collect());
        }
    }
    found
}

/// Records as many of the cases as fit into one plan, at least one.
fn record(cases: &[Box<dyn Case>], element: Element) -> (Plan, Vec<Recorded>) {
    let mut plan = Plan::new();
    let mut recorded = Vec::new();
    for case in cases {
        recorded.push(Bench::record(&mut plan, &**case, element));
        let bytes: usize = plan.declarations().iter().map(|declaration| declaration.tensor.bytes()).sum();
        if bytes > PLAN_BYTES {
            break;
        }
    }
    (plan, recorded)
}

fn outputs(recorded: Vec<Recorded>) -> impl Iterator<Item = Output> {
    recorded.into_iter().flat_map(|case| {
        let name = case.name;
        case.outputs
            .into_iter()
            .map(move |output| Output { name: format!("{name}: {}", output.name), ..output })
    })
}

/// Runs every case's step on a device and reads its outputs.
fn run(mut plan: Plan, recorded: &mut [Recorded], subject: &Subject) -> Vec<Found> {
    subject.wrap(&mut plan);
    let rings: Vec<Tensor> = plan
        .declarations()
        .iter()
        .filter(|declaration| declaration.role == Role::Metric)
        .map(|declaration| declaration.tensor)
        .collect();
    let mut session = subject.device.load(plan).unwrap_or_else(|error| panic!("{}: {error}", subject.name));
    let inputs = recorded.iter_mut().flat_map(|case| std::mem::take(&mut case.inputs));
    poison::fill(&mut *session, inputs).expect("tensors can be written");
    let mut found = Vec::new();
    for case in recorded {
        let launches: Vec<Launch> =
            case.runs.iter().map(|&record| Launch { step: case.step, record }).collect();
        let rings: Vec<Tensor> = rings
            .iter()
            .copied()
            .filter(|ring| case.outputs.iter().any(|output| output.tensor == *ring))
            .collect();
        let ticket = session.submit(&launches, &rings, SLOTS).expect("the step can be submitted");
        let metrics = session.finish(ticket).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        for (ring, metrics) in rings.iter().zip(metrics) {
            let read = session.read(*ring).expect("rings can be read").into_f32();
            assert_eq!(bits(&read), bits(&metrics), "{}: what finish and read return", case.name);
        }
        found.extend(case.outputs.iter().map(|output| read(&mut *session, output, &subject.name)));
    }
    found
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The written elements of an output. An error if some were not written, or if others were.
fn read(session: &mut dyn Session, output: &Output, by: &str) -> Found {
    let array = session.read(output.tensor).expect("outputs can be read");
    let (bits, values): (Vec<u32>, Vec<f64>) = match array {
        Array::F32(values) => (bits(&values), widen(&values)),
        Array::U32(values) => (values.clone(), values.into_iter().map(f64::from).collect()),
        Array::U8(_) => panic!("no op writes bytes"),
    };
    let missing = bits[output.written.clone()].iter().filter(|&&bits| bits == POISON).count();
    if missing > 0 {
        return Err(format!("{by} left {missing} of {} elements unwritten", output.written.len()));
    }
    let others = [&bits[..output.written.start], &bits[output.written.end..]].concat();
    let touched = others.iter().filter(|&&bits| bits != POISON).count();
    if touched > 0 {
        return Err(format!("{by} wrote {touched} elements that were not its to write"));
    }
    Ok((output.read)(values[output.written.clone()].to_vec()))
}
