//! `shadegrad gradcheck`: checks the gradients of a configuration against finite differences.

use clap::Args;

use super::device_choice::{preparation_line, print_major};
use super::setting_flags::SettingFlags;
use super::style::Style;
use super::{output, training_data};
use crate::config::Key;
use crate::device::{Choice, DeviceInfo, Options};
use crate::error::{Error, ErrorKind, Result};
use crate::train::{CheckedTensor, GradientCheck, check_gradients};

const EXAMPLES: &str = "Examples:
  shadegrad gradcheck                             # the default run
  shadegrad gradcheck --model linear:64,relu --l2 0.01
  shadegrad gradcheck --config mine.toml --device cpu

Takes the arguments of `train`, but does not train. It computes the gradients of one batch of at \
most 64 images on the device, and compares them with central differences of a float64 forward \
pass.";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct GradcheckArguments {
    #[command(flatten)]
    settings: SettingFlags,

    /// Print a JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// The fields of the `gradcheck` event.
#[derive(serde::Serialize)]
struct Body<'a> {
    device: &'a DeviceInfo,
    passed: bool,
    #[serde(flatten)]
    check: &'a GradientCheck,
}

pub(super) fn run(arguments: &GradcheckArguments) -> Result<()> {
    let resolved = arguments.settings.resolve_with_data()?;
    let dataset = training_data::load(&resolved.config, resolved.data_dir(), !arguments.json)?;
    let set = training_data::training_set(&resolved.config, &dataset);
    let resolved = resolved.settle(&set);
    output::print_warnings(&dataset);
    // A single step is not worth tuning. Tuning does not change the result.
    let device = Options {
        tune: false,
        on_notice: print_major,
        observer: Some(preparation_line),
        ..Options::default()
    }
    .open(&Choice::from(resolved.device()))?;
    let check = check_gradients(&resolved.config, dataset, &*device)?;
    let info = device.info();
    if arguments.json {
        output::print_json("gradcheck", &Body { device: info, passed: check.is_right(), check: &check })?;
    } else {
        output::print(&table(&check, info))?;
    }
    if let Some(most) = resolved.config.clip_norm {
        let name = Key::ClipNorm.name();
        output::print_note(&format!(
            "note: --{name} {most} is not applied: gradients are compared before clipping\n"
        ));
    }
    verdict(&check, info)
}

fn verdict(check: &GradientCheck, device: &DeviceInfo) -> Result<()> {
    if check.is_right() {
        return Ok(());
    }
    let wrong: Vec<&str> =
        check.tensors.iter().filter(|tensor| !tensor.is_right()).map(|tensor| tensor.name.as_str()).collect();
    let what =
        if wrong.is_empty() { "the loss".into() } else { format!("the gradient of {}", wrong.join(", ")) };
    Err(Error::new(ErrorKind::Parity, format!("{what} is wrong on {}", device.name))
        .advise("train with --device cpu, and report this with the table above"))
}

fn table(check: &GradientCheck, device: &DeviceInfo) -> String {
    let style = Style::of_stdout();
    let [wanted, got] = check.losses;
    let left_out = match check.left_out {
        0 => String::new(),
        count => format!("; {count} skipped, at the kink of a ReLU or a max pool"),
    };
    let mut text = format!(
        "{} {} ({})\n{} {} images{left_out}\n{} {got:.9} on the device, {wanted:.9} in float64  {}\n\n",
        style.faint("device "),
        device.name,
        device.backend,
        style.faint("batch  "),
        check.images,
        style.faint("loss   "),
        passed(style, check.loss_is_right()),
    );
    let names = check.tensors.iter().map(|tensor| tensor.name.len()).max().unwrap_or_default().max(6);
    let header = format!(
        "{:<names$}  {:>12}  {:>7}  {:>13}  {:>13}  {:>14}  verdict",
        "tensor", "shape", "checked", "max gradient", "max error", "% of tolerance"
    );
    text.push_str(&format!("{}\n", style.strong(&header)));
    for tensor in &check.tensors {
        let CheckedTensor { name, shape, checked, largest_slope, largest_error, of_tolerance } = tensor;
        let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
        text.push_str(&format!(
            "{name:<names$}  {shape:>12}  {checked:>7}  {largest_slope:>13.3e}  {largest_error:>13.3e}  {:>13.1}%  {}\n",
            100.0 * of_tolerance,
            passed(style, tensor.is_right())
        ));
    }
    text
}

fn passed(style: Style, right: bool) -> String {
    if right { style.good("passed") } else { style.bad("FAILED") }
}
