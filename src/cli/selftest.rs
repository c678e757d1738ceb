//! `shadegrad selftest`: compares every kernel on a GPU with the CPU.

use clap::Args;
use serde::Serialize;

use super::device_choice::DeviceFlags;
use super::output;
use super::signals::stop_on_signals;
use super::spinner::spinner;
use super::style::Style;
use crate::device::DeviceInfo;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::user_cache;
use crate::run::clock;
use crate::selftest::{self, Check, TOLERANCE, Verdict};

const EXAMPLES: &str = "Examples:
  shadegrad selftest                    # the best GPU
  shadegrad selftest --device 1
  shadegrad selftest --only gather
  shadegrad selftest --json | jq .passed

Runs every op in every kernel variant of the GPU, forward and backward. The result is cached for \
this GPU, driver and build: runs do not use a wrong kernel if another one can replace it, and \
refuse the GPU otherwise.";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct SelftestArguments {
    #[command(flatten)]
    device: DeviceFlags,

    /// Test only this op, and do not cache the result
    #[arg(long, value_name = "OP")]
    only: Option<String>,

    /// Print a JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// The fields of the `selftest` event.
#[derive(Serialize)]
struct Body<'a> {
    device: &'a DeviceInfo,
    passed: bool,
    tolerance: f64,
    checks: &'a [Check],
    /// Tile classes of the matrix product that are disabled in runs.
    #[serde(rename = "barred")]
    disabled: &'a [String],
    /// Ops that are wrong in every variant.
    broken: &'a [String],
}

pub(super) fn run(arguments: &SelftestArguments) -> Result<()> {
    let only = arguments.only.as_deref();
    selftest::check_name(only)?;
    let device = arguments.device.open_with_all_kernels()?;
    let stop = stop_on_signals()?;
    let bar = spinner();
    let checks = selftest::run(&*device, only, |what| {
        bar.set_message(what.to_owned());
        bar.tick();
        stop.check("the end of the selftest")
    })?;
    bar.finish_and_clear();
    let verdict = Verdict::of(&checks, clock::now(clock::DAY));
    if let (None, Some(folder)) = (only, user_cache())
        && let Err(error) = device.save_verdict(&folder, &verdict)
    {
        output::print_note(&format!("note: the result could not be cached: {error}\n"));
    }
    let info = device.info();
    let Verdict { disabled, broken, .. } = &verdict;
    if arguments.json {
        let passed = verdict.is_clean();
        output::print_json(
            "selftest",
            &Body { device: info, passed, tolerance: TOLERANCE, checks: &checks, disabled, broken },
        )?;
    } else {
        output::print(&table(&checks, &verdict, info))?;
    }
    conclude(&verdict, info)
}

fn conclude(verdict: &Verdict, device: &DeviceInfo) -> Result<()> {
    let Verdict { failures, checks, broken, .. } = verdict;
    let advice = match (*failures, broken.is_empty()) {
        (0, _) => return Ok(()),
        (_, true) => {
            "runs on this GPU do not use the kernels that failed; please report them with the table above"
        }
        (_, false) => "train with --device cpu, update the driver, and report this with the table above",
    };
    let what = format!("{failures} of {checks} checks failed on {}", device.name);
    Err(Error::new(ErrorKind::Parity, what).advise(advice))
}

fn table(checks: &[Check], verdict: &Verdict, device: &DeviceInfo) -> String {
    let style = Style::of_stdout();
    let longest = |text: fn(&Check) -> usize| checks.iter().map(text).max().unwrap_or_default();
    let shapes = longest(|check| check.shape.len());
    let classes = longest(|check| check.class.as_ref().map_or(0, String::len)).max(5);
    let mut text = format!("{} {} ({})\n", style.faint("device"), device.name, device.backend);
    text.push_str(&format!("{} {}\n\n", style.faint("driver"), device.driver));
    let header =
        format!("{:<21}  {:<shapes$}  {:<classes$}  {:>8}  verdict", "op", "shape", "class", "error");
    text.push_str(&format!("{}\n", style.strong(&header)));
    for Check { op, shape, class, error, passed, .. } in checks {
        let class = class.as_deref().unwrap_or("");
        let error = error.map_or_else(|| "none".into(), |error| format!("{error:.1e}"));
        let verdict = if *passed { style.good("passed") } else { style.bad("FAILED") };
        text.push_str(&format!("{op:<21}  {shape:<shapes$}  {class:<classes$}  {error:>8}  {verdict}\n"));
    }
    text.push_str(&format!(
        "\n{}; errors are relative to the largest value, and may be at most {TOLERANCE:.0e}\n",
        verdict.summary()
    ));
    text
}
