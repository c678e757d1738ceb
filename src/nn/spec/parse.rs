//! Reads a model's text.
//!
//! ```text
//! model = item { "," item }
//! item  = [ times "*" ] ( layer | "(" model ")" )
//! layer = name [ ":" argument ] | "residual(" model [ "|" model ] ")"
//! ```

use super::limits::{MOST_LAYERS, MOST_OUTPUTS};
use super::word::{PATTERNS, Word};
use crate::error::{Error, Result};
use crate::ops::window::Window;
use crate::text::suggest::nearest;

/// Deepest nesting: enough for blocks in blocks, and little enough for the stack.
const MOST_DEPTH: usize = 8;

/// Largest window, and furthest stride.
const MOST_CELLS: usize = 1 << 10;

/// Side of the largest patches that are whitened: the work grows with its sixth power.
const MOST_WHITENED: usize = 5;

/// What ends a word.
const MARKS: [char; 4] = [',', '(', ')', '|'];

/// Reads the whole text.
pub(super) fn parse(text: &str) -> Result<Vec<Word>> {
    let mut reader = Reader { rest: text, depth: 0 };
    let words = reader.model()?;
    if reader.rest.is_empty() {
        return Ok(words);
    }
    Err(match reader.rest.strip_prefix(MARKS) {
        Some(rest) => {
            let mark = &reader.rest[..reader.rest.len() - rest.len()];
            Error::usage(format!("model: `{mark}` before `{rest}` has no beginning"))
        }
        None => Error::usage(format!("model: there is no comma before `{}`", reader.rest)),
    }
    .advise("join layers by commas; `(` and `)` come in pairs, and `|` is inside residual(...)"))
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn model(&mut self) -> Result<Vec<Word>> {
        let mut words = Vec::new();
        loop {
            words.extend(self.item()?);
            if words.len() > MOST_LAYERS {
                return Err(Error::usage(format!("a model of more than {MOST_LAYERS} layers is too deep"))
                    .advise("use fewer layers"));
            }
            if !self.take(',') {
                return Ok(words);
            }
        }
    }

    fn item(&mut self) -> Result<Vec<Word>> {
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
                Ok(vec![Word::Residual { body, shortcut }])
            })?,
            name => vec![layer(name)?],
        };
        if once.len() * times > MOST_LAYERS {
            return Err(Error::usage(format!("model: `{text}` makes more than {MOST_LAYERS} layers"))
                .advise("repeat it less often"));
        }
        Ok(std::iter::repeat_n(once, times).flatten().collect())
    }

    /// What `read` makes of what stands between this `(` and its `)`.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.take('(');
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(Error::usage(format!(
                "model: more than {MOST_DEPTH} parentheses inside one another"
            ))
            .advise("use fewer"));
        }
        let result = read(self)?;
        self.depth -= 1;
        if self.take(')') {
            return Ok(result);
        }
        Err(Error::usage("model: a `(` has no `)`").advise("close it behind the last layer inside"))
    }

    /// The text up to the next mark, without the spaces around it.
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
                // A closing mark may have spaces behind it.
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
        Error::usage(format!("model layer `{text}`: `{times}` is not how often"))
            .advise(format!("write N*LAYER or N*(LAYERS) with N from 1 to {MOST_LAYERS}"))
    })
}

