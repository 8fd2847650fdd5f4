//! The console without its dashboard, end to end.

mod cancel;
mod cluster;
mod credentials;
mod doctor;
mod exactness;
mod files;
mod forged;
mod inputs;
mod misbehaviour;
mod orphans;
mod refused;
mod report;
mod resume;
mod retries;
mod settings;
mod tasks;
mod unreadable;
