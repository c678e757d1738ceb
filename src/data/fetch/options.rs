//! Timeouts and retries of a download.

use std::time::Duration;

/// Timeouts, retries and display of a download.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// Maximum time to establish a connection.
    pub connect_timeout: Duration,
    /// Maximum time without data from the server.
    pub stall_timeout: Duration,
    /// Attempts per mirror before the next one is tried. The count restarts whenever the file grew.
    pub attempts: u32,
    /// Delay before the second attempt. It doubles with each further attempt.
    pub back_off: Duration,
    /// Whether to show a progress bar on stderr. It is only ever drawn on a terminal.
    pub progress: bool,
    /// Whether to use the proxy from `HTTPS_PROXY` and related variables.
    pub proxy_from_environment: bool,
}

impl Default for FetchOptions {
    fn default() -> Self {
        FetchOptions {
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(30),
            attempts: 4,
            back_off: Duration::from_secs(1),
            progress: true,
            proxy_from_environment: true,
        }
    }
}
