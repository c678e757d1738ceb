//! Memory of the test process.

/// Returns the resident memory of this process. Only Linux provides it in a file; on other systems
/// only the number of objects is checked.
pub fn bytes() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/statm") else { return 0 };
    let pages: u64 = text.split(' ').nth(1).expect("a second number").parse().expect("a number");
    4096 * pages
}
