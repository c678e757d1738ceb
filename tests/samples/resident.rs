//! Memory of the test process.

/// Returns the resident memory of this process. Only Linux provides it in a file; on other systems
/// only the number of objects is checked.
pub fn bytes() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/statm") else { return 0 };
    let pages: u64 = text.split(' ').nth(1).expect("a second number").parse().expect("a number");
    4096 * pages
}

/// Peak memory of this process, in MiB.
pub fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    kibibytes.unwrap().parse::<usize>().unwrap() / 1024
}
