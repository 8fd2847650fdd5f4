//! The commands that work without the dashboard; each prints what it found and gives an exit code.
//!
//! | module | job |
//! |---|---|
//! | [`run()`], [`resume()`] | one run, new or resumed |
//! | `execute`, `connect`, `run_progress`, `upload_progress` | what these two share: from the connection to the report |
//! | [`runs()`] | what is recorded of past runs |
//! | [`tasks()`], [`doctor()`], [`scale()`] | look at a cluster, and change how many tasks run |
//! | [`up()`], [`down()`] | deploy the services, and remove them; `stack_session` is what they share |
//! | [`clean()`] | removes old uploads and runs |
//! | [`serve()`] | one service in the foreground |
//! | `stdout`, `failure`, `confirm`, `waiting` | print, fail, ask, say what is waited for |

mod clean;
mod confirm;
mod connect;
mod doctor;
mod down;
mod execute;
mod failure;
mod resume;
mod run;
mod run_progress;
mod runs;
mod scale;
mod serve;
mod stack_session;
mod stdout;
mod tasks;
mod up;
mod upload_progress;
mod waiting;

use std::time::Duration;

pub use clean::clean;
pub use doctor::doctor;
pub use down::down;
pub use resume::resume;
pub use run::run;
pub use runs::runs;
pub use scale::scale;
pub use serve::serve;
pub use tasks::tasks;
pub use up::up;

use failure::fail;
pub(crate) use failure::refuse;
use stdout::{print, print_json};
pub(crate) use waiting::told_of;

/// Between two frames of a spinner.
const TICK: Duration = Duration::from_millis(100);
