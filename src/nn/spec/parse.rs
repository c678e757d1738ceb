//! Parses the text of a model.
//!
//! ```text
//! model = item { "," item }
//! item  = [ times "*" ] ( layer | "(" model ")" )
//! layer = name [ ":" argument ] | "residual(" model [ "|" model ] ")"
//! ```

use std::fmt::Display;

use super::layer_spec::LayerSpec;
use super::limits::{MOST_LAYERS, MOST_OUTPUTS};
use crate::error::{Error, Result};
use crate::ops::activation::{Activation, Argument};
use crate::ops::window::Window;
use crate::text::suggest::nearest;

/// Maximum nesting depth: enough for blocks in blocks, and small enough for the stack.
const MOST_DEPTH: usize = 8;

/// Maximum size of a window, and maximum stride.
const MOST_CELLS: usize = 1 << 10;

/// Maximum side of whitened patches: the work grows with its sixth power.
const MOST_WHITENED: usize = 5;

/// Characters that end a layer's name and argument.
const MARKS: [char; 4] = [',', '(', ')', '|'];

/// Parses the whole text.
pub(super) fn parse(text: &str) -> Result<Vec<LayerSpec>> {
    let mut reader = Reader { rest: text, depth: 0 };
    let layers = reader.model()?;
    if reader.rest.is_empty() {
        return Ok(layers);
    }
    Err(match reader.rest.strip_prefix(MARKS) {
        Some(rest) => {
            let mark = &reader.rest[..reader.rest.len() - rest.len()];
            Error::usage(format!("model: unexpected `{mark}` before `{rest}`"))
        }
        None => Error::usage(format!("model: missing comma before `{}`", reader.rest)),
    }
    .advise("separate layers by commas; `(` and `)` must match, and `|` is only valid in residual(...)"))
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn model(&mut self) -> Result<Vec<LayerSpec>> {
        let mut layers = Vec::new();
        loop {
            layers.extend(self.item()?);
            if layers.len() > MOST_LAYERS {
                return Err(Error::usage(format!("a model of more than {MOST_LAYERS} layers is too deep"))
                    .advise("use fewer layers"));
            }
            if !self.take(',') {
                return Ok(layers);
            }
        }
    }

    fn item(&mut self) -> Result<Vec<LayerSpec>> {
        let text = self.word();
        let (times, name) = match text.split_once('*') {
            Some((times, name)) => (repetitions(text, times.trim())?, name.trim()),
            None => (1, text),
        };
        let once = match name {
            "" if self.rest.starts_with('(') => self.inside(Reader::model)?,
            "residual" if self.rest.starts_with('(') => self.inside(|reader| {
                let body = reader.model()?;
                let shortcut = if reader.take('|') { reader.model()? } else { Vec::new() };
                Ok(vec![LayerSpec::Residual { body, shortcut }])
            })?,
            name => vec![layer(name)?],
        };
        if once.len() * times > MOST_LAYERS {
            return Err(Error::usage(format!("model: `{text}` expands to more than {MOST_LAYERS} layers"))
                .advise("repeat it less often"));
        }
        Ok(std::iter::repeat_n(once, times).flatten().collect())
    }

    /// Parses the text between this `(` and its `)` with `read`.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.take('(');
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(
                Error::usage(format!("model: more than {MOST_DEPTH} nested parentheses")).advise("use fewer")
            );
        }
        let result = read(self)?;
        self.depth -= 1;
        if self.take(')') {
            return Ok(result);
        }
        Err(Error::usage("model: missing `)`").advise("add it after the last layer inside"))
    }

    /// Returns the text up to the next mark, without surrounding spaces.
    fn word(&mut self) -> &'a str {
        let end = self.rest.find(MARKS).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.trim()
    }

    fn take(&mut self, mark: char) -> bool {
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                // A closing mark may be followed by spaces.
                if mark == ')' {
                    self.rest = rest.trim_start();
                }
                true
            }
            None => false,
        }
    }
}

