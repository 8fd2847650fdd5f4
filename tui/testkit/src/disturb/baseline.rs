//! How long a run takes that nothing is done to: what a disturbed one is compared with.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::Duration;

use super::play::play_alone;
use super::{Disturbed, Expected, Shape};

/// Measured once for each shape, in this process.
pub fn undisturbed(shape: &Shape) -> Duration {
    type Times = Mutex<HashMap<String, Arc<OnceLock<Duration>>>>;
    static TIMES: LazyLock<Times> = LazyLock::new(Mutex::default);
    let time = {
        let mut times = TIMES.lock().unwrap();
        times.entry(format!("{shape:?}")).or_default().clone()
    };
    *time.get_or_init(|| measure(shape))
}

fn measure(shape: &Shape) -> Duration {
    let run = Disturbed {
        name: String::new(),
        lab: shape.clone(),
        rules: Vec::new(),
        acts: Vec::new(),
        seen: Expected::default(),
    };
    play_alone(&run).took
}
