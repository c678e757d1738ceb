//! Kinds of values, and which values are allowed.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use super::interval::Interval;
use super::value::{AUTO, Value};
use crate::optim::Groups;
use crate::text::bounds::Bounds;

/// A kind of value, with the values that it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text that is not blank.
    Text,
    /// One of several words.
    Choice(&'static [&'static str]),
    /// One of several words, the path of a `.safetensors` file, or the folder of a run or
    /// checkpoint.
    ChoiceOrFile(&'static [&'static str]),
    /// A whole number from 1 to [`Kind::MOST`].
    Count,
    /// A whole number from 0 to [`Kind::MOST`].
    CountOrZero,
    /// Any unsigned 64-bit number.
    Whole,
    /// A number within bounds.
    Number(Bounds),
    /// One of several words, or a number from 0 up to (not including) 1.
    FractionOrChoice(&'static [&'static str]),
    /// A number of steps, epochs or minutes; see [`Interval`].
    Interval,
    /// A fraction of all steps from 0 to 1, a number of steps (at least 2), or a number of epochs.
    FractionOrTime,
    /// Any value of another kind, or the word `auto` for a value that depends on the training
    /// images.
    OrAuto(&'static Kind),
    /// Overrides for some of the parameters; see [`Groups`].
    Groups,
    /// True or false.
    Switch {
        /// The default.
        usual: bool,
        /// The flag that turns it off, without dashes. The flag that turns it on has the key's
        /// name.
        off: &'static str,
    },
}

/// A value as it was written, before it is checked.
#[derive(Clone, Copy, Debug)]
pub enum Written<'a> {
    /// Text from the command line or the environment.
    Bare(&'a OsStr),
    /// A string of a TOML file.
    Text(&'a str),
    /// The digits of a number of a TOML file.
    Number(&'a str),
    /// `true` or `false` in a TOML file.
    Switch(bool),
    /// A date, a list or a table of a TOML file.
    Other,
}

impl Kind {
    /// The largest count. The product of two counts fits in 64 bits.
    pub const MOST: u64 = Interval::MOST;

    /// Whether the word `auto` is allowed.
    pub fn takes_auto(self) -> bool {
        matches!(self, Kind::OrAuto(_))
    }

    /// Returns the kind of the other values if the kind allows `auto`, else the kind itself.
    #[must_use]
    pub fn plain(self) -> Kind {
        match self {
            Kind::OrAuto(kind) => *kind,
            kind => kind,
        }
    }

    /// Returns the words to choose from, or none if the kind is not a choice.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Kind::Choice(words) | Kind::ChoiceOrFile(words) | Kind::FractionOrChoice(words) => words,
            Kind::Switch { .. } => &["true", "false"],
            Kind::OrAuto(_) => &[AUTO],
            _ => &[],
        }
    }

    /// Returns the value if what was written is allowed.
    pub fn accept(self, written: Written<'_>) -> Option<Value> {
        let text = match written {
            Written::Bare(text) => text.to_str(),
            Written::Text(text) => Some(text),
            _ => None,
        };
        let digits = match written {
            Written::Bare(digits) => digits.to_str(),
            Written::Number(digits) => Some(digits),
            _ => None,
        };
        match self {
            Kind::Text => text.filter(|text| !text.trim().is_empty()).map(|text| Value::Text(text.into())),
            Kind::Choice(words) => {
                text.filter(|text| words.contains(text)).map(|text| Value::Text(text.into()))
            }
            Kind::ChoiceOrFile(words) => text
                .filter(|text| {
                    words.contains(text) || text.ends_with(".safetensors") || Path::new(text).is_dir()
                })
                .map(|text| Value::Text(text.into())),
            Kind::Count | Kind::CountOrZero => {
                let count: u64 = digits?.parse().ok()?;
                let least = u64::from(self == Kind::Count);
                (least..=Kind::MOST).contains(&count).then_some(Value::Whole(count))
            }
            Kind::Whole => digits?.parse().ok().map(Value::Whole),
            Kind::Number(bounds) => {
                let number: f32 = digits?.parse().ok()?;
                bounds.contain(number).then_some(Value::Number(number))
            }
            Kind::FractionOrChoice(words) => match text.filter(|text| words.contains(text)) {
                Some(word) => Some(Value::Text(word.into())),
                None => Kind::Number(Bounds::BelowOne).accept(written),
            },
            // A number in a TOML file is a number of steps.
            Kind::Interval => Interval::parse(text.or(digits)?).map(|every| Value::Text(every.to_string())),
            // 1 is read as a fraction, that is all steps, and not as a single step.
            Kind::FractionOrTime => match Kind::Number(Bounds::Fraction).accept(written) {
                Some(share) => Some(share),
                None => match Interval::parse(text.or(digits)?)? {
                    Interval::Minutes(_) | Interval::Steps(1) => None,
                    time => Some(Value::Text(time.to_string())),
                },
            },
            Kind::OrAuto(_) if text == Some(AUTO) => Some(Value::Text(AUTO.into())),
            Kind::OrAuto(kind) => kind.accept(written),
            Kind::Groups => Groups::parse(text?).map(|groups| Value::Text(groups.to_string())),
            Kind::Switch { .. } => match written {
                Written::Switch(on) => Some(Value::Switch(on)),
                _ => None,
            },
        }
    }
}

