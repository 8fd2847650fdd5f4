//! Measures the parts of a request's work, for the `Server-Timing` header.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A part of the work.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    Get,
    Count,
    Put,
}

/// The time spent per part. Concurrent work adds up, so the sum may exceed the time of the request.
#[derive(Debug, Default)]
pub struct Timings {
    get: AtomicU64,
    count: AtomicU64,
    put: AtomicU64,
}

impl Timings {
    fn nanos(&self, part: Part) -> &AtomicU64 {
        match part {
            Part::Get => &self.get,
            Part::Count => &self.count,
            Part::Put => &self.put,
        }
    }

    pub fn add(&self, part: Part, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanos(part).fetch_add(nanos, Ordering::Relaxed);
    }

    pub fn spent(&self, part: Part) -> Duration {
        Duration::from_nanos(self.nanos(part).load(Ordering::Relaxed))
    }

    /// Does the work and records its time.
    pub fn book<T>(&self, part: Part, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.add(part, start.elapsed());
        result
    }

    /// Awaits the work and records its time, waiting included.
    pub async fn wait<T>(&self, part: Part, work: impl Future<Output = T>) -> T {
        let start = Instant::now();
        let result = work.await;
        self.add(part, start.elapsed());
        result
    }

    /// Returns the value of the header, in milliseconds.
    pub fn header(&self) -> String {
        let ms = |part| self.spent(part).as_secs_f64() * 1_000.0;
        let (get, count, put) = (ms(Part::Get), ms(Part::Count), ms(Part::Put));
        format!("s3_get;dur={get:.3}, count;dur={count:.3}, s3_put;dur={put:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_in_milliseconds() {
        let timings = Timings::default();
        timings.add(Part::Get, Duration::from_micros(1_500));
        timings.add(Part::Get, Duration::from_micros(500));
        timings.add(Part::Put, Duration::from_secs(1));
        assert_eq!(
            timings.header(),
            "s3_get;dur=2.000, count;dur=0.000, s3_put;dur=1000.000"
        );
    }
}
