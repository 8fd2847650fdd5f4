//! Pure figures of a run: percentiles and the map phase's parallelism.

use crate::state::RunState;
use crate::work::Phase;

/// The map phase in figures. All times are milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct MapStats {
    /// The committed attempts' latencies, added up.
    pub sum_ms: f64,
    /// From the phase's start to its last commit.
    pub wall_ms: f64,
    /// `sum_ms / wall_ms`: how many attempts were busy on average. It is no speed-up: attempts that wait for each
    /// other, for a core or for S3, raise it too.
    pub parallelism: f64,
    /// The most it can be: the number of mappers, or of chunks if those are fewer, or of requests that were in flight at a
    /// time where mappers got several.
    pub ideal: u32,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub max_ms: f64,
}

/// The map phase's figures, once it is over and at least one chunk was committed.
pub fn map_stats(record: &RunState) -> Option<MapStats> {
    let mut latencies: Vec<f64> = record
        .chunks
        .iter()
        .filter_map(|chunk| chunk.work.result().map(|(ms, _)| ms))
        .collect();
    let wall_ms = record.clock(Phase::Map).wall_ms?;
    if latencies.is_empty() || wall_ms <= 0.0 {
        return None;
    }
    latencies.sort_by(f64::total_cmp);
    let sum_ms: f64 = latencies.iter().sum();
    Some(MapStats {
        sum_ms,
        wall_ms,
        parallelism: sum_ms / wall_ms,
        ideal: record.ideal_parallelism(),
        p50_ms: percentile(&latencies, 50),
        p95_ms: percentile(&latencies, 95),
        max_ms: percentile(&latencies, 100),
    })
}

/// The nearest-rank percentile: the smallest value that at least `percent` of the values don't exceed.
///
/// `sorted` is in ascending order; 0 for an empty slice.
pub fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent.min(100)).div_ceil(100);
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_nearest_rank() {
        let values = [15.0, 20.0, 35.0, 40.0, 50.0];
        let at = |percent| percentile(&values, percent);
        assert_eq!(
            [at(0), at(30), at(40), at(50), at(95), at(100)].map(f64::to_bits),
            [15.0, 20.0, 20.0, 35.0, 50.0, 50.0].map(f64::to_bits)
        );
        assert_eq!(percentile(&[], 50).to_bits(), 0.0f64.to_bits());
    }
}
