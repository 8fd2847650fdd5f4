//! The limit of open files of the process, so that connections don't take the descriptors that requests need.

/// The most connections that are served at the same time, however many descriptors there are.
const MOST_CONNECTIONS: usize = 1_024;
/// The descriptors for everything but connections and what they need: log, runtime, temporary files.
const RESERVE: usize = 64;

/// Raises the process's limit as far as it may, and returns how many connections it is good for.
///
/// A connection with a request in work takes another descriptor at least, to S3.
pub fn connections() -> usize {
    share(raised())
}

fn share(descriptors: Option<u64>) -> usize {
    let descriptors = descriptors.and_then(|count| usize::try_from(count).ok());
    let share = descriptors.map(|count| count.saturating_sub(RESERVE) / 2);
    share.map_or(MOST_CONNECTIONS, |share| share.clamp(16, MOST_CONNECTIONS))
}

/// Raises the limit to what the process may set itself; returns it, if it is known.
#[cfg(unix)]
fn raised() -> Option<u64> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => Some(hard),
        Err(_) => Some(soft),
    }
}

#[cfg(not(unix))]
fn raised() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_descriptors_are_for_connections() {
        assert_eq!(share(Some(256)), 96);
        assert_eq!(share(Some(0)), 16);
        assert_eq!(share(Some(u64::MAX)), MOST_CONNECTIONS);
        assert_eq!(share(None), MOST_CONNECTIONS);
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_is_as_high_as_it_may_be() {
        use nix::sys::resource::{Resource, getrlimit};

        let raised = raised();
        let limits = getrlimit(Resource::RLIMIT_NOFILE).ok();
        assert_eq!(limits.map(|(soft, _)| soft), raised);
        assert_eq!(limits.map(|(_, hard)| hard), raised);
    }
}
