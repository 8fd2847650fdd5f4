//! AWS beyond the SDKs that are built in: signed calls to services of which mrdeck needs one or two operations, and
//! what a refusal means.

pub mod arn;
pub mod credentials;
pub mod ec2;
pub mod error;
mod error_body;
pub mod identity;
pub mod lookup;
mod query;
mod signature;

pub use error::{AwsError, QueryError};
pub use query::{QueryClient, Service, default_endpoint};
