//! Text for people: numbers with units, suggestions for misspelt words, and names and messages of
//! others made safe to print.

pub(crate) mod bounds;
pub(crate) mod human;
pub(crate) mod sanitize;
pub(crate) mod suggest;
