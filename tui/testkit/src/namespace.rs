//! Namespaces of Linux, so that a test can mount or number processes without touching the machine.

use std::os::unix::fs::MetadataExt as _;

/// Returns the arguments of `unshare` for these namespaces, as `--mount`. Whoever is not root is so in a user namespace.
///
/// # Panics
///
/// Panics where there is no `/proc`.
pub fn unshare(namespaces: &[&'static str]) -> Vec<&'static str> {
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let user: &[_] = if is_root { &[] } else { &["--map-root-user"] };
    [user, namespaces].concat()
}
