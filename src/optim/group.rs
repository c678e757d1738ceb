//! Parameter groups: parameters with their own learning rate, decay, momentum or optimizer.
//!
//! ```text
//! rules    = rule { "," rule }
//! rule     = selector option { option }
//! selector = "weights" | "biases" | "norms" | "gains" | "shifts" | name of a layer or a tensor
//! option   = "lr=" factor | "decay=" number | "until=" epochs | "momentum=" number
//!          | "optimizer=sgd"
//! ```
//!
//! ```
//! use shadegrad::nn::init::ParameterKind;
//! use shadegrad::optim::Groups;
//!
//! let groups = Groups::parse("biases decay=0, 0 lr=0.1").expect("these are valid rules");
//! let options = groups.options("0.bias", ParameterKind::Bias);
//! assert_eq!((options.rate, options.decay), (Some(0.1), Some(0.0)));
//! ```

use std::fmt;

use super::optimizer::Optimizer;
use crate::error::{Error, Result};
use crate::nn::init::ParameterKind;
use crate::text::bounds::Bounds;

/// Rules for groups of parameters: `biases decay=0 lr=64, 0 lr=0.1, 3.bias decay=0.01`. If several
/// rules set the same option of a parameter, the last one wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    selector: Selector,
    options: GroupOptions,
}

/// Selects the parameters of a group.
#[derive(Clone, Debug, PartialEq)]
enum Selector {
    Weights,
    Biases,
    /// Norm weights and norm biases.
    Norms,
    NormWeights,
    NormBiases,
    /// The layer or the tensor with this name.
    Named(String),
}

/// Options that override the optimizer's for some parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GroupOptions {
    /// Factor of the learning rate; 0 freezes the parameter.
    pub rate: Option<f32>,
    /// Weight decay.
    pub decay: Option<f32>,
    /// Number of epochs over which the learning rate falls linearly from its peak to zero, whatever
    /// the run's schedule. The parameter is frozen afterwards.
    pub decay_to_zero_after: Option<f32>,
    /// Momentum.
    pub momentum: Option<f32>,
    /// Whether the parameter is trained by SGD, whatever the optimizer.
    pub uses_sgd: bool,
}

const WORDS: [(&str, Selector); 5] = [
    ("weights", Selector::Weights),
    ("biases", Selector::Biases),
    ("norms", Selector::Norms),
    ("gains", Selector::NormWeights),
    ("shifts", Selector::NormBiases),
];

/// The text of [`GroupOptions::uses_sgd`].
const SGD_WORD: &str = "optimizer=sgd";

impl Groups {
    /// Parses rules; `None` if the text is invalid.
    pub fn parse(text: &str) -> Option<Self> {
        let rules = text.split(',').map(Rule::parse).collect::<Option<_>>()?;
        Some(Groups { rules })
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The options of the parameter with this name and kind.
    pub fn options(&self, name: &str, kind: ParameterKind) -> GroupOptions {
        let own = self.rules.iter().filter(|rule| rule.selector.has(name, kind));
        own.fold(GroupOptions::default(), |before, Rule { options, .. }| GroupOptions {
            rate: options.rate.or(before.rate),
            decay: options.decay.or(before.decay),
            decay_to_zero_after: options.decay_to_zero_after.or(before.decay_to_zero_after),
            momentum: options.momentum.or(before.momentum),
            uses_sgd: options.uses_sgd || before.uses_sgd,
        })
    }

    /// Checks that no rule sets the momentum of an optimizer that has none.
    pub(crate) fn check_momentum(&self, optimizer: Optimizer) -> Result<()> {
        let is_lost = |rule: &&Rule| rule.options.momentum.is_some() && !rule.options.uses_sgd;
        match self.rules.iter().find(is_lost) {
            Some(rule) if !optimizer.has_momentum() => {
                let name = optimizer.name();
                Err(Error::usage(format!("groups: `{rule}`: the optimizer {name} has no momentum"))
                    .advise(format!("leave it out, or add {SGD_WORD} to the rule")))
            }
            _ => Ok(()),
        }
    }

    /// Checks that every name in the rules is among the parameters `names`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage), with the name.
    pub fn check(&self, names: &[&str]) -> Result<()> {
        let missing = self.rules.iter().find_map(|rule| match &rule.selector {
            Selector::Named(wanted) if !names.iter().any(|name| is_of(name, wanted)) => Some(wanted),
            _ => None,
        });
        let Some(missing) = missing else { return Ok(()) };
        Err(Error::usage(format!("groups: the model has no parameters `{missing}`"))
            .advise(format!("name a layer by its number, or one of {}", names.join(", "))))
    }
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let selector = Selector::parse(words.next()?)?;
        let mut options = GroupOptions::default();
        for word in words {
            if word == SGD_WORD {
                if std::mem::replace(&mut options.uses_sgd, true) {
                    return None;
                }
                continue;
            }
            let (name, number) = word.split_once('=')?;
            let (place, bounds) = match name {
                "lr" => (&mut options.rate, Bounds::NotNegative),
                "decay" => (&mut options.decay, Bounds::NotNegative),
                "until" => (&mut options.decay_to_zero_after, Bounds::Positive),
                "momentum" => (&mut options.momentum, Bounds::BelowOne),
                _ => return None,
            };
            let number: f32 = number.parse().ok().filter(|number| bounds.contain(*number))?;
            if place.replace(number).is_some() {
                return None;
            }
        }
        (options != GroupOptions::default()).then_some(Rule { selector, options })
    }
}

