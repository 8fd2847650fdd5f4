//! AWS beyond the SDKs that are built in: signed calls to services of which mrdeck needs one or two operations,
//! and what a person is told when AWS refuses.

pub mod arn;
pub mod credentials;
pub mod ec2;
pub mod failure;
pub mod identity;
pub mod lookup;
pub mod query;

pub use query::{QueryClient, QueryError, Service, default_endpoint};
