//! Fail points: faults that a test injects, such as a process that dies in the middle of a save, or
//! a GPU that is lost, out of memory or missing. They exist only in builds with debug assertions,
//! as those of tests are.
//!
//! `SHADEGRAD_FAIL_POINT=NAME:COUNT[,COUNT...][;NAME:...]` triggers the fail point NAME the
//! COUNT-th time that it is reached, counted from 1.

#[cfg(debug_assertions)]
use std::{collections::HashMap, sync::Mutex};

/// Aborts the process, as if it were killed, if a test asks for it here.
pub(crate) fn death(moment: &str, operation: &str) {
    if cfg!(debug_assertions) && strikes(&format!("{moment}-{operation}")) {
        std::process::abort();
    }
}

/// Whether a fail point triggers now.
#[cfg(debug_assertions)]
pub(crate) fn strikes(place: &str) -> bool {
    static REACHED: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);
    let Ok(wanted) = std::env::var("SHADEGRAD_FAIL_POINT") else { return false };
    let points = wanted.split(';').filter_map(|point| point.split_once(':'));
    let Some((_, counts)) = points.into_iter().find(|(name, _)| *name == place) else { return false };
    let mut reached = REACHED.lock().expect("no thread panics while it holds this");
    let times = reached.get_or_insert_default().entry(place.to_owned()).or_default();
    *times += 1;
    counts.split(',').any(|count| count.parse() == Ok(*times))
}

/// Fail points never trigger in release builds.
#[cfg(not(debug_assertions))]
pub(crate) fn strikes(_: &str) -> bool {
    false
}
