//! The memory limit of the container, so that a chunk with too many distinct words is refused before the kernel kills the
//! service.

use std::fs;

/// The files with the limit on Linux: of control groups version 2, then of version 1.
const LIMITS: [&str; 2] = [
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
];

/// Returns the bytes that one table may take, if the container's memory is limited.
///
/// A quarter of the limit is left for the program, bodies in transit, and memory that the allocator retains.
pub fn for_a_table() -> Option<u64> {
    let mut texts = LIMITS
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    texts.find_map(|text| limit(&text)).map(share)
}

/// Parses a limit: a number, or `max` for none.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

fn share(limit: u64) -> u64 {
    limit / 4 * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_and_max_is_none() {
        assert_eq!(limit("536870912\n"), Some(512 << 20));
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit(""), None);
        assert_eq!(share(512 << 20), 384 << 20);
    }
}
