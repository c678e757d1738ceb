//! How much memory a test's process has.

/// Memory of this process that is not swapped out. Only Linux says so in a file; elsewhere objects are all that is
/// looked at.
pub fn bytes() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/statm") else { return 0 };
    let pages: u64 = text.split(' ').nth(1).expect("a second number").parse().expect("a number");
    4096 * pages
}
