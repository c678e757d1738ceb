//! Mishaps that a test asks the program for: a process that dies in the middle of a save, a GPU that is lost. Only builds
//! with debug assertions, as those of tests are, know them.
//!
//! `SHADEGRAD_MISHAP=NAME:COUNT[,COUNT...]` has the mishap strike whenever its place is reached for one of these times,
//! counted from 1.

#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicUsize, Ordering};

/// The process dies here, as if it were killed, where a test wants it to.
pub(crate) fn death(moment: &str, operation: &str) {
    if cfg!(debug_assertions) && strikes(&format!("{moment}-{operation}")) {
        std::process::abort();
    }
}

/// Whether a mishap is to happen here and now.
#[cfg(debug_assertions)]
pub(crate) fn strikes(place: &str) -> bool {
    static REACHED: AtomicUsize = AtomicUsize::new(0);
    let Ok(wanted) = std::env::var("SHADEGRAD_MISHAP") else { return false };
    let Some((name, counts)) = wanted.split_once(':') else { return false };
    if name != place {
        return false;
    }
    let time = REACHED.fetch_add(1, Ordering::Relaxed) + 1;
    counts.split(',').any(|count| count.parse() == Ok(time))
}

/// Never.
#[cfg(not(debug_assertions))]
pub(crate) fn strikes(_: &str) -> bool {
    false
}
