//! What to do about an error, in the words of the command line: with its flags and commands.

use super::help;
use crate::config::Key;
use crate::error::Error;
use crate::remedy::{Hint, Remedy, fill};
use crate::run::Complaint;
use crate::text::sanitize::one_line;
use crate::train::Warning;

/// Most characters of an advice: what it quotes may have any length.
const MOST: usize = 1000;

/// The advice after `help:`, in one line.
pub(super) fn words(remedy: &Remedy) -> String {
    one_line(&sentence(remedy), MOST)
}

/// What is wrong with a run's folder, and what to do about it.
pub(super) fn complaint(complaint: &Complaint) -> String {
    let Complaint { message, remedy } = complaint;
    remedy.iter().fold(message.clone(), |text, remedy| format!("{text}; {}", words(remedy)))
}

/// A warning with what to do about it.
pub(super) fn warning(warning: &Warning) -> String {
    format!("{}; {}", warning.message, words(&warning.remedy))
}

/// The message after `error:`.
pub(super) fn message(error: &Error) -> String {
    error.message(flag)
}

fn sentence(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Settings { sentence, hints } => fill(sentence, hints, flag),
        Remedy::Explain { setting, help: other } => {
            format!("{setting}: {}", Key::named(setting).map_or(*other, help::of_key))
        }
        Remedy::LowerLearningRate { rate, standardise } => {
            let other = if *standardise { ", or --normalize standard" } else { "" };
            format!(
                "use a smaller learning rate, for example --lr {rate:?}{other}; `shadegrad resume` with \
                 another --lr continues from the last checkpoint, which is from before"
            )
        }
        Remedy::SmallerBatch(most) => {
            format!("use --batch-size {most} or less, a smaller --model, or another --device")
        }
        Remedy::LessMemory => "use a smaller --batch-size or model, or --device cpu".into(),
        Remedy::Resume(run) => format!("go on with: shadegrad resume {}", run.display()),
        Remedy::ThenResume(first) => {
            format!("{first}; what was saved before is whole, and `shadegrad resume` goes on from it")
        }
        Remedy::DistrustDevice => "go on from the last checkpoint with `shadegrad resume`; the device or \
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
            "--config takes a TOML file; `shadegrad config show` prints one to start from".into()
        }
        Remedy::GiveRunFolder => "name a folder that `shadegrad train` made".into(),
        Remedy::FetchData(name) => format!(
            "download it with `shadegrad data fetch {name}`, or name the folder that has it with --data-dir"
        ),
        Remedy::ImportData { url, name } => format!(
            "download it by hand, for example from {url}, then `shadegrad data fetch {name} --from FILE`"
        ),
        Remedy::ChooseDevice(there) if there.is_empty() => {
            "there is only cpu: no GPU was found (see `shadegrad devices`)".into()
        }
        Remedy::ChooseDevice(_) => format!("{remedy} (see `shadegrad devices`)"),
        Remedy::AnotherDevice => "run `shadegrad devices` to see the others, or use --device cpu".into(),
        Remedy::InstallDriver(how) => format!("{how}; or use --device cpu"),
        Remedy::ReportFault => {
            "please report this with the output of `shadegrad devices`; --device cpu works meanwhile".into()
        }
        Remedy::SelftestNeedsGpu => {
            "name a GPU with --device; `shadegrad gradcheck --device cpu` holds the CPU to float64".into()
        }
        Remedy::UpdateDriver => {
            "use --device cpu; after an update of the driver run `shadegrad selftest` again".into()
        }
        Remedy::ResumeElsewhere => {
            "name another with --device: the run then goes on, but differs by rounding".into()
        }
        Remedy::Both(first, next) => format!("{}; {}", sentence(first), sentence(next)),
        Remedy::Advice(_) => remedy.to_string(),
    }
}

/// A setting as a flag: `--batch-size 32`.
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
        assert_eq!(words(&remedy), "wait; go on with: shadegrad resume runs/x");
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
