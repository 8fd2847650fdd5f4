//! The memory for tables of counts, which the requests of a service share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes that all tables together may take. Clones are of the same budget.
#[derive(Debug, Clone)]
pub struct TableBudget {
    limit: u64,
    taken: Arc<AtomicU64>,
}

/// What other requests hold leaves too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted;

impl TableBudget {
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            taken: Arc::default(),
        }
    }

    /// Returns what one table may take if it is the only one.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Returns the share of one request, which holds nothing yet.
    pub fn share(&self) -> Share {
        Share {
            budget: self.clone(),
            held: 0,
        }
    }
}

/// What one request holds of the budget, until it is dropped.
#[derive(Debug)]
pub struct Share {
    budget: TableBudget,
    held: u64,
}

impl Share {
    /// Makes this `bytes`, if that is more than it was.
    ///
    /// # Errors
    ///
    /// Returns an error if all shares together would be above the limit; this one then stays as it is.
    pub fn grow_to(&mut self, bytes: u64) -> Result<(), Exhausted> {
        let more = bytes.saturating_sub(self.held);
        if more == 0 {
            return Ok(());
        }
        let limit = self.budget.limit;
        let sum = |taken: u64| taken.checked_add(more).filter(|taken| *taken <= limit);
        let taken = &self.budget.taken;
        let grown = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
        grown.map_err(|_| Exhausted)?;
        self.held = bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn shares_are_within_the_limit_together_and_given_back() {
        let budget = TableBudget::new(10);
        let mut one = budget.share();
        let mut other = budget.share();
        assert_eq!(one.grow_to(6), Ok(()));
        assert_eq!(one.grow_to(3), Ok(()), "a table never shrinks");
        assert_eq!(other.grow_to(5), Err(Exhausted));
        assert_eq!(other.grow_to(4), Ok(()));
        assert_eq!(one.grow_to(7), Err(Exhausted));
        assert_eq!(one.grow_to(u64::MAX), Err(Exhausted));
        drop(other);
        assert_eq!(one.grow_to(10), Ok(()));
        drop(one);
        assert_eq!(budget.share().grow_to(10), Ok(()));
    }
}