/// Completes the sentence "must be ...".
impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Text => formatter.write_str("non-empty text"),
            Kind::Choice([word]) => formatter.write_str(word),
            Kind::Choice(words) => write!(formatter, "one of {}", words.join(", ")),
            Kind::ChoiceOrFile(words) => {
                write!(formatter, "one of {}, a .safetensors file or the folder of a run", words.join(", "))
            }
            Kind::Count => write!(formatter, "a whole number from 1 to {}", Kind::MOST),
            Kind::CountOrZero => write!(formatter, "a whole number from 0 to {}", Kind::MOST),
            Kind::Whole => write!(formatter, "a whole number from 0 to {}", u64::MAX),
            Kind::Number(bounds) => bounds.fmt(formatter),
            Kind::FractionOrChoice(words) => {
                write!(formatter, "{} or {}", Bounds::BelowOne, words.join(", "))
            }
            Kind::Interval => write!(
                formatter,
                "a whole number of steps (500), epochs (2e) or minutes (10m) from 1 to {}",
                Kind::MOST
            ),
            Kind::FractionOrTime => formatter.write_str(
                "a fraction of all steps from 0 to 1, or a whole number of steps (500) or epochs (2e)",
            ),
            // Any text includes the word `auto`.
            Kind::OrAuto(kind) if **kind == Kind::Text => kind.fmt(formatter),
            Kind::OrAuto(kind) => write!(formatter, "{kind}, or {AUTO}"),
            Kind::Groups => {
                formatter.write_str("parameter groups such as \"biases decay=0 lr=2, 3.weight lr=0.1\"")
            }
            Kind::Switch { .. } => formatter.write_str("true or false"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_keep_out_what_arithmetic_cannot_use() {
        let all = [Bounds::Positive, Bounds::NotNegative, Bounds::Fraction, Bounds::BelowOne];
        for bounds in all {
            for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, -f32::MIN_POSITIVE] {
                assert!(!bounds.contain(number), "{bounds}: {number}");
            }
            assert!(bounds.contain(0.5), "{bounds}");
            assert_eq!(bounds.contain(0.0), bounds != Bounds::Positive, "{bounds}");
        }
        assert!(Bounds::Fraction.contain(1.0));
        assert!(!Bounds::BelowOne.contain(1.0));
    }

    #[test]
    fn text_of_the_command_line_may_be_a_number_but_text_of_a_file_may_not() {
        assert_eq!(Kind::Count.accept(Written::Bare(OsStr::new("7"))), Some(Value::Whole(7)));
        assert_eq!(Kind::Count.accept(Written::Number("7")), Some(Value::Whole(7)));
        assert_eq!(Kind::Count.accept(Written::Text("7")), None);
        assert_eq!(Kind::Count.accept(Written::Number("0")), None);
        assert_eq!(Kind::CountOrZero.accept(Written::Number("0")), Some(Value::Whole(0)));
        assert_eq!(Kind::CountOrZero.accept(Written::Number("4294967296")), None);
    }

    #[test]
    fn auto_is_a_word_beside_the_other_values() {
        let kind = Kind::OrAuto(&Kind::Count);
        let auto = Some(Value::Text(AUTO.into()));
        assert_eq!(kind.accept(Written::Bare(OsStr::new(AUTO))), auto);
        assert_eq!(kind.accept(Written::Text(AUTO)), auto);
        assert_eq!(kind.accept(Written::Number("7")), Some(Value::Whole(7)));
        assert_eq!(kind.accept(Written::Bare(OsStr::new("Auto"))), None);
        assert_eq!(kind.accept(Written::Number("0")), None);
        assert_eq!(Kind::Count.accept(Written::Text(AUTO)), None);
    }
}
