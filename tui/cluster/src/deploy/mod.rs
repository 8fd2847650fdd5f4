//! Puts the services on ECS and takes them down again, as one `CloudFormation` stack.
//!
//! | module | job |
//! |---|---|
//! | [`request`] | what the command line asks for, validated |
//! | [`network`] | the subnets that tasks run in |
//! | [`bucket`] | the stack's bucket: is it there, is it empty, remove it |
//! | [`images`] | which images are in the repositories, and how to put them there |
//! | [`stack_template`] | the template, and the names of its parameters |
//! | [`stack_plan`] | pure: what is to be done, from what is there and what is wanted |
//! | [`stack`], `responses` | calls to `CloudFormation`, and its answers |
//! | [`stack_events`], [`rollout`] | waiting: for the stack, for its tasks |
//! | `error` | why it can't go on |

pub mod bucket;
mod error;
pub mod images;
pub mod network;
pub mod request;
mod responses;
pub mod rollout;
pub mod stack;
pub mod stack_events;
pub mod stack_plan;
pub mod stack_template;

pub use error::DeployError;

/// Takes a line of progress for the person who waits.
pub type Reporter<'a> = &'a dyn Fn(&str);
