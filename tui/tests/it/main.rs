//! The console's tests of the real binary: one test binary, because each one links the AWS SDK.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod architecture;
mod commands;
mod dashboard;
mod documents;
mod screens;
