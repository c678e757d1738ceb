//! Ctrl-C, SIGTERM and SIGHUP: the first signal stops the run at the next step, the second ends the
//! process at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::{Error, ErrorKind, Result};
use crate::train::StopFlag;

/// Returns a flag that the process's signals set from now on.
pub(super) fn stop_on_signals() -> Result<StopFlag> {
    let stop = StopFlag::default();
    let asked_before = Arc::new(AtomicBool::new(false));
    for (signal, reason) in signals() {
        let listen = || {
            // The actions of a signal run in this order, so at the first signal the flag is not yet
            // set.
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

/// Returns the signals that end a run, each with its meaning.
fn signals() -> Vec<(i32, ErrorKind)> {
    let mut signals = vec![(SIGINT, ErrorKind::Interrupted), (SIGTERM, ErrorKind::Terminated)];
    #[cfg(unix)]
    if !is_ignored(signal_hook::consts::SIGHUP) {
        signals.push((signal_hook::consts::SIGHUP, ErrorKind::HungUp));
    }
    signals
}

/// Whether the process was started with this signal ignored, as by `nohup`, so that the run
/// outlives its terminal.
#[cfg(unix)]
#[allow(unsafe_code, reason = "only the C library knows the action of a signal, and nothing is changed")]
fn is_ignored(signal: i32) -> bool {
    // SAFETY: a null new action makes `sigaction` write the current one into `action`, which is
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
