//! Formats remedies of errors for the command line, with its flags and commands.

use super::help;
use crate::config::Key;
use crate::error::Error;
use crate::remedy::{Hint, Remedy, fill};
use crate::run::Complaint;
use crate::text::sanitize::one_line;
use crate::train::Warning;

/// Maximum number of characters of an advice, which may quote text of any length.
const MOST: usize = 1000;

/// Returns the advice after `help:` in one line.
pub(super) fn words(remedy: &Remedy) -> String {
    one_line(&sentence(remedy), MOST)
}

/// Formats a problem of a run's folder with its remedy.
pub(super) fn complaint(complaint: &Complaint) -> String {
    let Complaint { message, remedy } = complaint;
    remedy.iter().fold(message.clone(), |text, remedy| format!("{text}; {}", words(remedy)))
}

pub(super) fn warning(warning: &Warning) -> String {
    format!("{}; {}", warning.message, words(&warning.remedy))
}

/// Returns the message after `error:`.
pub(super) fn message(error: &Error) -> String {
    error.message(flag)
}

fn sentence(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Settings { sentence, hints } => fill(sentence, hints, flag),
        Remedy::Explain { setting, help: other } => {
            let help = Key::named(setting).map_or_else(|| other.clone(), help::of_key);
            format!("{setting}: {help}")
        }
        Remedy::LowerLearningRate { rate, standardise } => {
            let other = if *standardise { ", or --normalize standard" } else { "" };
            format!(
                "use a smaller learning rate, for example --lr {rate:?}{other}; `shadegrad resume` with \
                 another --lr continues from the last checkpoint, from before the divergence"
            )
        }
        Remedy::SmallerBatch(most) => {
            format!("use --batch-size {most} or less, a smaller --model, or another --device")
        }
        Remedy::LessMemory => "use a smaller --batch-size or model, or --device cpu".into(),
        Remedy::Resume(run) => format!("resume with: shadegrad resume {}", run.display()),
        Remedy::ThenResume(first) => {
            format!("{first}; the last checkpoint is intact, and `shadegrad resume` continues from it")
        }
        Remedy::DistrustDevice => "continue from the last checkpoint with `shadegrad resume`; the device or \
                                   its memory may be at fault"
            .into(),
        Remedy::StartAgain(config) => {
            format!("start again with: shadegrad train --config {}", config.display())
        }
        Remedy::ResumeWith { run, hints } => {
            let flags: Vec<_> = hints.iter().map(flag).collect();
            format!("to use them: shadegrad resume {} {}", run.display(), flags.join(" "))
        }
        Remedy::TrainWith(config) => {
            format!("to use them: shadegrad train --config {}", config.display())
        }
        Remedy::GiveConfigFile => {
            "--config expects a TOML file; `shadegrad config show` prints one to start from".into()
        }
        Remedy::GiveRunFolder => "give a folder that `shadegrad train` created".into(),
        Remedy::FetchData(name) => format!(
            "download it with `shadegrad data fetch {name}`, or name the folder that has it with --data-dir"
        ),
        Remedy::ImportData { url, name } => format!(
            "download it by hand, for example from {url}, then `shadegrad data fetch {name} --from FILE`"
        ),
        Remedy::ChooseDevice(there) if there.is_empty() => {
            "only cpu is available: no GPU was found (see `shadegrad devices`)".into()
        }
        Remedy::ChooseDevice(_) => format!("{remedy} (see `shadegrad devices`)"),
        Remedy::AnotherDevice => "run `shadegrad devices` to see the others, or use --device cpu".into(),
        Remedy::InstallDriver(how) => format!("{how}; or use --device cpu"),
        Remedy::ReportFault => {
            "please report this with the output of `shadegrad devices`, and use --device cpu until it is fixed".into()
        }
        Remedy::SelftestNeedsGpu => {
            "choose a GPU with --device; `shadegrad gradcheck --device cpu` compares the CPU with float64".into()
        }
        Remedy::UpdateDriver => {
            "use --device cpu, or update the driver and run `shadegrad selftest` again".into()
        }
        Remedy::ResumeElsewhere => {
            "choose another with --device: the run then continues, with different rounding".into()
        }
        Remedy::Both(first, next) => format!("{}; {}", sentence(first), sentence(next)),
        Remedy::Advice(_) => remedy.to_string(),
    }
}

/// Formats a setting as a flag: `--batch-size 32`.
fn flag(hint: &Hint) -> String {
    match &hint.value {
        Some(value) => format!("--{} {value}", hint.setting),
        None => format!("--{}", hint.setting),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn settings_are_flags() {
        let remedy = Remedy::settings("use {} or a smaller {}", [("resize", "crop"), ("batch-size", "")]);
        assert_eq!(words(&remedy), "use --resize crop or a smaller --batch-size");
        assert_eq!(words(&Remedy::or_cpu("start again")), "start again, or use --device cpu");
    }

    #[test]
    fn what_is_resumed_or_explained_has_a_command_or_its_help() {
        let remedy = Remedy::from("wait").then(Remedy::Resume(PathBuf::from("runs/x")));
        assert_eq!(words(&remedy), "wait; resume with: shadegrad resume runs/x");
        let explained = words(&Remedy::Explain { setting: "device", help: Key::Device.help() });
        assert!(explained.starts_with("device: ") && explained.ends_with("[see: shadegrad devices]"));
        let rate = |standardise| words(&Remedy::LowerLearningRate { rate: 0.005, standardise });
        assert!(rate(false).contains("--lr 0.005; ") && rate(true).contains("--lr 0.005, or --normalize"));
    }

    #[test]
    fn whatever_an_advice_quotes_it_is_one_plain_line() {
        let remedy = Remedy::settings("use {}", [("data", "evil\u{1b}[2J\n".repeat(400))]);
        let words = words(&remedy);
        assert!(!words.contains(char::is_control) && words.chars().count() <= MOST + 1, "{words:?}");
    }
}
