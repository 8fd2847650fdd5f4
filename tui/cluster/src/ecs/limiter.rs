//! Holds the calls to ECS to five a second on average, whichever client of the cluster makes them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_ecs::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use tokio::sync::Mutex as Queue;
use tokio::time::{Instant, sleep_until};

/// What one call costs: five a second. ECS throttles an account at 20 to 100 a second, which others share.
const COST: Duration = Duration::from_millis(200);

/// The limit that poller and scaler share.
///
/// As an interceptor of every client it charges each request that is sent, pages and retries included. A refresh may
/// send its requests at once; the next [`until_ready`](Self::until_ready) returns once they are paid for.
#[derive(Debug, Clone)]
pub(super) struct RateLimiter(Arc<State>);

#[derive(Debug)]
struct State {
    /// When every request sent so far is paid for.
    paid_off: Mutex<Instant>,
    /// First come, first served: neither poller nor scaler starves the other.
    queue: Queue<()>,
}

impl RateLimiter {
    pub(super) fn new() -> Self {
        Self(Arc::new(State {
            paid_off: Mutex::new(Instant::now()),
            queue: Queue::default(),
        }))
    }

    /// Waits until every request sent so far is paid for.
    pub(super) async fn until_ready(&self) {
        let _turn = self.0.queue.lock().await;
        loop {
            let paid_off = self.paid_off();
            if paid_off <= Instant::now() {
                return;
            }
            sleep_until(paid_off).await;
        }
    }

    fn paid_off(&self) -> Instant {
        *self
            .0
            .paid_off
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn charge(&self) {
        let mut paid_off = self
            .0
            .paid_off
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *paid_off = charged(*paid_off, Instant::now());
    }
}

/// Returns when a request sent now is paid for. Nothing is saved up while no request is sent.
fn charged(paid_off: Instant, now: Instant) -> Instant {
    paid_off.max(now) + COST
}

impl Intercept for RateLimiter {
    fn name(&self) -> &'static str {
        "RateLimiter"
    }

    /// Runs once for each attempt.
    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.charge();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use aws_config::retry::RetryConfig;
    use aws_sdk_ecs::Client;
    use aws_sdk_ecs::config::Builder;
    use mrdeck_store::aws::{AwsOptions, Credentials, sdk_config};

    use super::*;

    /// Calls a second.
    const BUDGET: f64 = 5.0;

    /// Returns how long it takes until that many requests, sent at once, are paid for.
    fn paid_after(calls: u32, began: Instant) -> Duration {
        (0..calls).fold(began, |paid, _| charged(paid, began)) - began
    }

    #[test]
    fn the_budget_holds_at_any_size() {
        // 1,000 tasks are 21 calls a refresh.
        for calls in [1, 3, 21, 24, 240, 2_000] {
            let pause = paid_after(calls, Instant::now());
            let rate = f64::from(calls) / pause.as_secs_f64();
            assert!(rate <= BUDGET + 1e-9, "{calls} calls: {rate} a second");
        }
    }

    #[test]
    fn there_are_five_calls_a_second_at_most() {
        let began = Instant::now();
        assert_eq!(paid_after(10, began), Duration::from_secs(2));
        let later = began + Duration::from_mins(1);
        assert_eq!(charged(began, later), later + COST, "none is saved up");
    }

    #[tokio::test]
    async fn poller_and_scaler_pay_for_each_others_calls() {
        let limiter = RateLimiter::new();
        let began = Instant::now();
        limiter.until_ready().await;
        assert!(began.elapsed() < COST, "the first call waits for nothing");
        let other = limiter.clone();
        for _ in 0..3 {
            other.charge();
        }
        limiter.until_ready().await;
        assert!(began.elapsed() >= COST * 3, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn every_attempt_is_charged() {
        let options = AwsOptions {
            region: Some("us-east-1".to_owned()),
            // Nothing listens there.
            endpoint_url: Some("http://127.0.0.1:9".to_owned()),
            credentials: Some(Credentials::new("key", "secret", None, None, "test")),
            ..AwsOptions::default()
        };
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(1));
        let limiter = RateLimiter::new();
        let began = Instant::now();
        let config = Builder::from(&sdk_config(&options).await.unwrap())
            .retry_config(retries)
            .interceptor(limiter.clone());
        let client = Client::from_conf(config.build());
        assert!(client.list_tasks().send().await.is_err());
        assert!(limiter.paid_off() >= began + COST * 3);
    }
}
