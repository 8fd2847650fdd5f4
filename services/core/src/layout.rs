//! Where the objects of a run are in its bucket: one place for the services that write and the console that looks.

/// Everything of a run is below this; it ends with `/`.
pub fn run(run: &str) -> String {
    format!("mr/runs/{run}/")
}

/// The copy of chunk `index`, made by an attempt at the split; `width` digits hold every index.
pub fn chunk(run: &str, attempt: &str, index: usize, width: usize) -> String {
    format!("mr/runs/{run}/chunks/a{attempt}/chunk{index:0width$}.txt")
}

/// The counts of a chunk, made by an attempt at its map.
pub fn map_output(run: &str, chunk: &str, attempt: &str) -> String {
    format!("mr/runs/{run}/maps/chunk{chunk}-a{attempt}.json")
}

/// The folder of all map outputs; it ends with `/`.
pub fn map_outputs(run: &str) -> String {
    format!("mr/runs/{run}/maps/")
}

/// The final counts, made by an attempt at the reduce.
pub fn reduce_output(run: &str, attempt: &str) -> String {
    format!("mr/runs/{run}/reduce/final-a{attempt}.json")
}

/// The folder of all final counts; it ends with `/`.
pub fn reduce_outputs(run: &str) -> String {
    format!("mr/runs/{run}/reduce/")
}

/// What the run is: written once, before the first map.
pub fn plan(run: &str) -> String {
    format!("mr/runs/{run}/plan.json")
}

/// That the run is done, and with what: written once, at the end.
pub fn success(run: &str) -> String {
    format!("mr/runs/{run}/success.json")
}

/// The sign of life of the console that took the run up as the `number`th one, counted from 1.
pub fn claim(run: &str, number: u32) -> String {
    format!("mr/runs/{run}/claims/{number}.json")
}

/// The folder of all claims; it ends with `/`.
pub fn claims(run: &str) -> String {
    format!("mr/runs/{run}/claims/")
}
