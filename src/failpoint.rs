//! Mishaps that a test asks the program for: a process that dies in the middle of a save, a GPU that is lost, full
//! or gone. Only builds
//! with debug assertions, as those of tests are, know them.
//!
//! `SHADEGRAD_MISHAP=NAME:COUNT[,COUNT...][;NAME:...]` has the mishap strike whenever its place is reached for one of these
//! times, counted from 1.

#[cfg(debug_assertions)]
use std::{collections::HashMap, sync::Mutex};

/// The process dies here, as if it were killed, where a test wants it to.
pub(crate) fn death(moment: &str, operation: &str) {
    if cfg!(debug_assertions) && strikes(&format!("{moment}-{operation}")) {
        std::process::abort();
    }
}

/// Whether a mishap is to happen here and now.
#[cfg(debug_assertions)]
pub(crate) fn strikes(place: &str) -> bool {
    static REACHED: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);
    let Ok(wanted) = std::env::var("SHADEGRAD_MISHAP") else { return false };
    let mishaps = wanted.split(';').filter_map(|mishap| mishap.split_once(':'));
    let Some((_, counts)) = mishaps.into_iter().find(|(name, _)| *name == place) else { return false };
    let mut reached = REACHED.lock().expect("no thread panics while it holds this");
    let times = reached.get_or_insert_default().entry(place.to_owned()).or_default();
    *times += 1;
    counts.split(',').any(|count| count.parse() == Ok(*times))
}

/// Never.
#[cfg(not(debug_assertions))]
pub(crate) fn strikes(_: &str) -> bool {
    false
}
