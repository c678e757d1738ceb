//! A model's text, read and completed.

use super::limits::MOST_LAYERS;
use super::parse;
use super::word::Word;
use crate::error::{Error, Result};

/// A model as text, understood but without sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    pub(in crate::nn) words: Vec<Word>,
}

impl ModelSpec {
    /// Reads a model's text and completes it for `classes` classes.
    pub fn parse(text: &str, classes: usize) -> Result<Self> {
        let mut words = parse::parse(text)?;
        if words
            .iter()
            .enumerate()
            .any(|(index, word)| word.whitens() && (index > 0 || !matches!(word, Word::Whiten(_))))
        {
            return Err(Error::usage("model: only the first layer can whiten images")
                .advise("put whiten:K in front of all others"));
        }
        // A factor may stand behind the last layer.
        let last = words.iter().rposition(|word| !matches!(word, Word::Scale { .. }));
        if last.is_none_or(|last| words[last] != Word::Linear { outputs: classes }) {
            words.push(Word::Linear { outputs: classes });
        }
        let words = flattened(words);
        if words.len() > MOST_LAYERS {
            return Err(Error::usage(format!("a model of {} layers is too deep", words.len()))
                .advise(format!("use at most {MOST_LAYERS} layers")));
        }
        Ok(ModelSpec { words })
    }
}

/// The words with a `flatten` between the last map and the first row, where there is none.
fn flattened(words: Vec<Word>) -> Vec<Word> {
    let row = words.iter().position(Word::makes_row).expect("a model ends in a linear layer");
    let is_map = words[..row].iter().any(|word| word.needs_map() || word.is_batch_norm());
    let flatten = (is_map && words[row] != Word::Flatten).then_some(Word::Flatten);
    let (maps, rows) = words.split_at(row);
    maps.iter().cloned().chain(flatten).chain(rows.iter().cloned()).collect()
}
