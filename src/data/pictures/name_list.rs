//! Lists of names in messages.

const MOST_NAMES: usize = 10;

/// Joins names with commas. Only the first ones are listed if there are many.
pub(super) fn list(names: &[impl AsRef<str>]) -> String {
    let mut text = names.iter().take(MOST_NAMES).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if names.len() > MOST_NAMES {
        text.push_str(&format!(" and {} more", names.len() - MOST_NAMES));
    }
    text
}