fn repetitions(text: &str, times: &str) -> Result<usize> {
    times.parse().ok().filter(|times| (1..=MOST_LAYERS).contains(times)).ok_or_else(|| {
        Error::usage(format!("model layer `{text}`: `{times}` is not a valid repeat count"))
            .advise(format!("write N*LAYER or N*(LAYERS) with N from 1 to {MOST_LAYERS}"))
    })
}

/// Parses a layer without layers inside.
fn layer(text: &str) -> Result<LayerSpec> {
    let (name, argument) = match text.split_once(':') {
        Some((name, argument)) => (name.trim(), Some(argument.trim())),
        None => (text, None),
    };
    let known = LayerSpec::examples();
    let Some(example) = known.iter().find(|layer| layer.name() == name) else {
        let names = known.iter().map(LayerSpec::name);
        let guess = nearest(name, names).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let examples = known.iter().map(LayerSpec::to_string).collect::<Vec<_>>().join(" ");
        return Err(Error::usage(format!("`{text}` is not a layer"))
            .advise(format!("{guess}layers are {examples}, separated by commas")));
    };
    let written = Written { text, argument, example };
    match example {
        LayerSpec::Linear { .. } => Ok(LayerSpec::Linear { outputs: written.outputs()? }),
        LayerSpec::Conv { .. } => written.conv(),
        LayerSpec::Whiten(_) => written.whiten(),
        LayerSpec::Pool(kind, _) => {
            Ok(LayerSpec::Pool(*kind, written.window(written.given()?, None, |_| 0)?))
        }
        LayerSpec::BatchNorm { .. } => written.batch_norm(),
        LayerSpec::Activation(activation) => written.activation(*activation),
        LayerSpec::Dropout { .. } => written.dropout(),
        LayerSpec::GlobalPool(_) | LayerSpec::Flatten => written.bare(),
        LayerSpec::Residual { .. } => {
            let message = format!("model layer `{text}`: the layers of a residual must be in parentheses");
            Err(Error::usage(message).advise(format!("write {example}, or residual(LAYERS|SHORTCUT)")))
        }
    }
}

/// The text of a layer, with the layer of that name as an example.
struct Written<'a> {
    text: &'a str,
    /// The text after the colon.
    argument: Option<&'a str>,
    example: &'a LayerSpec,
}

impl<'a> Written<'a> {
    fn wrong(&self, argument: impl Display, wanted: &str) -> Error {
        Error::usage(format!("model layer `{}`: `{argument}` is not {wanted}", self.text))
    }

    /// Parses a layer that takes no argument.
    fn bare(&self) -> Result<LayerSpec> {
        let name = self.example.name();
        match self.argument {
            None => Ok(self.example.clone()),
            Some(_) => Err(Error::usage(format!("model layer `{}`: {name} takes no argument", self.text))
                .advise(format!("write {name}"))),
        }
    }

