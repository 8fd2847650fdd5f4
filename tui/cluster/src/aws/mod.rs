//! AWS beyond the SDKs that are built in: signed calls to services of which mrdeck needs one or two operations,
//! and what a person is told when AWS refuses.

pub mod arn;
pub mod call;
pub mod credentials;
pub mod ec2;
pub mod failure;
pub mod identity;
pub mod places;

pub use call::{CallError, Caller, Service, default_endpoint};
