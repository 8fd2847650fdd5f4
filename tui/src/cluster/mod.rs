//! Where tasks come from: the trait every backend implements, and the table of backends.

mod task;

pub use task::{Probe, Role, Task, TaskId, TaskList, TaskStatus};
