//! mrdeck: a terminal console that runs `MapReduce` on an Amazon ECS cluster.
//!
//! | module | job |
//! |---|---|
//! | [`entry`] | starts the runtime and calls the dashboard or a command |
//! | [`cli`], [`config`] | the command line; flags, environment and file merged into one configuration |
//! | [`dashboard`] | the dashboard: its model, its effects, and how it is drawn |
//! | [`commands`] | the commands that work without the dashboard |
//! | [`doctor`] | checks what a run needs, and says what to do where something is missing |
//! | [`input`], [`upload`] | what a run reads, and how a local file gets into S3 |
//! | [`clean`] | old uploads and runs in a bucket: found, listed, removed |
//! | [`job`] | a job in the engine, started for the dashboard and for the commands |
//! | [`report`] | a run as text, as JSON and as a chart |
//! | [`task_table`] | the columns of the table of tasks, as the dashboard draws and `mrdeck tasks` prints them |
//! | [`resume_command`] | the shell command that resumes a run |
//! | [`atomic_file`] | files that are written whole or not at all |
//! | [`log_file`] | the log of `--log FILE` |
//! | [`stderr`], [`tty`], [`exit`], [`signals`] | standard error, what a terminal takes, exit codes, and signals: to end, to stop, to go on |
//!
//! The run itself is in `mrdeck-engine`, the clusters are in `mrdeck-cluster`.

pub mod atomic_file;
pub mod clean;
pub mod cli;
pub mod commands;
pub mod config;
pub mod dashboard;
pub mod doctor;
pub mod entry;
pub mod exit;
pub mod input;
pub mod job;
pub mod log_file;
pub mod report;
pub mod resume_command;
pub mod signals;
pub mod stderr;
pub mod task_table;
pub mod tty;
pub mod upload;

pub use entry::main;

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_has_every_module() {
        let source = include_str!("lib.rs");
        let modules = source.lines().filter_map(|line| {
            let name = line
                .strip_prefix("pub mod ")
                .or(line.strip_prefix("mod "))?;
            name.strip_suffix(';')
        });
        for module in modules {
            let row = format!("[`{module}`]");
            let is_listed = |line: &str| line.starts_with("//! |") && line.contains(&row);
            assert!(source.lines().any(is_listed), "{module}");
        }
    }
}
