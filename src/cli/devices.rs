//! `shadegrad devices`: lists compute devices, with advice if there is no GPU.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use super::output;
use super::style::Style;
use crate::device::gpu::adapter::{FoundAdapter, adapters, driver_advice};
use crate::device::{Cpu, Device, DeviceInfo};
use crate::error::Result;

const EXAMPLES: &str = "Examples:
  shadegrad devices                        # all devices, the best first
  WGPU_BACKEND=vulkan shadegrad devices    # only Vulkan drivers
  shadegrad train --device 1               # train on the second GPU
  shadegrad train --device radeon          # select a device by name";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct DevicesArguments {
    /// Print a JSON object instead of a table
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &DevicesArguments) -> Result<()> {
    let found = adapters();
    let cpu = Cpu::new();
    if arguments.json { print_json(&found, cpu.info()) } else { print_table(&found, cpu.info()) }
}

fn print_json(found: &[FoundAdapter], cpu: &DeviceInfo) -> Result<()> {
    #[derive(Serialize)]
    struct Adapter<'a> {
        index: usize,
        #[serde(flatten)]
        info: &'a DeviceInfo,
        pci_bus: &'a str,
        shader_compiler: String,
        /// Index of the same GPU through Vulkan, which is preferred.
        same_gpu_as: Option<usize>,
        abilities: BTreeMap<&'static str, String>,
    }
    #[derive(Serialize)]
    struct Devices<'a> {
        devices: Vec<Adapter<'a>>,
        cpu: &'a DeviceInfo,
        advice: Option<String>,
    }
    let devices = found.iter().enumerate().map(|(index, found)| Adapter {
        index,
        info: &found.info,
        pci_bus: &found.pci_bus,
        shader_compiler: found.compiler.to_string(),
        same_gpu_as: found.same_gpu_as,
        abilities: found.abilities().into_iter().collect(),
    });
    output::print_json("devices", &Devices { devices: devices.collect(), cpu, advice: advice(found) })
}

fn print_table(found: &[FoundAdapter], cpu: &DeviceInfo) -> Result<()> {
    let style = Style::of_stdout();
    let row = |index: String, info: &DeviceInfo| {
        [index, info.name.clone(), info.backend.clone(), info.kind.name().into(), info.driver.clone()]
    };
    let adapters = found.iter().enumerate().map(|(index, found)| row(index.to_string(), &found.info));
    let rows: Vec<_> = adapters.chain([row("cpu".into(), cpu)]).collect();
    let header = ["device", "name", "backend", "type", "driver"];
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(column, title)| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([title.len()]).max().unwrap_or_default()
        })
        .collect();
    let line = |cells: &[&str]| -> String {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    let mut text = format!("{}\n", style.strong(&line(&header)));
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        text.push_str(&format!("{}\n", line(&cells)));
        if let Some(found) = found.get(index) {
            let abilities = found.abilities().into_iter();
            let abilities = abilities.map(|(name, value)| format!("{} {value}", name.replace('_', " ")));
            let indent = " ".repeat(widths[0] + 2);
            let mut details: Vec<_> =
                abilities.collect::<Vec<_>>().chunks(4).map(|chunk| chunk.join(", ")).collect();
            details.push(format!("shader compiler: {}", found.compiler));
            details.extend(found.same_gpu_as.map(preference));
            for detail in details {
                text.push_str(&format!("{indent}{}\n", style.faint(&detail)));
            }
        }
    }
    if let Some(advice) = advice(found) {
        text.push_str(&format!("\n{advice}\n"));
    }
    output::print(&text)
}

/// Explains why another device is preferred to this one.
fn preference(preferred: usize) -> String {
    format!(
        "the same GPU as device {preferred}, which is preferred: Vulkan has more features and compiles faster"
    )
}

/// Returns advice if no GPU was found, or only software drivers.
fn advice(found: &[FoundAdapter]) -> Option<String> {
    if found.is_empty() {
        Some(format!("{}; or use --device cpu", driver_advice()))
    } else if found.iter().all(FoundAdapter::is_software) {
        let advice = "no hardware GPU was found: software drivers compute on the CPU, and `--device auto` \
                      takes the CPU itself";
        Some(advice.into())
    } else {
        None
    }
}
