//! Puts the services on ECS and takes them down again, as one `CloudFormation` stack.
//!
//! | module | job |
//! |---|---|
//! | [`template`] | the template, and the names of its parameters |
//! | [`request`] | what the command line asks for, validated |
//! | [`stack`], `shapes` | calls to `CloudFormation`, and its answers |
//! | [`network`] | the subnets that tasks run in |
//! | [`images`] | which images are in the repositories, and how to put them there |
//! | [`bucket`] | the stack's bucket: is it there, is it empty, remove it |
//! | [`plan`] | pure: what is to be done, from what is there and what is wanted |
//! | [`follow`], [`rollout`] | waiting: for the stack, for its tasks |

pub mod bucket;
pub mod follow;
pub mod images;
pub mod network;
pub mod plan;
pub mod request;
pub mod rollout;
mod shapes;
pub mod stack;
pub mod template;

/// A line for whoever waits.
pub type Tell<'a> = &'a dyn Fn(&str);
