//! Ctrl-C and SIGTERM: the first asks the run to end, the second ends the process at once.

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
    for (signal, reason) in [(SIGINT, ErrorKind::Interrupted), (SIGTERM, ErrorKind::Terminated)] {
        let listen = || {
            // A signal's actions run in this order, so the first one finds that nobody asked before.
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
