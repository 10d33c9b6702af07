//! What the system says of its memory.

use std::fs;

/// A line of `/proc/meminfo`, such as `MemAvailable:`, in bytes.
pub(crate) fn of_machine(name: &str) -> Option<u64> {
    kib(&fs::read_to_string("/proc/meminfo").ok()?, name)
}

/// What a container may use of it, in bytes; without a bound, more than there is.
pub(crate) fn allowed() -> u64 {
    let text = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX)
}

/// A line such as `MemAvailable:   123456 kB`, in bytes.
pub(crate) fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_in_bytes() {
        assert_eq!(kib("MemTotal: 5 kB\nMemAvailable:    2 kB\n", "MemAvailable:"), Some(2_048));
        assert_eq!(kib("MemAvailable: many", "MemAvailable:"), None);
    }
}
