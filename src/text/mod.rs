//! Text for people: names of values, numbers with units, suggestions for misspelt words, and
//! sanitized file names and messages.

pub(crate) mod bounds;
pub(crate) mod human;
pub(crate) mod named;
pub(crate) mod sanitize;
pub(crate) mod suggest;
