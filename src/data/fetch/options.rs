//! How patient a download is.

use std::time::Duration;

/// How patient a download is, and what it shows.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a server may send nothing.
    pub stall_timeout: Duration,
    /// How often a mirror is tried before the next one, counted anew whenever the file grew.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles with each further one.
    pub back_off: Duration,
    /// Whether to show a progress bar on stderr (only ever done on a terminal).
    pub progress: bool,
    /// Whether to use the proxy that `HTTPS_PROXY` and its relatives name.
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
