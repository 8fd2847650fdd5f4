//! The console without its dashboard, end to end.

mod broken_services;
mod cancel;
mod clean;
mod credentials;
mod doctor;
mod dumb_terminal;
mod encodings;
mod environment;
mod exactness;
mod forged_objects;
mod literal_keys;
mod local_files;
mod local_services;
mod log;
mod many_objects;
mod no_credentials;
mod orphans;
mod output_files;
mod report;
mod resume;
mod retries;
mod settings;
mod stalled;
mod tasks;
mod unreadable_answers;
mod unusable_inputs;