impl Selector {
    fn parse(text: &str) -> Option<Self> {
        if let Some((_, selector)) = WORDS.into_iter().find(|(word, _)| *word == text) {
            return Some(selector);
        }
        // Names of layers begin with a number, as in PyTorch's `nn.Sequential`.
        let is_name = text.starts_with(|first: char| first.is_ascii_digit())
            && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '.' || char == '_');
        is_name.then(|| Selector::Named(text.into()))
    }

    fn has(&self, name: &str, kind: ParameterKind) -> bool {
        match self {
            Selector::Weights => kind == ParameterKind::Weight,
            Selector::Biases => kind == ParameterKind::Bias,
            Selector::Norms => matches!(kind, ParameterKind::NormWeight | ParameterKind::NormBias),
            Selector::NormWeights => kind == ParameterKind::NormWeight,
            Selector::NormBiases => kind == ParameterKind::NormBias,
            Selector::Named(wanted) => is_of(name, wanted),
        }
    }
}

/// Whether `wanted` is the parameter `name` or its layer.
fn is_of(name: &str, wanted: &str) -> bool {
    name.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The text that [`Groups::parse`] accepts.
impl fmt::Display for Groups {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rule) in self.rules.iter().enumerate() {
            write!(formatter, "{}{rule}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS.iter().find(|(_, word)| *word == self.selector).map(|(word, _)| *word);
        formatter.write_str(match &self.selector {
            Selector::Named(name) => name,
            _ => word.expect("every kind has a word"),
        })?;
        let GroupOptions { rate, decay, decay_to_zero_after, momentum, uses_sgd } = self.options;
        if uses_sgd {
            write!(formatter, " {SGD_WORD}")?;
        }
        for (name, number) in
            [("lr", rate), ("decay", decay), ("until", decay_to_zero_after), ("momentum", momentum)]
        {
            if let Some(number) = number {
                write!(formatter, " {name}={number:?}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_come_back_from_their_own_text() {
        for text in [
            "biases decay=0.0",
            "gains lr=0.0, shifts optimizer=sgd lr=2.0 until=2.5 momentum=0.85",
            "0 lr=0.1, 3.bias lr=64.0 decay=0.0, norms decay=1e-5",
            "weights lr=0.0",
        ] {
            assert_eq!(Groups::parse(text).expect(text).to_string(), text);
        }
        assert_eq!(
            Groups::parse(" biases  decay=0,norms lr=2 ").unwrap().to_string(),
            "biases decay=0.0, norms lr=2.0"
        );
        for text in [
            "",
            ",",
            "biases",
            "biases lr",
            "biases lr=",
            "biases lr=-1",
            "biases lr=nan",
            "biases lr=1 lr=2",
            "biases decay=0,",
            "biases momentum=1",
            "biases until=0",
            "biases optimizer=adam",
            "biases optimizer=sgd optimizer=sgd",
            "bias decay=0",
            "x.bias decay=0",
            "0:bias lr=1",
            "lr=1",
        ] {
            assert_eq!(Groups::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_last_word_on_each_thing_holds() {
        let groups = Groups::parse("biases decay=0 lr=2, 1 lr=3, 1.bias decay=0.5, 10 decay=9").unwrap();
        let found = |name, kind| {
            let GroupOptions { rate, decay, .. } = groups.options(name, kind);
            (rate, decay)
        };
        assert_eq!(found("0.weight", ParameterKind::Weight), (None, None));
        assert_eq!(found("0.bias", ParameterKind::Bias), (Some(2.0), Some(0.0)));
        assert_eq!(found("1.weight", ParameterKind::Weight), (Some(3.0), None));
        assert_eq!(found("1.bias", ParameterKind::Bias), (Some(3.0), Some(0.5)));
        assert_eq!(found("10.weight", ParameterKind::Weight), (None, Some(9.0)));
        assert_eq!(found("1.body.0.weight", ParameterKind::Weight), (Some(3.0), None));
    }

    #[test]
    fn gains_and_shifts_are_the_norms() {
        let groups = Groups::parse("norms momentum=0.5, gains lr=0, shifts optimizer=sgd until=3").unwrap();
        let gain = groups.options("1.weight", ParameterKind::NormWeight);
        assert_eq!(gain, GroupOptions { momentum: Some(0.5), rate: Some(0.0), ..GroupOptions::default() });
        let shift = groups.options("1.bias", ParameterKind::NormBias);
        let wanted = GroupOptions {
            momentum: Some(0.5),
            decay_to_zero_after: Some(3.0),
            uses_sgd: true,
            ..GroupOptions::default()
        };
        assert_eq!(shift, wanted);
        assert_eq!(groups.options("0.bias", ParameterKind::Bias), GroupOptions::default());
    }

    #[test]
    fn a_name_that_the_model_does_not_have_is_a_mistake() {
        let groups = Groups::parse("biases decay=0, 7 lr=0.1").unwrap();
        let error = groups.check(&["0.weight", "0.bias"]).unwrap_err();
        assert!(error.to_string().contains("no parameters `7`"), "{error}");
        groups.check(&["0.weight", "7.weight"]).unwrap();
    }
}
