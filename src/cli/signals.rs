//! Ctrl-C, SIGTERM and SIGHUP: the first asks the run to end, the second ends the process at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::{Error, ErrorKind, Result};
use crate::train::StopFlag;

/// A flag that the process's signals set from now on.
pub(super) fn stop_on_signals() -> Result<StopFlag> {
    let stop = StopFlag::default();
    let asked_before = Arc::new(AtomicBool::new(false));
    for (signal, reason) in signals() {
        let listen = || {
            // A signal's actions run in this order, so the first one finds that nobody asked
            // before.
            flag::register_conditional_shutdown(
                signal,
                reason.exit_code().into(),
                Arc::clone(&asked_before),
            )?;
            flag::register(signal, Arc::clone(&asked_before))?;
            flag::register_usize(signal, stop.shared(), StopFlag::number(reason))
        };
        listen().map_err(|cause| Error::io("listen for Ctrl-C", &cause))?;
    }
    Ok(stop)
}

/// The signals that end a run, and what each is to it.
fn signals() -> Vec<(i32, ErrorKind)> {
    let mut signals = vec![(SIGINT, ErrorKind::Interrupted), (SIGTERM, ErrorKind::Terminated)];
    #[cfg(unix)]
    if !is_ignored(signal_hook::consts::SIGHUP) {
        signals.push((signal_hook::consts::SIGHUP, ErrorKind::HungUp));
    }
    signals
}

/// Whether the process was started with this signal ignored, as `nohup` starts it: the run is meant
/// to outlive its terminal then.
#[cfg(unix)]
#[allow(unsafe_code, reason = "only the C library tells what a signal does, and nothing is changed")]
fn is_ignored(signal: i32) -> bool {
    // SAFETY: a null new action makes `sigaction` write the present one into `action`, which is
    // plain data for which all zeros are valid.
    let action = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(signal, std::ptr::null(), &mut action) != 0 {
            return false;
        }
        action
    };
    action.sa_sigaction == libc::SIG_IGN
}