    /// Returns the argument of a layer that needs one.
    fn given(&self) -> Result<&'a str> {
        let Written { argument, example, .. } = self;
        argument.ok_or_else(|| {
            Error::usage(format!("model layer `{}` needs an argument", example.name()))
                .advise(format!("write {example}"))
        })
    }

    /// Parses an argument that is a number.
    fn number(&self, wanted: &str) -> Result<f32> {
        let argument = self.given()?;
        let value = argument.parse().ok().filter(|value: &f32| value.is_finite());
        value.ok_or_else(|| {
            let (name, example) = (self.example.name(), self.example);
            self.wrong(argument, wanted).advise(format!("write {name}:X, for example {example}"))
        })
    }

    /// Parses a window whose stride and padding have these defaults (see [`window`]).
    fn window(&self, text: &str, stride: Option<usize>, padding: fn(usize) -> usize) -> Result<Window> {
        window(text, stride, padding).ok_or_else(|| {
            let example = self.example;
            self.wrong(text, "a window").advise(format!(
                "write its size, then sN for a stride and pN for a padding, for example {example} or \
                 {example}s2p1"
            ))
        })
    }

    fn outputs(&self) -> Result<usize> {
        let argument = self.given()?;
        count(argument).ok_or_else(|| {
            self.wrong(argument, "a size").advise(format!("write linear:N with N from 1 to {MOST_OUTPUTS}"))
        })
    }

    fn conv(&self) -> Result<LayerSpec> {
        let argument = self.given()?;
        let (filters, size) = argument.split_once('x').ok_or_else(|| {
            self.wrong(argument, "a number of filters and a window")
                .advise("write conv:32x3: 32 filters, windows of 3x3")
        })?;
        let filters = count(filters).ok_or_else(|| {
            self.wrong(filters, "a number of filters")
                .advise(format!("write conv:NxSIZE with N from 1 to {MOST_OUTPUTS}"))
        })?;
        Ok(LayerSpec::Conv { filters, window: self.window(size, Some(1), LayerSpec::default_padding)? })
    }

    fn whiten(&self) -> Result<LayerSpec> {
        let argument = self.given()?;
        let side = count(argument).filter(|side| *side <= MOST_WHITENED).ok_or_else(|| {
            self.wrong(argument, "the side of a patch")
                .advise(format!("write whiten:K with K from 1 to {MOST_WHITENED}"))
        })?;
        Ok(LayerSpec::Whiten(Window::square(side, 1, 0)))
    }

    fn batch_norm(&self) -> Result<LayerSpec> {
        if self.argument.is_none() {
            return Ok(LayerSpec::BatchNorm { momentum: LayerSpec::DEFAULT_MOMENTUM });
        }
        match self.number("a momentum")? {
            momentum if momentum > 0.0 && momentum <= 1.0 => Ok(LayerSpec::BatchNorm { momentum }),
            momentum => Err(self
                .wrong(momentum, "a momentum")
                .advise("write batchnorm:X with X above 0 and at most 1; batchnorm means batchnorm:0.1")),
        }
    }

    fn activation(&self, activation: Activation) -> Result<LayerSpec> {
        let Some(Argument { meaning, default, set }) = activation.argument() else { return self.bare() };
        let value = match (self.argument, default) {
            (None, Some(default)) => default,
            _ => self.number(meaning)?,
        };
        Ok(LayerSpec::Activation(set(value)))
    }

    fn dropout(&self) -> Result<LayerSpec> {
        match self.number("a share")? {
            rate if (0.0..1.0).contains(&rate) => Ok(LayerSpec::Dropout { rate }),
            rate => Err(self
                .wrong(rate, "a fraction")
                .advise("write dropout:X with X from 0 up to (not including) 1")),
        }
    }
}

fn count(text: &str) -> Option<usize> {
    // A sign is not part of a size.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|count| digits && (1..=MOST_OUTPUTS).contains(count))
}

/// Parses `SIZE`, then `sSTRIDE` and `pPADDING` in any order. If `stride` is `None`, the stride is
/// the window size.
fn window(text: &str, stride: Option<usize>, padding: fn(usize) -> usize) -> Option<Window> {
    let (size, mut rest) = leading_number(text)?;
    let (mut given_stride, mut given_padding) = (None, None);
    while let Some(letter) = rest.chars().next() {
        let place = match letter {
            's' => &mut given_stride,
            'p' => &mut given_padding,
            _ => return None,
        };
        let (number, behind) = leading_number(&rest[1..])?;
        if place.replace(number).is_some() {
            return None;
        }
        rest = behind;
    }
    let stride = given_stride.or(stride).unwrap_or(size);
    (size > 0 && stride > 0)
        .then(|| Window::square(size, stride, given_padding.unwrap_or_else(|| padding(size))))
}

/// Returns the number at the start of the text, and the rest.
fn leading_number(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    digits.parse().ok().filter(|number| *number <= MOST_CELLS).map(|number| (number, rest))
}