fn layer(text: &str) -> Result<Word> {
    let (name, argument) = match text.split_once(':') {
        Some((name, argument)) => (name.trim(), Some(argument.trim())),
        None => (text, None),
    };
    let Some(pattern) = PATTERNS.iter().find(|pattern| pattern.name == name) else {
        let names = PATTERNS.map(|pattern| pattern.name);
        let guess = nearest(name, names).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        return Err(Error::usage(format!("`{text}` is not a layer")).advise(format!(
            "{guess}layers are {}, joined by commas",
            PATTERNS.map(|pattern| pattern.example).join(" ")
        )));
    };
    let wrong = |argument: &str, wanted: &str| {
        Error::usage(format!("model layer `{text}`: `{argument}` is not {wanted}"))
    };
    let bare = |word: Word| match argument {
        None => Ok(word),
        Some(_) => Err(Error::usage(format!("model layer `{text}`: {name} takes no size"))
            .advise(format!("write {name}"))),
    };
    let given = || {
        argument.ok_or_else(|| {
            Error::usage(format!("model layer `{name}` needs a size"))
                .advise(format!("write {}", pattern.example))
        })
    };
    let number = |wanted: &str| {
        let argument = given()?;
        let value = argument.parse().ok().filter(|value: &f32| value.is_finite());
        value.ok_or_else(|| {
            wrong(argument, wanted).advise(format!("write {name}:X, for example {}", pattern.example))
        })
    };
    let window = |text: &str, stride: Option<usize>, padding: fn(usize) -> usize| {
        window(text, stride, padding).ok_or_else(|| {
            wrong(text, "a window").advise(format!(
                "write its size, then sN for a stride and pN for a padding, for example {} or {}s2p1",
                pattern.example, pattern.example
            ))
        })
    };
    match name {
        "linear" => {
            let argument = given()?;
            let outputs = count(argument).ok_or_else(|| {
                wrong(argument, "a size").advise(format!("write linear:N with N from 1 to {MOST_OUTPUTS}"))
            })?;
            Ok(Word::Linear { outputs })
        }
        "conv" => {
            let argument = given()?;
            let (filters, size) = argument.split_once('x').ok_or_else(|| {
                wrong(argument, "filters and a window").advise("write conv:32x3: 32 filters, windows of 3x3")
            })?;
            let filters = count(filters).ok_or_else(|| {
                wrong(filters, "a number of filters")
                    .advise(format!("write conv:NxSIZE with N from 1 to {MOST_OUTPUTS}"))
            })?;
            Ok(Word::Conv { filters, window: window(size, Some(1), Word::usual_padding)? })
        }
        "maxpool" => Ok(Word::MaxPool(window(given()?, None, |_| 0)?)),
        "avgpool" => Ok(Word::AveragePool(window(given()?, None, |_| 0)?)),
        "leakyrelu" if argument.is_none() => Ok(Word::LeakyRelu { slope: 0.01 }),
        "leakyrelu" => Ok(Word::LeakyRelu { slope: number("a slope")? }),
        "dropout" => match number("a share") {
            Ok(rate) if (0.0..1.0).contains(&rate) => Ok(Word::Dropout { rate }),
            Ok(rate) => {
                Err(wrong(&rate.to_string(), "a share").advise("write dropout:X with X from 0 to below 1"))
            }
            Err(error) => Err(error),
        },
        "scale" => Ok(Word::Scale { factor: number("a factor")? }),
        "globalmaxpool" => bare(Word::GlobalMaxPool),
        "globalavgpool" => bare(Word::GlobalAveragePool),
        "batchnorm" if argument.is_none() => Ok(Word::BatchNorm { momentum: Word::USUAL_MOMENTUM }),
        "batchnorm" => match number("a momentum")? {
            momentum if momentum > 0.0 && momentum <= 1.0 => Ok(Word::BatchNorm { momentum }),
            momentum => Err(wrong(&momentum.to_string(), "a momentum")
                .advise("write batchnorm:X with X above 0 and at most 1; batchnorm is batchnorm:0.1")),
        },
        "whiten" => {
            let argument = given()?;
            let side = count(argument).filter(|side| *side <= MOST_WHITENED).ok_or_else(|| {
                wrong(argument, "the side of a patch")
                    .advise(format!("write whiten:K with K from 1 to {MOST_WHITENED}"))
            })?;
            Ok(Word::Whiten(Window::square(side, 1, 0)))
        }
        "relu" => bare(Word::Relu),
        "gelu" => bare(Word::Gelu),
        "flatten" => bare(Word::Flatten),
        _ => Err(Error::usage(format!("model layer `{text}`: a residual has its layers in parentheses"))
            .advise("write residual(conv:32x3,relu), or residual(LAYERS|SHORTCUT)")),
    }
}

fn count(text: &str) -> Option<usize> {
    // A sign is no part of a size.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|count| digits && (1..=MOST_OUTPUTS).contains(count))
}

/// `SIZE`, then in any order `sSTRIDE` and `pPADDING`; a window moves by its size where no stride is usual.
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

/// The number that the text starts with, and what is behind it.
fn leading_number(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    digits.parse().ok().filter(|number| *number <= MOST_CELLS).map(|number| (number, rest))
}
